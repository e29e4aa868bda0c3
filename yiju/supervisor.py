"""The supervisor: starts parts in order, restarts the ones that end, stops them in reverse order.

It runs in one thread, the main one: a child is tied to the life of the thread that started it
(yiju/embedded/child.py), so a thread that comes and goes must not start any.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from core.errors import StackError

FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 30.0
SETTLED_AFTER_S: Final = 60.0  # a part that ran this long starts again without having to wait
STOP_PATIENCE_S: Final = 3.0  # for one part ...
STOP_LIMIT_S: Final = 10.0  # ... and for all of them together


class Part(Protocol):
    """One process of the stack: a server or a service."""

    name: str

    def start(self) -> None:
        """Starts it and, for a server, waits until it serves. Raises StackError."""

    def ended(self) -> str | None:
        """How it ended and its last words (`signal SIGKILL: ...`), or None while it runs."""

    def stop(self, patience_s: float) -> None:
        """Asks it to end, and kills it after `patience_s` seconds. Nothing happens when it has ended."""


@dataclass
class Backoff:
    """How long to wait before a part starts again: 0.5 s, then twice as long each time, at most 30 s."""

    delay_s: float = field(default=FIRST_DELAY_S)

    def next(self, ran_s: float) -> float:
        """Seconds to wait now, after the part has run for `ran_s`."""
        if ran_s >= SETTLED_AFTER_S:
            self.delay_s = FIRST_DELAY_S
        delay = self.delay_s
        self.delay_s = min(self.delay_s * 2, LONGEST_DELAY_S)
        return delay


@dataclass
class _Watched:
    part: Part
    started_at: float
    backoff: Backoff = field(default_factory=Backoff)
    due_at: float | None = None  # when it starts again; None while it runs


class Supervisor:
    """Keeps parts running.

    Args:
        tell: gets one sentence whenever a part ends or starts again.
        elapsed: seconds that only go up (tests move them by hand).
    """

    def __init__(self, tell: Callable[[str], None], elapsed: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._elapsed = elapsed
        self._watched: list[_Watched] = []

    def start(self, part: Part) -> None:
        """Starts `part` and watches it from now on. Raises StackError when it does not start."""
        self._watched.append(_Watched(part, self._elapsed()))  # before the start: an interrupted start is stopped too
        part.start()

    def look(self) -> None:
        """Looks at every part once: tells of those that ended, and starts those again whose wait is over."""
        for watched in self._watched:
            if watched.due_at is None:
                self._note_end(watched)
            elif self._elapsed() >= watched.due_at:
                self._start_again(watched)

    def stop(self) -> None:
        """Stops all parts, the last one first; within 10 s they are gone, killed if need be."""
        limit = self._elapsed() + STOP_LIMIT_S
        while self._watched:
            part = self._watched.pop().part
            part.stop(max(0.5, min(STOP_PATIENCE_S, limit - self._elapsed())))

    def _note_end(self, watched: _Watched) -> None:
        how = watched.part.ended()
        if how is not None:
            self._wait_to_start(watched, f"{watched.part.name} ended with {how}")

    def _wait_to_start(self, watched: _Watched, why: str) -> None:
        delay = watched.backoff.next(self._elapsed() - watched.started_at)
        watched.due_at = self._elapsed() + delay
        self._tell(f"{why}; it starts again in {delay:g} s")

    def _start_again(self, watched: _Watched) -> None:
        watched.due_at = None
        watched.started_at = self._elapsed()
        try:
            watched.part.start()
        except StackError as error:
            self._wait_to_start(watched, str(error))
        except OSError as error:  # a full disk has no room for its log
            self._wait_to_start(watched, f"{watched.part.name} does not start: {error}")
        else:
            self._tell(f"{watched.part.name} runs again")
