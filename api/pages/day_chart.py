"""One day of a home as bars: a row a room, 24 hours from left to right. Pure: rows in, places out.

Places are minutes from the day's start; the template draws them in an SVG as wide as the day has minutes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from core.metrics import BY_ID, BY_NAME, is_sign_of_life
from core.model import Flag

MOTION, OPEN, OCCUPIED = (BY_NAME[name].id for name in ("motion", "open", "occupied"))
PULSE: Final = 2.0  # minutes that one "motion" is drawn for
JOIN: Final = 6.0  # minutes of quiet that do not break a bar
DOOR: Final = 4.0  # minutes: an opening is drawn wide enough to be seen
LONGEST: Final = 16 * 60.0  # minutes: a longer stay is a sensor that forgot to say "off"
QUARTER: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class Bar:
    """From `start` for `length` minutes."""

    start: float
    length: float


@dataclass
class Row:
    """One room's day.

    Attributes:
        kind, name: of the room; kind "" for devices that stand in no room.
        stirring: motion and presence. resting: bed or seat occupied. doors: openings.
        first, last: the first and the last sign of life; None without any.
    """

    kind: str
    name: str
    stirring: list[Bar] = field(default_factory=list)
    resting: list[Bar] = field(default_factory=list)
    doors: list[Bar] = field(default_factory=list)
    leaving: list[Bar] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None

    @property
    def empty(self) -> bool:
        return not (self.stirring or self.resting or self.doors or self.leaving)


@dataclass(frozen=True)
class Coverage:
    """Which part of the day could be seen.

    Attributes:
        minutes: the day's length: 1440, or an hour more or less when the clocks change.
        until: minutes until now, or the day's length when it is over.
        unseen: quarters without any reading before that.
    """

    start: datetime
    minutes: float
    until: float
    unseen: list[Bar]

    @classmethod
    def of(cls, quarters: Sequence[dict[str, Any]], start: datetime, end: datetime, now: datetime) -> "Coverage":
        """From the rows of `quarter_hours` (bucket, readings)."""
        seen = {row["bucket"] for row in quarters if row["readings"] > 0}
        minutes = (end.timestamp() - start.timestamp()) / 60
        until = min(max((now.timestamp() - start.timestamp()) / 60, 0.0), minutes)
        gaps: list[Bar] = []
        bucket = datetime.fromtimestamp(start.timestamp(), now.tzinfo)
        while bucket + QUARTER <= now and bucket < end:
            if bucket not in seen:
                gaps.append(Bar((bucket - start).total_seconds() / 60, 15.0))
            bucket += QUARTER
        return cls(start, minutes, until, join(gaps, 0.1))


@dataclass(frozen=True)
class DayChart:
    """What the template draws."""

    rows: list[Row]
    coverage: Coverage
    hours: list[tuple[float, str]]


def draw_day(readings: Iterable[dict[str, Any]], rooms: Sequence[dict[str, Any]], coverage: Coverage) -> DayChart:
    """Rows in the order of `rooms`; what stands in no room comes last, and only when there is something.

    Args:
        readings: rows of `readings`, oldest first (time, device_id, exterior, room_id, metric, value, flags).
        rooms: rows of `rooms` (id, kind, name).
    """
    rows = {room["id"]: Row(room["kind"], room["name"]) for room in rooms}
    outside = Row("", "")
    on_since: dict[tuple[int, int], float | None] = {}
    for reading in readings:
        row = rows.get(reading["room_id"], outside)
        at = (reading["time"] - coverage.start).total_seconds() / 60
        key = (reading["device_id"], reading["metric"])
        changed = bool(reading["flags"] & Flag.CHANGED)
        alive = is_sign_of_life(BY_ID[reading["metric"]], reading["value"], changed)
        if alive:
            row.first, row.last = row.first or reading["time"], reading["time"]
        if reading["metric"] == OPEN:
            if reading["value"] == 1 and changed:
                (row.leaving if reading["exterior"] else row.doors).append(Bar(at, DOOR))
        elif reading["metric"] == MOTION:
            if alive:  # a sensor that only says its state again saw nobody move
                row.stirring.append(Bar(at, PULSE))
        elif reading["value"] == 1:
            if on_since.get(key) is None:
                on_since[key] = at
        else:
            begun = on_since.get(key, 0.0)  # off as its first word of the day: it was on at midnight
            if begun is not None:
                _bars(row, reading["metric"]).append(_stay(begun, at))
            on_since[key] = None
    _close(on_since, rows, outside, readings, coverage)
    for row in (*rows.values(), outside):
        row.stirring, row.resting = join(row.stirring, JOIN), join(row.resting, JOIN)
    shown = [*rows.values(), *([] if outside.empty else [outside])]
    hours = [(hour * 60.0, f"{hour:02d}") for hour in (0, 6, 12, 18, 24)]
    return DayChart(shown, coverage, hours)


def join(bars: Sequence[Bar], gap: float) -> list[Bar]:
    """Bars that lie closer than `gap` minutes become one."""
    joined: list[Bar] = []
    for bar in sorted(bars, key=lambda one: one.start):
        if joined and bar.start <= joined[-1].start + joined[-1].length + gap:
            before = joined.pop()
            joined.append(Bar(before.start, max(before.length, bar.start + bar.length - before.start)))
        else:
            joined.append(bar)
    return joined


def _close(
    on_since: dict[tuple[int, int], float | None],
    rows: dict[int, Row],
    outside: Row,
    readings: Iterable[dict[str, Any]],
    coverage: Coverage,
) -> None:
    """What is still on lasts until now, or until the day's end."""
    places = {(reading["device_id"], reading["metric"]): reading["room_id"] for reading in readings}
    for (device, metric), begun in on_since.items():
        if begun is not None:
            row = rows.get(places[device, metric], outside)
            _bars(row, metric).append(_stay(begun, coverage.until))


def _bars(row: Row, metric: int) -> list[Bar]:
    return row.resting if metric == OCCUPIED else row.stirring


def _stay(begun: float, ended: float) -> Bar:
    return Bar(begun, max(1.0, min(ended - begun, LONGEST)))
