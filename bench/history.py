"""Do the pages and the sweep grow slower as history grows? And how many bytes does a reading take on disk?

Homes get their last 10 days, then 30, then 90, by COPY of generated series; each time the queries of the family's page,
of a home's page and of one detection sweep are timed, at the same present and for the same homes. The sums are of the
full 96 quarters a day, as in the field; the readings behind them are thinner, so that 90 days fit a small disk.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from alerts.observe import observe
from api.access import Person, Visit
from api.pages import today
from api.reads import QUERIES as READS
from api.reads import alerts as alert_reads
from api.reads import homes as home_reads
from bench.workload import gateway_key, register_homes
from core.metrics import BY_NAME
from core.model import Flag, Role
from core.wire import from_ms, to_ms
from core.words import load_words
from ingest.arrays import register_arrays
from ingest.directory import Directory
from ingest.rows import READING, Readings, copy_bytes
from ingest.writer import Writer
from store.pool import Connection, DatabaseRole, connect
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "history.sql")
SPANS: Final = (10, 30, 90)  # days
ASKED: Final = 40  # homes whose pages are timed, each time the same
TRIES: Final = 5
DAY_MS: Final = 86_400_000
SESSION: Final = UUID(int=7)  # no outbox has it
_METRICS: Final = ("power", "presence", "open", "motion", "occupied")
_DEVICES: Final = ("direct/meter", "direct/radar", "direct/door", "direct/motion", "direct/bed")


@dataclass(frozen=True)
class Cost:
    """Of one page or sweep: milliseconds, and 8 kB blocks that its queries touched, whatever else the machine does."""

    ms: float
    blocks: float


@dataclass(frozen=True)
class Timing:
    """What one page or sweep costs, by days of history."""

    costs: dict[int, Cost]

    def figures(self) -> dict[str, float]:
        ms = {f"ms_{days}d": round(cost.ms, 3) for days, cost in self.costs.items()}
        blocks = {f"blocks_{days}d": round(cost.blocks) for days, cost in self.costs.items()}
        first, last = self.costs[SPANS[0]], self.costs[SPANS[-1]]
        return {**ms, "ratio_90_10": round(last.ms / first.ms, 3), **blocks}


@dataclass(frozen=True)
class Outcome:
    """`bytes_per_reading`: with the index, by edition; `bytes_per_rollup`: a quarter of an hour of a device's metric,
    with its key."""

    homes: int
    readings: int
    queries: dict[str, Timing]
    bytes_per_reading: dict[str, float]
    bytes_per_rollup: float

    def figures(self) -> dict[str, Any]:
        return {
            "homes": self.homes,
            "readings": self.readings,
            "queries": {name: timing.figures() for name, timing in self.queries.items()},
            "bytes_per_reading": self.bytes_per_reading,
            "bytes_per_rollup": self.bytes_per_rollup,
        }


def measure(
    url: str, others: dict[str, str], now: datetime, homes: int, per_day: int, tell: Callable[[str], None]
) -> Outcome:
    """Fills the database at `url` and times it.

    Args:
        url: a migrated, empty database.
        others: further ones of other editions, by edition: only their bytes are measured, over ten days.
        now: the present of everything; history ends here.
        per_day: readings a day of one home.
        tell: called with the name of each step.
    """
    timings: dict[str, dict[int, Cost]] = {}
    filler = _Filler(url, now, homes, per_day)
    done = 0
    for days in SPANS:
        for day in range(done, days):
            tell(f"day {day + 1} of {SPANS[-1]}")
            filler.add(day)
        done = days
        filler.settle(days)
        tell(f"pages and sweep over {days} days")
        for name, cost in _time(url, now, homes).items():
            timings.setdefault(name, {})[days] = cost
    readings, edition, per_reading, per_rollup = filler.sizes()
    sizes = {edition: per_reading}
    for other, other_url in others.items():
        tell(f"bytes on {other}")
        another = _Filler(other_url, now, homes, per_day)
        for day in range(SPANS[0]):
            another.add(day)
        another.settle(SPANS[0])
        sizes[other] = another.sizes()[2]
    return Outcome(homes, readings, {name: Timing(costs) for name, costs in timings.items()}, sizes, per_rollup)


class _Filler:
    """Writes whole days of all homes, the youngest first."""

    def __init__(self, url: str, now: datetime, homes: int, per_day: int) -> None:
        register_homes(url, homes, now)
        self._now = now
        self._connection = connect(url, DatabaseRole.OWNER, autocommit=True)
        register_arrays(self._connection)
        self._connection.execute(QUERIES["open_the_past"], {"day": now - timedelta(days=SPANS[-1] + 1)})
        directory = Directory()
        directory.refresh(self._connection)
        known = [gateway for home in range(homes) if (gateway := directory.gateway(gateway_key(home))) is not None]
        self._homes = np.array([gateway.home_id for gateway in known])
        self._devices = np.array([[gateway.devices[address].id for address in _DEVICES] for gateway in known])
        self._gateway = known[0].id
        self._end_ms = to_ms(now) // 60_000 * 60_000
        self._per_day = per_day

    def add(self, day: int) -> None:
        """The day that ended `day` days ago; the youngest through ingest's writer, which makes the states."""
        end = self._end_ms - day * DAY_MS
        rows = self._day(end, np.random.default_rng(day))
        if day == 0:
            number = (self._gateway, SESSION, 1, 1)
            Writer().store_history(self._connection, number, rows, self._now)
            return
        with self._connection.transaction():
            for edge in (end - DAY_MS, end):
                self._connection.execute(QUERIES["make_room"], {"day": from_ms(edge)})
            with self._connection.cursor() as cursor, cursor.copy(QUERIES["copy"]) as copy:
                copy.write(copy_bytes(rows))
            self._connection.execute(
                QUERIES["roll_up"], {"start": from_ms(end - DAY_MS), "end": from_ms(end), **_KINDS}
            )

    def _day(self, end_ms: int, rng: "np.random.Generator") -> Readings:
        """Shape (homes x per_day,): a meter and a radar that report all the time, doors, motion and a bed by day."""
        homes, count = len(self._homes), self._per_day
        kind = np.array([0, 1, 0, 1, 2, 0, 1, 3, 0, 1, 4, 3])[np.arange(count) % 12]
        rows = np.zeros(homes * count, READING)
        offset = np.sort(rng.integers(1, DAY_MS, (homes, count)), axis=1)
        rows["home"] = np.repeat(self._homes, count)
        rows["device"] = self._devices[:, kind].ravel()
        rows["metric"] = np.tile(_METRIC_IDS[kind], homes)
        rows["time"] = rows["received"] = (end_ms - offset).ravel()
        rows["value"] = np.where(np.tile(kind, homes) == 0, rng.integers(0, 3000, len(rows)) / 10,
                                 rng.integers(0, 2, len(rows)))  # fmt: skip
        rows["flags"] = int(Flag.CHANGED) * (np.tile(kind, homes) > 1)
        rows["batch"] = 1
        return rows

    def settle(self, days: int) -> None:
        """What else grows with time: habits learned each day, an alert a week; then the planner's statistics."""
        habits = Jsonb({"form": 1, "known": True, "days": days, "longest_s": [3600.0] * 24, "longest_any_s": 30_000.0,
                        "spoken": 0.97})  # fmt: skip
        asked = {"now": self._now, "days": days, "habits": habits}
        for name in ("learn", "raise", "tell"):
            self._connection.execute(QUERIES[name], asked)
        self._connection.execute("VACUUM (ANALYZE)")

    def sizes(self) -> tuple[int, str, float, float]:
        """Readings, edition, bytes a reading (with its index), bytes of sums a row of them."""
        row = self._connection.execute(QUERIES["sizes"]).fetchone() or {}
        self._connection.close()
        return (row["readings"], row["edition"], round(row["reading_bytes"] / row["readings"], 1),
                round(row["rollup_bytes"] / row["rollups"], 1))  # fmt: skip


