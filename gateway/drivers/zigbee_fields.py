"""What the fields of a Zigbee2MQTT message mean. Their names are those of zigbee-herdsman-converters.

A field that is not in `FIELDS` is kept out: among them `pressure`, which is the air's, and `device_temperature`,
which is the chip's.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gateway.drivers.base import measurement

SOS_ACTIONS: Final = frozenset({"emergency", "sos", "panic"})


class Field(NamedTuple):
    """A field that gives a reading.

    Attributes:
        metric: its name in core/metrics.py.
        read: the value of what the device sent; None where it says nothing ("unknown"). Raises ValueError.
    """

    metric: str
    read: Callable[[object], float | None]


def _number(value: object) -> float:
    result = measurement(value)
    if result is None:
        raise ValueError("no number")
    return result


def _yes(value: object) -> float:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return float(value)


def _no(value: object) -> float:
    return 1 - _yes(value)


def _one_of(table: Mapping[str, float | None]) -> Callable[[object], float | None]:
    def read(value: object) -> float | None:
        if not isinstance(value, str) or value not in table:
            raise ValueError(f"none of {', '.join(table)}")
        return table[value]

    return read


FIELDS: Final[dict[str, Field]] = {
    "contact": Field("open", _no),  # true: the magnet is at the reed, the door is closed
    "occupancy": Field("motion", _yes),
    "motion": Field("motion", _yes),
    "pir_detection": Field("motion", _yes),
    "movement": Field(
        "motion",
        _one_of({"movement": 1, "no_movement": 0, "no_presence": 0, "unknown_0": None, "unknown_1": None}),
    ),
    "presence": Field("presence", _yes),
    "presence_state": Field("presence", _one_of({"none": 0, "presence": 1, "move": 1})),
    # beds and seats: no field of theirs is common yet; `occupied` is what we ask for in a converter of one's own
    "occupied": Field("occupied", _yes),
    "pressure_state": Field("occupied", _yes),
    # an "unknown" fall status is no reading: neither a fall nor its end
    "fall_status": Field("fall", _one_of({"normal": 0, "fall_warning": 1, "fall_alarm": 2, "unknown": None})),
    "fall_down_status": Field("fall", _one_of({"none": 0, "maybe_fall": 1, "fall": 2})),
    "sos": Field("sos", _yes),
    "smoke": Field("smoke", _yes),
    "smoke_state": Field("smoke", _one_of({"alarm": 1, "normal": 0, "none": 0})),
    "gas": Field("gas", _yes),
    "carbon_monoxide": Field("gas", _yes),
    "water_leak": Field("leak", _yes),
    "tamper": Field("tamper", _yes),
    "power": Field("power", _number),
    "energy": Field("energy", _number),
    "produced_energy": Field("energy_out", _number),
    "temperature": Field("temperature", _number),
    "humidity": Field("humidity", _number),
    "battery": Field("battery", _number),
    "battery_low": Field("battery_low", _yes),
    "battery_state": Field("battery_low", _one_of({"low": 1, "medium": 0, "high": 0})),
    "linkquality": Field("link_quality", _number),
}
# What a meter without a total says of its three phases; only a whole triple makes a total.
PHASES: Final = (
    ("power_a", "power_b", "power_c"),
    ("power_phase_a", "power_phase_b", "power_phase_c"),
    ("power_l1", "power_l2", "power_l3"),
)


def is_field(name: str) -> bool:
    """Whether a bare value on a topic that ends so is a field of a device."""
    return name in FIELDS or name == "action"


def read_fields(
    message: Mapping[str, object], states: Mapping[str, tuple[object, object]]
) -> tuple[dict[str, float], str]:
    """The readings of a message: metric -> value. Where two fields tell of one metric the graver one counts.

    A null or an empty text says that the device has not reported the field yet.

    Args:
        states: field -> the values that mean on and off, where the device's definition names them.

    Returns:
        The values, and in words which fields could not be read.
    """
    values: dict[str, float] = {}
    unread: list[str] = []
    for name, content in message.items():
        field = FIELDS.get(name)
        if field is None or content is None or content == "":
            continue
        try:
            value = _state(content, *states[name]) if name in states else field.read(content)
        except ValueError as error:
            unread.append(f"{name} is {content!r:.60}: {error}")
            continue
        if value is not None:
            values[field.metric] = max(values.get(field.metric, value), value)
    if "power" not in values and (total := _phases(message)) is not None:
        values["power"] = total
    return values, "; ".join(unread)


def _state(content: object, on: object, off: object) -> float:
    for value, state in ((1.0, on), (0.0, off)):
        if type(content) is type(state) and content == state:  # true is not 1
            return value
    raise ValueError(f"neither {on!r} nor {off!r}")


def _phases(message: Mapping[str, object]) -> float | None:
    for triple in PHASES:
        phases = [measurement(message.get(name)) for name in triple]
        known = [phase for phase in phases if phase is not None]
        if len(known) == len(triple) and abs(total := sum(known)) < float("inf"):
            return total
    return None
