"""The present, as a thing that is passed in.

Nobody below an entry point asks the machine for the time: an entry point builds one `Clock` from
`YIJU_CLOCK` and passes it, or the `now` it gives, down. So a test drives weeks in milliseconds, a demo
lives a day in ten minutes, and a replay of 2011 runs on the dates of 2011.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from core.errors import SettingsError


class Clock(Protocol):
    """Gives the present. `now()` is an aware datetime in UTC."""

    def now(self) -> datetime: ...

    def real_seconds(self, span: timedelta) -> float:
        """How many seconds of the machine's time `span` of this clock lasts."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


class ManualClock:
    """A clock that stands still until it is moved. For tests and replays."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise SettingsError(f"a clock needs an aware time, got {start.isoformat()!r}: add a time zone")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def move(self, span: timedelta) -> datetime:
        """Moves the clock on by `span` and returns the new present."""
        return self.move_to(self._now + span)

    def move_to(self, moment: datetime) -> datetime:
        """Moves the clock on to `moment`; a clock never runs backwards."""
        if moment < self._now:
            raise ValueError(f"the clock stands at {self._now.isoformat()} and cannot go back to {moment.isoformat()}")
        self._now = moment.astimezone(UTC)
        return self._now

    def real_seconds(self, span: timedelta) -> float:
        return 0.0


class ScaledClock:
    """Runs `factor` times as fast as the machine's clock: at the machine's `anchor` it shows `origin`.

    Every process of a stack gets the same three values, so all of them live in the same time.
    """

    def __init__(self, origin: datetime, anchor: datetime, factor: float) -> None:
        if factor <= 0:
            raise SettingsError(f"the clock's factor is {factor}: it must be above 0")
        self._origin = origin.astimezone(UTC)
        self._anchor = anchor.timestamp()
        self._factor = factor

    def now(self) -> datetime:
        return self._origin + timedelta(seconds=(time.time() - self._anchor) * self._factor)

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds() / self._factor

    def __str__(self) -> str:
        anchor = datetime.fromtimestamp(self._anchor, UTC)
        return f"scaled:{self._origin.isoformat()}/{anchor.isoformat()}/{self._factor:g}"


def parse_clock(text: str) -> Clock:
    """Reads `YIJU_CLOCK`: `system`, or `scaled:ORIGIN/ANCHOR/FACTOR` with two aware ISO 8601 times.

    Raises:
        SettingsError: the text is neither.
    """
    if text == "system":
        return SystemClock()
    kind, _, rest = text.partition(":")
    parts = rest.split("/")
    if kind == "scaled" and len(parts) == 3:
        try:
            origin, anchor = datetime.fromisoformat(parts[0]), datetime.fromisoformat(parts[1])
            if origin.tzinfo and anchor.tzinfo:
                return ScaledClock(origin, anchor, float(parts[2]))
        except ValueError:
            pass  # falls through to the one sentence that says what is wanted
    raise SettingsError(
        f"YIJU_CLOCK is {text!r}: write 'system', or 'scaled:ORIGIN/ANCHOR/FACTOR' with two ISO 8601 times"
        " that carry a zone, e.g. scaled:2026-01-01T00:00:00+08:00/2026-06-01T09:00:00+00:00/144"
    )
