"""Readings as one numpy array, and what is derived from a batch of them: COPY bytes, rollups, states.

Every derived value is commutative (sums, greatest, latest by (time, value)), so late, reordered and repeated
batches end in the same tables as the readings in perfect order.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.metrics import METRICS, Life
from core.model import Flag
from ingest.arrays import NEVER, Bools, Floats8, Ints2, Ints4, PgArray, Times, pg_time

# One row a reading. Times are integer milliseconds since 1970 in UTC.
READING: Final = np.dtype(
    [
        ("home", "i4"),
        ("device", "i4"),
        ("batch", "i8"),
        ("time", "i8"),
        ("received", "i8"),
        ("value", "f8"),
        ("metric", "i2"),
        ("flags", "i2"),
    ]
)
BUCKET_MS: Final = 15 * 60 * 1000
_COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_TRAILER: Final = b"\xff\xff"

_COLUMNS: Final = [  # in the order of the table's columns: name, big-endian type, bytes
    ("home", ">i4", 4),
    ("device", ">i4", 4),
    ("batch", ">i8", 8),
    ("time", ">i8", 8),
    ("received", ">i8", 8),
    ("value", ">f8", 8),
    ("metric", ">i2", 2),
    ("flags", ">i2", 2),
]
_COPY_ROW: Final = np.dtype(
    [("fields", ">i2")] + [part for name, kind, _ in _COLUMNS for part in ((f"{name}_size", ">i4"), (name, kind))]
)

Readings = NDArray[Any]  # shape (n,), dtype READING
Columns = dict[str, PgArray]  # parameters of a statement, by name


def _by_metric(values: dict[int, bool]) -> NDArray[np.bool_]:
    table = np.zeros(max(metric.id for metric in METRICS) + 1, dtype=np.bool_)
    for number, value in values.items():
        table[number] = value
    return table


_LIFE_TURNED_ON: Final = _by_metric({metric.id: metric.life is Life.TURNED_ON for metric in METRICS})
_LIFE_ON_CHANGE: Final = _by_metric({metric.id: metric.life is Life.ON_CHANGE for metric in METRICS})
_URGENT: Final = _by_metric({metric.id: metric.urgent for metric in METRICS})


def copy_bytes(readings: Readings) -> bytes:
    """The rows as PostgreSQL's binary COPY stream for table `reading`."""
    rows = np.empty(len(readings), dtype=_COPY_ROW)
    rows["fields"] = len(_COLUMNS)
    for name, _, size in _COLUMNS:
        rows[f"{name}_size"] = size
        rows[name] = pg_time(readings[name]) if name in ("time", "received") else readings[name]
    return _COPY_HEADER + rows.tobytes() + _COPY_TRAILER


def signs_of_life(readings: Readings) -> NDArray[np.bool_]:
    """Which rows show that somebody is there and moves; as core.metrics.is_sign_of_life says it slowly."""
    metric = readings["metric"]
    changed = (readings["flags"] & Flag.CHANGED) != 0
    turned_on = _LIFE_TURNED_ON[metric] & (readings["value"] == 1)
    alive: NDArray[np.bool_] = changed & (turned_on | _LIFE_ON_CHANGE[metric])
    return alive


def urgent(readings: Readings) -> Readings:
    """The rows that somebody must look at now: an urgent metric that is not 0."""
    pressing: Readings = readings[_URGENT[readings["metric"]] & (readings["value"] > 0)]
    return pressing


