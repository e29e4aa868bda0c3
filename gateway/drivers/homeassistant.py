"""Whatever speaks Home Assistant's MQTT discovery: ESPHome, OpenMQTTGateway, rtl_433, scripts of one's own.

The retained configurations say which entities there are, what they measure, on which topic and how to read it. Their
topics are subscribed to as they become known. The address is `homeassistant/{device}`; where a device has two
entities of one metric, each has `homeassistant/{device}/{entity}`.

What another driver reads natively is left to it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from gateway.drivers.base import (
    Decoded,
    Discovered,
    Driver,
    Nothing,
    covers,
    measurement,
    nothing,
    number,
    parse_json,
    readings_of,
)
from gateway.drivers.configured import Configured, fields_of
from gateway.drivers.discovery import Availability, Entity, entities_of
from gateway.drivers.entity_metrics import Meaning, asks_for_a_setting, configured_meaning, meaning_of
from gateway.drivers.learned import kind_of
from gateway.drivers.remembered import Remembered
from gateway.drivers.template_words import UNDEFINED, CannotRender
from gateway.drivers.value_template import Template

NAME: Final = "homeassistant"
VARIABLE: Final = "YIJU_HOMEASSISTANT_FIELDS"
_MAX_ENTITIES: Final = 1_000  # of which a reading is made
_UNKNOWN: Final = frozenset({"", "None", "unknown", "unavailable"})
_PRESSES: Final = frozenset(
    f"{how}{what}"
    for how in ("", "single", "single_", "double", "double_", "triple", "triple_", "long", "long_", "short", "short_")
    for what in ("press", "pressed", "click", "push")
) | {"single", "double", "triple", "hold", "long", "short", "sos", "emergency", "panic"}


class _Told(msgspec.Struct, frozen=True):
    """An entity with what it means and the address it has."""

    entity: Entity
    meaning: Meaning
    field: Configured | None
    address: str


_Meant = tuple[Entity, Meaning, Configured | None]


class HomeAssistantDriver:
    """Reads what discovery configurations describe.

    Args:
        prefix: the discovery prefix.
        fields: what entities mean that their descriptions do not say.
        natives: the drivers that read their devices themselves.
        memory: the file that keeps the descriptions from one run to the next.
    """

    name = NAME
    hub_online: bool | None = None

    def __init__(
        self,
        prefix: str = NAME,
        fields: Iterable[Configured] = (),
        natives: Sequence[Driver] = (),
        memory: Path | None = None,
    ) -> None:
        self._prefix = prefix + "/"
        self._fields = tuple(fields)
        self._natives = tuple(natives)
        self._own = (f"{prefix}/+/+/config", f"{prefix}/+/+/+/config")
        self._configs: dict[str, tuple[int, list[_Meant]]] = {}  # by configuration topic: its hash, and what it means
        self._states: dict[str, list[_Told]] = {}  # by state topic
        self._availability: dict[str, list[tuple[str, Entity]]] = {}  # topic -> addresses with an entity that asks it
        self._here: dict[str, bool] = {}  # by availability topic, what it said last
        self._online: dict[str, bool] = {}  # by address
        self._covered: dict[str, bool] = {}  # by topic, whether a fixed filter takes it
        self._discovered: tuple[Discovered, ...] = ()
        self.filters: tuple[str, ...] = self._own
        self._remembered = Remembered(memory)
        for topic, payload in self._remembered.payloads.items():
            self._configure(topic, payload)

    def owns(self, topic: str) -> bool:
        return self._is_config(topic) or topic in self._states or topic in self._availability

    def discovered(self) -> Sequence[Discovered]:
        online = self._online
        return [msgspec.structs.replace(one, online=online.get(one.address)) for one in self._discovered]

    def decode(self, topic: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        for lost in self._remembered.gone(received):
            self._configure(lost, b"")
        if self._is_config(topic):
            configured = self._configure(topic, payload)
            self._remembered.heard(topic, payload if topic in self._configs else b"", received, retained=retained)
            return configured
        if topic not in self._states and topic not in self._availability:
            return nothing(Nothing.NOT_MINE)
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            return nothing(Nothing.RETAINED if retained else Nothing.UNREADABLE)
        content = _json(payload)
        presence = self._presence(topic, text, content)
        if retained:
            return nothing(Nothing.RETAINED)
        values: dict[str, dict[str, float]] = {}
        unread: list[str] = []
        for address, online in presence.items():
            values[address] = {"online": online}
        for told in self._states.get(topic, ()):
            try:
                value = _value(told, text, content)
            except ValueError as error:
                unread.append(f"{told.entity.name}: {error}"[:200])
                continue
            if value is not None:
                values.setdefault(told.address, {})[told.meaning.metric] = value
        readings = []
        for address, of_device in values.items():
            decoded = readings_of(address, of_device, received, received)
            if decoded.nothing is not None:
                return decoded
            readings.extend(decoded.readings)
        if readings:
            return Decoded(readings, unread="; ".join(unread))
        return Decoded([], Nothing.NO_READING if unread else Nothing.HOUSEKEEPING, "; ".join(unread))

    def _is_native(self, topic: str) -> bool:
        return any(native.owns(topic) for native in self._natives)

    def _is_config(self, topic: str) -> bool:
        return topic.startswith(self._prefix) and topic.endswith("/config")

    def _configure(self, topic: str, payload: bytes) -> Decoded:
        if not payload.strip():  # taken away
            if self._configs.pop(topic, None) is not None:
                self._arrange()
            return nothing(Nothing.CONFIGURATION)
        said = hash(payload)
        if topic in self._configs and self._configs[topic][0] == said:
            return nothing(Nothing.CONFIGURATION)
        try:
            entities = entities_of(topic[len(self._prefix) :], parse_json(payload), self._is_native)
        except ValueError as error:
            return Decoded([], Nothing.CONFIGURATION, str(error)[:200])
        meant: list[_Meant] = []
        unread: list[str] = []
        for entity in entities:
            meaning = self._meaning(entity)
            if meaning is not None and not entity.problem:
                meant.append((entity, *meaning))
            elif meaning is not None:
                unread.append(f"{entity.device}/{entity.name}: {entity.problem}"[:200])
            elif asks_for_a_setting(entity.component, entity.device_class, entity.category):
                unread.append(f"{entity.device}/{entity.name} does not say what it is: name it in {VARIABLE}")
        if len(meant) + sum(len(of) for other, (_, of) in self._configs.items() if other != topic) > _MAX_ENTITIES:
            return Decoded([], Nothing.CONFIGURATION, f"more than {_MAX_ENTITIES} entities")
        if meant or topic in self._configs:
            self._configs[topic] = (said, meant)
            self._arrange()
        return Decoded([], Nothing.CONFIGURATION, "; ".join(unread))

    def _meaning(self, entity: Entity) -> tuple[Meaning, Configured | None] | None:
        """What the entity tells, and the setting if one says so."""
        fields = fields_of(self._fields, entity.device)
        for name in sorted(entity.ids):
            if (field := fields.get(name)) is not None:
                return (configured_meaning(field.metric, entity.component), field) if field.metric else None
        meaning = meaning_of(entity.component, entity.device_class, entity.unit, entity.state_class, entity.category)
        return None if meaning is None else (meaning, None)

    def _arrange(self) -> None:
        """Gives every entity its address, and knows what to listen to, after the configurations have changed."""
        meant = [one for _, of_topic in self._configs.values() for one in of_topic]
        alike = Counter((entity.device, meaning.metric) for entity, meaning, _ in meant)
        states: dict[str, list[_Told]] = {}
        availability: dict[str, list[tuple[str, Entity]]] = {}
        devices: dict[str, list[_Told]] = {}
        for entity, meaning, field in meant:
            part = f"/{entity.name}" if alike[entity.device, meaning.metric] > 1 else ""
            told = _Told(entity, meaning, field, f"{NAME}/{entity.device}{part}")
            states.setdefault(entity.topic, []).append(told)
            devices.setdefault(told.address, []).append(told)
            for asked in entity.availability:
                availability.setdefault(asked.topic, []).append((told.address, entity))
        self._states, self._availability = states, availability
        self._discovered = tuple(_describe(address, told) for address, told in devices.items())
        self.filters = (*self._own, *(topic for topic in {**states, **availability} if not self._is_covered(topic)))

    def _is_covered(self, topic: str) -> bool:
        """Whether a message there comes anyway: through two filters it might come twice."""
        if topic not in self._covered:
            if len(self._covered) > 4 * _MAX_ENTITIES:
                self._covered.clear()
            fixed = (*self._own, *(pattern for driver in self._natives for pattern in driver.filters))
            self._covered[topic] = any(covers(pattern, topic) for pattern in fixed)
        return self._covered[topic]

    def _presence(self, topic: str, text: str, content: object) -> dict[str, float]:
        """Address -> 1 or 0, where this topic decides whether the device is there."""
        found: dict[str, float] = {}
        for address, entity in self._availability.get(topic, ()):
            asked = next(asked for asked in entity.availability if asked.topic == topic)
            here = _is_here(asked, text, content)
            if here is None:
                continue
            self._here[topic] = here
            online = self._all_here(entity, here)
            if online is not None:
                found[address] = float(online)
        if found:
            self._online = {**self._online, **{address: bool(online) for address, online in found.items()}}
        return found

    def _all_here(self, entity: Entity, latest: bool) -> bool | None:
        """By the entity's mode; None while a topic that it depends on has said nothing."""
        if entity.mode == "latest":
            return latest
        said = [self._here.get(asked.topic) for asked in entity.availability]
        decisive = entity.mode == "any"
        if decisive in said:
            return decisive
        return None if None in said else not decisive


