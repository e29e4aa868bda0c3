"""A home's past as arrays of readings, for backfill: what its gateway would have made of the messages.

Comes from the same events as play.messages(), without the detour over JSON.
"""

from datetime import datetime
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from core.metrics import BY_NAME, METRICS, Life
from core.model import DeviceKind, Flag
from core.wire import to_ms
from simulator.days import DayBook
from simulator.events import Events, What
from simulator.homes import DemoHome

Readings: TypeAlias = npt.NDArray[Any]  # structured, dtype READING

READING: Final = np.dtype(
    [
        ("device", "i2"),  # index into home.devices
        ("metric", "i2"),  # core.metrics id
        ("time", "i8"),  # ms since 1970, UTC; also when the gateway received it
        ("value", "f8"),
        ("flags", "i2"),  # core.model.Flag
    ]
)
_TURNED_ON: Final = [metric.id for metric in METRICS if metric.life is Life.TURNED_ON]
_STATE: Final = {  # the metric that a device's `value` is of
    DeviceKind.CONTACT: "open",
    DeviceKind.MOTION: "motion",
    DeviceKind.BED: "occupied",
    DeviceKind.RADAR: "motion",  # its field is `occupancy`, as that of a motion sensor
    DeviceKind.PLUG: "power",
}


def history(book: DayBook, start: datetime, end: datetime) -> Readings:
    """All readings of the home with start <= time < end, in time order, with their flags.

    The first value of each device and metric is no change, as for a gateway that is switched on at `start`.
    """
    return readings_of(book.home, book.events(to_ms(start), to_ms(end)))


def readings_of(home: DemoHome, events: Events) -> Readings:
    """The readings that drivers make of these events, by time and then by event."""
    rows = np.arange(len(events))
    parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]] = []

    def add(mask: npt.NDArray[np.bool_], metric: int | npt.NDArray[np.int64], column: str) -> None:
        """The reading `metric` = `column` of every event in `mask`; `metric` is an id, or one id an event."""
        ids = np.broadcast_to(np.asarray(metric, np.int64), rows.shape)[mask]
        parts.append((rows[mask], ids, events[column][mask].astype(np.float64)))

    metric_of = np.array([_state_metric(device.kind) for device in home.devices], np.int64)[events["device"]]
    mains = np.array([device.mains for device in home.devices])[events["device"]]
    what = events["what"]
    spoken = (what == What.REPORT) | (what == What.CHECK_IN)
    energy, pressed = what == What.ENERGY, what == What.PRESS
    add(spoken & (metric_of > 0), metric_of, "value")
    add(spoken & (events["device"] == home.radar), BY_NAME["fall"].id, "second")
    add(pressed, BY_NAME["sos"].id, "value")
    add(what == What.ONLINE, BY_NAME["online"].id, "value")
    add(energy, BY_NAME["power"].id, "value")
    add(energy, BY_NAME["energy"].id, "second")
    add(((what == What.CHECK_IN) & ~mains) | pressed, BY_NAME["battery"].id, "battery")
    add(spoken | pressed, BY_NAME["link_quality"].id, "link")

    row = np.concatenate([part[0] for part in parts])
    order = np.argsort(row, kind="stable")
    row = row[order]
    readings = np.zeros(len(row), READING)
    readings["device"] = events["device"][row]
    readings["time"] = events["time"][row]
    readings["metric"] = np.concatenate([part[1] for part in parts])[order]
    readings["value"] = np.concatenate([part[2] for part in parts])[order]
    readings["flags"] = np.where(_changed(readings), int(Flag.CHANGED), 0)
    return readings


def _state_metric(kind: DeviceKind) -> int:
    name = _STATE.get(kind)
    return BY_NAME[name].id if name else 0


def _changed(readings: Readings) -> npt.NDArray[np.bool_]:
    """Which readings a gateway's outbox would mark: those that differ from the one before of the same device and
    metric, and each 1 of a sensor that has not said 0 yet (core.metrics)."""
    series = readings["device"].astype(np.int64) * 1000 + readings["metric"]
    order = np.argsort(series, kind="stable")  # keeps the order in time within a series
    values = readings["value"][order]
    begins = np.flatnonzero(np.diff(series[order], prepend=-1))
    zeros = np.cumsum(values == 0) - (values == 0)  # before this one, of all series so far
    of_series = np.repeat(begins, np.diff(np.append(begins, len(values))))
    never_zero = zeros == zeros[of_series]
    again = never_zero & (values == 1) & np.isin(readings["metric"][order], _TURNED_ON)
    differs = np.diff(values, prepend=0.0) != 0
    marked = differs | again
    marked[begins] = False  # the first of a series is compared with nothing
    changed = np.zeros(len(readings), bool)
    changed[order] = marked
    return changed
