"""What is known beforehand: the resident is away, in hospital or has a visitor; somebody works on the equipment.

An absence mutes what says "she does not move" or "she has not come back", never a call for help. Somebody who moves in
a home whose resident is away may be the resident, home early and alone: a silence that begins in the absence stands,
and after three lively quarters of an hour the absence ends by itself.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from alerts.detect.findings import Finding
from alerts.detect.visits import MARGIN_S
from core.model import AbsenceKind, AlertKind
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "planned.sql")
SETTLE: Final = timedelta(hours=2)  # people leave later than planned
BACK_QUARTERS: Final = 3  # who waters the flowers is gone by then
MUTED_BY_ABSENCE: Final[Mapping[AbsenceKind, frozenset[AlertKind]]] = {
    AbsenceKind.AWAY: frozenset({AlertKind.INACTIVITY, AlertKind.NOT_RISEN, AlertKind.NOT_RETURNED}),
    AbsenceKind.HOSPITAL: frozenset({AlertKind.INACTIVITY, AlertKind.NOT_RISEN, AlertKind.NOT_RETURNED}),
    # With two in the home a day runs differently, but that nobody at all moves is stranger still.
    AbsenceKind.VISITOR: frozenset({AlertKind.NOT_RISEN, AlertKind.NOT_RETURNED}),
}
MUTED_BY_MAINTENANCE: Final[frozenset[AlertKind]] = frozenset(
    {
        AlertKind.DEVICE_SILENT,
        AlertKind.GATEWAY_OFFLINE,
        AlertKind.CANNOT_WATCH,
        AlertKind.TAMPER,
        AlertKind.SENSOR_STUCK,
    }
)


@dataclass(frozen=True)
class Planned:
    """What holds now. Home id -> absences (id, kind, from_at); home id -> id of its maintenance."""

    absences: Mapping[int, Sequence[Mapping[str, Any]]]
    maintenance: Mapping[int, int]

    def cause(self, finding: Finding, carers: Container[int] = frozenset()) -> str | None:
        """What mutes the finding, `absence:{id}` or `maintenance:{id}`; None when nothing planned does.

        Args:
            carers: homes whose last sign of life may be a carer's who met nobody (detect.visits.unmet_carers).
        """
        return self.cause_of(finding.kind, finding.home_id, finding.began_at, carers)

    def cause_of(
        self, kind: AlertKind, home_id: int, began_at: datetime, carers: Container[int] = frozenset()
    ) -> str | None:
        """The same, of a trouble of that kind in that home that began then."""
        if kind in MUTED_BY_MAINTENANCE and home_id in self.maintenance:
            return f"maintenance:{self.maintenance[home_id]}"
        for absence in self.absences.get(home_id, ()):
            stirred = kind is AlertKind.INACTIVITY and began_at > absence["from_at"] + SETTLE and home_id not in carers
            if kind in MUTED_BY_ABSENCE[AbsenceKind(absence["kind"])] and not stirred:
                return f"absence:{absence['id']}"
        return None


def load_planned(connection: Connection, now: datetime) -> Planned:
    """What holds at `now`."""
    absences: dict[int, list[Mapping[str, Any]]] = {}
    for row in connection.execute(QUERIES["absences_now"], {"now": now}):
        absences.setdefault(row["home_id"], []).append(row)
    rows = connection.execute(QUERIES["maintenance_now"], {"now": now}).fetchall()
    return Planned(absences, {row["home_id"]: row["id"] for row in rows})


@dataclass(frozen=True)
class Plans:
    """All that was planned for some homes in a span, for looks at a past.

    Attributes:
        absences: id, home_id, kind, from_at, entered_at, until_at (or when it was ended).
        maintenance: likewise, without kind; a row for each home.
    """

    absences: Sequence[Mapping[str, Any]] = ()
    maintenance: Sequence[Mapping[str, Any]] = ()

    def at(self, now: datetime) -> Planned:
        """What held at `now` and was known then, as `load_planned` would have loaded it."""
        absences: dict[int, list[Mapping[str, Any]]] = {}
        for row in self.absences:
            if _holds(row, now):
                absences.setdefault(row["home_id"], []).append(row)
        return Planned(absences, {row["home_id"]: row["id"] for row in self.maintenance if _holds(row, now)})


def _holds(row: Mapping[str, Any], now: datetime) -> bool:
    return bool(max(row["from_at"], row["entered_at"]) <= now < row["until_at"])


def load_plans(connection: Connection, homes: Sequence[int], since: datetime, until: datetime) -> Plans:
    """What was planned for these homes in a span, as far as this connection may see it."""
    asked = {"homes": list(homes), "since": since, "until": until}
    return Plans(
        connection.execute(QUERIES["absences_of"], asked).fetchall(),
        connection.execute(QUERIES["maintenance_of"], asked).fetchall(),
    )


def end_on_return(connection: Connection, now: datetime) -> list[int]:
    """Ends the absences whose resident is home again. Returns the homes."""
    asked = {"now": now, "settle": SETTLE, "quarters": BACK_QUARTERS,
             "margin": timedelta(seconds=MARGIN_S)}  # fmt: skip
    rows = connection.execute(QUERIES["end_on_return"], asked).fetchall()
    for row in rows:
        structlog.get_logger().info("absence_ended", absence=row["id"], home=row["home_id"])
    return [row["home_id"] for row in rows]