def _time(url: str, now: datetime, homes: int) -> dict[str, Cost]:
    """What a page costs (the median of some homes) and a sweep (of all of them)."""
    words = load_words()["zh_CN"]
    with connect(url, DatabaseRole.API) as api, connect(url, DatabaseRole.ALERTS) as alerts:
        ids = [row["id"] for row in alerts.execute(QUERIES["some_homes"], {"limit": min(ASKED, homes)})]
        family = {row["home_id"]: row["person_id"] for row in alerts.execute(QUERIES["families"])}
        worker = alerts.execute(QUERIES["worker"]).fetchone() or {"id": 0}
        alerts.rollback()

        def visit(person: int, role: Role) -> Visit:
            api.execute(READS["become"], {"person": person})
            return Visit(Person(person, "bench", "bench", "zh_CN", frozenset({role})), b"", api, now, words)

        return {
            "family_page": _best(ids, lambda home: _family_page(visit(family[home], Role.FAMILY)), api),
            "home_page": _best(ids, lambda home: _home_page(visit(worker["id"], Role.WORKER), home), api),
            "sweep": _best([0] * 3, lambda _: observe(alerts, now), alerts),
        }


def _best(asked: Sequence[int], work: Callable[[int], Any], connection: Connection) -> Cost:
    """Median over what is asked of the best of TRIES: a busy machine makes a try slower, never faster."""
    times, blocks = [], []
    for one in asked:
        tries = []
        before = _blocks(connection)
        for _ in range(TRIES):
            began = time.perf_counter()
            work(one)
            tries.append((time.perf_counter() - began) * 1000)
            connection.rollback()
        times.append(min(tries))
        blocks.append((_blocks(connection) - before) / TRIES)
    return Cost(statistics.median(times), statistics.median(blocks))


def _blocks(connection: Connection) -> int:
    """Blocks that this connection has touched so far, in memory or on disk."""
    connection.execute(QUERIES["count_blocks_now"])
    connection.commit()
    row = connection.execute(QUERIES["blocks"]).fetchone()
    connection.rollback()
    return int(row["blocks"]) if row else 0


def _family_page(visit: Visit) -> None:
    """What api/pages/family.py asks."""
    for home in home_reads.list_homes(visit, family=True):
        home_reads.quarter_hours(visit, home, today.DAYS + 1)
        for alert in alert_reads.list_alerts(visit, open_only=True, home=home["id"]):
            alert_reads.staff_told(visit, alert["id"])
        home_reads.residents(visit, home["id"])


def _home_page(visit: Visit, home_id: int) -> None:
    """What api/pages/homes.py asks."""
    home_reads.need_staff_of(visit, home_id)
    home = home_reads.one_home(visit, home_id)
    day = home_reads.local_day(visit.now, home["zone"])
    home_reads.readings(visit, home, day)
    home_reads.quarter_hours(visit, home, 1, day)
    home_reads.quarter_hours(visit, home, 7)
    alert_reads.list_alerts(visit, open_only=False, home=home_id, limit=10)
    for read in (home_reads.rooms, home_reads.residents, home_reads.contacts, home_reads.devices):
        read(visit, home_id)


_METRIC_IDS: Final[NDArray[np.int16]] = np.array([BY_NAME[name].id for name in _METRICS], dtype=np.int16)
_KINDS: Final = {"turned_on": [BY_NAME[name].id for name in ("motion", "presence")],
                 "on_change": [BY_NAME[name].id for name in ("open", "occupied")]}  # fmt: skip
