"""`yiju drill gateway`: gateways that take readings as fast as they can while everything else fails.

Each gateway goes through the same story, at moments of its own: it is killed while it takes; its line is cut, and it is
killed twice more in that one outage; while it catches up the broker forgets everything and ingest is killed. When all
have caught up their lines are cut again until all are behind, and all come back at once. In that last stretch nothing
fails, and an SOS is pressed at each gateway every twentieth of a second for as long as it has a backlog: that is what
the latency is measured on. All the time the lines give batches and acknowledgements twice and out of order.
"""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from core.errors import StackError
from store.pool import Connection
from yiju.drills.line import Line
from yiju.drills.platform import DrillPlatform
from yiju.drills.witness import WatchedBox

Advance = Callable[[float, float], None]
TWICE: Final = 0.03
LATE: Final = 0.05
PRESS_EVERY_S: Final = 0.05
PATIENCE_S: Final = 240.0
_POLL_S: Final = 0.2


class Drilled(msgspec.Struct, frozen=True):
    """What came of a drill. The first five are what it is about.

    Attributes:
        sent: readings that a gateway was seen to have made durable.
        stored: of these, in the database.
        lost: of these, not in the database.
        doubled: rows of the database that say again what another row has said.
        urgent_p99_ms_during_backlog: from the press of an SOS until the commit of the transaction that stored it,
            pressed while the line was up and the gateway had a backlog; the 99th percentile.
        urgent_measured: how many presses that is of.
        unwitnessed: stored, but its gateway was killed before it could say that it had taken it.
        given_twice, given_late: batches and acknowledgements to which the lines did that.
    """

    sent: int
    stored: int
    lost: int
    doubled: int
    urgent_p99_ms_during_backlog: float
    urgent_worst_ms_during_backlog: float
    urgent_measured: int
    unwitnessed: int
    rejected: int
    gateways: int
    kills: int
    line_cuts: int
    brokers_lost: int
    ingest_kills: int
    given_twice: int
    given_late: int
    seconds: float
    seed: int