def _value(told: _Told, text: str, content: object) -> float | None:
    """The reading of a state, None where the entity knows none. Raises ValueError."""
    entity, meaning, field = told.entity, told.meaning, told.field
    if entity.component == "device_automation":
        return 1.0 if entity.payload in (None, text) else None
    state = _rendered(entity.template, text, content)
    if state is None or state in _UNKNOWN:
        return None
    if entity.component == "event":
        event = _json(state.encode())
        kind = event.get("event_type") if isinstance(event, dict) else None
        return 1.0 if isinstance(kind, str) and kind.lower() in _PRESSES else None
    if meaning.convert is None:
        if state not in (entity.on, entity.off):
            raise ValueError(f"{state!r:.60} is neither {entity.on!r:.30} nor {entity.off!r:.30}")
        on = state == entity.on
        return float(on) if field is None else field.of_state(on)
    if field is not None:
        configured = field.value(state)
        if configured is None:
            raise ValueError(f"{state!r:.60} is no value of {field.metric}")
        return configured
    measured = measurement(state)
    converted = None if measured is None else number(meaning.convert(measured))
    if converted is None:
        raise ValueError(f"{state!r:.60} is no number")
    return converted


def _rendered(template: Template | None, text: str, content: object) -> str | None:
    """The state as text; None where the message has not what the template asks for."""
    if template is None:
        return text.strip()
    try:
        return template.render(text, content)
    except CannotRender:
        return None


def _is_here(asked: Availability, text: str, content: object) -> bool | None:
    state = _rendered(asked.template, text, content)
    return True if state == asked.here else False if state == asked.gone else None


def _json(payload: bytes) -> object:
    try:
        return parse_json(payload)
    except ValueError:
        return UNDEFINED


def _describe(address: str, told: Sequence[_Told]) -> Discovered:
    metrics = frozenset(one.meaning.metric for one in told)
    entity = told[0].entity
    return Discovered(
        address,
        kind_of(metrics, switches=None),
        False if metrics & {"battery", "battery_low"} else None,
        entity.device_name,
        entity.model,
        metrics | ({"online"} if entity.availability else set()),
    )
