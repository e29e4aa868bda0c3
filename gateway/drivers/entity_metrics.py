"""Which metric an entity of Home Assistant's discovery tells of, by its device class, and in which unit it tells it."""

from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.drivers.base import celsius

_Convert = Callable[[float], float]


class Meaning(NamedTuple):
    """What an entity's state means.

    Attributes:
        metric: its name in core/metrics.py.
        convert: from the entity's unit to the metric's; None for a state of on and off.
    """

    metric: str
    convert: _Convert | None


def _times(factor: float) -> _Convert:
    return lambda value: value * factor


def _per(divisor: float) -> _Convert:
    return lambda value: value / divisor


_STATES: Final = {
    "door": "open",
    "window": "open",
    "garage_door": "open",
    "opening": "open",
    "motion": "motion",
    "moving": "motion",
    "occupancy": "presence",
    "presence": "presence",
    "smoke": "smoke",
    "gas": "gas",
    "carbon_monoxide": "gas",
    "moisture": "leak",
    "tamper": "tamper",
    "battery": "battery_low",
    "connectivity": "online",
}
_POWER: Final = {"W": _times(1), "kW": _times(1_000), "MW": _times(1e6), "mW": _per(1_000)}
_ENERGY: Final = {"kWh": _times(1), "Wh": _per(1_000), "MWh": _times(1_000), "MJ": _per(3.6), "GJ": _per(0.0036)}
_WATER: Final = {"m³": _times(1), "m3": _times(1), "L": _per(1_000), "l": _per(1_000), "gal": _times(0.003785411784),
                 "ft³": _times(0.028316846592)}  # fmt: skip
_TEMPERATURE: Final = {"°C": _times(1), "°F": celsius, "K": lambda value: round(value - 273.15, 2)}
_SENSORS: Final[dict[str, tuple[str, dict[str, _Convert]]]] = {
    "power": ("power", _POWER),
    "energy": ("energy", _ENERGY),
    "water": ("water", _WATER),
    "temperature": ("temperature", _TEMPERATURE),
    "humidity": ("humidity", {"%": _times(1)}),
    "battery": ("battery", {"%": _times(1)}),
    "signal_strength": ("signal", {"dBm": _times(1)}),
}
_COUNTERS: Final = frozenset({"energy", "water"})
_OF_THE_CHIP: Final = frozenset({"temperature", "humidity"})  # where the entity is there for diagnosis


def meaning_of(component: str, device_class: str, unit: str, state_class: str, category: str) -> Meaning | None:
    """What an entity tells, None where its description does not say or it is nothing for us."""
    if category == "config":
        return None
    if component == "binary_sensor":
        metric = _STATES.get(device_class)
        return Meaning(metric, None) if metric else None
    if component != "sensor" or device_class not in _SENSORS:
        return None
    if device_class in _OF_THE_CHIP and category == "diagnostic":
        return None
    if device_class in _COUNTERS and state_class == "measurement":
        return None
    metric, units = _SENSORS[device_class]
    convert = units.get(unit)
    return Meaning(metric, convert) if convert is not None else None


def configured_meaning(metric: str, component: str) -> Meaning:
    """What a setting says that an entity tells, in the metric's own unit."""
    return Meaning(metric, _times(1) if component == "sensor" else None)


def asks_for_a_setting(component: str, device_class: str, category: str) -> bool:
    """Whether it may well be a sensor or a button of ours that only its owner can name."""
    return component == "event" or (component == "binary_sensor" and not device_class and category == "")
