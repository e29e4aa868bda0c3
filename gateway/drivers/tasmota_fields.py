"""What the fields of a Tasmota SENSOR message mean, by default and by configuration (gateway/drivers/configured.py)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gateway.drivers.base import celsius, measurement, number
from gateway.drivers.configured import Configured, fields_of

VARIABLE: Final = "YIJU_TASMOTA_FIELDS"
_DEFAULT: Final = Configured("", "Switch1", False, "open", 1.0)  # a reed switch: ON = open
_PRESSES: Final = frozenset({"SINGLE", "DOUBLE", "TRIPLE", "QUAD", "PENTA", "HOLD"})

# A meter head's names are its owner's to choose. These are the ones that the published meter scripts use, in any
# block, compared in small letters with every other sign as "_"; and the meters' own OBIS numbers.
_POWER: Final = ("power_curr", "power_cur", "power_current", "watt_summe", "16_7_0", "1_0_16_7_0", "momentanleistung")
_ENERGY: Final = ("total_in", "e_in", "verbrauch_summe", "1_8_0", "1_0_1_8_0", "zaehlerstand")
_ENERGY_OUT: Final = ("total_out", "e_out", "einspeisung_summe", "2_8_0", "1_0_2_8_0")
_METER_NAMES: Final = (("power", _POWER), ("energy", _ENERGY), ("energy_out", _ENERGY_OUT))
_ONLY_IN_SML: Final = (("power", ("power", "p", "leistung")), ("energy", ("total", "energy", "bezug")))
_CLIMATE: Final = re.compile(
    r"(DS18|DS1822|AM23|DHT|SI70|HTU|BME|BMP|SHT|AHT|HDC|TH0|SCD|MS01|LM75|MCP9808|TC74|SEN5|CHIRP).*", re.IGNORECASE
)


class FieldReader:
    """Reads SENSOR messages with `configured` and the defaults that it leaves."""

    def __init__(self, configured: Iterable[Configured] = ()) -> None:
        self._configured = (_DEFAULT, *configured)

    def read(self, device: str, message: Mapping[str, object]) -> tuple[dict[str, float], str]:
        """Metric -> value, and in words which fields could not be read."""
        values: dict[str, float] = {}
        unread: list[str] = []
        fields = fields_of(self._configured, device)
        for path, field in fields.items():
            content = _at(message, path)
            if content is None or not field.metric:
                continue
            value = _value(content, field)
            if value is None:
                unread.append(f"{path} is {content!r:.60}")
            else:
                values[field.metric] = value
        left_out = {path for path, field in fields.items() if not field.metric}
        for path, metric, value in _defaults(message):
            if path not in left_out:
                values.setdefault(metric, value)
        for name, block in message.items():
            if name.upper().startswith("SML") and not values and isinstance(block, dict) and block:
                unread.append(f"{name} has {', '.join(map(repr, block))[:150]}: name them in {VARIABLE}")
        return values, "; ".join(unread)


def _at(message: Mapping[str, object], path: str) -> object:
    """What stands at `A.B`; None where nothing does. A key that holds a dot itself is found too."""
    content: object = message
    while isinstance(content, Mapping):
        if path in content:
            return content[path]
        head, dot, path = path.partition(".")
        if not dot:
            return None
        content = content.get(head)
    return None


def _value(content: object, field: Configured) -> float | None:
    if isinstance(content, dict):
        content = content.get("Action")  # stat/{topic}/RESULT: {"Switch1": {"Action": "ON"}}
    pressed = field.pressed and isinstance(content, str) and content in _PRESSES
    return 1.0 if pressed else field.value(content)


def _defaults(message: Mapping[str, object]) -> Iterator[tuple[str, str, float]]:
    """Path, metric and value of what needs no configuration."""
    energy = message.get("ENERGY")
    if isinstance(energy, dict):
        for metric, key in (("power", "Power"), ("energy", "Total"), ("energy_out", "ExportActive")):
            if (value := _sum(energy.get(key))) is not None:
                yield f"ENERGY.{key}", metric, value
    for name, block in message.items():
        if isinstance(block, dict) and name != "ENERGY":
            yield from _meter(name, block)
            if _CLIMATE.fullmatch(name):
                yield from _climate(name, block, message.get("TempUnit") == "F")


def _meter(block: str, content: Mapping[str, object]) -> Iterator[tuple[str, str, float]]:
    names = {re.sub(r"[^a-z0-9]+", "_", key.lower()).strip("_"): key for key in content}
    for metric, wanted in (*_METER_NAMES, *(_ONLY_IN_SML if block.upper().startswith("SML") else ())):
        for name in wanted:
            if name in names and (value := measurement(content[names[name]])) is not None:
                yield f"{block}.{names[name]}", metric, value
                break


def _climate(name: str, block: Mapping[str, object], fahrenheit: bool) -> Iterator[tuple[str, str, float]]:
    temperature, humidity = measurement(block.get("Temperature")), measurement(block.get("Humidity"))
    if temperature is not None:
        yield f"{name}.Temperature", "temperature", celsius(temperature) if fahrenheit else temperature
    if humidity is not None:
        yield f"{name}.Humidity", "humidity", humidity


def _sum(content: object) -> float | None:
    """A number, or the sum of the phases that a device of several phases sends as a list."""
    if not isinstance(content, list):
        return measurement(content)
    phases = [measurement(phase) for phase in content]
    known = [phase for phase in phases if phase is not None]
    return number(sum(known)) if known and len(known) == len(phases) else None
