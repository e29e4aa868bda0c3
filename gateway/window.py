"""How many bulk batches may be on their way at once: as many as the line and the platform take without delay.

The window grows while acknowledgements come quickly and halves when they come late, as TCP's does; late is measured
against the quickest one of the connection, so that a slow line is left as usable as a fast one: what is on its way
adds no more than `LATE_S` to the time that anybody else's packet takes.
"""

from typing import Final

FIRST: Final = 2.0
LEAST: Final = 1.0
MOST: Final = 64.0  # 12,800 readings, about 800 KB of memory
LATE_S: Final = 0.5


class Window:
    """One connection's window. Times are the machine's seconds."""

    def __init__(self) -> None:
        self._size = FIRST
        self._starting = True  # doubles each round trip until the first late acknowledgement
        self._quickest: float | None = None
        self._cut_at: float | None = None

    @property
    def size(self) -> int:
        """Batches that may be on their way."""
        return int(self._size)

    def acknowledged(self, sent_at: float, now: float) -> None:
        """A batch that was sent once, at `sent_at`, was acknowledged."""
        took = now - sent_at
        self._quickest = took if self._quickest is None else min(self._quickest, took)
        late_s = took - self._quickest
        if late_s > LATE_S:
            self._cut(sent_at, now)
        elif self._starting and late_s > LATE_S / 4:
            self._starting = False  # what is on its way already will be later still
        elif self._starting:
            self._size = min(MOST, self._size + 1)
        else:
            self._size = min(MOST, self._size + 1 / self._size)

    def overdue(self, sent_at: float, now: float) -> None:
        """A batch that was sent at `sent_at` was not acknowledged in time."""
        self._cut(sent_at, now)

    def _cut(self, sent_at: float, now: float) -> None:
        """Halves, once for all that was on its way together."""
        if self._cut_at is None or sent_at >= self._cut_at:
            self._size = max(LEAST, self._size / 2)
            self._cut_at = now
            self._starting = False
