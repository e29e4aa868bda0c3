"""`yiju drill alerts`: trouble in many homes while everything between them and those who come fails.

The truth is the plan (yiju/drills/trouble.py): what happens in which home, and when; yiju/drills/homes.py keeps sending
it until it is acknowledged end to end. What came of it is read at the other end: which alerts there are, and which
messages people really got (yiju/drills/people.py). Meanwhile every process is killed, the database restarts, the
notification service fails and hangs. Somebody enters absences and work on the equipment by the API, and says there that
they are on site once a manager has been reached; then the ladder rests (yiju/drills/desk.py).

A message that comes again is the platform's own doing (`doubled`) unless a worker was killed, or the database was away,
just as the first one was handed over: then nobody can know whether it had arrived, and a call for help is rather said
twice (`repeated_after_kill`).
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import psycopg

from alerts.slices import LEASE_S
from core.clock import ScaledClock
from core.errors import StackError
from store.pool import Connection
from store.queries import load_queries
from yiju.drills.desk import Desk, wait_until_answering
from yiju.drills.judge import Outages, open_ends, raised_though_muted, repeats
from yiju.drills.people import Mood, People
from yiju.drills.stage import DATABASE, Stage
from yiju.drills.trouble import Case, Trouble, make_trouble
from yiju.drills.uptime import Uptime

QUERIES: Final = load_queries(__package__, "alerts.sql")
Advance = Callable[[float, float], None]
START_S: Final = 120.0  # real seconds until everything runs
LEAD_S: Final = 3.0  # real seconds before the first trouble
PATIENCE_S: Final = 240.0  # real seconds after the last trouble: whoever has not heard by then never does
LATE_S: Final = 1.0
_STEP_S: Final = 0.1


class Drilled(msgspec.Struct, frozen=True):
    """What came of it. The first seven are what it is about.

    Attributes:
        incidents: what happened in the homes and must be told.
        alerts_opened: alerts of any kind.
        missed: of the incidents, those without an alert of their home and kind; of what is muted, what stands nowhere.
        doubled: alerts beyond the first of an incident, and messages that a person got again by our own doing.
        deliveries_missing: people on a rung that was due who never got a message about an alert that nobody had.
        escalations_late_over_1s: of `escalations`, the second rung told more than a real second after its time,
            whatever was down then.
        kills: kill -9 of processes.
        late_while_up: of these, those that were due while the database and an alert worker stood, then and for the
            second after.
        muted: silences and troubles that somebody has explained beforehand, or that a gateway's absence explains.
        raised_though_muted: alerts about them while their cause held.
        repeated_after_kill: messages that a person got again because a kill left their outcome unknown.
        unplanned: alerts that no incident explains.
        refused: requests that the notification service failed or hung on.
        api_calls, api_refused: requests to the API that were answered, and that had to be made again.
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
    late_while_up: int
    muted: int
    raised_though_muted: int
    repeated_after_kill: int
    unplanned: int
    escalations: int
    messages: int
    refused: int
    database_restarts: int
    api_calls: int
    api_refused: int
    worst_escalation_s: float
    worst_call_s: float
    homes: int
    seconds: float
    seed: int


