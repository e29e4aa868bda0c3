"""Home Assistant's MQTT discovery: the entities in a configuration message.

`{prefix}/{component}/[{node}/]{object}/config` describes one entity, `{prefix}/device/[{node}/]{object}/config` a
device with all of its. Keys may be abbreviated, and `~` in a topic stands for a base topic.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from gateway.drivers.value_template import NotUnderstood, Template

MAX_ENTITIES: Final = 300  # in one message
_CONFIG: Final = re.compile(r"(?P<component>[a-z_]+)/(?:(?P<node>[^/]+)/)?(?P<object>[^/]+)/config")
_COMPONENTS: Final = frozenset({"binary_sensor", "sensor", "event", "device_automation"})
_LONG: Final = {
    "avty": "availability",
    "avty_mode": "availability_mode",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "cmps": "components",
    "dev": "device",
    "dev_cla": "device_class",
    "en": "enabled_by_default",
    "ent_cat": "entity_category",
    "o": "origin",
    "obj_id": "object_id",
    "p": "platform",
    "pl": "payload",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_cla": "state_class",
    "stat_t": "state_topic",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
_LONG_DEVICE: Final = {
    "cns": "connections",
    "ids": "identifiers",
    "mdl": "model",
    "mf": "manufacturer",
}


class Availability(msgspec.Struct, frozen=True):
    """One topic that says whether the entity is there, and how."""

    topic: str
    template: Template | None
    here: str
    gone: str


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a device tells of.

    Attributes:
        device: its device: the first of its identifiers, else the node or the object of its topic.
        name: its own: the object of its topic or its key among the device's components.
        ids: all names by which a setting may call it.
        topic: where its state is said.
        on, off: the texts that mean so.
        mode: of its availability: all, any or latest of the topics.
        problem: why its state cannot be read, in words; "" where it can.
    """

    component: str
    device: str
    name: str
    ids: frozenset[str]
    device_name: str
    model: str
    device_class: str
    unit: str
    state_class: str
    category: str
    topic: str
    template: Template | None
    on: str
    off: str
    payload: str | None
    availability: tuple[Availability, ...]
    mode: str
    problem: str


def entities_of(topic: str, message: object, is_native: Callable[[str], bool]) -> list[Entity]:
    """The entities that a configuration describes.

    Args:
        topic: without the discovery prefix and its slash.
        is_native: whether another driver reads a topic itself; entities that speak there are left out.

    Raises:
        ValueError: it is no configuration.
    """
    match = _CONFIG.fullmatch(topic)
    if match is None or not isinstance(message, dict):
        raise ValueError("no configuration of an entity or a device")
    shared = _expanded(message, _LONG)
    if _is_our_own(shared):
        return []
    fallback = match["node"] or match["object"]
    return [
        _entity(component, name, fallback, config)
        for component, name, config in _described(match, shared)
        if component in _COMPONENTS
        and config.get("enabled_by_default") is not False
        and not is_native(_topic_of(component, config))
    ]


