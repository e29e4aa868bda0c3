"""What arrived, and when: readings and gateway statuses in the order in which the platform stored them."""

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from core.metrics import METRICS, Life

Readings: TypeAlias = npt.NDArray[Any]  # structured, dtype READING

READING: Final = np.dtype(
    [
        ("stored", "f8"),  # when the platform stored it; all times are epoch seconds
        ("time", "f8"),  # when it was measured
        ("received", "f8"),  # when the gateway received it
        ("value", "f8"),
        ("device", "i4"),  # row of the register
        ("metric", "u1"),  # core/metrics.py
        ("changed", "?"),  # core.model.Flag.CHANGED
    ]
)


class Status(NamedTuple):
    """A gateway's birth or will, not retained. `gateway` is a row of the register."""

    at: float
    gateway: int
    online: bool


def _table(wanted: "frozenset[int]") -> npt.NDArray[np.bool_]:
    return np.array([number in wanted for number in range(256)], dtype=np.bool_)


URGENT: Final = _table(frozenset(metric.id for metric in METRICS if metric.urgent))
TURNED_ON: Final = _table(frozenset(metric.id for metric in METRICS if metric.life is Life.TURNED_ON))
ON_CHANGE: Final = _table(frozenset(metric.id for metric in METRICS if metric.life is Life.ON_CHANGE))


def signs_of_life(readings: Readings) -> npt.NDArray[np.bool_]:
    """bool [readings]; as core.metrics.is_sign_of_life says it slowly."""
    metric = readings["metric"]
    alive: npt.NDArray[np.bool_] = readings["changed"] & (
        ON_CHANGE[metric] | (TURNED_ON[metric] & (readings["value"] == 1))
    )
    return alive


def pressing(readings: Readings) -> npt.NDArray[np.bool_]:
    """bool [readings]: urgent and not 0."""
    urgent: npt.NDArray[np.bool_] = URGENT[readings["metric"]] & (readings["value"] > 0)
    return urgent
