"""A home's days, made when asked for. The same (seed, home, date) always gives the same day."""

from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from core.wire import to_ms
from simulator.events import Events, between, in_order
from simulator.homes import DemoHome
from simulator.power import power_day
from simulator.routine import DAY_STARTS_MIN, Activity, Day, Stay, plan_day
from simulator.sensing import sense_day

_IN_USE_SINCE: Final = date(2025, 1, 1)  # meters and batteries count from here
_KEPT: Final = 6  # days kept in memory for each home: an incident looks at those of its start and end too


class TimedStay(NamedTuple):
    """A stay with its real times (aware, UTC)."""

    room: str
    activity: Activity
    start: datetime
    end: datetime


class DayBook:
    """The days of one home. Keeps the last few in memory, as the demo asks for the same day every second."""

    def __init__(self, home: DemoHome) -> None:
        self.home = home
        self._days: dict[date, tuple[Day, Events]] = {}

    def events(self, start: int, end: int) -> Events:
        """What the sensors send from `start` up to but not including `end`, in ms since 1970."""
        day, parts = self.day_of(start), []
        while self.day_start(day) < end:
            parts.append(between(self._made(day)[1], start, end))
            day += timedelta(days=1)
        return parts[0] if len(parts) == 1 else in_order(parts)

    def timeline(self, day: date) -> list[TimedStay]:
        """What the resident does from 03:00 of that local date to 03:00 of the next."""
        dawn = self.day_start(day)
        return [self._timed(stay, dawn) for stay in self._made(day)[0].stays]

    def kind_of(self, day: date) -> str:
        """What sort of day that is: routine.DayKind."""
        return str(self._made(day)[0].kind)

    def day_of(self, moment: int) -> date:
        """The local date on whose 03:00 the simulated day of this moment (ms) began."""
        local = datetime.fromtimestamp(moment / 1000, self.home.zone)
        return (local - timedelta(minutes=DAY_STARTS_MIN)).date()

    def day_start(self, day: date) -> int:
        """That day's 03:00 local time, in ms since 1970."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.home.zone)
        return to_ms(midnight + timedelta(minutes=DAY_STARTS_MIN))

    def _made(self, day: date) -> tuple[Day, Events]:
        if day not in self._days:
            while len(self._days) >= _KEPT:
                del self._days[next(iter(self._days))]  # the one that was made first
            self._days[day] = self._make(day)
        return self._days[day]

    def _make(self, day: date) -> tuple[Day, Events]:
        home = self.home
        # One stream each, so that a new device does not change what the resident does.
        plan_rng, power_rng, sense_rng = (
            np.random.default_rng([home.seed, home.number, day.toordinal(), stream]) for stream in range(3)
        )
        plan = plan_day(home.persona, day.weekday(), plan_rng)
        power = power_day(home.persona, plan, power_rng)
        in_use = max((day - _IN_USE_SINCE).days, 0)
        return plan, sense_day(home, plan, power, self.day_start(day), in_use, sense_rng)

    @staticmethod
    def _timed(stay: Stay, dawn: int) -> TimedStay:
        def at(seconds: float) -> datetime:
            return datetime.fromtimestamp(dawn / 1000 + seconds, UTC)

        return TimedStay(stay.room, stay.activity, at(stay.start), at(stay.end))
