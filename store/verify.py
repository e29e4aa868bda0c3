"""Recomputes what ingest derived from the readings that are held, says what differs, and mends it.

The look is one snapshot, day by day and some homes at a time, so it sees ingest's transactions whole and needs little
memory whatever the size. Mending takes a home's day (or devices, or a home) at a time, under a lock, from the readings
as they are then: nothing that arrives meanwhile is lost. What was derived from readings that retention has dropped
since cannot be recomputed and stands.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import msgspec

from core.errors import NotFound
from core.metrics import METRICS, Life
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "verify.sql")
HOMES: Final = 250  # looked at together: a day of them is under a million readings, and their quarters fit WORK_MEM
WORK_MEM: Final = "64MB"
FROM_QUARTERS: Final = ("compare_rollups", "gather_states", "gather_places", "gather_life")
EXAMPLES: Final = 20
THOUSANDS: Final = 1_000  # of batches, looked at one by one
LATE: Final = timedelta(days=2)  # of batches that came later than this the ledger says what was dropped since
DAY: Final = timedelta(days=1)
LIFE: Final = {
    "turned_on": [metric.id for metric in METRICS if metric.life is Life.TURNED_ON],
    "on_change": [metric.id for metric in METRICS if metric.life is Life.ON_CHANGE],
}
Advance = Callable[[float, float], None]


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row that is not what its readings say. `what`: rollup, device_state, home_state, ledger, or
    day_without_readings."""

    what: str
    detail: str
    home: str | None = None
    device_id: int | None = None
    metric: int | None = None
    time: datetime | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What `verify` found.

    Attributes:
        since: readings are complete from here on; None: none was ever dropped.
        days, homes: how many were looked at.
        ledger: whether the ledger was compared, too: only a look at everything can.
        differences: rows by `Difference.what`.
        examples: the first of them.
        mended: rows by `Difference.what`.
    """

    since: datetime | None
    days: int
    homes: int
    ledger: bool
    differences: dict[str, int]
    examples: list[Difference]
    mended: dict[str, int]

    @property
    def well(self) -> bool:
        """Whether nothing differs any more."""
        return all(self.mended.get(what) == count for what, count in self.differences.items())


def verify(
    connection: Connection,
    now: datetime,
    *,
    home: str | None = None,
    days: int | None = None,
    repair: bool = False,
    advance: Advance = lambda done, total: None,
) -> Verdict:
    """Compares, and mends when `repair` is set.

    Args:
        connection: the owner's, in autocommit.
        now: the platform's present; only `days` counts back from it.
        home: the key of the one home to look at.
        days: how many of the last days (UTC) to look at, today included.
        advance: called with (steps done, steps in all).

    Raises:
        NotFound: there is no such home.
    """
    home_id = None if home is None else _home_id(connection, home)
    connection.execute(QUERIES["make_scratch"])
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT set_config('work_mem', %s, true)", [WORK_MEM])
        since = _since(connection, now, days)
        held = [row["day"] for row in connection.execute(QUERIES["days_held"], {"since": since})]
        homes = [row["id"] for row in connection.execute(QUERIES["homes"], {"home": home_id})]
        _compare(connection, _Scope(since, home_id), held, homes, whole=home is None and days is None, advance=advance)
        counts = {row["what"]: int(row["n"]) for row in connection.execute(QUERIES["counts"])}
        examples = [_example(row) for row in connection.execute(QUERIES["examples"], {"limit": EXAMPLES})]
    if repair:
        _mend(connection, _Scope(since, home_id))
    left = {row["what"]: int(row["n"]) for row in connection.execute(QUERIES["counts"])}
    mended = {what: count - left.get(what, 0) for what, count in counts.items() if count > left.get(what, 0)}
    return Verdict(since, len(held), len(homes), home is None and days is None, counts, examples, mended)


class _Scope(msgspec.Struct, frozen=True):
    since: datetime | None
    home: int | None


def _home_id(connection: Connection, key: str) -> int:
    row = connection.execute(QUERIES["home_of_key"], {"key": key}).fetchone()
    if row is None:
        raise NotFound(f"there is no home {key!r} in the register")
    return int(row["id"])


def _since(connection: Connection, now: datetime, days: int | None) -> datetime | None:
    row = connection.execute(QUERIES["complete_from"]).fetchone()
    complete: datetime | None = row["complete_from"] if row else None
    if days is None:
        return complete
    window = _start(now.astimezone(UTC).date()) - (days - 1) * DAY
    return window if complete is None else max(window, complete)


def _compare(
    connection: Connection, scope: _Scope, held: Sequence[date], homes: Sequence[int], *, whole: bool, advance: Advance
) -> None:
    asked = {"since": scope.since, "home": scope.home}
    slices = [homes[first : first + HOMES] for first in range(0, len(homes), HOMES)]
    gaps = _gaps(held, scope.since)
    total = len(slices) * len(held) or 1
    for number, some in enumerate(slices):
        connection.execute(QUERIES["compare_gaps"], {"homes": some, **gaps})
        for step, day in enumerate(held):
            advance(number * len(held) + step, total)
            span = {"homes": some, "day": _start(day), "next_day": _start(day) + DAY, **LIFE}
            for name in ("forget_quarters", "gather_quarters", *FROM_QUARTERS):
                connection.execute(QUERIES[name], span)
            if whole:
                connection.execute(QUERIES["gather_batches"], span)
    connection.execute(QUERIES["compare_states"], asked)
    if scope.home is not None:
        _look_elsewhere(connection, asked)
    connection.execute(QUERIES["compare_homes"], asked)
    if whole:
        sure = {"sure_from": None if scope.since is None else scope.since + LATE}
        thousands = [row["thousand"] for row in connection.execute(QUERIES["thousands_that_differ"], sure)]
        if thousands:
            connection.execute(QUERIES["compare_batches"], {"thousands": thousands[:THOUSANDS]})
    advance(total, total)


def _look_elsewhere(connection: Connection, asked: dict[str, Any]) -> None:
    """A device whose state does not follow from one home may have been in another: looks at all of its readings."""
    devices = [row["device_id"] for row in connection.execute(QUERIES["devices_that_differ"])]
    if devices:
        for name in ("forget_states", "forget_seen_states", "gather_states_of", "gather_places_of", "compare_states"):
            connection.execute(QUERIES[name], {**asked, "devices": devices})


def _gaps(held: Sequence[date], since: datetime | None) -> dict[str, list[datetime]]:
    """Spans without any reading, from `since` on."""
    begins, ends = [since or datetime(1970, 1, 1, tzinfo=UTC)], []
    for day in held:
        ends.append(_start(day))
        begins.append(_start(day) + DAY)
    ends.append(datetime(9999, 1, 1, tzinfo=UTC))
    gaps = [(begin, end) for begin, end in zip(begins, ends, strict=True) if begin < end]
    return {"begins": [begin for begin, _ in gaps], "ends": [end for _, end in gaps]}


def _mend(connection: Connection, scope: _Scope) -> None:
    """A little at a time, each in a transaction of its own; readings that come meanwhile wait for that moment."""
    for row in _each(connection, "next_rollup_day"):
        with connection.transaction():
            connection.execute(QUERIES["lock"])
            span = {"home": row["home_id"], "day": row["day"], "next_day": row["day"] + DAY, **LIFE}
            connection.execute(QUERIES["clear_rollup_day"], span)
            connection.execute(QUERIES["fill_rollup_day"], span)
            connection.execute(QUERIES["forget_rollup_day"], span)
    for row in _each(connection, "next_state_homes"):
        with connection.transaction():
            connection.execute(QUERIES["lock"])
            asked = {"homes": row["homes"], "devices": row["devices"], "since": scope.since}
            for name in ("clear_states", "fill_states", "forget_states"):
                connection.execute(QUERIES[name], asked)
    for row in _each(connection, "next_home"):
        with connection.transaction():
            connection.execute(QUERIES["lock"])
            asked = {"home": row["home_id"], "since": scope.since, **LIFE}
            connection.execute(QUERIES["fill_home"], asked)
            connection.execute(QUERIES["forget_home"], asked)


def _each(connection: Connection, name: str) -> Iterator[dict[str, Any]]:
    while row := connection.execute(QUERIES[name]).fetchone():
        yield row


def _example(row: dict[str, Any]) -> Difference:
    return Difference(row["what"], row["detail"], row["home"], row["device_id"], row["metric"], row["bucket"])


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
