"""Who is, or was, in a home besides its resident: carers' visits (care/visits/), and whoever is on site for an alert.

While somebody is there, what is only inferred from silence rings nobody: it stands on record as muted, and comes up
when they have left and it still holds. SOS, falls, smoke, gas and leaks ring as ever. A visit that nobody ends is over
after the policy's `visit_s`, so that no forgotten tap makes a home blind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import structlog

from alerts.detect.arrays import Bools, Floats, Ints, Texts
from alerts.detect.findings import Finding
from alerts.detect.visits import MARGIN_S, NO_VISITS, Past, Visited, nobody_came
from alerts.inhibit import INFERRED
from alerts.policy import DEFAULTS, Policy
from alerts.slices import ALL
from core.model import Found
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "visits.sql")


@dataclass(frozen=True)
class VisitLog:
    """What was said of visits to some homes. One row a visit, by home and beginning; epoch seconds.

    Attributes:
        cause: `visit:{id}`, or `on_site:{id}` of an alert.
        home_id: int64. from_at, until_at: NaN = it goes on.
        known_at: when it was said. undone_at: when it was taken back; inf = it stands.
        met, well, together: how it ended, see detect.visits.
    """

    cause: Texts
    home_id: Ints
    from_at: Floats
    until_at: Floats
    known_at: Floats
    undone_at: Floats
    met: Bools
    well: Bools
    together: Bools

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> "VisitLog":
        """From rows with the columns of the queries, in any order."""
        rows = sorted(rows, key=lambda row: (row["home_id"], row["from_at"]))

        def floats(name: str) -> Floats:
            return np.array([row[name] for row in rows], dtype=np.float64)

        found = np.array([row["found"] or "" for row in rows], dtype=np.object_)
        return cls(
            cause=np.array([row["cause"] for row in rows], dtype=np.object_),
            home_id=np.array([row["home_id"] for row in rows], dtype=np.int64),
            from_at=floats("from_at"),
            until_at=floats("until_at"),
            known_at=floats("known_at"),
            undone_at=np.where(np.isnan(floats("undone_at")), np.inf, floats("undone_at")),
            met=np.isin(found, (Found.WELL, Found.NEEDS_ATTENTION)),
            well=found == Found.WELL,
            together=np.array([row["together"] for row in rows], dtype=np.bool_),
        )

    def visited(self, home_id: Ints, now: float, longest_s: Floats) -> Visited:
        """The last visit to each home of which was known at `now`.

        Args:
            home_id: int64 [homes], rising.
            longest_s: float64 [homes], when one is over that nobody has ended (policy `visit_s`).
        """
        rows, home, until_at = self._known(home_id, now, longest_s)
        if not len(rows):
            return nobody_came(len(home_id))
        # A visit that begins within the margins of those before it goes on with them: only the last such chain matters.
        from_at, apart = self.from_at[rows], home * (now - self.from_at[rows].min() + 2 * MARGIN_S + 1)
        reached = np.maximum.accumulate(apart + np.minimum(until_at, now)) - apart
        begins = np.append(True, (home[1:] != home[:-1]) | (from_at[1:] - 2 * MARGIN_S > reached[:-1]))
        last_of = np.zeros(len(home_id), dtype=np.int64)
        last_of[home[begins]] = np.flatnonzero(begins)  # of several to one place the last is kept
        kept = np.arange(len(rows)) >= last_of[home]
        rows, home, until_at, from_at = rows[kept], home[kept], until_at[kept], from_at[kept]
        met_at = np.where(self.met[rows] & (self.until_at[rows] <= now), until_at, -np.inf)
        of, start = np.unique(home, return_index=True)
        found = nobody_came(len(home_id))
        latest = {
            "until_at": np.maximum.reduceat(until_at, start),
            "met_at": np.maximum.reduceat(met_at, start),
            "well_at": np.maximum.reduceat(np.where(self.well[rows], met_at, -np.inf), start),
        }
        ends = {name: getattr(found, name).copy() for name in latest}
        for name, values in latest.items():
            ends[name][of] = np.where(np.isneginf(values), np.nan, values)
        went = self.together[rows] & (met_at == ends["met_at"][home])
        begun, together = found.from_at.copy(), found.together.copy()
        begun[of], together[of] = from_at[start], np.logical_or.reduceat(went, start)
        return Visited(from_at=begun, together=together, **ends)

    def there(self, home_id: Ints, now: float, longest_s: Floats) -> dict[int, str]:
        """Home id -> the visit, or the alert that somebody is on site for, of homes in which somebody is at `now`."""
        rows, _, until_at = self._known(home_id, now, longest_s)
        here = rows[np.isposinf(until_at)][::-1]  # of several the first has the word
        return dict(zip(self.home_id[here].tolist(), self.cause[here].tolist(), strict=True))

    def past(self, home_id: int, now: float, longest_s: float) -> Past:
        """All visits to one home of which was known at `now`, for learning."""
        rows, _, until_at = self._known(np.array([home_id]), now, np.array([longest_s]))
        if not len(rows):
            return NO_VISITS
        met = self.met[rows] & (self.until_at[rows] <= now)
        return Past(self.from_at[rows], np.minimum(until_at, now), met)

    def _known(self, home_id: Ints, now: float, longest_s: Floats) -> tuple[Ints, Ints, Floats]:
        """(row, place of its home in `home_id`, end as known at `now`: inf = it goes on) of the visits known then."""
        at = np.minimum(np.searchsorted(home_id, self.home_id), max(len(home_id) - 1, 0))
        mine = home_id[at] == self.home_id if len(home_id) else np.zeros(len(at), dtype=np.bool_)
        said = (self.known_at <= now) & (self.undone_at > now) & (self.from_at <= now)
        rows = np.flatnonzero(mine & said)
        home = at[rows]
        forgotten = self.from_at[rows] + longest_s[home]
        until_at = np.where(
            self.until_at[rows] <= now, self.until_at[rows], np.where(forgotten <= now, forgotten, np.inf)
        )
        return rows, home, until_at


NOBODY: Final = VisitLog.of([])


def mutes(there: Mapping[int, str], finding: Finding) -> str | None:
    """The visit that mutes the finding; None: it rings. `there`: see VisitLog.there."""
    return there.get(finding.home_id) if finding.kind in INFERRED else None


def load_now(connection: Connection, now: datetime, slices: Sequence[int]) -> VisitLog:
    """What the sweep needs of the homes of these slices."""
    return VisitLog.of(connection.execute(QUERIES["visits_now"], {"now": now, "slices": list(slices)}).fetchall())


def load_log(connection: Connection, homes: Sequence[int], since: datetime, until: datetime) -> VisitLog:
    """All that was said of visits to these homes in a span, also what was taken back later."""
    asked = {"homes": list(homes), "since": since, "until": until}
    return VisitLog.of(connection.execute(QUERIES["visits_of"], asked).fetchall())


def end_forgotten(
    connection: Connection, now: datetime, policies: Mapping[int, Policy], slices: Sequence[int] = ALL
) -> list[int]:
    """Ends the visits that nobody has ended in time, at the time at which they were over. Returns the homes.

    Args:
        policies: of the homes of these slices; one that is not here has no gateway, and the defaults.
    """
    homes = []
    for row in connection.execute(QUERIES["under_way"], {"before": now, "slices": list(slices)}):
        ended_at = row["began_at"] + timedelta(seconds=policies.get(row["home_id"], DEFAULTS).visit_s)
        if ended_at <= now:
            connection.execute(QUERIES["end_forgotten"], {"id": row["id"], "ended_at": ended_at})
            structlog.get_logger().info("visit_ended_itself", visit=row["id"], home=row["home_id"])
            homes.append(row["home_id"])
    return homes
