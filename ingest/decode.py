"""One MQTT message -> what it says, or why it cannot be read. Pure: no network, no SQL.

Whether its readings can be stored is looked at for many messages at once: ingest/screen.py.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec

from core.errors import Reason, WireError
from core.model import Lane
from core.wire import Seq, Status, WireReading, decode_batch, decode_status, gateway_of
from ingest.directory import KnownGateway

KEPT_BYTES: Final = 4096  # of a message that cannot be read
LANES: Final = {Lane.URGENT: 0, Lane.BULK: 1}
_TOPICS: Final = 50_000  # remembered: two lanes and a status of that many gateways


class Message(msgspec.Struct, frozen=True):
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


@dataclass(slots=True)
class Decoded:
    """What one message says.

    Attributes:
        gateway: who sent it, as far as known; without it nothing but `rejection` is stored.
        numbered: (session, lane, seq) when it was a batch; what the end-to-end acknowledgement names.
        rejection: why nothing of it can be stored.
        sent: how many readings it holds.
        urgent: it does not wait for others.
    """

    message: Message
    key: str | None = None
    gateway: KnownGateway | None = None
    numbered: tuple[UUID, Lane, int] | None = None
    readings: Sequence[WireReading] = ()
    status: Status | None = None
    rejection: Rejection | None = None
    sent: int = 0
    urgent: bool = False

    @property
    def number(self) -> "Number | None":
        """Its place in the ledger, when it has one."""
        if self.gateway is None or self.numbered is None:
            return None
        session, lane, seq = self.numbered
        return self.gateway.id, session, LANES[lane], seq


Number = tuple[int, UUID, int, int]  # gateway id, session, lane, seq


class _Numbered(msgspec.Struct):
    session: UUID
    seq: Seq


_numbered = msgspec.json.Decoder(_Numbered)


def decode(message: Message, find: Callable[[str], KnownGateway | None]) -> Decoded:
    """Reads one message.

    Args:
        message: from the broker.
        find: gives the gateway with a key, or None.
    """
    key, kind = _address(message.topic)
    decoded = Decoded(message, key, find(key) if key is not None else None)
    try:
        if isinstance(kind, Lane):
            _decode_batch(decoded, kind)
        elif kind == "status":
            decoded.status = decode_status(message.payload)
        else:
            raise WireError(Reason.UNDECODABLE, "the topic is none of ours")
        if decoded.gateway is None:
            raise WireError(Reason.UNKNOWN_GATEWAY, f"no gateway {key} is registered")
    except WireError as error:
        decoded.rejection = _whole(decoded, error)
    return decoded


@lru_cache(_TOPICS)
def _address(topic: str) -> tuple[str | None, Lane | str]:
    """A topic -> (the gateway's key, its lane or what else it is); (None, "") for a topic that is none of ours."""
    parts = topic.split("/")[3:]
    key = gateway_of(topic)
    if key is None:
        return None, ""
    if len(parts) == 2 and parts[0] == "up" and parts[1] in (Lane.URGENT, Lane.BULK):
        return key, Lane(parts[1])
    return key, parts[0] if len(parts) == 1 else ""


def _decode_batch(decoded: Decoded, lane: Lane) -> None:
    payload = decoded.message.payload
    try:
        batch = decode_batch(payload)
    except WireError:
        decoded.numbered = _number_of(payload, lane)  # so that even an unreadable batch can be acknowledged
        raise
    decoded.numbered = (batch.session, lane, batch.seq)
    decoded.urgent = lane is Lane.URGENT
    decoded.readings = batch.readings
    decoded.sent = len(batch.readings)


def _number_of(payload: bytes, lane: Lane) -> tuple[UUID, Lane, int] | None:
    """The number of a batch whose rest cannot be read, when at least that can be."""
    try:
        numbered = _numbered.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return numbered.session, lane, numbered.seq


def _whole(decoded: Decoded, error: WireError) -> Rejection:
    payload = decoded.message.payload
    readable = error.reason is Reason.UNKNOWN_GATEWAY
    detail = str(error)
    if not readable and len(payload) > KEPT_BYTES:
        detail += f" (sha256 {hashlib.sha256(payload).hexdigest()})"
    kept = payload if readable else payload[:KEPT_BYTES]
    return Rejection(error.reason, detail, kept, decoded.sent if readable else 0)
