"""Each home's signs of life as they were stored, for the nightly learning (the query `signs_of_life`)."""

from collections.abc import Sequence

import numpy as np

from alerts.detect import spells
from alerts.hindsight.readings import Readings, signs_of_life
from alerts.hindsight.register import Register

Sign = tuple[float, int, int, float]  # time, row of the device, metric, value


class Signs:
    """Signs of life by home. What is older than the learning reads again is forgotten."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._rooms = spells.room_codes(register.room)
        self._of_home: list[list[Sign]] = [[] for _ in register.home_id]

    def feed(self, readings: Readings) -> None:
        """Keeps those of `readings` that are signs of life."""
        alive = readings[signs_of_life(readings)]
        homes = self._register.device_home[alive["device"]].tolist()
        columns = (alive[name].tolist() for name in ("time", "device", "metric", "value"))
        for home, sign in zip(homes, zip(*columns, strict=True), strict=True):
            self._of_home[home].append(sign)

    def of_home(self, home: int, since: float, until: float) -> spells.Signs:
        """The signs measured in [since, until); the earlier ones are forgotten. `home`: a row."""
        kept = sorted(sign for sign in self._of_home[home] if sign[0] >= since)
        self._of_home[home] = kept
        return _signs([sign for sign in kept if sign[0] < until], self._register, self._rooms)


def _signs(signs: Sequence[Sign], register: Register, rooms: spells.Codes) -> spells.Signs:
    rows = np.array(signs, dtype=np.float64).reshape(-1, 4)
    device = rows[:, 1].astype(np.int64)
    return spells.signs_of(rows[:, 0], device, rows[:, 2].astype(np.int64), rows[:, 3], register.exterior, rooms)
