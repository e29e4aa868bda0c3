"""`yiju drill backlog`: a week of readings waits in one gateway when its line comes back, and in the midst somebody
presses SOS."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from core.errors import StackError
from yiju.drills.line import Line
from yiju.drills.platform import DrillPlatform
from yiju.drills.witness import WatchedBox

Advance = Callable[[float, float], None]
KEY: Final = "gw-1"
PATIENCE_S: Final = 1_200.0
_POLL_S: Final = 0.02  # a backlog of a test is gone in a tenth of a second


class Drained(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        readings: how many waited, of forty devices.
        seconds: from the moment that the line was back until the last one was acknowledged end to end.
        readings_per_s: of these two.
        urgent_stored_s: from the press of an SOS, when half was sent, until its transaction was committed.
        urgent_behind: how many batches waited at that press.
        memory_full_mb: resident memory of the gateway's process with its backlog, before the line was back.
        memory_peak_mb: the most that it ever held.
        memory_growth_mb: the most that it held while it sent, beyond `memory_full_mb`.
        outbox_mb: the backlog on the disk.
    """

    readings: int
    stored: int
    lost: int
    doubled: int
    seconds: float
    readings_per_s: float
    urgent_stored_s: float
    urgent_behind: int
    memory_full_mb: float
    memory_peak_mb: float
    memory_growth_mb: float
    outbox_mb: float


class BacklogDrill:
    """One drill in `folder`, which must be empty; `advance` is called with (readings acknowledged, of how many)."""

    def __init__(
        self, folder: Path, *, readings: int, durable: bool = True, advance: Advance = lambda done, total: None
    ) -> None:
        self._folder = folder
        self._readings = readings
        self._platform = DrillPlatform(folder, [KEY], durable=durable)
        self._advance = advance

    def run(self, now: datetime) -> Drained:
        """Runs it. Raises StackError."""
        try:
            self._platform.start(now)
            return asyncio.run(self._story())
        finally:
            self._platform.stop()

    async def _story(self) -> Drained:
        async with AsyncExitStack() as ending:
            line = Line(self._platform.broker_port, Random(1))  # noqa: S311  # gives nothing twice here
            line.cut()
            await line.start()
            ending.push_async_callback(line.stop)
            box = WatchedBox(KEY, self._platform.passwords[KEY], line.port, self._folder)
            await box.start()
            ending.push_async_callback(box.end)
            await box.fill(self._readings)
            full_mb = memory_mb(box.pid, "VmRSS")
            size = sum(path.stat().st_size for path in (self._folder / KEY).iterdir() if path.name != "reserve")
            line.mend()
            seconds, most_mb = await self._drain(box)
            peak_mb = memory_mb(box.pid, "VmHWM")
        counted = self._platform.count(box.witnessed())
        (urgent_ms,) = self._platform.urgent_latencies_ms([(KEY, "sos", press.at_ms) for press in box.presses])
        return Drained(
            readings=self._readings,
            stored=counted.stored,
            lost=counted.lost,
            doubled=counted.doubled,
            seconds=round(seconds, 1),
            readings_per_s=round(self._readings / seconds, 0),
            urgent_stored_s=round(urgent_ms / 1000, 3),
            urgent_behind=box.presses[0].backlog,
            memory_full_mb=round(full_mb, 1),
            memory_peak_mb=round(peak_mb, 1),
            memory_growth_mb=round(max(0.0, most_mb - full_mb), 1),
            outbox_mb=round(size / 1e6, 1),
        )

    async def _drain(self, box: WatchedBox) -> tuple[float, float]:
        """Seconds until all is acknowledged, counted from the connection; the most memory meanwhile, in MB."""
        began: float | None = None
        until = time.monotonic() + PATIENCE_S
        most_mb = 0.0
        while True:
            left, connected = await box.left()
            if began is None and connected:
                began = time.monotonic()
            if left <= self._readings // 2 and not box.presses:
                await box.press()
            elif began is not None and left == 0:
                return time.monotonic() - began, most_mb
            if time.monotonic() > until:
                raise StackError(f"{left} readings are left after {PATIENCE_S:g} s")
            most_mb = max(most_mb, memory_mb(box.pid, "VmRSS"))
            self._advance(float(self._readings - left), float(self._readings))
            await asyncio.sleep(_POLL_S)


def memory_mb(pid: int, what: str) -> float:
    """`VmRSS` (now) or `VmHWM` (the most ever) of a process, in MB (10^6 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition(f"{what}:")[2].split()[0]) * 1024 / 1e6
