"""Homes with nothing but a smart meter, as alerts.metered follows and learns them."""

from typing import Any

import numpy as np

from alerts import metered
from alerts.detect import power
from alerts.detect.arrays import Floats
from alerts.detect.spells import Signs
from alerts.hindsight.readings import Readings
from alerts.hindsight.register import Register
from alerts.metered import NEVER, Followed, Habits
from core.model import DeviceKind


class Meters:
    """What `power_life` holds of each of them. `rows`: row of the home -> row of its meter."""

    def __init__(self, register: Register) -> None:
        meters = np.flatnonzero((register.kind == DeviceKind.METER) & register.life)
        first = np.unique(register.device_home[meters], return_index=True)[1]
        self.rows = dict(zip(register.device_home[meters][first].tolist(), meters[first].tolist(), strict=True))
        self._home = np.full(len(register.device_id), -1, dtype=np.int64)
        self._home[list(self.rows.values())] = list(self.rows)
        nothing = np.zeros((0, 2))
        self._values: dict[int, list[Floats]] = {home: [nothing] for home in self.rows}  # [time, value], as they came
        self._counts = dict.fromkeys(self.rows, True)  # whether all it has said is what it counts, not its power
        self._followed: dict[int, Followed] = {}
        self._habits: dict[int, tuple[Habits, float]] = {}  # what is learned, and until when
        homes = len(register.home_id)
        self.life_at, self._changed_at, self._still_s = (np.full(homes, np.nan) for _ in range(3))
        self._outages: list[Floats | None] = [None] * homes

    def feed(self, readings: Readings) -> None:
        """Keeps the values of these meters: their power, of one that has never said it what it counts."""
        if not self.rows:
            return
        said = np.isin(readings["metric"], (metered.POWER, metered.ENERGY))
        home = np.where(said, self._home[readings["device"]], -1)
        for row in np.unique(home[home >= 0]).tolist():
            mine = readings[home == row]
            power_said = mine["metric"] == metered.POWER
            if self._counts[row] and power_said.any():
                self._counts[row], self._values[row] = False, []
            mine = mine if self._counts[row] else mine[power_said]
            self._values[row].append(np.column_stack([mine["time"], mine["value"]]))

    def know(self, home: int, habits: Habits, since: float) -> None:
        """What is known of a home's steps and meter (`power_life`), which is followed from `since` on, if metered."""
        if home in self.rows:
            self._followed[home] = Followed(since, np.nan, np.nan, NEVER.outages)
            self._keep_habits(home, habits, since)

    def signs(self, home: int, since: float, until: float) -> Signs:
        """Signs of life in [since, until), by what is known now."""
        habits = self._known(home)
        time, watts = self._between(home, since, until)
        seen = power.steps(time, watts, habits.usual)
        return metered.nowhere(seen.time[metered.persons(habits.by_hour)[seen.size]])

    def follow(self, now: float) -> None:
        """As metered.follow, once a minute."""
        for home in self.rows:
            before, habits = self._followed.get(home, NEVER), self._known(home)
            since = metered.look_from(before, habits.usual, now)
            time, watts = self._between(home, np.nextafter(since, np.inf), np.nextafter(now, np.inf))
            if len(time):
                after = metered.looked(before, time, watts, metered.persons(habits.by_hour), habits.usual)
                self._followed[home], self._outages[home] = after, after.outages
                self.life_at[home], self._changed_at[home] = after.life_at, after.changed_at

    def learn(self, home: int, since: float, until: float, zone_offset_s: float) -> tuple[Signs, Floats]:
        """As metered.learn. What is older than `since` is forgotten."""
        before, at = self._habits.get(home, (Habits(), None))
        time, watts = self._between(home, since, until)
        signs, outages, habits = metered.learned(time, watts, before, at, since, until, zone_offset_s)
        self._keep_habits(home, habits, until)
        kept = self._all(home)
        self._values[home] = [kept[kept[:, 0] >= since]]
        return signs, outages

    def not_shown(self, home: int, since: float, now: float) -> list[tuple[float, float]]:
        """(from, until) of each time after `since` that a meter alone did not show, as the silence is judged by:
        outages, and what it has said since its value last changed. Of a home with another witness none."""
        outages = self._outages[home]
        stands = [[self._changed_at[home], now]]  # NaN compares false
        spans = stands if outages is None else [*outages.tolist(), *stands]
        return [(max(begin, since), min(end, now)) for begin, end in spans if end > since and now > begin]

    def columns(self) -> dict[str, Any]:
        """As the query `homes` gives what a meter shows of each home."""
        return {
            "meter_changed_at": self._changed_at,
            "meter_outages": self._outages,
            "meter_still_s": self._still_s,
        }

    def _keep_habits(self, home: int, habits: Habits, until: float) -> None:
        self._habits[home] = habits, until
        self._still_s[home] = habits.usual.still_s

    def _known(self, home: int) -> Habits:
        return self._habits[home][0] if home in self._habits else Habits()

    def _between(self, home: int, since: float, until: float) -> tuple[Floats, Floats]:
        """Times and watts in [since, until), by time."""
        values = self._all(home)
        values = values[(values[:, 0] >= since) & (values[:, 0] < until)]
        time, value = values[np.argsort(values[:, 0], kind="stable")].T
        return metered.shown(time, value, counted=self._counts[home])

    def _all(self, home: int) -> Floats:
        if len(self._values[home]) > 1:
            self._values[home] = [np.concatenate(self._values[home])]
        return self._values[home][0]
