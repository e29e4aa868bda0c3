"""What a driver is, and the small readers that every driver shares."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from core.model import DeviceKind, Reading

_DECIMAL: Final = re.compile(r"[+-]?\d{1,30}(\.\d{0,30})?([eE][+-]?\d{1,3})?", re.ASCII)
MAX_ADDRESS: Final = 200  # characters; core.wire.WireReading takes no more


class Nothing(StrEnum):
    """Why a message gave no reading. A closed list; the gateway counts by it."""

    NOT_MINE = "not_mine"  # the topic is none of this driver's
    REPEATED = "repeated"  # said before: the broker gave it a second time, or the same press came on another topic
    RETAINED = "retained"  # the broker's replay of an old state: it must not look like a person
    BRIDGE = "bridge"  # the device bridge about itself
    COMMAND = "command"  # somebody asks a device for something
    CONFIGURATION = "configuration"  # it told the driver about its devices
    HOUSEKEEPING = "housekeeping"  # a device about itself, known to hold nothing that we store
    UNREADABLE = "unreadable"  # neither JSON nor a text that the topic allows
    NO_READING = "no_reading"  # nothing in it that we store
    BAD_NAME = "bad_name"  # the device's name is too long or has characters that no name may have


class Decoded(msgspec.Struct, frozen=True):
    """What became of one message: readings, without `Flag.CHANGED`, or the reason why there is none.

    Attributes:
        unread: the fields that should have given a reading and whose values the driver does not know, in words for
            the installer; "" when all was understood. The rest of the message counts nevertheless.
    """

    readings: list[Reading]
    nothing: Nothing | None = None
    unread: str = ""

    @property
    def puzzling(self) -> str:
        """Why somebody should look at the message, or ""."""
        return self.unread or (self.nothing.value if self.nothing in _PUZZLING else "")


_PUZZLING: Final = frozenset({Nothing.UNREADABLE, Nothing.NO_READING, Nothing.BAD_NAME})


class Discovered(msgspec.Struct, frozen=True):
    """A device as its family describes it, whether or not it has spoken and whether or not it is registered.

    Attributes:
        address: what its readings carry: `{driver}/{name}`.
        kind: what it seems to be; None when its description does not say. Only the register decides.
        mains: True on mains power, False on a battery, None when unknown.
        name: the name that its owner gave it.
        model: vendor, model and description, for people.
        metrics: the metrics that it can tell of, by name; empty when unknown.
        online: what its last availability message said, a retained one too; None when it has said nothing.
        former: the address under which it was known before it was renamed, "" if it was not.
    """

    address: str
    kind: DeviceKind | None = None
    mains: bool | None = None
    name: str = ""
    model: str = ""
    metrics: frozenset[str] = frozenset()
    online: bool | None = None
    former: str = ""


class Driver(Protocol):
    """Turns the messages of one device family into readings.

    Attributes:
        name: the first part of its devices' addresses: `{name}/{device}`.
        filters: the MQTT topic filters to subscribe to at the home's broker. They may grow as a message is decoded.
        hub_online: what the family's hub last said of itself, a retained word too; None without hub or word.
    """

    @property
    def name(self) -> str: ...

    @property
    def filters(self) -> tuple[str, ...]: ...

    @property
    def hub_online(self) -> bool | None: ...

    def owns(self, topic: str) -> bool:
        """Whether this topic is one that this driver reads, so that no other driver may read it too."""
        ...

    def discovered(self) -> Sequence[Discovered]:
        """The devices that the driver has been told of. Any thread may ask."""
        ...

    def decode(self, topic: str, payload: bytes, received: datetime, retained: bool) -> Decoded:
        """Reads one message, and learns from it. Never raises, whatever the bytes. One thread at a time.

        Args:
            received: when the gateway received it, aware.
            retained: the broker sent it because it had kept it, not because the device spoke.
        """
        ...


def nothing(reason: Nothing) -> Decoded:
    return Decoded([], reason)


def readings_of(
    address: str, values: Mapping[str, float], measured: datetime, received: datetime, unread: str = ""
) -> Decoded:
    """One reading a metric, or the reason why there is none."""
    if not values:
        return Decoded([], Nothing.NO_READING, unread)
    if not is_address(address):
        return nothing(Nothing.BAD_NAME)
    readings = [Reading(address, metric, measured, value, received) for metric, value in values.items()]
    return Decoded(readings, unread=unread)


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


def measurement(value: object) -> float | None:
    """A finite number, also one that is written as a text ("12.5"), as several converters do; else None."""
    if not isinstance(value, str):
        return number(value)
    result = float(value) if _DECIMAL.fullmatch(value.strip()) else math.nan
    return result if math.isfinite(result) else None


def celsius(fahrenheit: float) -> float:
    return round((fahrenheit - 32) / 1.8, 2)


def covers(pattern: str, topic: str) -> bool:
    """Whether the MQTT topic filter `pattern` takes `topic`."""
    wanted, given = pattern.split("/"), topic.split("/")
    for at, part in enumerate(wanted):
        if part == "#":
            return True
        if at >= len(given) or part not in ("+", given[at]):
            return False
    return len(wanted) == len(given)
