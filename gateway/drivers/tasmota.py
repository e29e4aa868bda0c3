"""Tasmota: plugs and meter heads that measure electricity, and door switches.

`tele/{topic}/SENSOR` carries measurements, `tele/{topic}/LWT` whether the device is there. Tasmota's own `Time`
has no zone and is wrong until the device has found a time server, so a reading is of the time it was received.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from gateway.drivers.base import Decoded, Discovered, Nothing, nothing, number, parse_json, readings_of

NAME: Final = "tasmota"
_SWITCH: Final = {"ON": 1.0, "OFF": 0.0}
_PRESENT: Final = {b"Online": 1.0, b"Offline": 0.0}
# A meter head's names are its owner's to choose; these are the ones that the published meter scripts use.
_SML_POWER: Final = ("power_curr", "power_cur", "power", "watt_summe")
_SML_ENERGY: Final = ("total_in", "e_in", "verbrauch_summe")


class TasmotaDriver:
    """Reads Tasmota with its default topics."""

    name = NAME
    hub_online: bool | None = None
    filters: tuple[str, ...] = ("tele/+/SENSOR", "tele/+/LWT")

    def owns(self, topic: str) -> bool:
        return topic.startswith("tele/")

    def discovered(self) -> Sequence[Discovered]:
        return ()

    def decode(self, topic: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        prefix, _, rest = topic.partition("/")
        name, _, kind = rest.rpartition("/")
        if prefix != "tele" or not name:
            return nothing(Nothing.NOT_MINE)
        if retained:
            return nothing(Nothing.RETAINED)
        address = f"{NAME}/{name}"
        if kind == "LWT":
            present = _PRESENT.get(payload)
            if present is None:
                return nothing(Nothing.UNREADABLE)
            return readings_of(address, {"online": present}, received, received)
        if kind != "SENSOR":  # STATE, INFO1 ...: the device's housekeeping
            return nothing(Nothing.NO_READING)
        try:
            message = parse_json(payload)
        except ValueError:
            return nothing(Nothing.UNREADABLE)
        if not isinstance(message, dict):
            return nothing(Nothing.UNREADABLE)
        return readings_of(address, _values(message), received, received)


def _values(message: Mapping[str, object]) -> dict[str, float]:
    found: dict[str, float | None] = {}
    energy, sml, switch = message.get("ENERGY"), message.get("SML"), message.get("Switch1")
    if isinstance(energy, dict):
        found["power"] = _total(energy.get("Power"))
        found["energy"] = _total(energy.get("Total"))
    elif isinstance(sml, dict):
        names = {key.lower(): content for key, content in sml.items() if isinstance(key, str)}
        found["power"] = _first(names, _SML_POWER)
        found["energy"] = _first(names, _SML_ENERGY)
    if isinstance(switch, str):
        found["open"] = _SWITCH.get(switch)  # a reed switch: ON = open (SwitchMode turns it round where it is not)
    return {metric: value for metric, value in found.items() if value is not None}


def _total(content: object) -> float | None:
    """A number, or the sum of the phases that a three-phase device sends as a list."""
    if not isinstance(content, list):
        return number(content)
    phases = [number(phase) for phase in content]
    known = [phase for phase in phases if phase is not None]
    total = sum(known)
    return total if known and len(known) == len(phases) and math.isfinite(total) else None


def _first(names: Mapping[str, object], wanted: tuple[str, ...]) -> float | None:
    for name in wanted:
        if (value := number(names.get(name))) is not None:
            return value
    return None
