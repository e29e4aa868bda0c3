"""How fast ingest stores what waits in the broker, against what the database and paho can do at most.

In each round the same messages wait for two durable subscribers: one of bare paho that only counts, and ingest.
The broker is held (SIGSTOP) until a subscriber has started and connected, so the time is that of draining alone. The
rows of the same messages go into the same table of another database by one binary COPY: that is the limit. Limits and
ours are measured in turn within each round, and the medians of the rounds are compared: machines are noisy.

In the end every reading is compared with what was sent, by all its columns.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import numpy as np
import psycopg
from psycopg import sql

from bench.processes import cpu_s, peak_rss_mb
from bench.publisher import Publisher
from bench.servers import Servers
from bench.workload import IN_A_ROW, Homes, Load, register_homes
from core.errors import StackError
from ingest.rows import Readings, copy_bytes

BATCH: Final = 20  # readings a message, when they are batched
BARE: Final = "bench-bare"
PAST: Final = timedelta(days=20)  # the first reading is that old
PATIENCE_S: Final = 120.0
IDLE_S: Final = 0.4  # a process that has used nothing for so long waits for the broker
LOOK_S: Final = 0.01
_COLUMNS: Final = sql.SQL("home_id, device_id, time, received_at, value, metric, flags")
_COPY: Final = sql.SQL(
    "COPY {} (home_id, device_id, batch_id, time, received_at, value, metric, flags) FROM STDIN (FORMAT binary)"
)


@dataclass(frozen=True)
class Drain:
    """One subscriber emptying its queue, and what everybody used meanwhile, in seconds."""

    took_s: float
    own_cpu_s: float
    database_cpu_s: float
    broker_cpu_s: float
    peak_rss_mb: float


@dataclass
class Rounds:
    """What the rounds of one kind (batched or single) gave.

    Attributes:
        messages, readings: in each round.
        raw_copy_s: the same rows by binary COPY.
    """

    messages: int
    readings: int
    ours: list[Drain] = field(default_factory=list)
    bare: list[Drain] = field(default_factory=list)
    raw_copy_s: list[float] = field(default_factory=list)
    live: list[Drain] = field(default_factory=list)

    def median(self, of: Callable[[Drain], float]) -> float:
        """Of what ingest did."""
        return statistics.median(of(drain) for drain in self.ours)

    def ratio(self, ours: Callable[[Drain], float], limit: Callable[[int], float]) -> float:
        """The median over the rounds of (ours / limit), each within its round."""
        return statistics.median(ours(drain) / limit(at) for at, drain in enumerate(self.ours))


@dataclass(frozen=True)
class Outcome:
    """All of one run."""

    batched: Rounds
    single: Rounds
    lost: int
    doubled: int

    def figures(self) -> dict[str, Any]:
        """For a program."""
        batched, single = self.batched, self.single
        everything = [*batched.ours, *single.ours, *batched.live, *single.live]
        return {
            "batched": {
                "readings_per_s": round(batched.readings / batched.median(lambda drain: drain.took_s)),
                "ratio_to_raw_copy": round(
                    1 / batched.ratio(lambda drain: drain.took_s, lambda at: batched.raw_copy_s[at]), 3
                ),
                "ingest_cpu_us_per_reading": round(
                    batched.median(lambda drain: drain.own_cpu_s) / batched.readings * 1e6, 2
                ),
            },
            "single": {
                "messages_per_s": round(single.messages / single.median(lambda drain: drain.took_s)),
                "ratio_to_bare_subscriber": round(
                    1 / single.ratio(lambda drain: drain.took_s, lambda at: single.bare[at].took_s), 3
                ),
                "ingest_cpu_ratio_to_bare_subscriber": round(
                    single.ratio(lambda drain: drain.own_cpu_s, lambda at: single.bare[at].own_cpu_s), 2
                ),
            },
            "database_cpu_us_per_reading": round(
                batched.median(lambda drain: drain.database_cpu_s) / batched.readings * 1e6, 2
            ),
            "broker_cpu_us_per_message": round(
                single.median(lambda drain: drain.broker_cpu_s) / single.messages * 1e6, 2
            ),
            "peak_rss_mb": round(max(drain.peak_rss_mb for drain in everything), 1),
            "lost": self.lost,
            "doubled": self.doubled,
        }


@dataclass(frozen=True)
class Sizes:
    """How much is sent in a round."""

    homes: int = 200
    batched: int = 10_000  # messages
    single: int = 40_000
    rounds: int = 3

    @property
    def steps(self) -> int:
        """How often `tell` is called."""
        return self.rounds * 2 * 4 + 3


def measure(servers: Servers, now: datetime, sizes: Sizes, tell: Callable[[str], None]) -> Outcome:
    """Measures everything.

    Args:
        now: the platform's present.
        tell: gets the name of each step.

    Raises:
        StackError: a subscriber did not get everything within two minutes.
    """
    bench = _Bench(servers, now, sizes)
    batched = Rounds(sizes.batched, sizes.batched * BATCH)
    single = Rounds(sizes.single, sizes.single)
    kinds = (("batched", batched, BATCH, IN_A_ROW), ("single", single, 1, 1))
    for number in range(1, sizes.rounds + 1):
        for what, rounds, readings, in_a_row in kinds:
            bench.round(rounds, readings, in_a_row, partial(_about, tell, f"round {number} of {sizes.rounds}, {what}"))
    for what, rounds, readings, in_a_row in kinds:
        tell(f"live, {what}")
        bench.live(rounds, readings, in_a_row)
    tell("comparing every reading")
    lost, doubled = bench.compare()
    return Outcome(batched, single, lost, doubled)


class _Bench:
    def __init__(self, servers: Servers, now: datetime, sizes: Sizes) -> None:
        self._servers = servers
        register_homes(servers.database_url, sizes.homes, now)
        self._homes = Homes(servers.database_url, sizes.homes, now - PAST, np.random.default_rng(1))
        self._database = psycopg.connect(servers.database_url, autocommit=True)
        self._limit = psycopg.connect(servers.limit_database_url, autocommit=True)
        self._database.execute("CREATE UNLOGGED TABLE expected (LIKE reading)")
        self._publisher = Publisher(servers.load_url, "bench-load")
        self._stored = 0  # batches
        for process in (servers.start("ingest"), self._bare(0)):  # so that the broker keeps messages for them
            self._await_idle(process.pid)
            process.terminate()
            process.wait()

    def round(self, rounds: Rounds, readings: int, in_a_row: int, tell: Callable[[str], None]) -> None:
        tell("filling the queues")
        load = self._homes.load(rounds.messages, readings, in_a_row)
        self._expect(load.rows)
        self._publisher.publish(load.messages)
        steps = [
            ("raw COPY", lambda: rounds.raw_copy_s.append(self._raw_copy(load.rows))),
            ("the bare subscriber", lambda: rounds.bare.append(self._drain_bare(rounds.messages))),
            ("ingest", lambda: rounds.ours.append(self._drain(rounds.messages))),
        ]
        for name, step in steps if len(rounds.ours) % 2 == 0 else reversed(steps):
            tell(name)
            step()

    def live(self, rounds: Rounds, readings: int, in_a_row: int) -> None:
        """The same messages while ingest runs: nothing waits beforehand."""
        load = self._homes.load(rounds.messages, readings, in_a_row)
        self._expect(load.rows)
        process = self._servers.start("ingest")
        self._await_idle(process.pid)
        rounds.live.append(self._watch(process, rounds.messages, lambda: self._send(load)))

    def compare(self) -> tuple[int, int]:
        """(how many of the readings sent are missing, how many are there that were not sent or twice)."""
        counts = []
        for one, other in (("expected", "reading"), ("reading", "expected")):
            statement = sql.SQL(
                "SELECT count(*) FROM (SELECT {columns} FROM {one} EXCEPT ALL SELECT {columns} FROM {other}) AS t"
            )
            row = self._database.execute(
                statement.format(columns=_COLUMNS, one=sql.Identifier(one), other=sql.Identifier(other))
            ).fetchone()
            counts.append(int(row[0]) if row else -1)
        return counts[0], counts[1]

    def _send(self, load: Load) -> None:
        self._publisher.publish(load.messages)

    def _expect(self, rows: Readings) -> None:
        for connection in (self._database, self._limit):
            days = [datetime.fromtimestamp(ms / 1000) for ms in (rows["time"].min(), rows["time"].max())]  # noqa: DTZ006
            connection.execute("SELECT reading_make_room(%s, %s)", days)
        _copy(self._database, "expected", copy_bytes(rows))

    def _raw_copy(self, rows: Readings) -> float:
        data = copy_bytes(rows)
        began = time.monotonic()
        _copy(self._limit, "reading", data)
        return time.monotonic() - began

    def _drain_bare(self, messages: int) -> Drain:
        with self._held_broker():
            process = self._bare(messages)
            self._await_idle(process.pid)
            before = self._used(process.pid)
        began = time.monotonic()
        if process.stdout is None:
            raise StackError("the bare subscriber has no output")
        ended = float(process.stdout.readline())
        drain = self._since(process.pid, before, ended - began)
        process.communicate(timeout=PATIENCE_S)
        return drain

    def _drain(self, messages: int) -> Drain:
        with self._held_broker():
            process = self._servers.start("ingest")
            self._await_idle(process.pid)
        return self._watch(process, messages, lambda: None)

    def _watch(self, process: "subprocess.Popen[bytes]", messages: int, act: Callable[[], None]) -> Drain:
        """From now until that many more batches are committed; then ingest is stopped."""
        before = self._used(process.pid)
        began = time.monotonic()
        act()
        self._stored += messages
        while (took := time.monotonic() - began) < PATIENCE_S:
            if self._claimed() >= self._stored and self._batches() >= self._stored:
                break
            time.sleep(LOOK_S)
        else:
            raise StackError(f"ingest has stored {self._batches()} of {self._stored} batches after {PATIENCE_S:g} s")
        self._await_idle(process.pid)  # it acknowledges to the end
        drain = self._since(process.pid, before, took)
        process.terminate()
        process.wait()
        return drain

    def _claimed(self) -> int:
        """Numbers given out by the ledger, committed or not: cheap to ask."""
        row = self._database.execute("SELECT last_value FROM ledger_id_seq").fetchone()
        return int(row[0]) if row else 0

    def _batches(self) -> int:
        row = self._database.execute("SELECT count(*) FROM ledger").fetchone()
        return int(row[0]) if row else 0

    def _used(self, pid: int) -> tuple[float, float, float]:
        return cpu_s(pid), cpu_s(self._servers.postgres_pid), cpu_s(self._servers.broker_pid)

    def _since(self, pid: int, before: tuple[float, float, float], took_s: float) -> Drain:
        own, database, broker = (now - then for now, then in zip(self._used(pid), before, strict=True))
        return Drain(took_s, own, database, broker, peak_rss_mb(pid))

    def _await_idle(self, pid: int) -> None:
        """Waits until a process that has started works no more: it is ready, or has nothing left to do."""
        used, since = -1.0, time.monotonic()
        until = since + PATIENCE_S
        while time.monotonic() - since < IDLE_S:
            now = cpu_s(pid)
            if now != used:
                used, since = now, time.monotonic()
            if time.monotonic() > until:
                raise StackError(f"process {pid} does not come to rest")
            time.sleep(0.05)

    @contextmanager
    def _held_broker(self) -> Iterator[None]:
        """The broker stands still: who connects waits for it."""
        process = self._servers.broker_pid
        os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)

    def _bare(self, messages: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "bench.bare_subscriber", self._servers.broker_url, BARE, str(messages)],
            stdout=subprocess.PIPE,
        )


def _about(tell: Callable[[str], None], what: str, step: str) -> None:
    tell(f"{what}: {step}")


def _copy(connection: "psycopg.Connection[Any]", table: str, data: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY.format(sql.Identifier(table))) as copy:
        copy.write(data)
