"""Events in the words of real devices: Zigbee2MQTT and Tasmota topics and payloads.

Shaped after recorded messages. State reports carry only what changed; check-ins bring the battery, its
voltage and whatever else the model tells about itself, also what no driver should take for a reading.
"""

from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from core.model import DeviceKind
from core.wire import from_ms
from simulator.devices import SimDevice
from simulator.events import What
from simulator.homes import DemoHome

FALL_STATUS = ("normal", "fall_warning", "fall_alarm")
_encoder = msgspec.json.Encoder(order="sorted")


class Message(NamedTuple):
    """One MQTT message as the home's broker would carry it. `time` is aware, UTC."""

    time: datetime
    topic: str
    payload: bytes


class Event(NamedTuple):
    """One row of an events array, as Python values."""

    time: int
    device: int
    what: int
    value: float
    second: float
    idle: float
    battery: int
    link: int


def speak(home: DemoHome, event: Event) -> Message:
    """The message that this event is."""
    device, time = home.devices[event.device], from_ms(event.time)
    if event.what == What.ONLINE:
        return _availability(device, time, online=event.value > 0)
    if event.what == What.ENERGY:
        return Message(time, f"tele/{device.name}/SENSOR", tasmota_energy(time, home.zone, event.value, event.second))
    body = _state(device, event) | {"last_seen": last_seen(time, home.zone), "linkquality": event.link}
    if event.what in (What.CHECK_IN, What.PRESS) and not device.mains:
        body |= {"battery": event.battery, "voltage": 2600 + 5 * event.battery}
    return Message(time, f"zigbee2mqtt/{device.name}", _encoder.encode(body))


def last_seen(time: datetime, zone: ZoneInfo) -> str:
    """As Zigbee2MQTT's `last_seen: ISO_8601_local` writes it, with milliseconds."""
    return time.astimezone(zone).isoformat(timespec="milliseconds")


def tasmota_energy(time: datetime, zone: ZoneInfo, watts: float, total_kwh: float | None) -> bytes:
    """A Tasmota SENSOR message; `Time` is local and has no zone, as theirs."""
    energy: dict[str, Any] = {
        "Power": int(watts) if watts == int(watts) else watts,
        "Voltage": 229,
        "Current": round(watts / 229, 3),
    }
    if total_kwh is not None:
        energy["Total"] = total_kwh
    local = time.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
    return msgspec.json.encode({"Time": local, "ENERGY": energy})


def _availability(device: SimDevice, time: datetime, *, online: bool) -> Message:
    if device.driver == "tasmota":
        return Message(time, f"tele/{device.name}/LWT", b"Online" if online else b"Offline")
    state = {"state": "online" if online else "offline"}
    return Message(time, f"zigbee2mqtt/{device.name}/availability", _encoder.encode(state))


def _state(device: SimDevice, event: Event) -> dict[str, Any]:
    """What the device says of itself, without what all devices say."""
    on = event.value > 0
    checks_in = event.what == What.CHECK_IN
    match device.kind:
        case DeviceKind.CONTACT:  # Aqara MCCGQ11LM
            extra = {"device_temperature": 24, "power_outage_count": 3} if checks_in else {}
            return {"contact": not on, **extra}
        case DeviceKind.MOTION:  # Aqara RTCGQ11LM
            extra = {"power_outage_count": 1} if checks_in else {}
            return {"occupancy": on, "illuminance": 186 if on else 7, **extra}
        case DeviceKind.BED:
            return {"occupied": on}
        case DeviceKind.RADAR:  # Heiman HS2FD-EF1-3.0
            tables = {"cell_mounted_table": "-760,1900,-760,1900,2400", "installation_method": 0, "sensitivity": 1}
            return {
                "occupancy": on,
                "fall_status": FALL_STATUS[int(event.second)],
                "sensor_status": "activity" if on else "none",
                **(tables if checks_in else {}),
            }
        case DeviceKind.SOS:  # Tuya TS0601_sos: a check-in has no action
            return {"action": "emergency"} if event.what == What.PRESS else {}
        case _:  # a plug
            return {
                "state": "ON",
                "power": event.value,
                "current": round(event.value / 229, 2),
                "voltage": 229,
            }
