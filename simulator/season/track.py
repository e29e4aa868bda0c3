"""One home's season as readings in time order, before heartbeats and faults; mishaps are laid over it.

Water is kept as single uses, which become the meter's counter at the end: what did not run cannot be counted.
"""

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from core.metrics import BY_NAME
from core.model import DeviceKind
from simulator.events import Floats
from simulator.season.homes import SeasonHome

Rows: TypeAlias = npt.NDArray[Any]  # structured, dtype ROW
ROW: Final = np.dtype(
    [
        ("time", "f8"),  # epoch seconds
        ("device", "i2"),  # index into home.devices
        ("metric", "u1"),  # core/metrics.py
        ("value", "f8"),
        ("idle", "f4"),  # power: what it would be if nobody were at home
    ]
)
MOTION, OPEN, OCCUPIED, FALL = (BY_NAME[name].id for name in ("motion", "open", "occupied", "fall"))
POWER, WATER, TEMPERATURE = (BY_NAME[name].id for name in ("power", "water", "temperature"))
CLEARS_S: Final = 70.0
LIFE: Final = (MOTION, OPEN, OCCUPIED)


class Track:
    """Readings of one home, sorted by time, and its uses of water (time, m3)."""

    def __init__(self, home: SeasonHome, rows: Rows, uses: Floats) -> None:
        self.home = home
        self.rows = rows[np.argsort(rows["time"], kind="stable")]
        self.uses = uses[np.argsort(uses[:, 0], kind="stable")]

    def add(self, *more: tuple[float, int, int, float]) -> None:
        """(time, device, metric, value) each."""
        rows = np.zeros(len(more), ROW)
        for name, column in zip(("time", "device", "metric", "value"), zip(*more, strict=True), strict=True):
            rows[name] = column
        merged = np.concatenate([self.rows, rows])
        self.rows = merged[np.argsort(merged["time"], kind="stable")]

    def drop(self, start: float, end: float, metrics: tuple[int, ...], devices: tuple[int, ...] | None = None) -> None:
        """What these devices (None: all) would have said of these metrics in between is not said."""
        low, high = np.searchsorted(self.rows["time"], [start, end])
        gone = np.zeros(len(self.rows), dtype=np.bool_)
        inside = self.rows[low:high]
        mine = np.isin(inside["metric"], metrics)
        if devices is not None:
            mine &= np.isin(inside["device"], devices)
        gone[low:high] = mine
        self.rows = self.rows[~gone]

    def state(self, device: int, metric: int, moment: float) -> float:
        """What the device last said before `moment`; 0 when nothing."""
        before = self.rows[: int(np.searchsorted(self.rows["time"], moment))]
        said = np.flatnonzero((before["device"] == device) & (before["metric"] == metric))
        return float(before["value"][said[-1]]) if len(said) else 0.0

    def unseen(self, start: float, end: float, *, keep: tuple[int, ...] = (), bed: bool | None = None) -> None:
        """Nobody is seen to move: motion clears, the rest stays as it is, power falls to idle, no water runs.

        At `end` every device is again where the day would have had it. `keep`: devices that go on as they were.
        `bed`: whether somebody lies in it meanwhile; None = as it was.
        """
        home = self.home
        watched = [(index, MOTION) for kind in (DeviceKind.MOTION, DeviceKind.RADAR) for index in home.of_kind(kind)]
        watched += [(index, OPEN) for index in home.of_kind(DeviceKind.CONTACT)]
        watched += [(index, OCCUPIED) for index in home.of_kind(DeviceKind.BED)]
        watched = [one for one in watched if one[0] not in keep]
        planned = {one: self.state(*one, end) for one in watched}
        before = {one: self.state(*one, start) for one in watched}
        self.drop(start, end, LIFE, tuple(index for index, _ in watched))
        more: list[tuple[float, int, int, float]] = []
        for (index, metric), value in before.items():
            held = value
            if metric == MOTION and value:
                held = 0.0
                more.append((min(start + CLEARS_S, end - 1), index, metric, 0.0))
            elif metric == OCCUPIED and bed is not None and value != bed:
                held = float(bed)
                more.append((start + 1, index, metric, held))
            if planned[index, metric] != held:
                more.append((end + 1 + 0.1 * index, index, metric, planned[index, metric]))
        if more:
            self.add(*more)
        self.idle(start, end)
        self.uses = self.uses[(self.uses[:, 0] < start) | (self.uses[:, 0] >= end)]

    def idle(self, start: float, end: float, extra_w: float = 0.0) -> None:
        """The meter shows the base load and `extra_w` in between."""
        low, high = np.searchsorted(self.rows["time"], [start, end])
        part = self.rows[low:high]
        mine = (part["metric"] == POWER) & (part["device"] == self.home.meter)
        part["value"][mine] = np.round(part["idle"][mine] + extra_w)

    def extra_power(self, start: float, end: float, watts: float) -> None:
        """Something draws so much more in between."""
        low, high = np.searchsorted(self.rows["time"], [start, end])
        part = self.rows[low:high]
        mine = (part["metric"] == POWER) & (part["device"] == self.home.meter)
        part["value"][mine] += round(watts)
        part["idle"][mine] += round(watts)

    def moves(self, device: int, moments: Floats, on_s: float = CLEARS_S) -> None:
        """A motion sensor sees somebody at these moments."""
        rows = [
            (float(at) + after, device, MOTION, value) for at in moments for after, value in ((0, 1.0), (on_s, 0.0))
        ]
        if rows:
            self.add(*rows)