class Derived:
    """What follows from some readings: the parameters of the statements that keep it, sorted by key.

    The order is one for all workers, so that two of them never hold what the other one waits for.

    Args:
        readings: shape (n,), n > 0.
    """

    def __init__(self, readings: Readings) -> None:
        # One number a group: device (31 bits), metric (10), quarter of an hour since 1970 (23: until 2209). Within a
        # device's quarter the home differs only when the device was moved in it.
        bucket = readings["time"] // BUCKET_MS
        key = (
            (readings["device"].astype(np.uint64) << np.uint64(33))
            | (readings["metric"].astype(np.uint64) << np.uint64(23))
            | bucket.astype(np.uint64)
        )
        order = np.lexsort((readings["home"], key))
        self._rows = readings[order]
        self._key = key[order]
        self._alive = signs_of_life(self._rows)
        self._changed = (self._rows["flags"] & Flag.CHANGED) != 0
        self.rollups = self._rollups()
        self.device_states = self._device_states()

    def _rollups(self) -> Columns:
        """Quarter-hour sums."""
        rows = self._rows
        first = _firsts(self._key, rows["home"])
        value = rows["value"]
        return {
            "home": Ints4(rows["home"][first]),
            "bucket": Times(rows["time"][first] // BUCKET_MS * BUCKET_MS),
            "device": Ints4(rows["device"][first]),
            "metric": Ints2(rows["metric"][first]),
            "n": Ints4(np.diff(first, append=len(rows))),
            "life": Ints4(np.add.reduceat(self._alive, first, dtype=np.int64)),
            "ons": Ints4(np.add.reduceat((value > 0) & self._changed, first, dtype=np.int64)),
            "total": Floats8(np.add.reduceat(value, first)),
            "low": Floats8(np.minimum.reduceat(value, first)),
            "high": Floats8(np.maximum.reduceat(value, first)),
        }

    def _device_states(self) -> Columns:
        """The last value of each device's metrics; of two at the same instant the greater one."""
        rows = self._rows
        first = _firsts(self._key >> np.uint64(23))
        sizes = np.diff(first, append=len(rows))
        time, value = rows["time"], rows["value"]
        latest = np.maximum.reduceat(time, first)
        is_latest = time == np.repeat(latest, sizes)
        return {
            "device": Ints4(rows["device"][first]),
            "metric": Ints2(rows["metric"][first]),
            "home": Ints4(np.maximum.reduceat(np.where(is_latest, rows["home"], -1), first)),
            "time": Times(latest),
            "value": Floats8(np.maximum.reduceat(np.where(is_latest, value, -np.inf), first)),
            "on_at": Times(np.maximum.reduceat(np.where(value > 0, time, NEVER), first)),
            "off_at": Times(np.maximum.reduceat(np.where(value == 0, time, NEVER), first)),
            "changed_at": Times(np.maximum.reduceat(np.where(self._changed, time, NEVER), first)),
            "received": Times(np.maximum.reduceat(rows["received"], first)),
        }

    def home_states(self, heard: NDArray[Any]) -> Columns:
        """Each home's last sign of life and the device that saw it: of several at once the one with the highest id.

        Args:
            heard: ids of the homes that a gateway was heard of.
        """
        alive = self._rows[self._alive]
        alive = alive[np.lexsort((alive["device"], alive["time"], alive["home"]))]
        last = np.flatnonzero(np.append(alive["home"][1:] != alive["home"][:-1], len(alive) > 0))
        return home_columns(heard, alive[last])


def home_columns(heard: NDArray[Any], alive: Readings) -> Columns:
    """Homes with what is new of them.

    Args:
        heard: ids of the homes that a gateway was heard of.
        alive: each home's last sign of life, at most one row a home.
    """
    homes = np.union1d(heard, alive["home"]).astype(np.int64)
    life_at = np.full(len(homes), NEVER)
    device = np.full(len(homes), -1)
    at = np.searchsorted(homes, alive["home"])
    life_at[at], device[at] = alive["time"], alive["device"]
    return {
        "home": Ints4(homes),
        "life_at": Times(life_at),
        "device": Ints4(device),
        "heard": Bools(np.isin(homes, heard)),
    }


def _firsts(*keys: NDArray[Any]) -> NDArray[np.intp]:
    """Where each group of equal neighbours begins."""
    new = np.zeros(len(keys[0]), dtype=np.bool_)
    new[:1] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)