@dataclass(frozen=True)
class Size:
    """How large a drill is. `minutes` of platform time, at `factor` times the machine's pace.

    Attributes:
        rung_s: as a policy.
        silence_s: the policy `inactivity_s`. Long enough that a gateway's absence is known before its home counts as
            silent, also when what would see it is down for a while: in the field it is hours.
    """

    homes: int = 500
    minutes: float = 10.0
    factor: float = 4.0
    rung_s: float = 120.0
    silence_s: float = 240.0
    workers: int = 2
    every_s: float = 10.0  # real seconds between two kills of the same process, on average
    restarts: int = 4  # of the database


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
        self._uptime = Uptime()
        self._spawned: dict[str, datetime] = {}  # alert workers that have not said yet that they stand

    def run(self, now: datetime) -> Drilled:
        """Runs it; `now`: the machine's time. Raises StackError."""
        began = time.monotonic()
        morning = now.astimezone(UTC).replace(hour=2, minute=0, second=0, microsecond=0)  # ten in the morning there
        clock = ScaledClock(morning, now, self._size.factor)
        rung_s = self._size.rung_s
        policy = {"rung_urgent_s": rung_s, "gateway_will_s": 30, "gateway_offline_s": 86_400,
                  "inactivity_s": self._size.silence_s, "outage_share": 1.0}  # fmt: skip
        stage = Stage(self._folder, str(clock), self._size.workers, durable=self._durable)
        try:
            with People() as people, Desk(stage.api_port, stage.desk_password, clock) as desk:
                gateways = [f"gw-{number}" for number in range(self._size.homes)]
                stage.start(clock.now(), gateways, people, policy)
                self._wait_until_heard(stage)
                first = clock.now() + timedelta(seconds=LEAD_S * self._size.factor)
                trouble = make_trouble(gateways, first, self._size.minutes, self._random)
                with closing(stage.connect()) as connection:
                    self._give_the_desk_its_work(connection, desk, trouble, clock)
                stage.follow(trouble.plan)
                self._trouble(stage, people, desk, clock)
                with closing(stage.connect()) as connection:
                    self._settle(stage, people, desk, trouble, connection)
                    if self._sabotage is not None:
                        self._sabotage(connection)
                        _quiet(connection)
                    return self._outcome(connection, people, desk, trouble, time.monotonic() - began)
        finally:
            stage.stop()

    def _wait_until_heard(self, stage: Stage) -> None:
        """A gateway that was never heard is not installed: nothing is expected of it."""
        until = time.monotonic() + START_S
        with closing(stage.connect()) as connection:
            while True:
                row = connection.execute(QUERIES["heard"]).fetchone()
                if row is not None and row["heard"] == self._size.homes:
                    break
                if time.monotonic() > until:
                    raise StackError(f"after {START_S:g} s not every gateway was heard: {row}")
                time.sleep(_STEP_S)
        try:
            wait_until_answering(stage.api_port, START_S)
        except TimeoutError as error:
            raise StackError(str(error)) from error

    def _give_the_desk_its_work(
        self, connection: Connection, desk: Desk, trouble: Trouble, clock: ScaledClock
    ) -> None:  # fmt: skip
        """Absences and maintenance are entered as trouble begins; she is home again when her silence has been muted."""
        homes = {row["gateway"]: row["home"] for row in connection.execute(QUERIES["homes"])}
        found_after = timedelta(seconds=self._size.silence_s + 20 * self._size.factor)
        for one in trouble.silences:
            if one.case in (Case.AWAY, Case.RETURNED):
                desk.absence(homes[one.gateway], clock.now())
            if one.case is Case.RETURNED:
                desk.home_again(homes[one.gateway], one.at + found_after)
            if one.case is Case.FITTER:
                desk.maintenance(homes[one.gateway], clock.now())

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

    def _trouble(self, stage: Stage, people: People, desk: Desk, clock: ScaledClock) -> None:
        """Until the last thing has happened and everything stands again."""
        began = time.monotonic()
        for part in (DATABASE, *stage.workers):  # every gateway was heard: they stand
            self._uptime.up(part, clock.now())
        seconds = self._size.minutes * 60 / self._size.factor
        blows = self._blows(list(stage.parts), seconds)
        down: dict[str, tuple[Blow, float]] = {}
        moods = self._moods()
        mood_until = LEAD_S
        while (present := time.monotonic() - began) < LEAD_S + seconds or down or blows:
            for name, (blow, fell) in list(down.items()):
                if present >= blow.until:
                    self._bring_up(stage, name, clock)
                    del down[name]
                    if name == DATABASE:
                        self._outages.spans.append((fell, time.monotonic()))
            while blows and blows[0].at <= present:
                blow = blows.pop(0)
                if blow.part in down:
                    continue
                fell = time.monotonic()
                self._spawned.pop(blow.part, None)
                self._uptime.down(blow.part, clock.now())
                stage.take_down(blow.part, cleanly=blow.cleanly)
                down[blow.part] = (blow, fell)
                self._restarts += blow.part == DATABASE
                self._kills += blow.part != DATABASE
                if blow.part.startswith("alerts"):
                    self._outages.spans.append((fell, time.monotonic()))
            for name in stage.fell_by_itself():
                if name not in down:  # a service that gives up is started again, as its supervisor would
                    self._uptime.down(name, clock.now())
                    self._bring_up(stage, name, clock)
            if present >= mood_until:
                people.mood, lasts = next(moods)
                mood_until = present + lasts
            if DATABASE not in down:
                with suppress(psycopg.OperationalError), closing(stage.connect()) as connection:
                    _arrive(connection, people, desk)
                    self._see_who_stands(connection, clock)
            self._advance(min(present, LEAD_S + seconds), LEAD_S + seconds)
            time.sleep(_STEP_S)
        people.mood = Mood.WELL

    def _bring_up(self, stage: Stage, name: str, clock: ScaledClock) -> None:
        stage.bring_up(name)
        if name == DATABASE:
            self._uptime.up(name, clock.now())
        elif name in stage.workers:
            self._spawned[name] = clock.now()

    def _see_who_stands(self, connection: Connection, clock: ScaledClock) -> None:
        """An alert worker stands when it has taken its lease after it was started."""
        lease = timedelta(seconds=LEASE_S * self._size.factor)
        for row in connection.execute(QUERIES["workers"]):
            name = row["name"].replace("drill-", "alerts ")
            if name in self._spawned and row["until"] - lease >= self._spawned[name]:
                del self._spawned[name]
                self._uptime.up(name, clock.now())

    def _moods(self) -> Iterator[tuple[Mood, float]]:
        while True:
            yield Mood.WELL, self._random.uniform(8, 20)
            yield self._random.choice([Mood.FAILING, Mood.HANGING]), self._random.uniform(2, 6)

    def _settle(self, stage: Stage, people: People, desk: Desk, trouble: Trouble, connection: Connection) -> None:
        """Until everybody who is due has heard, or patience ends."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            _arrive(connection, people, desk)
            missed, missing = open_ends(connection, people.receipts, trouble)
            if not missed and not missing:
                break
            for name in stage.fell_by_itself():
                stage.bring_up(name)
            time.sleep(0.5)
        _quiet(connection)

    def _outcome(
        self, connection: Connection, people: People, desk: Desk, trouble: Trouble, seconds: float
    ) -> Drilled:  # fmt: skip
        alerts = connection.execute(QUERIES["alerts"]).fetchall()
        by_cause = Counter((row["gateway"], row["kind"]) for row in alerts)
        planned = {(one.gateway, one.kind) for one in trouble.incidents}
        missed, missing = open_ends(connection, people.receipts, trouble)
        again, unknown = repeats(people.receipts, self._outages)
        escalated = connection.execute(QUERIES["escalated"]).fetchall()
        late = [(row["told_s"] - self._size.rung_s) / self._size.factor for row in escalated]
        calls = [row["took_s"] / self._size.factor for row in connection.execute(QUERIES["called"])]
        return Drilled(
            incidents=len(trouble.incidents),
            alerts_opened=len(alerts),
            missed=missed,
            doubled=again + sum(by_cause[cause] - 1 for cause in planned if by_cause[cause] > 1),
            deliveries_missing=missing,
            escalations_late_over_1s=sum(one > LATE_S for one in late),
            kills=self._kills,
            late_while_up=sum(
                one > LATE_S and self._could_be_told(row["since"]) for one, row in zip(late, escalated, strict=True)
            ),
            muted=sum(bool(one.muted) for one in trouble.silences),
            raised_though_muted=raised_though_muted(connection, trouble.silences),
            repeated_after_kill=unknown,
            unplanned=sum(count for cause, count in by_cause.items() if cause not in planned),
            escalations=len(late),
            messages=len(people.receipts),
            refused=people.refused,
            database_restarts=self._restarts,
            api_calls=desk.calls,
            api_refused=desk.refused,
            worst_escalation_s=round(max(late, default=0.0), 2),
            worst_call_s=round(max(calls, default=0.0), 2),
            homes=self._size.homes,
            seconds=round(seconds, 1),
            seed=self._seed,
        )

    def _could_be_told(self, told_first: datetime) -> bool:
        """Whether the database and an alert worker stood when the second rung was due, and for the second after."""
        due = told_first + timedelta(seconds=self._size.rung_s)
        end = due + timedelta(seconds=LATE_S * self._size.factor)
        workers = [f"alerts {number}" for number in range(1, self._size.workers + 1)]
        return self._uptime.stood(workers, due, end) and self._uptime.stood([DATABASE], due, end)


def _arrive(connection: Connection, people: People, desk: Desk) -> None:
    """Whoever was told second goes there: the alert is somebody's, and its ladder rests."""
    reached = {receipt.alert for receipt in people.receipts if receipt.person.startswith("manager")}
    if reached:
        for row in connection.execute(QUERIES["open_of"], {"ids": sorted(reached)}):
            desk.on_site(row["id"])


def _quiet(connection: Connection) -> None:
    """Until nothing is queued that is due soon."""
    until = time.monotonic() + PATIENCE_S / 4
    while time.monotonic() < until:
        row = connection.execute(QUERIES["queued"]).fetchone()
        if row is None or not row["queued"]:
            return
        time.sleep(0.3)
