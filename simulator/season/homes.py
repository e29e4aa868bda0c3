"""A home of a season: the demo's, and besides it smoke, gas, leak and water, two thermometers and its gateway."""

from typing import Final

import numpy as np

from core.model import DeviceKind
from simulator.devices import SimDevice
from simulator.homes import DemoHome

_MORE: Final = (
    ("smoke", DeviceKind.SMOKE, "kitchen"),
    ("gas", DeviceKind.GAS, "kitchen"),
    ("leak", DeviceKind.LEAK, "bathroom"),
    ("water", DeviceKind.WATER_METER, "kitchen"),
    ("living_climate", DeviceKind.CLIMATE, "living"),
    ("bedroom_climate", DeviceKind.CLIMATE, "bedroom"),
    ("gateway", DeviceKind.GATEWAY, None),
)
MAINS: Final = frozenset({DeviceKind.METER, DeviceKind.RADAR, DeviceKind.PLUG, DeviceKind.GAS, DeviceKind.GATEWAY})


class SeasonHome(DemoHome):
    """Number 1, 2, 3 ... of the season with that seed."""

    def __init__(self, seed: int, number: int) -> None:
        super().__init__(seed, number)
        rng = np.random.default_rng([seed, number, 77])
        more = tuple(SimDevice(name, kind, room, phase=float(rng.random())) for name, kind, room in _MORE)
        self.devices = (*self.devices, *more)

    def mains(self, index: int) -> bool:
        return self.devices[index].kind in MAINS
