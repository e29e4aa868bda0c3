"""Shelly from the second generation on: components with a status each, told whole or in part.

`{prefix}/events/rpc` carries NotifyStatus (only what changed), NotifyFullStatus and NotifyEvent,
`{prefix}/status/{component}` the whole status of one component.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from gateway.drivers.base import measurement

PRESSES: Final = frozenset({"single_push", "double_push", "triple_push", "long_push"})
COMPONENT: Final = re.compile(r"([a-z][a-z0-9_]{0,31})(?::(\d{1,5}))?")
_WH: Final = 1_000  # in a kWh
_LOADS: Final = frozenset({"switch", "light", "cover", "pm1", "cct", "rgb", "rgbw", "rgbcct"})
_ONE_OF_MANY: Final = frozenset({"em1", "emeter", "bthomesensor", "bthomedevice"})  # never the device itself
# Numbers: metric, path within the status, and how many of its unit are one of ours. States are true or false.
_Numbers = tuple[tuple[str, str, float], ...]
_LOAD: Final[_Numbers] = (
    ("power", "apower", 1),
    ("energy", "aenergy.total", _WH),
    ("energy_out", "ret_aenergy.total", _WH),
)
_NUMBERS: Final[dict[str, _Numbers]] = {
    **dict.fromkeys(_LOADS, _LOAD),
    "em": (("power", "total_act_power", 1),),
    "emdata": (("energy", "total_act", _WH), ("energy_out", "total_act_ret", _WH)),
    "em1": (("power", "act_power", 1),),
    "em1data": (("energy", "total_act_energy", _WH), ("energy_out", "total_act_ret_energy", _WH)),
    "temperature": (("temperature", "tC", 1),),
    "humidity": (("humidity", "rh", 1),),
    "devicepower": (("battery", "battery.percent", 1), ("battery_voltage", "battery.V", 1)),
    "bthomedevice": (("battery", "battery", 1),),
    "wifi": (("signal", "rssi", 1),),
}
_STATES: Final[dict[str, tuple[str, str]]] = {"smoke": ("smoke", "alarm"), "flood": ("leak", "alarm")}
# fmt: off
_HOUSEKEEPING: Final = frozenset({
    "sys", "cloud", "mqtt", "ws", "ble", "eth", "ui", "ht_ui", "plugs_ui", "plugpm_ui", "knx", "matter", "modbus",
    "script", "input", "bthome", "bthomecontrol", "schedule", "webhook", "kvs", "service", "voltmeter",
    "illuminance",
})
# fmt: on
_SAME: Final = {"emdata": "em", "em1data": "em1"}  # a meter and its counters are one device


class Component(NamedTuple):
    """What one component told.

    Attributes:
        part: which part of the device, "" for the device itself.
        field: the component's own name, which a configuration may give a meaning.
        values: metric -> value.
        state: its `state` or `value`, None where it has none.
        unread: the fields that could not be read, in words.
        known: whether it is understood, be it that it holds nothing for us.
    """

    part: str
    field: str
    values: Mapping[str, float]
    state: object
    unread: str
    known: bool


def components(params: Mapping[str, object]) -> Iterator[Component]:
    """The components in the parameters of a NotifyStatus or NotifyFullStatus."""
    for name, status in params.items():
        if (match := COMPONENT.fullmatch(name)) and isinstance(status, dict):
            yield read_component(match, status)


def read_component(name: re.Match[str], status: Mapping[str, object]) -> Component:
    """One component; null says that it does not know."""
    kind = name[1]
    values: dict[str, float] = {}
    unread: list[str] = []
    for metric, path, unit in _NUMBERS.get(kind, ()):
        content = _at(status, path)
        if content is None or (kind == "devicepower" and _at(status, "external.present") is True):
            continue  # on a cable a battery's percent tells nothing
        value = measurement(content)
        if value is None:
            unread.append(f"{name[0]} {path} is {content!r:.60}")
        else:
            values[metric] = value / unit
    if kind in _STATES:
        metric, path = _STATES[kind]
        content = status.get(path)
        if isinstance(content, bool):
            values[metric] = float(content)
        elif content is not None:
            unread.append(f"{name[0]} {path} is {content!r:.60}")
    return Component(
        part_of(kind, name[2]), name[0], values, status.get("state", status.get("value")), "; ".join(unread),
        kind in _NUMBERS or kind in _STATES or kind in _HOUSEKEEPING,
    )  # fmt: skip


def presses(params: Mapping[str, object]) -> Iterator[str]:
    """The components whose buttons were pressed, from the parameters of a NotifyEvent."""
    events = params.get("events")
    for event in events[:20] if isinstance(events, list) else ():
        if isinstance(event, dict):
            component, what = event.get("component"), event.get("event")
            if isinstance(component, str) and isinstance(what, str) and what in PRESSES:
                yield component


def part_of(kind: str, number: str | None) -> str:
    """The first of a kind stands for the device, the others are parts of it."""
    kind = _SAME.get(kind, kind)
    return f"{kind}:{int(number)}" if number and (int(number) or kind in _ONE_OF_MANY) else ""


def _at(status: Mapping[str, object], path: str) -> object:
    content: object = status
    for key in path.split("."):
        content = content.get(key) if isinstance(content, dict) else None
    return content
