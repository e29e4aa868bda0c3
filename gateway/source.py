"""What the uplink sends from: the outbox's two lanes, and the spare."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from core.errors import WireError
from core.model import Lane
from core.wire import Batch, decode_batch


class Sealed(NamedTuple):
    """A batch as it goes on the wire."""

    seq: int
    payload: bytes


def read_batch(payload: bytes) -> Batch | None:
    """The batch; None where the disk has spoilt it: the platform shall say so, and no other batch wait for it."""
    try:
        return decode_batch(payload)
    except WireError:
        return None


class Source(Protocol):
    """Batches under the numbers 1, 2, 3 ... of one (session, lane)."""

    @property
    def session(self) -> UUID: ...

    @property
    def lane(self) -> Lane: ...

    def take(self, after: int, limit: int) -> list[Sealed]:
        """The first `limit` batches with a number above `after`, in order. They stay."""
        ...

    def forget(self, seqs: Sequence[int]) -> int:
        """Removes batches that the platform has; numbers of no batch are ignored. Returns how many."""
        ...
