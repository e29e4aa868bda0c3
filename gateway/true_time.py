"""The true time: what the platform says it is, against a home's clock that may be wrong or jump.

Between two words of the platform the machine's count from its start carries on: it never jumps.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec
import structlog

from core.clock import Clock
from core.wire import to_ms
from gateway.eras import JUMP_MS, TOLERANCE_MS
from gateway.outbox import Outbox

_WINDOW_MS: Final = 10 * 60 * 1000
_WRITE_EVERY_MS: Final = 60 * 1000
_BELIEVED: Final = (1_577_836_800_000, 4_102_444_800_000)  # 2020 to 2100: no platform lives elsewhere
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Machine(msgspec.Struct, frozen=True):
    """A machine's own count.

    Attributes:
        boot: which start of it this is.
        steady_ms: gives the milliseconds since then; also while it sleeps, and it never jumps.
    """

    boot: str
    steady_ms: Callable[[], int]


def this_machine() -> Machine:
    """The machine that runs this process. Where it does not tell its starts apart, each process counts as one."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        boot = str(uuid4())
    return Machine(boot, lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)


class TrueTime:
    """Tells `outbox` in which era it is and what the platform's time is. Any thread may call.

    Args:
        clock: the home's.
        machine: its count; None where the clock is the platform's own (a replay, a demo) and cannot be wrong.
    """

    def __init__(self, outbox: Outbox, clock: Clock, machine: Machine | None) -> None:
        self._outbox = outbox
        self._clock = clock
        self._machine = machine
        self._lock = threading.Lock()
        self._log = structlog.get_logger()
        self._base: int | None = None
        self._true_base = None if machine is None else outbox.true_base(machine.boot)
        self._written: int | None = None
        self._window_began = 0
        self._best: int | None = None
        self._best_before: int | None = None
        self.check()

    @property
    def wanted(self) -> bool:
        """Whether the platform's time is not known since this start of the machine."""
        return self._machine is not None and self._true_base is None

    def offset_ms(self) -> int | None:
        """How far the platform's clock is ahead of the home's; None while it was not heard."""
        if self._base is None or self._true_base is None:
            return None
        return self._true_base - self._base

    def check(self) -> None:
        """Begins another era when the home's clock was set. To be called each second, and before each message."""
        if self._machine is None:
            return
        base = to_ms(self._clock.now()) - self._machine.steady_ms()
        if self._base is None or abs(base - self._base) > JUMP_MS:
            with self._lock:
                if self._base is not None:
                    self._log.warning("clock_jumped", ms=base - self._base)
                self._begin(self._machine, base)

    def heard(self, platform_ms: int) -> None:
        """The platform has said that it is `platform_ms`, milliseconds since 1970.

        The way down only ever makes this older: the greatest of what was heard lately is the nearest to the truth.
        """
        if self._machine is None or not _BELIEVED[0] <= platform_ms < _BELIEVED[1]:
            return
        with self._lock:
            steady = self._machine.steady_ms()
            best = self._keep_best(platform_ms - steady, steady)
            drifted = self._true_base is not None and abs(best - self._true_base) > TOLERANCE_MS
            if drifted and self._base is not None:
                self._true_base = best
                self._begin(self._machine, self._base)
            elif self._written is None or steady - self._written >= _WRITE_EVERY_MS:
                self._resolve(self._machine, best, platform_ms, steady)

    def _keep_best(self, estimate: int, steady: int) -> int:
        if self._best is None or steady - self._window_began >= _WINDOW_MS:
            self._best_before, self._best, self._window_began = self._best, estimate, steady
        self._best = max(self._best, estimate)
        return self._best if self._best_before is None else max(self._best, self._best_before)

    def _begin(self, machine: Machine, base: int) -> None:
        try:
            self._outbox.begin_era(machine.boot, base, self._true_base)
        except sqlite3.DatabaseError as error:  # a full disk: asked again, and what comes meanwhile is marked unsure
            self._base = None
            self._log.error("era_not_begun", error=str(error))
            return
        self._base = base

    def _resolve(self, machine: Machine, true_base: int, platform_ms: int, steady: int) -> None:
        try:
            self._outbox.resolve_eras(machine.boot, true_base, platform_ms)
        except sqlite3.DatabaseError as error:  # a full disk: the next word of the platform comes soon
            self._log.error("time_not_kept", error=str(error))
            return
        if self._true_base is None:
            self._log.info("platform_time_known", offset_ms=self.offset_ms())
            self._true_base = true_base
        self._written = steady
