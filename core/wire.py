"""The wire contract between a gateway and the platform: topics and the versioned JSON codec.

    yiju/v1/{gateway}/up/{lane}      gateway -> platform   Batch, QoS 1
    yiju/v1/{gateway}/status         gateway -> platform   Status, retained, also the will
    yiju/v1/{gateway}/down/ack       platform -> gateway   Ack, QoS 1: stored for ever, may be forgotten
    yiju/v1/{gateway}/down/time      platform -> gateway   PlatformTime, the answer to a Status that asks for it
    yiju/v1/{gateway}/down/command   platform -> gateway   Command, QoS 1: sent again until it is answered or too late
    yiju/v1/{gateway}/down/config    platform -> gateway   Desired, retained: what the gateway shall be
    yiju/v1/alerts/{region}          platform -> listeners AlertNotice, QoS 1
    yiju/v1/{gateway}/report         gateway -> platform   Report, retained: what the gateway is
    yiju/v1/{gateway}/direct         device -> platform    Direct, QoS 1: a device that needs no gateway of ours

Described for others in docs/asyncapi.yaml. Times on the wire are integer milliseconds since 1970 in UTC.
"""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, TypeVar
from uuid import UUID

import msgspec

from core.errors import Reason, WireError
from core.model import Lane

VERSION: Final = 1
ROOT: Final = "yiju/v1"
MAX_BATCH_BYTES: Final = 262_144  # 200 readings are about 12 KB; a broker may refuse larger ones earlier
MAX_BATCH_READINGS: Final = 5_000
Seq = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]  # what the ledger's bigint can hold
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ALERTS: Final = "alerts"  # no gateway may have this key
GATEWAY_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class WireReading(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One reading on the wire: `[device, metric, time_ms, value, received_ms, flags]`."""

    device: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    metric: Annotated[str, msgspec.Meta(max_length=40)]
    time: int
    value: float
    received: int
    flags: Annotated[int, msgspec.Meta(ge=0, le=32_767)] = 0


class Batch(msgspec.Struct, frozen=True):
    """What a gateway sends up a lane.

    Attributes:
        session: made anew with each new outbox, so that numbers may start again at 1.
        seq: 1, 2, 3 ... within (gateway, session, lane), for ever; a batch sent twice has the same number.
    """

    v: int
    session: UUID
    seq: Seq
    readings: list[WireReading]


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """Birth, heartbeat and will. The will carries no time: the broker sends it later than it was written.

    Attributes:
        ask_time: the gateway wants to hear the platform's time (PlatformTime). A platform may not know that.
    """

    v: int
    online: bool
    session: UUID | None = None
    time: int | None = None
    version: str = ""
    ask_time: bool = False


class Ack(msgspec.Struct, frozen=True, omit_defaults=True):
    """End-to-end acknowledgement: these batches are committed, the gateway may forget them.

    Attributes:
        time: the platform's present when it said so; an older platform does not say.
    """

    v: int
    session: UUID
    lane: Lane
    seqs: list[int]
    time: int | None = None


class PlatformTime(msgspec.Struct, frozen=True):
    """The platform's present. A gateway whose clock is wrong mends the times of its readings by it."""

    v: int
    time: int


class CommandKind(StrEnum):
    """What the platform can ask of a gateway."""

    ASK = "ask"  # sound the prompt "are you all right?" and take a press as the answer
    TEST = "test"  # ask for a test press of the SOS buttons


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something to be done once. A gateway obeys each id once, and none after `expires`.

    Attributes:
        id: the command's number on the platform; the answer names it.
        kind: a `CommandKind`; text, as a later platform may know more of them.
        seconds: how long an answer is waited for.
        created, expires: by the platform's clock.
    """

    v: int
    id: Annotated[int, msgspec.Meta(ge=1, le=2**53)]  # it comes back as a reading's value
    kind: Annotated[str, msgspec.Meta(max_length=40)]
    created: int
    expires: int
    seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 60


class Desired(msgspec.Struct, frozen=True):
    """The configuration that a gateway shall have.

    Attributes:
        version: counts up with each change.
        digest: SHA-256 of the bytes of `configuration`, in hexadecimal.
        configuration: a core.configuration.Configuration as it stands in the message.
    """

    v: int
    version: int
    digest: str
    configuration: msgspec.Raw


class ConfigurationState(StrEnum):
    """What became of a configuration in the gateway."""

    APPLIED = "applied"
    REFUSED = "refused"


class Configured(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a gateway did with the last configuration that it got. `reason` says why it was refused."""

    version: int
    digest: Annotated[str, msgspec.Meta(max_length=64)]
    state: ConfigurationState
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device that speaks in the home and is not in the gateway's configuration.

    Attributes:
        values: metric -> last value.
        at: when it was last heard; None: it was announced and has not spoken.
    """

    address: Annotated[str, msgspec.Meta(max_length=200)]
    model: Annotated[str, msgspec.Meta(max_length=200)] = ""
    mains: bool | None = None
    values: dict[str, float] = {}
    at: int | None = None


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that no driver understood."""

    topic: Annotated[str, msgspec.Meta(max_length=500)]
    payload: Annotated[str, msgspec.Meta(max_length=2000)]
    why: Annotated[str, msgspec.Meta(max_length=100)]
    at: int


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a gateway is and sees; retained, sent again whenever it has changed."""

    v: int
    time: int
    software: Annotated[str, msgspec.Meta(max_length=40)] = ""
    configured: Configured | None = None
    found: Annotated[list[Found], msgspec.Meta(max_length=200)] = []
    samples: Annotated[list[Sample], msgspec.Meta(max_length=100)] = []
    refused: dict[str, str] = {}  # command id -> why it was refused


class DirectReading(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One reading of a direct device: `[metric, value, time_ms, changed]`.

    Attributes:
        time: when it was measured; None, by a device without a clock: when it arrives.
        changed: 1 when the device says this because it changed, 0 when it only repeats it.
    """

    metric: Annotated[str, msgspec.Meta(max_length=40)]
    value: float
    time: int | None = None
    changed: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0


class Direct(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a device sends that publishes to the platform itself (docs/direct-devices.md).

    Attributes:
        seq: counts up with each message; None, by a device that cannot count: its very bytes are its number, so
            it must give times.
        boot: anything that differs when `seq` starts anew.
        device: which of its sensors; the register has it as `direct/{device}`.
    """

    v: int
    readings: list[DirectReading]
    seq: Seq | None = None
    boot: Annotated[str, msgspec.Meta(max_length=64)] = ""
    device: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] = "self"


class DirectAck(msgspec.Struct, frozen=True):
    """To a direct device that counts and wants to know: these messages are committed."""

    v: int
    boot: str
    seqs: list[int]


class AlertNotice(msgspec.Struct, frozen=True):
    """What listeners hear of an alert, on `alert_topic`. Keys only: who may know more asks the API.

    Attributes:
        id: counts up; at least once, so a listener takes each id once.
        event: `opened`, `occurred_again`, `acknowledged`, `on_site`, `resolved` ...
        home: None for a regional incident.
    """

    v: int
    id: int
    alert: int
    event: str
    kind: str
    severity: str
    state: str
    region: str
    home: str | None
    time: int


class _Versioned(msgspec.Struct):
    v: int


_M = TypeVar("_M", Batch, Status, Ack, PlatformTime, Command, Desired, Report, Direct)
_version = msgspec.json.Decoder(_Versioned)
_batch = msgspec.json.Decoder(Batch)
_status = msgspec.json.Decoder(Status)
_ack = msgspec.json.Decoder(Ack)
_time = msgspec.json.Decoder(PlatformTime)
_command = msgspec.json.Decoder(Command)
_desired = msgspec.json.Decoder(Desired)
_report = msgspec.json.Decoder(Report)
_direct = msgspec.json.Decoder(Direct)
_encoder = msgspec.json.Encoder()


def encode(
    message: Batch | Status | Ack | PlatformTime | Command | Desired | Report | Direct | DirectAck | AlertNotice,
) -> bytes:
    """The message as JSON bytes."""
    return _encoder.encode(message)


def decode_batch(payload: bytes) -> Batch:
    """Reads a batch.

    Raises:
        WireError: with the reason it is to be rejected for.
    """
    if len(payload) > MAX_BATCH_BYTES:
        raise WireError(Reason.TOO_LARGE, f"{len(payload)} bytes; a batch has at most {MAX_BATCH_BYTES}")
    batch = _decode(_batch, payload)
    if len(batch.readings) > MAX_BATCH_READINGS:
        raise WireError(Reason.TOO_LARGE, f"{len(batch.readings)} readings; a batch has at most {MAX_BATCH_READINGS}")
    return batch


def decode_direct(payload: bytes) -> Direct:
    """Reads a direct device's message. Raises WireError."""
    if len(payload) > MAX_BATCH_BYTES:
        raise WireError(Reason.TOO_LARGE, f"{len(payload)} bytes; a message has at most {MAX_BATCH_BYTES}")
    direct = _decode(_direct, payload)
    if len(direct.readings) > MAX_BATCH_READINGS:
        raise WireError(Reason.TOO_LARGE, f"{len(direct.readings)} readings; at most {MAX_BATCH_READINGS}")
    if direct.seq is None and any(reading.time is None for reading in direct.readings):
        raise WireError(Reason.UNDECODABLE, "a message without seq needs a time in each reading")
    return direct


def decode_status(payload: bytes) -> Status:
    """Reads a status. Raises WireError."""
    return _decode(_status, payload)


def decode_ack(payload: bytes) -> Ack:
    """Reads an acknowledgement. Raises WireError."""
    return _decode(_ack, payload)


def decode_time(payload: bytes) -> PlatformTime:
    """Reads the platform's time. Raises WireError."""
    return _decode(_time, payload)


def decode_command(payload: bytes) -> Command:
    """Reads a command. Raises WireError."""
    return _decode(_command, payload)


def decode_desired(payload: bytes) -> Desired:
    """Reads a desired configuration, not yet what is in it. Raises WireError."""
    return _decode(_desired, payload)


def decode_report(payload: bytes) -> Report:
    """Reads a report. Raises WireError."""
    if len(payload) > MAX_BATCH_BYTES:
        raise WireError(Reason.TOO_LARGE, f"{len(payload)} bytes; a report has at most {MAX_BATCH_BYTES}")
    return _decode(_report, payload)


def _decode(decoder: "msgspec.json.Decoder[_M]", payload: bytes) -> _M:
    try:
        message = decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(_why_not(payload), f"cannot be read: {error}") from error
    if message.v != VERSION:
        raise WireError(Reason.WRONG_VERSION, f'"v" is {message.v}; this platform reads {VERSION}')
    return message


def _why_not(payload: bytes) -> Reason:
    """A later version may have another shape: say so rather than "undecodable"."""
    try:
        return Reason.UNDECODABLE if _version.decode(payload).v == VERSION else Reason.WRONG_VERSION
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Reason.UNDECODABLE


def up_topic(gateway: str, lane: Lane) -> str:
    return f"{ROOT}/{gateway}/up/{lane}"


def status_topic(gateway: str) -> str:
    return f"{ROOT}/{gateway}/status"


def ack_topic(gateway: str) -> str:
    return f"{ROOT}/{gateway}/down/ack"


def time_topic(gateway: str) -> str:
    return f"{ROOT}/{gateway}/down/time"


def alert_topic(region: str) -> str:
    """Where listeners hear of a region's alerts. The register refuses what would make it a gateway's topic."""
    return f"{ROOT}/{ALERTS}/{region}"


def command_topic(gateway: str) -> str:
    return f"{ROOT}/{gateway}/down/command"


def config_topic(gateway: str) -> str:
    return f"{ROOT}/{gateway}/down/config"


def report_topic(gateway: str) -> str:
    return f"{ROOT}/{gateway}/report"


def direct_topic(key: str) -> str:
    return f"{ROOT}/{key}/direct"


def gateway_of(topic: str) -> str | None:
    """The gateway key in a topic of ours, or None if it is none of ours."""
    parts = topic.split("/")
    if len(parts) >= 4 and parts[0] == "yiju" and parts[1] == "v1" and GATEWAY_KEY.fullmatch(parts[2]):
        return parts[2]
    return None


def to_ms(moment: datetime) -> int:
    """Aware datetime -> integer milliseconds since 1970 in UTC (rounded down)."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """Integer milliseconds since 1970 -> aware datetime in UTC. Raises OverflowError beyond year 9999."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
