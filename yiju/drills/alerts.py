"""`yiju drill alerts`: trouble in many homes while everything between them and those who come fails.

The truth is the plan: what happens in which home, and when (yiju/drills/homes.py keeps sending it until it is
acknowledged end to end). What came of it is read at the other end: which alerts there are, and which messages people
really got (yiju/drills/people.py). Meanwhile every process is killed, the database restarts, the notification service
fails and hangs. Once a manager has been reached, somebody is on site and the ladder rests.

A message that comes again is the platform's own doing (`doubled`) unless a worker was killed, or the database was away,
just as the first one was handed over: then nobody can know whether it had arrived, and a call for help is rather said
twice (`repeated_after_kill`).
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

import msgspec
import psycopg

from alerts.lifecycle import on_site
from core.clock import ScaledClock
from core.errors import Conflict, StackError
from core.wire import to_ms
from core.words import DEFAULT_LOCALE, load_words
from store.pool import Connection
from store.queries import load_queries
from yiju.drills.homes import Happening, Plan
from yiju.drills.people import Mood, People, Receipt
from yiju.drills.stage import DATABASE, DEVICES, Stage, manager_of, worker_of

QUERIES: Final = load_queries(__package__, "alerts.sql")
Advance = Callable[[float, float], None]
SHARE: Final = 0.6  # of the homes something happens in
OFFLINE: Final = 0.15  # of these happenings, a gateway that goes away
START_S: Final = 120.0  # real seconds until everything runs
LEAD_S: Final = 3.0  # real seconds before the first trouble
PATIENCE_S: Final = 240.0  # real seconds after the last trouble: whoever has not heard by then never does
UNKNOWN_S: Final = (0.3, 3.0)  # before and after a message was taken: who was killed then could not write that down
LATE_S: Final = 1.0
_STEP_S: Final = 0.1


class Drilled(msgspec.Struct, frozen=True):
    """What came of it. The first seven are what it is about.

    Attributes:
        incidents: what happened in the homes.
        alerts_opened: alerts of any kind.
        missed: of the incidents, those without an alert of their home and kind.
        doubled: alerts beyond the first of an incident, and messages that a person got again by our own doing.
        deliveries_missing: people on a rung that was due who never got a message about an alert that nobody had.
        escalations_late_over_1s: of `escalations`, the second rung told more than a real second after its time,
            outages of the database included.
        kills: kill -9 of processes.
        repeated_after_kill: messages that a person got again because a kill left their outcome unknown.
        unplanned: alerts that no incident explains.
        refused: requests that the notification service failed or hung on.
        worst_escalation_s: the latest second rung, real seconds.
        worst_call_s: from an incident that needs no waiting to its first message, real seconds, the latest.
    """

    incidents: int
    alerts_opened: int
    missed: int
    doubled: int
    deliveries_missing: int
    escalations_late_over_1s: int
    kills: int
    repeated_after_kill: int
    unplanned: int
    escalations: int
    messages: int
    refused: int
    database_restarts: int
    worst_escalation_s: float
    worst_call_s: float
    homes: int
    seconds: float
    seed: int


@dataclass(frozen=True)
class Size:
    """How large a drill is. `minutes` of platform time, at `factor` times the machine's pace; `rung_s` as a policy."""

    homes: int = 500
    minutes: float = 10.0
    factor: float = 4.0
    rung_s: float = 120.0
    workers: int = 2
    every_s: float = 10.0  # real seconds between two kills of the same process, on average
    restarts: int = 4  # of the database


@dataclass
class Outages:
    """When a message's fate could not be written down, on time.monotonic(): (from, until) of each."""

    spans: list[tuple[float, float]] = field(default_factory=list)

    def at(self, moment: float) -> bool:
        """Whether what was taken then may have been left without a word about it."""
        before, after = UNKNOWN_S
        return any(begin - after <= moment <= end + before for begin, end in self.spans)


@dataclass(frozen=True)
class Blow:
    """A part is down from `at` to `until`, real seconds of the drill."""

    at: float
    until: float
    part: str
    cleanly: bool


