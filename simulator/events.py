"""What sensors send, as rows of one numpy array: the common source of messages and of history.

One event is one message. `messages()` puts it into a dialect's words, `history()` expands it into the
readings that a driver would make of it; as both start here, they cannot drift apart.
"""

from enum import IntEnum
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Events: TypeAlias = npt.NDArray[Any]  # structured, dtype EVENT
Floats: TypeAlias = npt.NDArray[np.float64]


class What(IntEnum):
    """What kind of message an event is."""

    REPORT = 0  # the device's state has changed
    CHECK_IN = 1  # the device repeats its state, and its battery if it has one
    ONLINE = 2  # availability topic or LWT: value 1 online, 0 offline
    ENERGY = 3  # a meter's periodic message: value watts, second kWh, idle watts
    PRESS = 4  # an SOS button


EVENT: Final = np.dtype(
    [
        ("time", "i8"),  # ms since 1970, UTC
        ("device", "i2"),  # index into home.devices
        ("what", "u1"),  # What
        ("value", "f8"),  # contact: 1 open; motion, bed, radar: 1 somebody; plug, meter: W
        ("second", "f8"),  # radar: fall status 0, 1, 2; meter: kWh
        ("idle", "f8"),  # meter: W if nobody were at home
        ("battery", "u1"),  # %
        ("link", "u1"),  # Zigbee link quality
    ]
)


def make_events(
    times: npt.ArrayLike, device: int, what: What, value: npt.ArrayLike, second: npt.ArrayLike = 0
) -> Events:
    """Events of one device. `times` in ms; the other columns broadcast to it, battery and link stay 0."""
    moments = np.asarray(times)
    events = np.zeros(moments.shape, EVENT)
    events["time"] = moments
    events["device"] = device
    events["what"] = what
    events["value"] = value
    events["second"] = second
    return events


def in_order(parts: list[Events]) -> Events:
    """The parts as one array, by time; at equal times in the order given."""
    events = np.concatenate(parts) if parts else np.zeros(0, EVENT)
    return events[np.argsort(events["time"], kind="stable")]


def between(events: Events, start: int, end: int) -> Events:
    """The events with start <= time < end (ms), of an array in time order."""
    low, high = np.searchsorted(events["time"], [start, end])
    return events[low:high]
