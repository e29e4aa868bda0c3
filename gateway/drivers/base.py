"""What a driver is, and the small readers that every driver shares."""

import math
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from core.model import Reading

MAX_ADDRESS: Final = 200  # characters; core.wire.WireReading takes no more


class Nothing(StrEnum):
    """Why a message gave no reading. A closed list; the gateway counts by it."""

    NOT_MINE = "not_mine"  # the topic is none of this driver's
    REPEATED = "repeated"  # the broker gave us a second time what we had taken
    RETAINED = "retained"  # the broker's replay of an old state: it must not look like a person
    BRIDGE = "bridge"  # the device bridge about itself
    COMMAND = "command"  # somebody asks a device for something
    UNREADABLE = "unreadable"  # neither JSON nor a text that the topic allows
    NO_READING = "no_reading"  # nothing in it that we store
    BAD_NAME = "bad_name"  # the device's name is too long or has characters that no name may have


class Decoded(msgspec.Struct, frozen=True):
    """What became of one message: readings, without `Flag.CHANGED`, or the reason why there is none."""

    readings: list[Reading]
    nothing: Nothing | None = None


class Driver(Protocol):
    """Turns the messages of one device family into readings.

    Attributes:
        name: the first part of its devices' addresses: `{name}/{device}`.
        filters: the MQTT topic filters to subscribe to at the home's broker.
    """

    @property
    def name(self) -> str: ...

    @property
    def filters(self) -> tuple[str, ...]: ...

    def decode(self, topic: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        """Reads one message. Never raises, whatever the bytes.

        Args:
            received: when the gateway received it, aware.
            retained: the broker sent it because it had kept it, not because the device spoke.
        """
        ...


def nothing(reason: Nothing) -> Decoded:
    return Decoded([], reason)


def readings_of(address: str, values: Mapping[str, float], measured: datetime, received: datetime) -> Decoded:
    """One reading a metric, or the reason why there is none."""
    if not values:
        return nothing(Nothing.NO_READING)
    if not is_address(address):
        return nothing(Nothing.BAD_NAME)
    return Decoded([Reading(address, metric, measured, value, received) for metric, value in values.items()])


def is_address(address: str) -> bool:
    """Whether the wire and the database can carry it: not too long, no control characters, true Unicode."""
    if not 0 < len(address) <= MAX_ADDRESS or any(letter < " " for letter in address):
        return False
    try:
        address.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def parse_json(payload: bytes) -> Any:
    """The JSON value.

    Raises:
        ValueError: it is not JSON. (NaN and Infinity are not JSON either.)
    """
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error


def number(value: object) -> float | None:
    """A finite JSON number as float; None for all else, true and false included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return result if math.isfinite(result) else None


def boolean(value: object) -> float | None:
    """true as 1, false as 0; None for all else."""
    return float(value) if isinstance(value, bool) else None
