"""What the uplink sends from: the outbox's two lanes, and the spare."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from core.model import Lane


class Sealed(NamedTuple):
    """A batch as it goes on the wire."""

    seq: int
    payload: bytes


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
