"""Each device's last value of each metric: what the next one is compared with to know whether it changed."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from core.metrics import BY_NAME, Life
from core.model import Reading


class Last(NamedTuple):
    """The last value of a device's metric, and whether it was ever 0."""

    value: float
    cleared: bool


Values = dict[tuple[str, str], Last]  # by device and metric


class LastValues:
    """The last values in an outbox's database. Methods run inside the caller's lock, `write` in its transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: Values = {
            (device, metric): Last(value, bool(cleared))
            for device, metric, value, cleared in db.execute("SELECT * FROM last_value")
        }

    def compare(self, readings: Sequence[Reading]) -> tuple[list[bool], Values]:
        """Which of the readings changed, one after the other; and what is to be known when they are on the disk."""
        fresh: Values = {}
        changed: list[bool] = []
        for reading in readings:
            key = (reading.device, reading.metric)
            before = fresh.get(key, self._known.get(key))
            changed.append(before is not None and _changed(reading, before))
            if before is None or before.value != reading.value:
                cleared = reading.value == 0 or (before is not None and before.cleared)
                fresh[key] = Last(reading.value, cleared)
        return changed, fresh

    def write(self, fresh: Values) -> None:
        """Puts what `compare` found into the database."""
        self._db.executemany(
            "INSERT INTO last_value VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value, cleared = excluded.cleared",
            [(*key, last.value, last.cleared) for key, last in fresh.items()],
        )

    def know(self, fresh: Values) -> None:
        """It counts from now on; once the transaction has ended."""
        self._known.update(fresh)

    def by_device(self) -> dict[str, dict[str, float]]:
        """Device -> metric -> value."""
        values: dict[str, dict[str, float]] = {}
        for (device, metric), last in self._known.items():
            values.setdefault(device, {})[metric] = last.value
        return values

    def value(self, device: str, metric: str) -> float | None:
        """None before the first."""
        last = self._known.get((device, metric))
        return None if last is None else last.value


def _changed(reading: Reading, before: Last) -> bool:
    """Whether it is another value; or a sensor that never says 0 speaks again, which is all that shows it move."""
    if before.value != reading.value:
        return True
    return reading.value == 1 and not before.cleared and BY_NAME[reading.metric].life is Life.TURNED_ON
