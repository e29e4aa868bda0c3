"""Which service is busy, and which is in trouble: one that hangs must not hold up the others.

A line is what one service answers for: a scheme and a host (`delivery.line`). A line whose last attempt failed by its
own fault is in trouble: it gets one thread at a time, and all troubled lines together at most half of the threads. So
every troubled line is tried again as soon as a message for it is due, and a healthy one always finds a thread.
"""

from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Final

from alerts.notify.result import SERVICE_TROUBLE, Sent

PER_LINE: Final = 3


class Lines:
    """Counts in this process. `threads` send at the same time."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._busy: Counter[str] = Counter()
        self._troubled: set[str] = set()
        self._lock = Lock()

    def free(self) -> int:
        """How many threads are."""
        with self._lock:
            return max(0, self._threads - self._busy.total())

    def rooms(self) -> Mapping[str, int]:
        """How many more messages each line may carry at once, where that is not PER_LINE; 0 = none."""
        with self._lock:
            held = sum(self._busy[line] for line in self._troubled)
            rooms = {line: max(0, PER_LINE - count) for line, count in self._busy.items() if count}
            for line in self._troubled:
                # a line that was well took several threads before it hung: they count as troubled from now on
                rooms[line] = int(self._busy[line] == 0 and held < self._threads // 2)
                held += rooms[line]
            return rooms

    def take(self, line: str) -> None:
        with self._lock:
            self._busy[line] += 1

    def give_back(self, line: str) -> None:
        with self._lock:
            self._busy[line] -= 1
            if self._busy[line] <= 0:
                del self._busy[line]

    def learn(self, line: str, sent: Sent) -> None:
        """What an attempt says about the line."""
        with self._lock:
            if sent.reason in SERVICE_TROUBLE:
                self._troubled.add(line)
            else:
                self._troubled.discard(line)
