"""The watchdog: which devices have been quiet for too long, and whether it is their hub that is away.

What it finds becomes readings: `silent` of a device (1 by itself, 2 with its hub), `silence_limit` when what was
learned about it has changed, `hubs_down` of the gateway. A hub that is away is one incident: its devices are said to be
out of sight, not each to be dead.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from core.configuration import Configuration, ConfiguredDevice
from core.model import DeviceKind, Reading
from gateway.folder import read_struct, write_whole
from gateway.quiet import Quiet

SELF: Final = "gateway"  # the address under which a gateway reports about itself
HUB_GRACE_S: Final = 120.0  # a hub that restarts is no incident
LONGEST_STEP_S: Final = 60.0  # a clock that jumps, or a machine that slept, counts as no more than this
OLD: Final = timedelta(minutes=10)  # a message about a moment so long ago is a hub's memory, not the device
SAVE_EVERY: Final = timedelta(minutes=10)
SAY_AGAIN: Final = timedelta(hours=6)  # what is silent is said again, should the first word have been thinned away
LIMIT_STEP: Final = 0.2  # a limit that has changed by less is not told
_BY_ITSELF, _WITH_HUB = 1.0, 2.0


class _Memory(msgspec.Struct):
    """What survives a restart. `told`: device -> the `silent` that was last said; `limits`: the same of its limit."""

    devices: dict[str, Quiet] = {}
    hubs: dict[str, Quiet] = {}
    told: dict[str, float] = {}
    limits: dict[str, float] = {}


class Watchdog:
    """Watches the registered devices of one gateway. Not for several threads at once.

    Args:
        file: where it remembers; what cannot be read is learned anew.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._memory = read_struct(file, _Memory) or _Memory()
        self._configuration = Configuration()
        self._devices: dict[str, ConfiguredDevice] = {}
        self._gone: dict[str, datetime] = {}  # hub -> since when it says that it is away
        self._broker_gone: datetime | None = None
        self._hubs_told: float | None = None
        self._at: datetime | None = None
        self._saved: datetime | None = None
        self._said: datetime | None = None

    def configure(self, configuration: Configuration) -> None:
        """Watches these devices from now on. What is not registered any more is forgotten."""
        self._configuration = configuration
        self._devices = {
            device.address: device
            for device in configuration.devices
            if device.kind != DeviceKind.GATEWAY and "/" in device.address
        }
        memory = self._memory
        memory.devices = {address: memory.devices.get(address, Quiet()) for address in self._devices}
        hubs = {hub_of(address) for address in self._devices}
        memory.hubs = {hub: memory.hubs.get(hub, Quiet()) for hub in hubs}
        memory.told = {address: told for address, told in memory.told.items() if address in self._devices}
        memory.limits = {address: limit for address, limit in memory.limits.items() if address in self._devices}

    def heard(self, readings: Iterable[Reading]) -> None:
        """Devices have spoken. A device that is declared gone, and an old state that is only said again, did not."""
        for reading in readings:
            gone = reading.metric == "online" and reading.value == 0
            if gone or reading.received - reading.time > OLD:
                continue
            quiet = self._memory.devices.get(reading.device)
            if quiet is not None:
                quiet.speak(reading.received)
                hub = hub_of(reading.device)
                self._memory.hubs[hub].speak(reading.received)
                self._gone.pop(hub, None)  # whoever brings news is there, whatever it said of itself

    def hub(self, hub: str, up: bool, now: datetime) -> None:
        """A hub says of itself that it is there, or is not (`zigbee2mqtt/bridge/state`)."""
        if up:
            self._gone.pop(hub, None)
        else:
            self._gone.setdefault(hub, now)

    def broker(self, connected: bool, now: datetime) -> None:
        """The home's broker can be reached, or not: no device can be heard without it."""
        self._broker_gone = None if connected else self._broker_gone or now

    def tick(self, now: datetime) -> list[Reading]:
        """Counts the time and says what has changed. To be called about each second; never raises."""
        step_s = 0.0 if self._at is None else min(max((now - self._at).total_seconds(), 0.0), LONGEST_STEP_S)
        self._at = now
        self._pass_time(step_s)
        down = self.hubs_down(now)
        readings = self._limits(now)
        again = self._said is None or abs(now - self._said) >= SAY_AGAIN
        for address, device in self._devices.items():
            state = self._judge(address, device, down)
            before = self._memory.told.get(address)
            if state != (before or 0.0) or (again and state):
                readings.append(Reading(address, "silent", now, state, now))
                self._memory.told[address] = state
        if again:
            self._said = now
        if self._devices and (float(len(down)) != self._hubs_told or (again and down)):
            self._hubs_told = float(len(down))
            readings.append(Reading(SELF, "hubs_down", now, self._hubs_told, now))
        if readings or self._saved is None or abs(now - self._saved) >= SAVE_EVERY:
            self.save()
            self._saved = now
        return readings

    def hubs_down(self, now: datetime) -> frozenset[str]:
        """The hubs that are away: by their own word for two minutes, or with every one of their devices quiet."""
        if self._broker_gone is not None and _s(now - self._broker_gone) >= HUB_GRACE_S:
            return frozenset(self._memory.hubs)
        said = {hub for hub, since in self._gone.items() if _s(now - since) >= HUB_GRACE_S}
        quiet = {hub for hub in self._memory.hubs if self._all_quiet(hub)}
        return frozenset((said | quiet) & set(self._memory.hubs))

    def silent(self) -> dict[str, float]:
        """Device -> 1 silent by itself, 2 with its hub; those that are heard are left out."""
        return {address: state for address, state in self._memory.told.items() if state}

    def limit_s(self, address: str) -> float | None:
        """How long the device may be quiet; None when it is not registered."""
        device = self._devices.get(address)
        if device is None:
            return None
        limits = self._configuration.thresholds
        return self._memory.devices[address].limit_s(
            mains=device.mains,
            first_s=limits.mains_s if device.mains else limits.battery_s,
            most_s=limits.battery_most_s,
        )

    def save(self) -> None:
        """Remembers. A full disk costs what was learned since the last time, no more."""
        try:
            write_whole(self._file, msgspec.json.encode(self._memory), durable=False)
        except OSError:
            self._saved = None  # tried again at the next tick

    def _pass_time(self, seconds: float) -> None:
        if self._broker_gone is not None:
            return
        for hub, quiet in self._memory.hubs.items():
            if hub not in self._gone:
                quiet.pass_time(seconds)
        for address, quiet in self._memory.devices.items():
            if hub_of(address) not in self._gone:
                quiet.pass_time(seconds)

    def _judge(self, address: str, device: ConfiguredDevice, down: frozenset[str]) -> float:
        if hub_of(address) in down:
            return _WITH_HUB
        limit = self.limit_s(address)
        return _BY_ITSELF if limit is not None and self._memory.devices[address].quiet_s > limit else 0.0

    def _all_quiet(self, hub: str) -> bool:
        """Whether nothing at all comes from a hub with several devices, for longer than is usual for it as a whole."""
        behind = [device for device in self._devices.values() if hub_of(device.address) == hub]
        quiet = self._memory.hubs[hub]
        if len(behind) < 2 or not quiet.heard:
            return False
        limits = self._configuration.thresholds
        mains = any(device.mains for device in behind)
        first_s = limits.mains_s if mains else limits.battery_s
        return quiet.quiet_s > quiet.limit_s(mains=mains, first_s=first_s, most_s=limits.battery_s)

    def _limits(self, now: datetime) -> list[Reading]:
        """The learned limits that have changed enough to be told. The platform knows itself what holds before."""
        changed: list[Reading] = []
        for address in self._devices:
            if self._memory.devices[address].usual_s() is None:
                continue
            limit, before = self.limit_s(address), self._memory.limits.get(address)
            if limit is not None and (before is None or abs(limit - before) > LIMIT_STEP * before):
                self._memory.limits[address] = limit
                changed.append(Reading(address, "silence_limit", now, limit, now))
        return changed


def hub_of(address: str) -> str:
    """What a device is heard through: the driver's name in its address."""
    return address.partition("/")[0]


def _s(span: timedelta) -> float:
    return span.total_seconds()
