"""The last days as a grid: a row a day, a cell an hour, darker where there was more life. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

STEPS: Final = (1, 6, 20, 60)  # signs of life in an hour from which a cell is a shade darker


@dataclass(frozen=True)
class DayRow:
    """One local day.

    Attributes:
        cells: 24 shades 0..4, None where the home could not be seen, or the hour has not come or was skipped when
            the clocks changed.
        unseen: hours that are over and could not be seen.
        life: signs of life in all.
    """

    day: date
    cells: list[int | None]
    unseen: list[int]
    life: int


def draw_week(quarters: Sequence[dict[str, Any]], zone: str, now: datetime, days: int) -> list[DayRow]:
    """Rows from the oldest day to today, from the rows of `quarter_hours` (bucket, life, readings)."""
    local = ZoneInfo(zone)
    life: dict[tuple[date, int], int] = {}
    for row in quarters:
        if row["readings"] > 0:
            at = row["bucket"].astimezone(local)
            life[at.date(), at.hour] = life.get((at.date(), at.hour), 0) + row["life"]
    here = now.astimezone(local)
    drawn = []
    for back in range(days - 1, -1, -1):
        day = here.date() - timedelta(days=back)
        cells = [None if (count := life.get((day, hour))) is None else shade(count) for hour in range(24)]
        over = 24 if back else here.hour
        unseen = [hour for hour in range(over) if cells[hour] is None and _was(day, hour, local)]
        drawn.append(DayRow(day, cells, unseen, sum(life.get((day, hour), 0) for hour in range(24))))
    return drawn


def _was(day: date, hour: int, local: ZoneInfo) -> bool:
    """Whether the clock showed that hour: in one night of spring it jumps over one."""
    return datetime.combine(day, time(hour), local).astimezone(UTC).astimezone(local).hour == hour


def shade(count: int) -> int:
    """0 for no sign of life, up to 4 for a lively hour."""
    return sum(count >= step for step in STEPS)
