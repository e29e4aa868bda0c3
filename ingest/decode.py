"""One MQTT message -> what is to be stored of it, and what is rejected and why. Pure: no network, no SQL."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from core.errors import Reason, WireError
from core.metrics import BY_NAME
from core.model import Flag, Lane
from core.wire import VERSION, Batch, Seq, Status, WireReading, decode_batch, decode_status, encode, gateway_of
from ingest.directory import KnownDevice, KnownGateway

AHEAD_MS: Final = 10 * 60 * 1000  # further ahead of the platform's clock than this is not believed
UNSURE_MS: Final = 2 * 60 * 1000  # a cry for help whose clock may be wrong and that looks older is taken for one of now
KEPT_BYTES: Final = 4096  # of a message that cannot be read
LATEST_MS: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)
_WRONG_TIME: Final = (Reason.TOO_EARLY, Reason.IN_THE_FUTURE)
LANES: Final = {Lane.URGENT: 0, Lane.BULK: 1}

Row = tuple[int, int, int, int, float, int, int]  # home, device, time, received, value, metric, flags


@dataclass(frozen=True)
class Message:
    """As it came from the broker."""

    topic: str
    payload: bytes
    retained: bool
    mid: int
    connection: int  # which connection it came over: an acknowledgement is only good on the same one


@dataclass(frozen=True)
class Rejection:
    """Something that will be in `rejected`."""

    reason: Reason
    detail: str
    payload: bytes
    readings: int = 0


@dataclass
class Decoded:
    """What is to be done about one message.

    Attributes:
        gateway: who sent it, as far as known; without it nothing but `rejections` is stored.
        numbered: (session, lane, seq) when it was a batch; what the end-to-end acknowledgement names.
    """

    message: Message
    key: str | None = None
    gateway: KnownGateway | None = None
    numbered: tuple[UUID, Lane, int] | None = None
    sent: int = 0
    rows: list[Row] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    status: Status | None = None
    unknown: bool = False  # a gateway or device was not found: the register may have changed

    @property
    def asks_time(self) -> bool:
        """Whether a known gateway wants to hear the platform's time."""
        status = self.status
        return self.gateway is not None and status is not None and status.ask_time and not self.message.retained


class _Numbered(msgspec.Struct):
    session: UUID
    seq: Seq


_numbered = msgspec.json.Decoder(_Numbered)


def decode(message: Message, find: Callable[[str], KnownGateway | None], now_ms: int) -> Decoded:
    """Reads one message.

    Args:
        message: from the broker.
        find: gives the gateway with a key, or None.
        now_ms: the platform's present, milliseconds since 1970.
    """
    decoded = Decoded(message, key=gateway_of(message.topic))
    parts = message.topic.split("/")
    try:
        if decoded.key is None:
            raise WireError(Reason.UNDECODABLE, "the topic is none of ours")
        decoded.gateway = find(decoded.key)
        if decoded.gateway is None:
            decoded.unknown = True
        if parts[3:] == ["status"]:
            decoded.status = decode_status(message.payload)
            if decoded.gateway is None:
                raise WireError(Reason.UNKNOWN_GATEWAY, f"no gateway {decoded.key} is registered")
        elif len(parts) == 5 and parts[3] == "up" and parts[4] in (Lane.URGENT, Lane.BULK):
            _decode_up(decoded, Lane(parts[4]), now_ms)
        else:
            raise WireError(Reason.UNDECODABLE, "the topic is none of ours")
    except WireError as error:
        _reject_whole(decoded, error)
    return decoded


def _decode_up(decoded: Decoded, lane: Lane, now_ms: int) -> None:
    payload = decoded.message.payload
    try:
        batch = decode_batch(payload)
    except WireError:
        decoded.numbered = _number_of(payload, lane)  # so that even an unreadable batch can be acknowledged
        raise
    decoded.numbered = (batch.session, lane, batch.seq)
    decoded.sent = len(batch.readings)
    if decoded.gateway is None:
        raise WireError(Reason.UNKNOWN_GATEWAY, f"no gateway {decoded.key} is registered")
    wrong: dict[Reason, list[tuple[WireReading, str]]] = {}
    for reading in batch.readings:
        device = decoded.gateway.devices.get(reading.device)
        problem = _problem(reading, device, now_ms)
        if _time_is_wrong(reading, problem, now_ms) and _calls_for_help(reading):
            reading, problem = _restamped(reading, now_ms), None
        if problem is not None:
            reason, detail = problem
            wrong.setdefault(reason, []).append((reading, detail))
            decoded.unknown |= reason is Reason.UNKNOWN_DEVICE
        elif device is not None:
            metric = BY_NAME[reading.metric].id
            decoded.rows.append(
                (device.home_id, device.id, reading.time, reading.received, reading.value, metric, reading.flags)
            )
    for reason, readings in wrong.items():
        kept = Batch(VERSION, batch.session, batch.seq, [reading for reading, _ in readings])
        decoded.rejections.append(Rejection(reason, readings[0][1], encode(kept), len(readings)))


def _problem(reading: WireReading, device: KnownDevice | None, now_ms: int) -> tuple[Reason, str] | None:
    """Why this reading cannot be stored, or None."""
    if device is None:
        return Reason.UNKNOWN_DEVICE, f"{reading.device} is not registered with this gateway"
    metric = BY_NAME.get(reading.metric)
    if metric is None:
        return Reason.UNKNOWN_METRIC, f"{reading.device}: {reading.metric} is no metric of core/metrics.py"
    if not math.isfinite(reading.value) or not metric.low <= reading.value <= metric.high:
        return (
            Reason.NOT_A_NUMBER,
            f"{reading.device}: {metric.name} is {reading.value}; it can be {metric.low:g} to {metric.high:g}",
        )
    if reading.time < device.commissioned_ms:
        return Reason.TOO_EARLY, f"{reading.device}: measured before the home was commissioned"
    if reading.time > now_ms + AHEAD_MS or not 0 <= reading.received < LATEST_MS:
        return Reason.IN_THE_FUTURE, f"{reading.device}: measured more than 10 minutes ahead of the platform's clock"
    return None


def _time_is_wrong(reading: WireReading, problem: tuple[Reason, str] | None, now_ms: int) -> bool:
    """Whether its time cannot be, or is of long ago by a clock that its gateway could not be sure of."""
    if problem is not None:
        return problem[0] in _WRONG_TIME
    return bool(reading.flags & Flag.UNSURE) and reading.time < now_ms - UNSURE_MS


def _calls_for_help(reading: WireReading) -> bool:
    return BY_NAME[reading.metric].urgent and reading.value > 0


def _restamped(reading: WireReading, now_ms: int) -> WireReading:
    """A cry for help from a home whose clock is wrong is one of now: better a bell that rings late than none."""
    flags = reading.flags | Flag.RESTAMPED
    return WireReading(reading.device, reading.metric, now_ms, reading.value, now_ms, int(flags))


def _number_of(payload: bytes, lane: Lane) -> tuple[UUID, Lane, int] | None:
    """The number of a batch whose rest cannot be read, when at least that can be."""
    try:
        numbered = _numbered.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return numbered.session, lane, numbered.seq


def _reject_whole(decoded: Decoded, error: WireError) -> None:
    payload = decoded.message.payload
    readable = error.reason is Reason.UNKNOWN_GATEWAY
    detail = str(error)
    if not readable and len(payload) > KEPT_BYTES:
        detail += f" (sha256 {hashlib.sha256(payload).hexdigest()})"
    kept = payload if readable else payload[:KEPT_BYTES]
    decoded.rejections.append(Rejection(error.reason, detail, kept, decoded.sent if readable else 0))
