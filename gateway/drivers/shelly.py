"""Shelly: plugs, meters, door, motion, flood, smoke, gas and climate sensors, of every generation.

The first generation says one value a topic below `shellies/{id}` (shelly_gen1.py), the later ones the status of their
components below `{prefix}` (shelly_gen2.py). The device's address is its id or its prefix; further channels and
meters, and what is paired with it by Bluetooth, have `{id}/{component}`.

What an input, a button or a Bluetooth sensor means only its owner knows: `input:0=open` in the setting.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from core.errors import SettingsError
from gateway.drivers.base import Decoded, Discovered, Nothing, nothing, parse_json, readings_of
from gateway.drivers.configured import Configured, fields_of
from gateway.drivers.learned import MAX_DEVICES, Learned
from gateway.drivers.shelly_gen1 import Told, is_known, read_gen1, read_input
from gateway.drivers.shelly_gen2 import COMPONENT, Component, components, part_of, presses, read_component
from gateway.drivers.times import from_epoch

NAME: Final = "shelly"
VARIABLE: Final = "YIJU_SHELLY_FIELDS"
_OLD: Final = "shellies/"
_TRUSTED: Final = timedelta(minutes=15)  # a device's clock that is further behind is wrong
_NEW: Final = re.compile(r"(?P<prefix>.+)/(?P<kind>events/rpc|online|status/(?P<component>[^/]+))", re.DOTALL)
_ONLINE: Final = {"true": True, "false": False}
_BATTERY: Final = re.compile(
    r"shelly(ht|flood|dw|smoke|button|motion|plusht|plussmoke|htg\d|floodg\d|plusi4blu|blu(?!gw))", re.IGNORECASE
)
_COUNTS: Final = re.compile(r"shellybutton", re.IGNORECASE)  # speaks only when it is pressed


class ShellyDriver:
    """Reads Shelly.

    Args:
        prefixes: MQTT topic filters of the topic prefixes of later generations: `+`, or `home/+/shelly`.
        fields: what inputs, buttons and Bluetooth sensors mean.

    Raises:
        SettingsError: a prefix is none.
    """

    name = NAME
    hub_online: bool | None = None

    def __init__(self, prefixes: Iterable[str] = ("+",), fields: Iterable[Configured] = ()) -> None:
        all_prefixes = [_normal(prefix) for prefix in prefixes]
        self._prefixes = [_pattern(prefix) for prefix in all_prefixes]
        self._fields = tuple(fields)
        self._learned = Learned()
        self._devices: frozenset[str] = frozenset()
        self._presses: dict[tuple[str, str], int] = {}
        self.filters: tuple[str, ...] = (
            f"{_OLD}#",
            *(f"{prefix}/{kind}" for prefix in all_prefixes for kind in ("events/rpc", "status/+", "online")),
        )

    def owns(self, topic: str) -> bool:
        return topic.startswith(_OLD) or self._new(topic) is not None

    def discovered(self) -> Sequence[Discovered]:
        return self._learned.all()

    def decode(self, topic: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        new = self._new(topic)
        if new is not None:
            device = new["prefix"].removeprefix(_OLD)
            if new["kind"] == "online":
                return self._presence(device, payload, received, retained)
            return self._told_new(device, new["component"], payload, received, retained)
        if not topic.startswith(_OLD):
            return nothing(Nothing.NOT_MINE)
        device, _, rest = topic[len(_OLD) :].partition("/")
        if device == "announce" or rest == "announce":
            return self._announce(payload)
        if device == "command" or rest.endswith("command") or rest == "rpc":
            return nothing(Nothing.COMMAND)
        return self._told_old(device, rest, payload, received, retained)

    def _new(self, topic: str) -> re.Match[str] | None:
        """The topic's parts, if it is one of a later generation that is surely a Shelly's."""
        match = _NEW.fullmatch(topic)
        if match is None:
            return None
        prefix, component = match["prefix"], match["component"]
        old = prefix.startswith(_OLD) and "/" not in prefix[len(_OLD) :]
        if not old and not any(pattern.fullmatch(prefix) for pattern in self._prefixes):
            return None
        if match["kind"] == "events/rpc" or (component is not None and re.fullmatch(r"[a-z0-9_]+:\d+", component)):
            return match
        known = prefix.removeprefix(_OLD) in self._devices or prefix.lower().startswith(("shelly", _OLD + "shelly"))
        return match if known or (old and match["kind"] == "online") else None

    def _told_new(
        self, device: str, component: str | None, payload: bytes, received: datetime, retained: bool
    ) -> Decoded:
        try:
            message = parse_json(payload)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            return nothing(Nothing.RETAINED if retained else Nothing.UNREADABLE)
        self._know(device)
        if retained:
            return nothing(Nothing.RETAINED)
        if component is not None:
            name = COMPONENT.fullmatch(component)
            if name is None:
                return nothing(Nothing.NO_READING)
            return self._components(device, [read_component(name, message)], received, received)
        params, method = message.get("params"), message.get("method")
        if not isinstance(params, dict):
            return nothing(Nothing.UNREADABLE)
        measured = from_epoch(params.get("ts"), received, milliseconds=False)
        measured = measured if received - measured <= _TRUSTED else received
        if method == "NotifyEvent":
            return self._pressed(device, params, measured, received)
        if method not in ("NotifyStatus", "NotifyFullStatus"):
            return nothing(Nothing.NO_READING)
        return self._components(device, components(params), measured, received)

    def _components(self, device: str, told: Iterable[Component], measured: datetime, received: datetime) -> Decoded:
        meant = fields_of(self._fields, device)
        by_part: dict[str, dict[str, float]] = {}
        unread: list[str] = []
        strange = False
        for component in told:
            values = dict(component.values)
            field = meant.get(component.field)
            if field is not None and field.metric and component.state is not None:
                if (value := field.value(component.state)) is None:
                    unread.append(f"{component.field} is {component.state!r:.60}")
                else:
                    values[field.metric] = value
            by_part.setdefault(component.part, {}).update(values)
            unread.extend(filter(None, [component.unread]))
            strange = strange or not (component.known or field)
        return self._readings(device, by_part, measured, received, "; ".join(unread), strange=strange)

    def _pressed(self, device: str, params: Mapping[str, object], measured: datetime, received: datetime) -> Decoded:
        meant = fields_of(self._fields, device)
        by_part: dict[str, dict[str, float]] = {}
        for component in presses(params):
            field, name = meant.get(component), COMPONENT.fullmatch(component)
            if field is not None and name is not None and field.pressed:
                by_part.setdefault(part_of(name[1], name[2]), {})[field.metric] = 1.0
        return self._readings(device, by_part, measured, received, "")

    def _told_old(self, device: str, rest: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        if rest == "online":
            return self._presence(device, payload, received, retained)
        self._know(device)
        if retained:
            return nothing(Nothing.RETAINED)
        try:
            told = read_input(rest, payload)
            if told == Told():
                told = read_gen1(rest, payload)
        except ValueError as error:
            return Decoded([], Nothing.UNREADABLE, f"{rest:.60} is {payload!r:.60}: {error}"[:200])
        values, unread = dict(told.values), ""
        field = fields_of(self._fields, device).get(told.field) if told.field else None
        if field is not None and field.metric:
            if told.press is not None:
                if field.pressed and self._is_new_press(device, told.field, told.press):
                    values[field.metric] = 1.0
            elif not field.pressed:
                value = field.value(told.content)
                if value is None:
                    unread = f"{rest:.60} is {told.content!r:.60}"
                else:
                    values[field.metric] = value
        kind, _, number = told.field.partition(":")
        part = part_of(kind, number) if told.field else told.part
        return self._readings(
            device, {part: values}, received, received, unread, strange=told == Told() and not is_known(rest)
        )

    def _is_new_press(self, device: str, field: str, press: int) -> bool:
        """Whether the count of presses went on.

        The same count is only said again, each half minute; the first that is heard of a device that always speaks
        may be as old as that device.
        """
        key = (device, field)
        before = self._presses.get(key)
        if len(self._presses) >= MAX_DEVICES:
            self._presses.clear()
        self._presses[key] = press
        return press != before and (before is not None or _COUNTS.match(device) is not None)

    def _presence(self, device: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        online = _ONLINE.get(payload.decode(errors="replace").strip())
        if online is not None:
            self._know(device)
            self._learned.learn(f"{NAME}/{device}", online=online)
        if retained:
            return nothing(Nothing.RETAINED)
        if online is None:
            return nothing(Nothing.UNREADABLE)
        return readings_of(f"{NAME}/{device}", {"online": float(online)}, received, received)

    def _announce(self, payload: bytes) -> Decoded:
        """{"id": "shellyplug-s-1A2B", "model": "SHPLG-S", ...}, from the first generation, when it is asked."""
        try:
            message = parse_json(payload)
        except ValueError:
            message = None
        device = message.get("id") if isinstance(message, dict) else None
        if not isinstance(device, str) or "/" in device:
            return Decoded([], Nothing.CONFIGURATION, "an announcement without an id")
        self._know(device)
        model = message.get("model")
        self._learned.learn(f"{NAME}/{device}", model=f"Shelly {model}" if isinstance(model, str) else "")
        return nothing(Nothing.CONFIGURATION)

    def _readings(
        self,
        device: str,
        by_part: Mapping[str, Mapping[str, float]],
        measured: datetime,
        received: datetime,
        unread: str,
        *,
        strange: bool = False,
    ) -> Decoded:
        found = []
        for part, values in by_part.items():
            address = f"{NAME}/{device}/{part}" if part else f"{NAME}/{device}"
            if values:
                decoded = readings_of(address, values, measured, received)
                if not decoded.readings:
                    return decoded
                self._learned.learn(address, metrics=values.keys())
                found.extend(decoded.readings)
        if found or unread:
            return Decoded(found, None if found else Nothing.NO_READING, unread)
        return nothing(Nothing.NO_READING if strange else Nothing.HOUSEKEEPING)

    def _know(self, device: str) -> None:
        if device in self._devices or len(self._devices) >= MAX_DEVICES:
            return
        self._devices |= {device}
        named = device.lower().startswith("shelly")
        self._learned.learn(f"{NAME}/{device}", mains=_BATTERY.match(device) is None if named else None, name=device)


def _normal(prefix: str) -> str:
    if not prefix.strip("/") or "#" in prefix:
        raise SettingsError(
            f"YIJU_SHELLY_TOPICS has {prefix!r}: write the devices' topic prefix, with + for what differs, e.g. home/+"
        )
    return prefix.strip("/")


def _pattern(prefix: str) -> re.Pattern[str]:
    return re.compile("/".join("[^/]+" if part == "+" else re.escape(part) for part in prefix.split("/")))
