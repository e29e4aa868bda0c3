"""Zigbee2MQTT: contact, motion, radar, bed, SOS, smoke, gas, leak, plug and climate devices.

`{base}/{friendly name}` carries a device's whole state as one JSON object; in the attribute output mode
`{base}/{friendly name}/{field}` carries one bare value; `{base}/{friendly name}/availability` tells whether
Zigbee2MQTT can reach it. `{base}/bridge/devices` is the retained list of all devices, `{base}/bridge/state` whether
Zigbee2MQTT itself runs.

Friendly names may hold slashes and any letter, and end in words that look like the topics above. With the list at
hand a topic is split where the name ends; before it, where it usually does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from gateway.drivers.base import Decoded, Discovered, Nothing, measurement, nothing, parse_json, readings_of
from gateway.drivers.learned import MAX_DEVICES
from gateway.drivers.times import from_epoch, from_text
from gateway.drivers.zigbee_devices import ZigbeeDevice, read_devices
from gateway.drivers.zigbee_fields import SOS_ACTIONS, is_field, read_fields

NAME: Final = "zigbee2mqtt"
_AVAILABILITY: Final = {"online": 1.0, "offline": 0.0}
_COMMANDS: Final = frozenset({"set", "get"})
_SAME_PRESS: Final = timedelta(seconds=2)  # the bare `action` topic repeats a press within milliseconds


class _Press(NamedTuple):
    """The last press of a button, and on which kind of topic it was said."""

    action: str
    bare: bool
    received: datetime


class Zigbee2MqttDriver:
    """Reads Zigbee2MQTT.

    Args:
        base: its base topic.
        ok_actions: button actions by which the elder says "I am all right"; none unless they are configured,
            since the same `single` may as well switch a lamp.
        sos_actions: button actions that call for help, besides those that always do.
        zone: the time zone of a `last_seen` that names none; None: such a `last_seen` is not used.
    """

    name = NAME

    def __init__(
        self,
        base: str = NAME,
        ok_actions: frozenset[str] = frozenset(),
        sos_actions: frozenset[str] = frozenset(),
        zone: tzinfo | None = None,
    ) -> None:
        self._prefix = base + "/"
        self._ok_actions = ok_actions - SOS_ACTIONS - sos_actions
        self._sos_actions = SOS_ACTIONS | sos_actions
        self._zone = zone
        self.filters: tuple[str, ...] = (f"{base}/#",)
        self.hub_online: bool | None = None
        self._devices: dict[str, ZigbeeDevice] = {}  # by friendly name; replaced as a whole
        self._former: dict[str, str] = {}  # hardware address -> the name before the last one
        self._online: dict[str, bool] = {}
        self._presses: dict[str, _Press] = {}

    def owns(self, topic: str) -> bool:
        return topic.startswith(self._prefix)

    def discovered(self) -> Sequence[Discovered]:
        former, online = self._former, self._online
        return [
            Discovered(
                f"{NAME}/{device.name}",
                device.kind,
                device.mains,
                device.name,
                device.model,
                device.metrics | {"link_quality"},
                online.get(device.name),
                f"{NAME}/{former[device.ieee]}" if device.ieee in former else "",
            )
            for device in self._devices.values()
            if not device.disabled
        ]

    def decode(self, topic: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        if not self.owns(topic):
            return nothing(Nothing.NOT_MINE)
        rest = topic[len(self._prefix) :]
        if rest.split("/", 1)[0] == "bridge":
            return self._bridge(rest, payload)
        message = _content(payload)
        name, suffix = self._split(rest, message)
        if suffix == "?":
            return Decoded([], Nothing.UNREADABLE, "a command to one device or the state of another")
        if _is_command(suffix):
            return nothing(Nothing.COMMAND)
        if suffix == "availability":
            return self._availability(name, message, received, retained)
        if retained:
            return nothing(Nothing.RETAINED)
        if suffix == "":
            if not isinstance(message, dict):
                return nothing(Nothing.UNREADABLE if payload else Nothing.HOUSEKEEPING)  # empty: a removed device's
            return self._state(name, message, received, bare=False)
        if is_field(suffix):
            return self._state(name, {suffix: message}, received, bare=True)
        return nothing(Nothing.HOUSEKEEPING if self._describes(name) else Nothing.NO_READING)

    def _split(self, rest: str, message: object) -> tuple[str, str]:
        """A topic's device and what follows its name; "?" follows where two devices' names fit."""
        devices = self._devices
        cut = rest.rfind("/")
        whole = rest in devices
        while cut > 0:
            name, suffix = rest[:cut], rest[cut + 1 :]
            if name in devices:
                if not whole:
                    return name, suffix
                if _is_command(suffix):
                    return rest, "?"
                is_other = _is_availability(message) if suffix == "availability" else not isinstance(message, dict)
                return (name, suffix) if is_other and (suffix == "availability" or is_field(suffix)) else (rest, "")
            cut = rest.rfind("/", 0, cut)
        return (rest, "") if whole else _usual_split(rest, message)

    def _state(self, name: str, message: Mapping[str, object], received: datetime, *, bare: bool) -> Decoded:
        device = self._devices.get(name)
        values, unread = read_fields(message, device.states if device is not None else {})
        if device is not None and device.volts and (millivolts := measurement(message.get("voltage"))) is not None:
            values["battery_voltage"] = millivolts / 1000
        action = message.get("action")
        repeated = False
        if isinstance(action, str):
            repeated = self._is_repeated(name, action, received, bare=bare)
            metric = "sos" if action in self._sos_actions else "ok_press" if action in self._ok_actions else ""
            if metric and not repeated:
                values[metric] = 1.0
        elif action is not None:
            unread = "; ".join(filter(None, (unread, f"action is {action!r:.60}")))
        if not values and not unread:
            if repeated:
                return nothing(Nothing.REPEATED)
            if self._describes(name) or bare:  # a lamp's state, or a press that is nobody's message to us
                return nothing(Nothing.HOUSEKEEPING)
        return readings_of(f"{NAME}/{name}", values, self._measured(message, received), received, unread)

    def _is_repeated(self, name: str, action: str, received: datetime, *, bare: bool) -> bool:
        """Whether this press was just said on the other kind of topic. Each saying stands for one other only."""
        if action not in self._sos_actions and action not in self._ok_actions:
            return False
        last = self._presses.pop(name, None)
        said = last is not None and last.action == action and last.bare is not bare
        if last is not None and said and timedelta(0) <= received - last.received <= _SAME_PRESS:
            return True
        if len(self._presses) >= MAX_DEVICES:
            self._presses.clear()
        self._presses[name] = _Press(action, bare, received)
        return False

    def _availability(self, name: str, message: object, received: datetime, retained: bool) -> Decoded:
        state = message.get("state") if isinstance(message, dict) else message
        online = _AVAILABILITY.get(state) if isinstance(state, str) else None
        if online is None:
            return nothing(Nothing.RETAINED if retained else Nothing.UNREADABLE)
        if name in self._online or len(self._online) < MAX_DEVICES:
            self._online = {**self._online, name: online == 1}
        if retained:
            return nothing(Nothing.RETAINED)
        return readings_of(f"{NAME}/{name}", {"online": online}, received, received)

    def _bridge(self, rest: str, payload: bytes) -> Decoded:
        if rest == "bridge/state":
            content = _content(payload)
            state = content.get("state") if isinstance(content, dict) else content
            if state not in ("online", "offline"):
                return Decoded([], Nothing.BRIDGE, f"bridge/state is {state!r:.60}")
            self.hub_online = state == "online"
        elif rest == "bridge/devices":
            try:
                devices = read_devices(parse_json(payload))
            except ValueError as error:
                return Decoded([], Nothing.BRIDGE, f"bridge/devices: {error}")
            names = {device.ieee: device.name for device in self._devices.values()}
            renamed = {d.ieee: names[d.ieee] for d in devices.values() if names.get(d.ieee, d.name) != d.name}
            listed = {device.ieee for device in devices.values()}
            self._former = {ieee: name for ieee, name in {**self._former, **renamed}.items() if ieee in listed}
            self._devices = devices
            return nothing(Nothing.CONFIGURATION)
        return nothing(Nothing.BRIDGE)

    def _describes(self, name: str) -> bool:
        device = self._devices.get(name)
        return device is not None and device.known

    def _measured(self, message: Mapping[str, object], received: datetime) -> datetime:
        """`last_seen` in any of its forms; `received` when there is none to trust.

        An old `last_seen` is kept: after a restart Zigbee2MQTT sends the states it remembers, and these are old.
        """
        seen = message.get("last_seen")
        if isinstance(seen, str):
            return from_text(seen, received, self._zone)
        return from_epoch(seen, received, milliseconds=True)


def _content(payload: bytes) -> Any:
    """The JSON value, or the text: the attribute mode and old versions send words bare; the bytes if it is neither."""
    try:
        return parse_json(payload)
    except ValueError:
        pass
    try:
        return payload.decode().strip()
    except UnicodeDecodeError:
        return payload


def _usual_split(rest: str, message: object) -> tuple[str, str]:
    """Where a topic's name ends if no list of the devices says otherwise."""
    parts = rest.split("/")
    for end in (len(parts) - 1, len(parts) - 2):
        if end > 0 and parts[end] in _COMMANDS:
            return "/".join(parts[:end]), "/".join(parts[end:])
    if len(parts) > 1:
        last = parts[-1]
        if last == "availability" or (is_field(last) and not isinstance(message, dict)):
            return "/".join(parts[:-1]), last
    return rest, ""


def _is_command(suffix: str) -> bool:
    """`set`, `get`, `set/{field}`, and `{endpoint}/set`."""
    return any(part in _COMMANDS for part in suffix.split("/")[:2])


def _is_availability(message: object) -> bool:
    if isinstance(message, dict):
        return set(message) == {"state"} and message["state"] in ("online", "offline")
    return message in ("online", "offline")
