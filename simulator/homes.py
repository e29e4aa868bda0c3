"""The demo's homes: 24 of them, each with its resident's habits and its devices, the same for the same seed."""

from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from core.model import DeviceKind
from simulator.devices import SimDevice, furnish
from simulator.residents import Persona, draw_persona

HOMES: Final = 24
ZONE: Final = "Asia/Shanghai"
ROOMS: Final = ("entry", "living", "kitchen", "bedroom", "bathroom")


class DemoHome:
    """One simulated home.

    Attributes:
        seed: of the whole demo.
        number: 1 to 24.
        key, gateway: `home-{number}` and `gw-{number}`, as in the register.
        zone: IANA name of the zone the home lives in; it must have no daylight saving, as days are 24 h here.
    """

    def __init__(self, seed: int, number: int) -> None:
        self.seed = seed
        self.number = number
        self.key = f"home-{number}"
        self.gateway = f"gw-{number}"
        self.zone = ZoneInfo(ZONE)
        rng = np.random.default_rng([seed, number])
        self.persona: Persona = draw_persona(rng)
        self.devices: tuple[SimDevice, ...] = furnish(rng, number)

    @cached_property
    def meter(self) -> int:
        """Index of the smart meter."""
        return self.only(DeviceKind.METER)

    @cached_property
    def radar(self) -> int:
        """Index of the fall radar."""
        return self.only(DeviceKind.RADAR)

    def of_kind(self, kind: DeviceKind) -> list[int]:
        """Indexes of the devices of that kind."""
        return [index for index, device in enumerate(self.devices) if device.kind is kind]

    def only(self, kind: DeviceKind) -> int:
        """Index of the one device of a kind that every home has once."""
        (index,) = self.of_kind(kind)
        return index

    def named(self, name: str) -> int:
        """Index of the device with that name. Raises StopIteration if there is none."""
        return next(index for index, device in enumerate(self.devices) if device.name == name)


def demo_homes(seed: int, count: int = HOMES) -> list[DemoHome]:
    """The homes 1 to `count`."""
    return [DemoHome(seed, number) for number in range(1, count + 1)]
