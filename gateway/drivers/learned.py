"""What a driver has learned of its devices by and by, and what a device seems to be by what it tells of."""

from collections.abc import Set
from typing import Final

import msgspec

from core.model import DeviceKind
from gateway.drivers.base import Discovered, is_address

MAX_DEVICES: Final = 1_000  # a home has some dozens; a flood of made-up names must not fill the memory
_KINDS: Final = (
    ("fall", DeviceKind.RADAR),
    ("presence", DeviceKind.RADAR),
    ("sos", DeviceKind.SOS),
    ("smoke", DeviceKind.SMOKE),
    ("gas", DeviceKind.GAS),
    ("leak", DeviceKind.LEAK),
    ("open", DeviceKind.CONTACT),
    ("occupied", DeviceKind.BED),
    ("motion", DeviceKind.MOTION),
    ("water", DeviceKind.WATER_METER),
)


def kind_of(metrics: Set[str], *, switches: bool | None) -> DeviceKind | None:
    """What tells of these metrics. `switches`: whether it can switch a load, which tells a plug from a meter."""
    for metric, kind in _KINDS:
        if metric in metrics:
            return kind
    if "power" in metrics or "energy" in metrics:
        return None if switches is None else DeviceKind.PLUG if switches else DeviceKind.METER
    return DeviceKind.CLIMATE if "temperature" in metrics else None


class Learned:
    """The devices of one driver, by address. One thread learns, any thread may look."""

    def __init__(self) -> None:
        self._devices: dict[str, Discovered] = {}  # replaced as a whole: no reader sees it change
        self._switches: dict[str, bool] = {}

    def learn(
        self,
        address: str,
        *,
        metrics: Set[str] = frozenset(),
        switches: bool | None = None,
        mains: bool | None = None,
        name: str = "",
        model: str = "",
        online: bool | None = None,
    ) -> None:
        """Adds to what is known; what is not given stays as it was."""
        before = self._devices.get(address)
        if before is None:
            if len(self._devices) >= MAX_DEVICES or not is_address(address):
                return
            before = Discovered(address)
        if switches is not None:
            self._switches[address] = switches
        told = before.metrics | metrics
        after = msgspec.structs.replace(
            before,
            metrics=told,
            kind=kind_of(told, switches=self._switches.get(address)),
            mains=before.mains if mains is None else mains,
            name=name[:200] or before.name,
            model=model[:200] or before.model,
            online=before.online if online is None else online,
        )
        if after != before or address not in self._devices:
            self._devices = {**self._devices, address: after}

    def forget(self, address: str) -> None:
        self._devices = {known: device for known, device in self._devices.items() if known != address}
        self._switches.pop(address, None)

    def all(self) -> list[Discovered]:
        return list(self._devices.values())
