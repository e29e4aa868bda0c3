"""Shelly of the first generation: `shellies/{id}/...`, one bare value a topic, said again every half minute."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from gateway.drivers.base import measurement, parse_json

_WATT_MINUTES: Final = 60_000  # in a kWh
_WATT_HOURS: Final = 1_000
_PRESS: Final = re.compile(r"[SL]+")  # S short, L long, and their sequences
_NUMBERED: Final = re.compile(r"(relay|light|roller|emeter|input|input_event|ext_temperature|ext_humidity)/(\d{1,3})")


# fmt: off
_KNOWN: Final = frozenset({
    "relay", "light", "roller", "emeter", "input", "input_event", "info", "temperature", "temperature_f",
    "temperature_status", "overtemperature", "voltage", "longpush", "color", "white", "sensor", "ext_temperature",
    "ext_temperatures", "ext_humidity", "ext_humidities", "adc", "loaderror", "status", "settings", "meter",
    "overpower", "ext_switch", "ext_sensors",
})
# fmt: on


class Told(NamedTuple):
    """What one topic told.

    Attributes:
        part: the component of the device, "" for the device itself.
        values: metric -> value.
        field: a field that a configuration may name, and what it carries; "" where there is none.
        content: what that field carries.
        press: the number of the press where the topic counts presses.
    """

    part: str = ""
    values: Mapping[str, float] = {}
    field: str = ""
    content: object = None
    press: int | None = None


def is_known(rest: str) -> bool:
    """Whether this is a topic of the first generation, be it that it holds nothing for us."""
    return rest.partition("/")[0] in _KNOWN


def _true(text: str) -> float:
    return _one_of({"true": 1, "false": 0, "1": 1, "0": 0})(text)


def _one_of(table: Mapping[str, float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        if text not in table:
            raise ValueError(f"none of {', '.join(table)}")
        return table[text]

    return read


def _number(text: str) -> float:
    value = measurement(text)
    if value is None:
        raise ValueError("no number")
    return value


_SENSOR: Final[dict[str, tuple[str, Callable[[str], float]]]] = {
    "temperature": ("temperature", _number),
    "humidity": ("humidity", _number),
    "battery": ("battery", _number),
    "state": ("open", _one_of({"open": 1, "close": 0, "closed": 0})),
    "motion": ("motion", _true),
    "flood": ("leak", _true),
    "smoke": ("smoke", _true),
    "gas": ("gas", _one_of({"none": 0, "mild": 1, "heavy": 1})),
}
_SILENT: Final = frozenset({"gas unknown", "gas test"})  # neither gas nor its absence
_METERS: Final[dict[str, tuple[str, float]]] = {
    "power": ("power", 1),
    "energy": ("energy", _WATT_MINUTES),
    "returned_energy": ("energy_out", _WATT_MINUTES),
}
_COUNTERS: Final[dict[str, tuple[str, float]]] = {  # of an emeter: its `energy` starts at 0 after each power cut
    "power": ("power", 1),
    "total": ("energy", _WATT_HOURS),
    "total_returned": ("energy_out", _WATT_HOURS),
}


def read_gen1(rest: str, payload: bytes) -> Told:
    """What `shellies/{id}/{rest}` tells; nothing where it holds nothing for us.

    Raises:
        ValueError: the topic is one that is read, and its value is none that it can have.
    """
    text = payload.decode().strip()  # UnicodeDecodeError is a ValueError
    head, _, last = rest.rpartition("/")
    numbered = _NUMBERED.fullmatch(head) or _NUMBERED.fullmatch(rest)
    if head == "sensor" and last in _SENSOR:
        metric, read = _SENSOR[last]
        return Told() if f"{last} {text}" in _SILENT else Told(values={metric: read(text)})
    if rest == "status":
        return _motion(parse_json(payload))
    if numbered is None:
        return _metered("", _METERS, last, text) if head in ("relay", "light", "roller") else Told()
    kind, number = numbered[1], int(numbered[2])
    if kind == "emeter":
        return _metered(f"emeter:{number}", _COUNTERS, last, text)
    if head:  # relay/0/power
        return _metered(f"{kind}:{number}" if number else "", _METERS, last, text) if head == numbered[0] else Told()
    return Told()


def read_input(rest: str, payload: bytes) -> Told:
    """An input or a button, which only a configuration gives a meaning. Raises ValueError."""
    numbered = _NUMBERED.fullmatch(rest)
    if numbered is None or numbered[1] not in ("input", "input_event", "ext_temperature", "ext_humidity"):
        return Told()
    kind, number = numbered[1], int(numbered[2])
    if kind == "input":
        return Told(field=f"input:{number}", content=payload.decode().strip())
    if kind == "input_event":
        event = parse_json(payload)
        if not isinstance(event, dict):
            raise ValueError("no event")
        name, count = event.get("event"), event.get("event_cnt")
        pressed = isinstance(name, str) and _PRESS.fullmatch(name) is not None
        press = count if isinstance(count, int) and not isinstance(count, bool) else None
        return Told(field=f"input:{number}", press=press) if pressed and press is not None else Told()
    metric = "temperature" if kind == "ext_temperature" else "humidity"
    return Told(f"ext:{number}", {metric: _number(payload.decode())})


def _metered(part: str, meters: Mapping[str, tuple[str, float]], last: str, text: str) -> Told:
    if last not in meters:
        return Told()
    metric, unit = meters[last]
    return Told(part, {metric: _number(text) / unit})


def _motion(status: Any) -> Told:
    """Shelly Motion: {"motion": true, "active": true, "bat": 87, ...}."""
    if not isinstance(status, dict):
        raise ValueError("no status")
    values = {}
    if isinstance(status.get("motion"), bool) and status.get("active") is not False:  # false: told to rest
        values["motion"] = float(status["motion"])
    if (battery := measurement(status.get("bat"))) is not None:
        values["battery"] = battery
    return Told(values=values)