def _described(match: re.Match[str], shared: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if match["component"] != "device":
        yield match["component"], match["object"], shared
        return
    components = shared.pop("components", None)
    for name, own in list(components.items())[:MAX_ENTITIES] if isinstance(components, dict) else ():
        if isinstance(own, dict):
            config = {**shared, **_expanded(own, _LONG)}
            yield _text(config, "platform"), name, config


def _entity(component: str, name: str, fallback: str, config: Mapping[str, Any]) -> Entity:
    device = config.get("device")
    device = _expanded(device, _LONG_DEVICE) if isinstance(device, dict) else {}
    topic, template, availability, problem = _topic_of(component, config), None, list[Availability](), ""
    try:
        _check(topic)
        template = _template(config.get("value_template"))
        availability = list(_availability(config))
    except ValueError as error:
        problem = str(error)
    return Entity(
        component=component,
        device=_first_identifier(device) or fallback,
        name=name,
        ids=frozenset(filter(None, (name, _text(config, "object_id"), _text(config, "unique_id")))),
        device_name=_text(device, "name"),
        model=" ".join(filter(None, (_text(device, "manufacturer"), _text(device, "model")))),
        device_class=_text(config, "device_class"),
        unit=_text(config, "unit_of_measurement"),
        state_class=_text(config, "state_class"),
        category=_text(config, "entity_category"),
        topic=topic,
        template=template,
        on=_state(config, "payload_on", "ON"),
        off=_state(config, "payload_off", "OFF"),
        payload=_state(config, "payload", "") or None,
        availability=tuple(availability),
        mode=_text(config, "availability_mode") or "latest",
        problem=problem,
    )


def _availability(config: Mapping[str, Any]) -> Iterator[Availability]:
    """Raises ValueError."""
    listed = config.get("availability")
    listed = listed if isinstance(listed, list) else [listed]
    if topic := config.get("availability_topic"):
        listed = [{**config, "topic": topic, "value_template": config.get("availability_template")}]
    for entry in listed[:10]:
        if isinstance(entry, dict):
            full = _expanded(entry, _LONG)
            topic = _full(full.get("topic"), config.get("~"))
            _check(topic)
            yield Availability(
                topic,
                _template(full.get("value_template")),
                _state(full, "payload_available", "online"),
                _state(full, "payload_not_available", "offline"),
            )


def _topic_of(component: str, config: Mapping[str, Any]) -> str:
    return _full(config.get("topic" if component == "device_automation" else "state_topic"), config.get("~"))


def _full(topic: object, base: object) -> str:
    """The topic with its base; "" where it is none."""
    if not isinstance(topic, str):
        return ""
    if isinstance(base, str) and topic[:1] == "~":
        return base + topic[1:]
    if isinstance(base, str) and topic[-1:] == "~":
        return topic[:-1] + base
    return topic


def _check(topic: str) -> None:
    """Raises ValueError for what cannot be subscribed to as a topic."""
    if not topic or len(topic) > 1_000 or any(sign in topic for sign in "+#\0"):
        raise ValueError(f"{topic!r:.60} is no topic")


def _template(source: object) -> Template | None:
    """Raises ValueError."""
    if source is None or source == "":
        return None
    if not isinstance(source, str):
        raise ValueError("its template is no text")
    try:
        return Template(source)
    except NotUnderstood as error:
        raise ValueError(f"template {source!r:.100}: {error}") from error


def _state(config: Mapping[str, Any], key: str, default: str) -> str:
    """A payload as the text that a template makes of it: false is "False"."""
    value = config.get(key)
    return str(value) if isinstance(value, str | bool | int | float) else default


def _first_identifier(device: Mapping[str, Any]) -> str:
    identifiers = device.get("identifiers")
    if isinstance(identifiers, list):
        identifiers = next(iter(identifiers), None)
    if isinstance(identifiers, str):
        return identifiers
    connections = device.get("connections")
    first = connections[0] if isinstance(connections, list) and connections else None
    return first[1] if isinstance(first, list) and len(first) == 2 and isinstance(first[1], str) else ""


def _is_our_own(config: Mapping[str, Any]) -> bool:
    """Whether it is the gateway's own state, which it tells Home Assistant of (gateway/self_discovery.py)."""
    device = config.get("device")
    return isinstance(device, dict) and _text(_expanded(device, _LONG_DEVICE), "manufacturer") == "Yiju"


def _expanded(config: Mapping[str, Any], long: Mapping[str, str]) -> dict[str, Any]:
    """The same with long keys; a long key that is there already wins."""
    return {**{long[key]: value for key, value in config.items() if key in long},
            **{key: value for key, value in config.items() if key not in long}}  # fmt: skip


def _text(config: Mapping[str, Any], key: str) -> str:
    value = config.get(key)
    return value[:200] if isinstance(value, str) else ""
