"""Readings as one numpy array, and what is derived from a batch of them: COPY bytes, rollups, states.

Every derived value is commutative (sums, greatest, latest by (time, value)), so late, reordered and repeated
batches end in the same tables as the readings in perfect order.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.metrics import METRICS, Life
from core.model import Flag

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
_PG_EPOCH_MS: Final = 946_684_800_000  # 2000-01-01, where PostgreSQL counts from, in microseconds
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
    rows = np.zeros(len(readings), dtype=_COPY_ROW)
    rows["fields"] = len(_COLUMNS)
    for name, _, size in _COLUMNS:
        rows[f"{name}_size"] = size
        rows[name] = (readings[name] - _PG_EPOCH_MS) * 1000 if name in ("time", "received") else readings[name]
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


def _groups(readings: Readings, *keys: NDArray[Any]) -> tuple[Readings, NDArray[np.intp], NDArray[np.intp]]:
    """Rows sorted by `keys` (first is most significant), then time, value and home; and each group's first and last."""
    order = np.lexsort((readings["home"], readings["value"], readings["time"], *reversed(keys)))
    ordered = readings[order]
    new = np.zeros(len(ordered), dtype=np.bool_)
    new[:1] = True
    for key in keys:
        column = key[order]
        new[1:] |= column[1:] != column[:-1]
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(ordered)) - 1
    return ordered, first, last


def rollups(readings: Readings) -> dict[str, list[Any]]:
    """Quarter-hour sums, sorted by the table's key; columns as lists, `bucket` in seconds since 1970."""
    bucket = readings["time"] // BUCKET_MS
    rows, first, last = _groups(readings, readings["home"], bucket, readings["device"], readings["metric"])
    turned_on = (rows["value"] > 0) & ((rows["flags"] & Flag.CHANGED) != 0)
    return {
        "home": rows["home"][first].tolist(),
        "bucket": (rows["time"][first] // BUCKET_MS * (BUCKET_MS // 1000)).tolist(),
        "device": rows["device"][first].tolist(),
        "metric": rows["metric"][first].tolist(),
        "n": (last - first + 1).tolist(),
        "life": np.add.reduceat(signs_of_life(rows).astype(np.int64), first).tolist(),
        "ons": np.add.reduceat(turned_on.astype(np.int64), first).tolist(),
        "total": np.add.reduceat(rows["value"], first).tolist(),
        "low": np.minimum.reduceat(rows["value"], first).tolist(),
        "high": np.maximum.reduceat(rows["value"], first).tolist(),
    }


def device_states(readings: Readings) -> dict[str, list[Any]]:
    """The last value of each device's metrics; times in milliseconds since 1970, None for "not in this batch"."""
    rows, first, last = _groups(readings, readings["device"], readings["metric"])
    return {
        "device": rows["device"][last].tolist(),
        "metric": rows["metric"][last].tolist(),
        "home": rows["home"][last].tolist(),
        "time": rows["time"][last].tolist(),
        "value": rows["value"][last].tolist(),
        "on_at": _latest(rows, rows["value"] > 0, first),
        "off_at": _latest(rows, rows["value"] == 0, first),
        "changed_at": _latest(rows, (rows["flags"] & Flag.CHANGED) != 0, first),
        "received": np.maximum.reduceat(rows["received"], first).tolist(),
    }


def home_states(readings: Readings) -> dict[str, list[Any]]:
    """Each home's last sign of life and the device that saw it (of several at once the one with the highest id)."""
    order = np.lexsort((readings["device"], readings["time"], signs_of_life(readings), readings["home"]))
    rows = readings[order]
    last = np.flatnonzero(np.append(rows["home"][1:] != rows["home"][:-1], True))
    alive = signs_of_life(rows[last])
    return {
        "home": rows["home"][last].tolist(),
        "life_at": [int(time) if yes else None for time, yes in zip(rows["time"][last], alive, strict=True)],
        "device": [int(device) if yes else None for device, yes in zip(rows["device"][last], alive, strict=True)],
    }


def _latest(rows: Readings, wanted: NDArray[np.bool_], first: NDArray[np.intp]) -> list[int | None]:
    never = np.iinfo(np.int64).min
    latest = np.maximum.reduceat(np.where(wanted, rows["time"], never), first)
    return [None if moment == never else int(moment) for moment in latest]
