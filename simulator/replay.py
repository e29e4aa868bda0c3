"""A recording played again: as a register document and as the messages that its sensors would send.

A recording's sensor keeps its name as its friendly name, also with `#`, `/`, `:` and spaces in it, which a topic at
a broker could not all have: these messages go straight into a gateway, never over a broker, and on the wire the
address stands inside JSON. So `zigbee2mqtt/{name}` is the topic and the device's address alike.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from core.errors import RegisterError
from core.model import DeviceKind, RoomKind
from core.wire import from_ms, to_ms
from simulator.dialect import Message, last_seen, tasmota_energy
from simulator.events import What, in_order, make_events
from simulator.recordings import RecordedSensor, Recording, load_recording

__all__ = ["Recording", "load_recording", "recording_messages", "recording_register"]

ZONE: Final = "Asia/Shanghai"
WATCHED_AFTER_CUT: Final = timedelta(hours=48)
_HOUR_MS: Final = 3_600_000
_FIELDS: Final = {"motion": "occupancy", "contact": "contact", "pressure": "occupied"}
_IDLE_SHARE: Final = 5  # percentile of the power before the cut that counts as the home's base load


def recording_register(
    recording: Recording, zone: str = ZONE, *, gateway: str = "replay", password_hash: str = ""
) -> dict[str, Any]:
    """A register document with one region chain and one home, commissioned when the recording begins."""
    home = f"replay-{recording.name}"
    rooms = dict.fromkeys(sensor.room for sensor in recording.sensors if sensor.kind != "power_w")
    begins = from_ms(int(recording.times(ZoneInfo(zone))[0])).astimezone(ZoneInfo(zone))
    residents = [
        {"key": f"{home}-resident-{number}", "name": recording.name} for number in range(1, recording.residents + 1)
    ]
    return {
        "region": [
            {"key": "replay-district", "name": "回放区", "level": "district"},
            {"key": "replay-street", "name": "回放街道", "level": "street", "parent": "replay-district"},
            {"key": "replay-community", "name": "回放社区", "level": "community", "parent": "replay-street"},
        ],
        "home": [
            {
                "key": home,
                "region": "replay-community",
                "name": recording.name,
                "address": "",
                "zone": zone,
                "commissioned": begins.isoformat(),
                "room": [{"key": room, "kind": _room_kind(room), "name": ""} for room in rooms],
                "resident": residents,
                "gateway": [{"key": gateway, **({"password_hash": password_hash} if password_hash else {})}],
                "device": [_device(sensor, gateway) for sensor in recording.sensors],
            }
        ],
        "person": [],
    }


def recording_messages(recording: Recording, cut: datetime | None = None, zone: str = ZONE) -> Iterator[Message]:
    """What the recorded sensors say, in time order: each row one message with one state, and hourly check-ins with
    battery and link quality that repeat no state, so that states can be counted.

    Args:
        cut: local wall time without zone from which on nothing the person does is seen; check-ins go on for
            WATCHED_AFTER_CUT, and the power stays at its base load for as long. None: the whole recording.

    Raises:
        RegisterError: `cut` lies outside the recording or carries a zone.
    """
    where = ZoneInfo(zone)
    times = recording.times(where)
    begins, ends = int(times[0]), int(times[-1]) + 1
    values, watts = recording.value, np.array([sensor.kind == "power_w" for sensor in recording.sensors])
    rows = np.arange(len(times))
    if cut is not None:
        instant = _instant(recording, cut, where)
        ends = instant + int(WATCHED_AFTER_CUT.total_seconds() * 1000)
        values = _at_idle(recording, times, instant, watts)
        rows = np.flatnonzero((times < instant) | (watts[recording.sensor] & (times < ends)))
    parts = [make_events(times[rows], 0, What.REPORT, values[rows])]
    parts[0]["device"] = recording.sensor[rows]
    for index in np.flatnonzero(~watts):
        phase = _HOUR_MS * (index + 1) // (len(watts) + 1)  # not all at once
        parts.append(make_events(np.arange(begins + phase, ends, _HOUR_MS), int(index), What.CHECK_IN, 0))
    events = in_order(parts)
    columns = (events[name].tolist() for name in ("time", "device", "what", "value"))
    return (
        _check_in(recording.sensors[device], time, where)
        if what == What.CHECK_IN
        else _report(recording.sensors[device], time, value, where)
        for time, device, what, value in zip(*columns, strict=True)
    )


def address_of(sensor: RecordedSensor) -> str:
    """The sensor's device address in the register and on the wire."""
    return f"{'tasmota' if sensor.kind == 'power_w' else 'zigbee2mqtt'}/{sensor.name}"


def _instant(recording: Recording, cut: datetime, zone: ZoneInfo) -> int:
    if cut.tzinfo is not None:
        raise RegisterError(f"the cut {cut.isoformat()} has a zone: write local wall time, as in the recording")
    first, last = recording.wall[0].item(), recording.wall[-1].item()
    if not first <= cut <= last:
        raise RegisterError(
            f"the cut {cut.isoformat()} lies outside {recording.name}:"
            f" choose one from {first.isoformat()} to {last.isoformat()}"
        )
    return to_ms(cut.replace(tzinfo=zone))


def _at_idle(recording: Recording, times: Any, instant: int, watts: Any) -> Any:
    """The values, with every meter at the base load that it showed before the cut from the cut on."""
    values = recording.value.copy()
    for index in np.flatnonzero(watts):
        mine = recording.sensor == index
        before = values[mine & (times < instant)]
        values[mine & (times >= instant)] = np.percentile(before, _IDLE_SHARE).round() if len(before) else 0.0
    return values


def _report(sensor: RecordedSensor, time: int, value: float, zone: ZoneInfo) -> Message:
    moment = from_ms(time)
    if sensor.kind == "power_w":
        return Message(moment, f"tele/{sensor.name}/SENSOR", tasmota_energy(moment, zone, value, None))
    state = value == 0 if sensor.kind == "contact" else value == 1  # `contact: true` is a closed door
    body = {"last_seen": last_seen(moment, zone), _FIELDS[sensor.kind]: state}
    return Message(moment, f"zigbee2mqtt/{sensor.name}", msgspec.json.encode(body))


def _check_in(sensor: RecordedSensor, time: int, zone: ZoneInfo) -> Message:
    moment = from_ms(time)
    body = {"battery": 100, "last_seen": last_seen(moment, zone), "linkquality": 120, "voltage": 3000}
    return Message(moment, f"zigbee2mqtt/{sensor.name}", msgspec.json.encode(body))


def _device(sensor: RecordedSensor, gateway: str) -> dict[str, Any]:
    metered = sensor.kind == "power_w"
    device = {
        "gateway": gateway,
        "address": address_of(sensor),
        "kind": str(_device_kind(sensor)),
        "exterior": sensor.exterior,
        "mains": metered and sensor.name == "power_w",  # the others speak only when their power changes
    }
    return device if metered else device | {"room": sensor.room}


def _device_kind(sensor: RecordedSensor) -> DeviceKind:
    match sensor.kind:
        case "motion":
            return DeviceKind.MOTION
        case "contact":
            return DeviceKind.CONTACT
        case "pressure":
            return DeviceKind.BED if sensor.room == "bedroom" else DeviceKind.SEAT
        case _:
            return DeviceKind.METER if sensor.name == "power_w" else DeviceKind.PLUG


def _room_kind(room: str) -> str:
    return room if room in set(RoomKind) else str(RoomKind.OTHER)