class AlertDrill:
    """One drill.

    Args:
        folder: for everything; must be empty.
        seed: decides what happens, what fails and when.
        durable: whether PostgreSQL syncs to the disk.
        sabotage: called with the owner's connection when all is told and before it is counted: for tests that the drill
            sees what is missed and doubled.
        advance: called with (seconds done, of how many).
    """

    def __init__(
        self, folder: Path, size: Size, *, seed: int, durable: bool = True,
        sabotage: Callable[[Connection], None] | None = None, advance: Advance = lambda done, total: None,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._size = size
        self._seed = seed
        self._random = Random(seed)  # noqa: S311  # moments of failure, no secrets
        self._durable = durable
        self._sabotage = sabotage
        self._advance = advance
        self._kills = self._restarts = 0
        self._outages = Outages()

    def run(self, now: datetime) -> Drilled:
        """Runs it; `now`: the machine's time. Raises StackError."""
        began = time.monotonic()
        morning = now.astimezone(UTC).replace(hour=2, minute=0, second=0, microsecond=0)  # ten in the morning there
        clock = ScaledClock(morning, now, self._size.factor)
        rung_s = self._size.rung_s
        policy = {"rung_urgent_s": rung_s, "gateway_will_s": 30, "gateway_offline_s": 86_400}
        stage = Stage(self._folder, str(clock), self._size.workers, durable=self._durable)
        try:
            with People() as people:
                gateways = [f"gw-{number}" for number in range(self._size.homes)]
                stage.start(clock.now(), gateways, people, policy)
                self._wait_until_heard(stage)
                plan = self._plan(gateways, clock.now())
                stage.follow(plan)
                self._trouble(stage, people, plan, clock)
                with closing(stage.connect()) as connection:
                    self._settle(stage, people, plan, clock, connection)
                    if self._sabotage is not None:
                        self._sabotage(connection)
                        _quiet(connection)
                    return self._outcome(connection, people, plan, time.monotonic() - began)
        finally:
            stage.stop()

    def _wait_until_heard(self, stage: Stage) -> None:
        """A gateway that was never heard is not installed: nothing is expected of it."""
        until = time.monotonic() + START_S
        with closing(stage.connect()) as connection:
            while True:
                row = connection.execute(QUERIES["heard"]).fetchone()
                if row is not None and row["heard"] == self._size.homes:
                    return
                if time.monotonic() > until:
                    raise StackError(f"after {START_S:g} s not every gateway was heard: {row}")
                time.sleep(_STEP_S)

    def _plan(self, gateways: list[str], start: datetime) -> Plan:
        """What happens: at most one thing in a home, so that each alert has one cause."""
        struck = self._random.sample(gateways, max(1, round(self._size.homes * SHARE)))
        first = start + timedelta(seconds=LEAD_S * self._size.factor)
        happenings = []
        for place, gateway in enumerate(struck):
            kind = "gateway_offline" if place < OFFLINE * len(struck) else self._random.choice(sorted(DEVICES))
            at = first + timedelta(minutes=self._size.minutes * self._random.random())
            session = UUID(int=self._random.getrandbits(128), version=4)
            value = 2.0 if kind == "fall" else 1.0
            happenings.append(Happening(gateway, to_ms(at), kind, kind, session, value))
        return Plan(gateways, sorted(happenings, key=lambda one: one.at_ms))

    def _blows(self, parts: list[str], seconds: float) -> list[Blow]:
        """Every part but the database falls again and again; the database restarts a few times."""
        blows = []
        for part in parts:
            at = LEAD_S
            if part == DATABASE:
                for number in range(self._size.restarts):
                    at = LEAD_S + (number + self._random.random()) * seconds / max(1, self._size.restarts)
                    blows.append(Blow(at, at + self._random.uniform(0.5, 3.0), part, number % 2 == 1))
                continue
            while (at := at + self._random.uniform(0.5, 1.5) * self._size.every_s) < LEAD_S + seconds:
                blows.append(Blow(at, at + self._random.uniform(0.0, 3.0), part, False))
        return sorted(blows, key=lambda blow: blow.at)

    def _trouble(self, stage: Stage, people: People, plan: Plan, clock: ScaledClock) -> None:
        """Until the last thing has happened and everything stands again."""
        began = time.monotonic()
        seconds = self._size.minutes * 60 / self._size.factor
        blows = self._blows(list(stage.parts), seconds)
        down: dict[str, tuple[Blow, float]] = {}
        moods = self._moods()
        mood_until = LEAD_S
        while (present := time.monotonic() - began) < LEAD_S + seconds or down or blows:
            for name, (blow, fell) in list(down.items()):
                if present >= blow.until:
                    stage.bring_up(name)
                    del down[name]
                    if name == DATABASE:
                        self._outages.spans.append((fell, time.monotonic()))
            while blows and blows[0].at <= present:
                blow = blows.pop(0)
                if blow.part in down:
                    continue
                fell = time.monotonic()
                stage.take_down(blow.part, cleanly=blow.cleanly)
                down[blow.part] = (blow, fell)
                self._restarts += blow.part == DATABASE
                self._kills += blow.part != DATABASE
                if blow.part.startswith("alerts"):
                    self._outages.spans.append((fell, time.monotonic()))
            for name in stage.fell_by_itself():
                if name not in down:  # a service that gives up is started again, as its supervisor would
                    stage.bring_up(name)
            if present >= mood_until:
                people.mood, lasts = next(moods)
                mood_until = present + lasts
            if DATABASE not in down:
                with suppress(psycopg.OperationalError), closing(stage.connect()) as connection:
                    _arrive(connection, people, plan, clock)
            self._advance(min(present, LEAD_S + seconds), LEAD_S + seconds)
            time.sleep(_STEP_S)
        people.mood = Mood.WELL

    def _moods(self) -> Iterator[tuple[Mood, float]]:
        while True:
            yield Mood.WELL, self._random.uniform(8, 20)
            yield self._random.choice([Mood.FAILING, Mood.HANGING]), self._random.uniform(2, 6)

    def _settle(self, stage: Stage, people: People, plan: Plan, clock: ScaledClock, connection: Connection) -> None:
        """Until everybody who is due has heard, or patience ends."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            _arrive(connection, people, plan, clock)
            missed, missing = _open_ends(connection, people.receipts, plan)
            if not missed and not missing:
                break
            for name in stage.fell_by_itself():
                stage.bring_up(name)
            time.sleep(0.5)
        _quiet(connection)

    def _outcome(self, connection: Connection, people: People, plan: Plan, seconds: float) -> Drilled:
        alerts = connection.execute(QUERIES["alerts"]).fetchall()
        by_cause = Counter((row["gateway"], row["kind"]) for row in alerts)
        planned = {(one.gateway, one.kind) for one in plan.happenings}
        missed, missing = _open_ends(connection, people.receipts, plan)
        again, unknown = repeats(people.receipts, self._outages)
        late = [
            (row["told_s"] - self._size.rung_s) / self._size.factor for row in connection.execute(QUERIES["escalated"])
        ]
        calls = [row["took_s"] / self._size.factor for row in connection.execute(QUERIES["called"])]
        return Drilled(
            incidents=len(plan.happenings),
            alerts_opened=len(alerts),
            missed=missed,
            doubled=again + sum(by_cause[cause] - 1 for cause in planned if by_cause[cause] > 1),
            deliveries_missing=missing,
            escalations_late_over_1s=sum(one > LATE_S for one in late),
            kills=self._kills,
            repeated_after_kill=unknown,
            unplanned=sum(count for cause, count in by_cause.items() if cause not in planned),
            escalations=len(late),
            messages=len(people.receipts),
            refused=people.refused,
            database_restarts=self._restarts,
            worst_escalation_s=round(max(late, default=0.0), 2),
            worst_call_s=round(max(calls, default=0.0), 2),
            homes=self._size.homes,
            seconds=round(seconds, 1),
            seed=self._seed,
        )


def _arrive(connection: Connection, people: People, plan: Plan, clock: ScaledClock) -> None:
    """Whoever was told second goes there: the alert is somebody's, and its ladder rests."""
    reached = {receipt.alert for receipt in people.receipts if receipt.person.startswith("manager")}
    if not reached:
        return
    for row in connection.execute(QUERIES["open_of"], {"ids": sorted(reached)}).fetchall():
        with suppress(Conflict), connection.transaction():
            on_site(connection, row["id"], row["manager"], clock.now())


def _open_ends(connection: Connection, receipts: list[Receipt], plan: Plan) -> tuple[int, int]:
    """(incidents without an alert, people who should have heard and have not)."""
    alerts = {(row["gateway"], row["kind"]): row["id"] for row in connection.execute(QUERIES["alerts"])}
    heard = {(receipt.alert, receipt.person) for receipt in list(receipts)}
    missed = missing = 0
    for one in plan.happenings:
        alert = alerts.get((one.gateway, one.kind))
        if alert is None:
            missed += 1
        elif one.kind != "gateway_offline":  # a notice, on the page only
            missing += sum((alert, who) not in heard for who in (worker_of(one.gateway), manager_of(one.gateway)))
    return missed, missing


def repeats(receipts: list[Receipt], outages: Outages) -> tuple[int, int]:
    """(messages that came again, those among them that a kill explains), the second not counted in the first."""
    last_call = load_words()[DEFAULT_LOCALE]("notify.emergency")  # of the last rung: not the same message again
    same: defaultdict[tuple[str, int, bool], list[float]] = defaultdict(list)
    for receipt in receipts:
        same[receipt.person, receipt.alert, last_call in receipt.text].append(receipt.at)
    again = unknown = 0
    for times in same.values():
        for earlier in sorted(times)[:-1]:
            explained = outages.at(earlier)
            unknown += explained
            again += not explained
    return again, unknown


def _quiet(connection: Connection) -> None:
    """Until nothing is queued that is due soon."""
    until = time.monotonic() + PATIENCE_S / 4
    while time.monotonic() < until:
        row = connection.execute(QUERIES["queued"]).fetchone()
        if row is None or not row["queued"]:
            return
        time.sleep(0.3)
