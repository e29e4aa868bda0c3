"""Zigbee2MQTT: contact, motion, radar, bed, SOS, smoke, gas, leak, plug and climate devices.

`{base}/{friendly name}` carries a device's whole state as one JSON object; in the attribute output mode
`{base}/{friendly name}/{field}` carries one bare value; `{base}/{friendly name}/availability` tells whether
Zigbee2MQTT can reach it. Friendly names may hold slashes and any letter.

Field names are those of zigbee-herdsman-converters. A field that is not in `_FIELDS` is kept out: among them
`pressure`, which is the air's, and `device_temperature`, which is the chip's.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from core.wire import from_ms
from gateway.drivers.base import Decoded, Discovered, Nothing, boolean, nothing, number, parse_json, readings_of

NAME: Final = "zigbee2mqtt"
SOS_ACTIONS: Final = frozenset({"emergency", "sos", "panic"})
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # before it: a clock that was never set


def _one_of(table: Mapping[str, float], value: object) -> float | None:
    return table.get(value) if isinstance(value, str) else None


def _not(value: object) -> float | None:
    state = boolean(value)
    return None if state is None else 1 - state


_Reader = Callable[[object], float | None]
_FIELDS: Final[dict[str, tuple[str, _Reader]]] = {
    "contact": ("open", _not),  # true: the magnet is at the reed, the door is closed
    "occupancy": ("motion", boolean),
    "presence": ("presence", boolean),
    "presence_state": ("presence", partial(_one_of, {"none": 0.0, "presence": 1.0, "move": 1.0})),
    # beds and seats: no field of theirs is common yet; `occupied` is what we ask for in a converter of one's own
    "occupied": ("occupied", boolean),
    "pressure_state": ("occupied", boolean),
    # an "unknown" fall status is no reading: neither a fall nor its end
    "fall_status": ("fall", partial(_one_of, {"normal": 0.0, "fall_warning": 1.0, "fall_alarm": 2.0})),
    "fall_down_status": ("fall", partial(_one_of, {"none": 0.0, "maybe_fall": 1.0, "fall": 2.0})),
    "sos": ("sos", boolean),
    "smoke": ("smoke", boolean),
    "gas": ("gas", boolean),
    "carbon_monoxide": ("gas", boolean),
    "water_leak": ("leak", boolean),
    "tamper": ("tamper", boolean),
    "power": ("power", number),
    "energy": ("energy", number),
    "temperature": ("temperature", number),
    "humidity": ("humidity", number),
    "battery": ("battery", number),
    "battery_low": ("battery_low", boolean),
    "linkquality": ("link_quality", number),
}
_AVAILABILITY: Final = {"online": 1.0, "offline": 0.0}


class Zigbee2MqttDriver:
    """Reads Zigbee2MQTT.

    Args:
        base: its base topic.
        ok_actions: button actions by which the elder says "I am all right"; none unless they are configured,
            since the same `single` may as well switch a lamp.
    """

    name = NAME
    hub_online: bool | None = None

    def __init__(self, base: str = NAME, ok_actions: frozenset[str] = frozenset()) -> None:
        self._prefix = base + "/"
        self._ok_actions = ok_actions
        self.filters: tuple[str, ...] = (f"{base}/#",)

    def owns(self, topic: str) -> bool:
        return topic.startswith(self._prefix)

    def discovered(self) -> Sequence[Discovered]:
        return ()

    def decode(self, topic: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        if not topic.startswith(self._prefix):
            return nothing(Nothing.NOT_MINE)
        parts = topic[len(self._prefix) :].split("/")
        if parts[0] == "bridge":
            return nothing(Nothing.BRIDGE)
        if any(part in ("set", "get") for part in parts[1:][-2:]):  # `{name}/set` and `{name}/set/{field}`
            return nothing(Nothing.COMMAND)
        if retained:
            return nothing(Nothing.RETAINED)
        if len(parts) > 1 and parts[-1] == "availability":
            return self._availability(parts, payload, received)
        try:
            message = parse_json(payload)
        except ValueError:
            message = _text(payload)  # the attribute mode sends texts bare
        if isinstance(message, dict):
            values = self._values(message)
            return readings_of(f"{NAME}/{'/'.join(parts)}", values, _measured(message, received), received)
        if len(parts) > 1 and (parts[-1] in _FIELDS or parts[-1] == "action"):
            values = self._values({parts[-1]: message})
            return readings_of(f"{NAME}/{'/'.join(parts[:-1])}", values, received, received)
        return nothing(Nothing.UNREADABLE)

    def _values(self, message: Mapping[str, object]) -> dict[str, float]:
        """Metric -> value. Where two fields tell of one metric the graver one counts."""
        values: dict[str, float] = {}
        for field, content in message.items():
            if field == "action":
                metric, value = self._action(content)
            elif field in _FIELDS:
                metric, read = _FIELDS[field]
                value = read(content)
            else:
                continue
            if value is not None:
                values[metric] = max(values.get(metric, value), value)
        return values

    def _action(self, content: object) -> tuple[str, float | None]:
        """A button's press; null and "" come with a device's announcement and are no press."""
        if isinstance(content, str) and content in SOS_ACTIONS:
            return "sos", 1.0
        if isinstance(content, str) and content in self._ok_actions:
            return "ok_press", 1.0
        return "", None

    def _availability(self, parts: list[str], payload: bytes, received: datetime) -> Decoded:
        try:
            message = parse_json(payload)
        except ValueError:
            message = _text(payload)  # before version 1.30: the bare word
        state = message.get("state") if isinstance(message, dict) else message
        online = _one_of(_AVAILABILITY, state)
        if online is None:
            return nothing(Nothing.UNREADABLE)
        return readings_of(f"{NAME}/{'/'.join(parts[:-1])}", {"online": online}, received, received)


def _text(payload: bytes) -> str | None:
    try:
        return payload.decode().strip()
    except UnicodeDecodeError:
        return None


def _measured(message: Mapping[str, object], received: datetime) -> datetime:
    """`last_seen`, as ISO 8601 with a zone or as milliseconds since 1970; `received` when there is none to trust.

    An old `last_seen` is kept: after a restart Zigbee2MQTT sends the states it remembers, and these are old.
    """
    seen = message.get("last_seen")
    try:
        if isinstance(seen, str):
            moment = datetime.fromisoformat(seen)
            if moment.tzinfo is None:
                return received
            moment = moment.astimezone(UTC)
        else:
            milliseconds = number(seen)
            if milliseconds is None:
                return received
            moment = from_ms(int(milliseconds))
    except (ValueError, OverflowError):
        return received
    return moment if _EARLIEST <= moment <= received else received
