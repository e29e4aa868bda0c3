"""The devices of a simulated home: which ones there are and how they behave on the air."""

from typing import Final

import msgspec
from numpy.random import Generator

from core.model import DeviceKind

METER_PERIOD_S: Final = 300  # Tasmota's TelePeriod
CHECK_INS_A_DAY: Final = 26  # battery devices: every 51 to 60 minutes
HEARTBEATS_A_DAY: Final = 150  # Zigbee devices on mains: about every 10 minutes, as Zigbee2MQTT expects of them


class SimDevice(msgspec.Struct, frozen=True):
    """One device.

    Attributes:
        name: its friendly name (Zigbee2MQTT) or its topic (Tasmota).
        room: a room key of the home; None for the meter.
        exterior: the door through which the resident leaves.
        link: usual Zigbee link quality, 0 to 255.
        battery_life_days: how long a battery lasts before somebody changes it.
        phase: where in its period it speaks, 0 to 1.
    """

    name: str
    kind: DeviceKind
    room: str | None = None
    exterior: bool = False
    link: int = 120
    battery_life_days: int = 900
    phase: float = 0.0

    @property
    def driver(self) -> str:
        return "tasmota" if self.kind is DeviceKind.METER else "zigbee2mqtt"

    @property
    def address(self) -> str:
        """As in the register: `{driver}/{name}`."""
        return f"{self.driver}/{self.name}"

    @property
    def mains(self) -> bool:
        return self.kind in (DeviceKind.METER, DeviceKind.RADAR, DeviceKind.PLUG)


def furnish(rng: Generator, number: int) -> tuple[SimDevice, ...]:
    """The devices of home `number`. Every home can be left, slept in, fallen in and called from; kitchens
    and plugs differ, and every third radar watches the bedroom instead of the bathroom."""

    def device(name: str, kind: DeviceKind, room: str | None = None, *, exterior: bool = False) -> SimDevice:
        return SimDevice(
            name,
            kind,
            room,
            exterior,
            link=int(rng.integers(50, 200)),
            battery_life_days=int(rng.integers(500, 1200)),
            phase=float(rng.random()),
        )

    radar_room = "bedroom" if number % 3 == 0 else "bathroom"
    devices = [
        device("front_door", DeviceKind.CONTACT, "entry", exterior=True),
        device("entry_motion", DeviceKind.MOTION, "entry"),
        device("living_motion", DeviceKind.MOTION, "living"),
        device("kitchen_motion", DeviceKind.MOTION, "kitchen"),
        device("bedroom_motion", DeviceKind.MOTION, "bedroom"),
        device("bathroom_motion", DeviceKind.MOTION, "bathroom"),
        device("bed", DeviceKind.BED, "bedroom"),
        device(f"{radar_room}_radar", DeviceKind.RADAR, radar_room),
        device("sos_button", DeviceKind.SOS, "bedroom"),
        device("meter", DeviceKind.METER),
    ]
    if rng.random() < 0.5:
        devices.append(device("fridge", DeviceKind.CONTACT, "kitchen"))
    if rng.random() < 0.3:
        devices.append(device("cupboard", DeviceKind.CONTACT, "kitchen"))
    if rng.random() < 0.35:
        devices.append(device("tv_plug", DeviceKind.PLUG, "living"))
    if rng.random() < 0.25:
        devices.append(device("kettle_plug", DeviceKind.PLUG, "kitchen"))
    return tuple(devices)
