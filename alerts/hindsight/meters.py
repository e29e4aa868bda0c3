"""Homes with nothing but a smart meter, as alerts.metered follows and learns them."""

from collections.abc import Sequence

import numpy as np

from alerts import metered
from alerts.detect.arrays import Floats
from alerts.detect.power import Steps, steps
from alerts.detect.spells import Signs
from alerts.hindsight.readings import Readings
from alerts.hindsight.register import Register
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
        self._values: dict[int, list[Floats]] = {home: [nothing] for home in self.rows}  # [time, watts], as they came
        self._until: dict[int, float] = {}
        self._counts: dict[int, tuple[Floats, float]] = {}  # what is learned of the steps, and until when
        self.life_at = np.full(len(register.home_id), np.nan)

    def feed(self, readings: Readings) -> None:
        """Keeps the values of these meters."""
        if not self.rows:
            return
        home = np.where(readings["metric"] == metered.POWER, self._home[readings["device"]], -1)
        for row in np.unique(home[home >= 0]).tolist():
            mine = readings[home == row]
            self._values[row].append(np.column_stack([mine["time"], mine["value"]]))

    def know(self, home: int, by_hour: Sequence[Sequence[float]] | None, since: float) -> None:
        """What is known of a home's steps (`power_life.by_hour`), which is followed from `since` on, if metered."""
        if home in self.rows:
            self._until[home] = since
            if by_hour is not None:
                self._counts[home] = np.array(by_hour, dtype=np.float64), since

    def signs(self, home: int, since: float, until: float) -> Signs:
        """Signs of life in [since, until), by what is known now."""
        known = self._counts.get(home)
        seen = _steps(self._between(home, since, until))
        found = seen.time[metered.persons(known[0] if known else None)[seen.size]]
        return metered.nowhere(found)

    def follow(self, now: float) -> None:
        """As metered.follow, once a minute."""
        for home in self.rows:
            since = self._until.get(home, now - metered.FIRST.total_seconds()) - metered.OVERLAP.total_seconds()
            values = self._between(home, np.nextafter(since, np.inf), np.nextafter(now, np.inf))
            if len(values):
                self._until[home] = float(values[-1, 0])
                known = self._counts.get(home)
                found = metered.last_sign(_steps(values), known[0] if known else None)
                self.life_at[home] = np.fmax(self.life_at[home], np.nan if found is None else found)

    def learn(self, home: int, since: float, until: float, zone_offset_s: float) -> Signs:
        """As metered.learn. What is older than `since` is forgotten."""
        before, at = self._counts.get(home, (None, None))
        seen = _steps(self._between(home, since, until))
        signs, counts = metered.learned(seen, before, at, since, until, zone_offset_s)
        self._counts[home] = counts, until
        kept = self._all(home)
        self._values[home] = [kept[kept[:, 0] >= since]]
        return signs

    def _between(self, home: int, since: float, until: float) -> Floats:
        """float64 [values, 2]: time and watts in [since, until), by time."""
        values = self._all(home)
        values = values[(values[:, 0] >= since) & (values[:, 0] < until)]
        return values[np.argsort(values[:, 0], kind="stable")]

    def _all(self, home: int) -> Floats:
        if len(self._values[home]) > 1:
            self._values[home] = [np.concatenate(self._values[home])]
        return self._values[home][0]


def _steps(values: Floats) -> Steps:
    if len(values) < 2:
        return Steps(np.zeros(0), np.zeros(0, np.int64))
    return steps(values[:, 0], values[:, 1])