class GatewayDrill:
    """One drill.

    Args:
        folder: for everything; must be empty.
        gateways, readings: how many, and how many meter readings each takes (SOS presses come on top).
        seed: decides every moment at which something fails.
        twice, late: the share of the batches and acknowledgements that the lines give twice or late.
        durable: whether the platform's PostgreSQL syncs to the disk.
        sabotage: called with the owner's connection before anything is sent (True) and before it is counted (False):
            for tests that the drill sees what is lost and doubled.
        advance: called with (readings taken and acknowledged so far, of how many).
    """

    def __init__(
        self,
        folder: Path,
        *,
        gateways: int,
        readings: int,
        seed: int,
        twice: float = TWICE,
        late: float = LATE,
        durable: bool = True,
        sabotage: Callable[[Connection, bool], None] = lambda connection, before: None,
        advance: Advance = lambda done, total: None,
    ) -> None:
        self._random = Random(seed)  # noqa: S311  # moments of failure, no secrets
        self._seed = seed
        self._twice, self._late = twice, late
        self._readings = readings
        self._sabotage = sabotage
        self._report = advance
        self._done = 0.0
        self._folder = folder
        self._platform = DrillPlatform(folder, [f"gw-{n}" for n in range(1, gateways + 1)], durable=durable)
        self._lines: list[Line] = []
        self._boxes: list[WatchedBox] = []
        self._cuts = self._brokers_lost = self._ingest_kills = 0

    def run(self, now: datetime) -> Drilled:
        """Runs it.

        Raises:
            StackError: a server does not start, or a gateway cannot get rid of its readings.
        """
        began = time.monotonic()
        try:
            self._platform.start(now)
            with self._platform.connect() as connection:
                self._sabotage(connection, True)
            asyncio.run(self._story())
            return self._outcome(time.monotonic() - began)
        finally:
            self._platform.stop()

    async def _story(self) -> None:
        async with AsyncExitStack() as ending:
            for key, password in self._platform.passwords.items():
                chance = Random(self._random.random())  # noqa: S311
                line = Line(self._platform.broker_port, chance, twice=self._twice, late=self._late)
                await line.start()
                ending.push_async_callback(line.stop)
                box = WatchedBox(key, password, line.port, self._folder, self._advance)
                await box.start()
                ending.push_async_callback(box.end)
                self._lines.append(line)
                self._boxes.append(box)
            both = list(zip(self._boxes, self._lines, strict=True))
            await asyncio.gather(*(self._take_while_killed(box, line) for box, line in both))
            await asyncio.gather(self._fail_the_platform(), *(self._take_while_it_fails(*pair) for pair in both))
            await asyncio.gather(*(self._catch_up(box) for box in self._boxes))
            await asyncio.gather(*(self._take_without_a_line(*pair) for pair in both))
            for line in self._lines:
                line.mend()
            await asyncio.gather(*(self._press_while_behind(box) for box in self._boxes))

    async def _take_while_killed(self, box: WatchedBox, line: Line) -> None:
        """The first quarter: killed once with a line, and twice in one outage."""
        part = self._readings // 16
        await box.take(part, kill_after=self._random.randrange(1, part))
        self._cut(line)
        for _ in range(2):
            await box.take(part, kill_after=self._random.randrange(1, part))
        line.mend()
        await box.take(part)

    async def _take_while_it_fails(self, box: WatchedBox, line: Line) -> None:
        """The next eighth, while the platform fails; killed while it sends, and its line cut for a moment."""
        part = self._readings // 16
        await box.take(part)
        await asyncio.sleep(self._random.random())
        await box.kill()
        await box.take(part)
        self._cut(line)
        await asyncio.sleep(self._random.random())
        line.mend()

    async def _fail_the_platform(self) -> None:
        """Ingest is killed twice and the broker loses its memory twice, once while ingest is away."""
        for _ in range(2):
            await asyncio.sleep(self._random.uniform(0.2, 1.0))
            self._platform.lose_broker()
            self._brokers_lost += 1
            await asyncio.sleep(self._random.uniform(0.2, 1.0))
            self._platform.kill_ingest()
            self._ingest_kills += 1
            await asyncio.sleep(self._random.uniform(0.2, 1.0))
            self._platform.start_ingest()
        self._platform.kill_ingest()
        self._ingest_kills += 1
        self._platform.lose_broker()
        self._brokers_lost += 1
        self._platform.start_ingest()

    async def _take_without_a_line(self, box: WatchedBox, line: Line) -> None:
        """All that is left, five eighths, while the line is down; it goes just before a batch is acknowledged."""
        line.cut_after(1)
        self._cuts += 1
        await box.take(self._readings // 16)
        while line.is_up:
            await box.left()  # sends what waits
            await asyncio.sleep(_POLL_S)
        await box.take(self._readings - len(box.taken))

    async def _press_while_behind(self, box: WatchedBox) -> None:
        """Until the platform has all of the backlog, and then the presses too."""
        while (now := await box.left())[0] > self._readings // 100:
            if now[1]:
                await box.press()
            await asyncio.sleep(PRESS_EVERY_S)
        await self._catch_up(box)

    async def _catch_up(self, box: WatchedBox) -> None:
        """Until the platform has everything."""
        until = time.monotonic() + PATIENCE_S
        while left := (await box.left())[0]:
            if time.monotonic() > until:
                raise StackError(f"{box.key} still has {left} readings after {PATIENCE_S:g} s")
            self._show()
            await asyncio.sleep(_POLL_S)

    def _cut(self, line: Line) -> None:
        line.cut()
        self._cuts += 1

    def _advance(self) -> None:
        self._done += 1
        if self._done % 500 == 0:
            self._show()

    def _show(self) -> None:
        self._report(self._done, float(len(self._boxes) * self._readings))

    def _outcome(self, seconds: float) -> Drilled:
        with self._platform.connect() as connection:
            self._sabotage(connection, False)
        witnessed = [identity for box in self._boxes for identity in box.witnessed()]
        counted = self._platform.count(witnessed)
        calm = [
            (box.key, "sos", press.at_ms)
            for box in self._boxes
            for press in box.presses
            if press.connected and press.backlog
        ]
        latencies = self._platform.urgent_latencies_ms(calm)
        return Drilled(
            sent=len(witnessed),
            stored=counted.stored,
            lost=counted.lost,
            doubled=counted.doubled,
            urgent_p99_ms_during_backlog=round(percentile(latencies, 0.99), 1),
            urgent_worst_ms_during_backlog=round(percentile(latencies, 1.0), 1),
            urgent_measured=len(latencies),
            unwitnessed=counted.unwitnessed,
            rejected=counted.rejected,
            gateways=len(self._boxes),
            kills=sum(box.kills for box in self._boxes),
            line_cuts=self._cuts,
            brokers_lost=self._brokers_lost,
            ingest_kills=self._ingest_kills,
            given_twice=sum(line.doubled for line in self._lines),
            given_late=sum(line.reordered for line in self._lines),
            seconds=round(seconds, 1),
            seed=self._seed,
        )


def percentile(ascending: list[float], share: float) -> float:
    """The least value that at least `share` of `ascending` do not exceed; NaN of none."""
    if not ascending:
        return math.nan
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]
