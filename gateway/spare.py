"""The spare: urgent readings that no disk would take, held in memory until the platform has them.

They go up the urgent lane under a session of their own, made anew by each process: numbers that no disk remembers must
never meet the outbox's in the platform's ledger.
"""

import threading
from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

from core.model import Lane
from core.wire import VERSION, Batch, WireReading, encode
from gateway.source import Sealed

MOST: Final = 1_000  # batches; a home that cries for help more often than that says nothing new


class Spare:
    """The batches in memory. Any thread may call."""

    lane = Lane.URGENT

    def __init__(self) -> None:
        self.session: UUID = uuid4()
        self._lock = threading.Lock()
        self._next = 1
        self._batches: dict[int, tuple[Batch, bytes]] = {}

    def add(self, readings: Sequence[WireReading]) -> bool:
        """Holds `readings` as one batch; False when there are too many already."""
        with self._lock:
            if len(self._batches) >= MOST:
                return False
            batch = Batch(VERSION, self.session, self._next, list(readings))
            self._batches[self._next] = (batch, encode(batch))
            self._next += 1
            return True

    def take(self, after: int, limit: int) -> list[Sealed]:
        """The first `limit` batches with a number above `after`, in order. They stay."""
        with self._lock:
            numbers = [seq for seq in self._batches if seq > after][:limit]
            return [Sealed(seq, self._batches[seq][1]) for seq in numbers]

    def forget(self, seqs: Sequence[int]) -> int:
        """Removes batches that the platform has; returns how many."""
        with self._lock:
            return sum(self._batches.pop(seq, None) is not None for seq in seqs)

    def unsent(self, after: int) -> list[tuple[int, list[WireReading]]]:
        """The batches with a number above `after`, which no broker has ever seen."""
        with self._lock:
            return [(seq, batch.readings) for seq, (batch, _) in self._batches.items() if seq > after]

    def depth(self) -> tuple[int, int]:
        """How many batches and readings there are."""
        with self._lock:
            return len(self._batches), sum(len(batch.readings) for batch, _ in self._batches.values())
