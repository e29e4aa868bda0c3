"""The devices of a Zigbee2MQTT, as its retained list `{base}/bridge/devices` describes them."""

from collections.abc import Iterator, Mapping, Set
from typing import Final

import msgspec

from core.model import DeviceKind
from gateway.drivers.learned import MAX_DEVICES, kind_of
from gateway.drivers.zigbee_fields import FIELDS, SOS_ACTIONS

_MAX_FEATURES: Final = 500  # of one device; the largest known has about 150
_MAX_DEPTH: Final = 5


class ZigbeeDevice(msgspec.Struct, frozen=True):
    """One device of the list.

    Attributes:
        ieee: its hardware address, which a change of its name leaves.
        name: its friendly name: what its topics carry.
        known: whether the list says what it can do; False for a device that Zigbee2MQTT does not support.
        disabled: taken out of use by its owner.
        model: vendor, model and description.
        mains: True on mains power, False on a battery, None when unknown.
        kind: what it seems to be.
        metrics: what it can tell of.
        states: field -> the values that mean on and off.
        volts: whether its `voltage` is a battery's, in mV.
    """

    ieee: str
    name: str
    known: bool = False
    disabled: bool = False
    model: str = ""
    mains: bool | None = None
    kind: DeviceKind | None = None
    metrics: frozenset[str] = frozenset()
    states: dict[str, tuple[object, object]] = {}
    volts: bool = False


def read_devices(message: object) -> dict[str, ZigbeeDevice]:
    """Friendly name -> device, without the coordinator. An entry that cannot be read is left out.

    Raises:
        ValueError: it is no list.
    """
    if not isinstance(message, list):
        raise ValueError("no list of devices")
    devices = (_device(entry) for entry in message[:MAX_DEVICES])
    return {device.name: device for device in devices if device is not None}


def _device(entry: object) -> ZigbeeDevice | None:
    if not isinstance(entry, dict) or entry.get("type") == "Coordinator":
        return None
    ieee, name = entry.get("ieee_address"), entry.get("friendly_name")
    if not isinstance(name, str) or not name or not isinstance(ieee, str):
        return None
    disabled, mains = entry.get("disabled") is True, _mains(entry.get("power_source"))
    definition = entry.get("definition")
    if not isinstance(definition, dict):
        return ZigbeeDevice(ieee, name, disabled=disabled, mains=mains, model=_words(entry, "manufacturer", "model_id"))
    features = {field: feature for feature in _features(definition.get("exposes"), 0) if (field := _field(feature))}
    volts = mains is False and features.get("voltage", {}).get("unit") == "mV"
    metrics = {FIELDS[field].metric for field in features if field in FIELDS}
    if volts:
        metrics.add("battery_voltage")
    actions = features.get("action", {}).get("values")
    if isinstance(actions, list) and any(isinstance(action, str) and action in SOS_ACTIONS for action in actions):
        metrics.add("sos")
    model = _words(definition, "vendor", "model", "description")
    return ZigbeeDevice(
        ieee, name, True, disabled, model, mains, _kind(metrics, features, model), frozenset(metrics),
        _states(features), volts,
    )  # fmt: skip


def _features(exposes: object, depth: int) -> Iterator[dict[str, object]]:
    """All features, those inside of switches, lights and composites too."""
    if not isinstance(exposes, list) or depth > _MAX_DEPTH:
        return
    for feature in exposes[:_MAX_FEATURES]:
        if isinstance(feature, dict):
            yield feature
            yield from _features(feature.get("features"), depth + 1)


def _field(feature: Mapping[str, object]) -> str:
    field = feature.get("property")
    return field if isinstance(field, str) else ""


def _states(features: Mapping[str, Mapping[str, object]]) -> dict[str, tuple[object, object]]:
    """On and off of the binary fields that give a reading.

    A contact that sends true and false means what its name says, whichever of both its definition calls on: home-made
    definitions have it the wrong way round as often as not.
    """
    found: dict[str, tuple[object, object]] = {}
    for field, feature in features.items():
        on, off = feature.get("value_on"), feature.get("value_off")
        if field not in FIELDS or feature.get("type") != "binary" or on == off:
            continue
        if not all(isinstance(state, bool | int | float | str) for state in (on, off)):
            continue
        if field == "contact" and isinstance(on, bool):
            continue
        found[field] = (on, off)
    return found


def _mains(source: object) -> bool | None:
    if not isinstance(source, str):
        return None
    if source == "Battery":
        return False
    return True if "mains" in source.lower() or source == "DC Source" else None


def _kind(metrics: Set[str], features: Mapping[str, object], model: str) -> DeviceKind | None:
    if "occupied" in metrics and any(word in model.lower() for word in ("seat", "chair", "sofa")):
        return DeviceKind.SEAT
    return kind_of(metrics, switches="state" in features)


def _words(source: Mapping[str, object], *names: str) -> str:
    return " ".join(word[:100] for name in names if isinstance(word := source.get(name), str))
