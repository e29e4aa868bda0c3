"""The operator hears of each trouble of the platform once, and once that it is over."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest
from psycopg.types.json import Jsonb

from alerts import slices
from alerts.notify.dispatch import Dispatch
from alerts.notify.message import Message
from alerts.notify.outbox import Outbox
from alerts.notify.result import SendReason, Sent
from alerts.watcher.beat import due_beat
from alerts.watcher.guard import AWAY_S, STEADY, Guard
from alerts.watcher.operator import Operator
from alerts.watcher.signs import Limits
from core.clock import ManualClock
from core.words import load_words
from store.pool import DatabaseRole, Pool, open_pool
from tests.conftest import NOW, Database
from tests.integration.alerts.world import World

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WORDS = load_words()


class RealManualClock(ManualClock):
    """A clock that tests move and whose spans are real ones."""

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


class Machine:
    """Two services' guards, one clock, and the operator's telephone."""

    def __init__(self, world: World, pools: dict[str, Pool]) -> None:
        self.clock = RealManualClock(NOW)
        self.steady = 1000.0
        self.said: list[str] = []
        self.works = True
        self.world = world
        self.alive = {"ingest", "alerts"}
        self.workers = {"one": False}  # alert workers that beat while alerts are alive, and whether each stands still
        self.guards = {
            me: Guard(me, pool, self.clock, Operator(["x:"], WORDS["en"], "UTC", self.send), Limits(), self.now)
            for me, pool in pools.items()
        }

    def now(self) -> float:
        return self.steady

    def send(self, channel: str, message: Message) -> Sent:
        if not self.works:
            return Sent(SendReason.UNREACHABLE)
        self.said.append(message.title)
        return Sent(SendReason.SENT)

    def lives(self, seconds: float, *looking: str) -> None:
        """Time passes in looks of 15 s; the services that are alive beat."""
        for _ in range(round(seconds / 15)):
            self.clock.move(15 * SECOND)
            self.steady += 15
            for name, stalled in self.workers.items() if "alerts" in self.alive else ():
                self.world.owner.execute(
                    "INSERT INTO alert_worker VALUES (%(name)s, %(at)s, %(at)s, %(details)s) ON CONFLICT (name)"
                    " DO UPDATE SET at = excluded.at, details = excluded.details",
                    {"name": name, "at": self.clock.now(), "details": Jsonb({"stalled": stalled})},
                )
            if "ingest" in self.alive:
                self.world.owner.execute(
                    "INSERT INTO service_heartbeat VALUES (%s, %s, %s) ON CONFLICT (service) DO UPDATE SET"
                    " at = excluded.at",
                    ["ingest", self.clock.now(), '{"broker": "connected"}'],
                )
            for me in looking or self.guards:
                self.guards[me].look()


@pytest.fixture
def machine(world: World, database: Database) -> Iterator[Machine]:
    with open_pool(database.url, DatabaseRole.ALERTS) as one, open_pool(database.url, DatabaseRole.API) as other:
        yield Machine(world, {"alerts": one, "api": other})


def test_when_ingest_falls_silent_the_operator_hears_once_though_two_look(machine: Machine) -> None:
    machine.lives(300)
    assert machine.said == []
    machine.alive.discard("ingest")
    machine.lives(600)
    assert machine.said == ["Yiju needs you: ingest is silent"]
    machine.alive.add("ingest")
    machine.lives(120)
    assert machine.said == ["Yiju needs you: ingest is silent", "Over: ingest is silent"]
    (row,) = machine.world.rows("SELECT * FROM platform_trouble")
    assert row["ended_at"] is not None


def test_the_api_sees_the_end_of_alerts_and_alerts_the_end_of_the_api(machine: Machine) -> None:
    machine.lives(60)
    machine.alive.discard("alerts")
    machine.lives(120, "api")
    assert machine.said == ["Yiju needs you: the alerts service is silent"]
    machine.alive.add("alerts")
    machine.lives(60)
    machine.lives(120, "alerts")  # the api looks no more
    assert machine.said[1:] == [
        "Over: the alerts service is silent",
        "Yiju needs you: the pages and the API are silent",
    ]


def test_a_worker_that_stands_still_beside_a_healthy_one_is_told_once_until_its_slices_are_another_s(
    machine: Machine,
) -> None:
    machine.workers = {"healthy": False, "standing": True}
    machine.lives(600)
    assert machine.said == ["Yiju needs you: nobody looks at the homes: the alerts service stands still"]
    # It is restarted under another name: what it held is taken over, and nobody waits for it any more.
    machine.workers = {"healthy": False}
    lease = timedelta(seconds=slices.LEASE_S)
    with machine.world.database.connect(DatabaseRole.ALERTS) as healthy:
        slices.renew(healthy, machine.clock.now() + lease, "healthy", lease)
    machine.lives(600)
    assert machine.said[1:] == ["Over: nobody looks at the homes: the alerts service stands still"]
    # A worker that has left cleanly is not missed, the last one is.
    machine.workers = {}
    with machine.world.database.connect(DatabaseRole.ALERTS) as last:
        slices.sign_off(last, "healthy")
    machine.lives(120, "api")
    assert machine.said[2:] == ["Yiju needs you: the alerts service is silent"]


def test_one_odd_moment_is_no_incident(machine: Machine) -> None:
    machine.lives(60)
    machine.world.owner.execute(
        "UPDATE service_heartbeat SET details = '{\"broker\": \"lost\"}' WHERE service = 'ingest'"
    )
    machine.lives(15 * (STEADY - 1), "api")
    machine.world.owner.execute("UPDATE service_heartbeat SET details = '{}' WHERE service = 'ingest'")
    machine.lives(300)
    assert machine.said == []


def test_gateways_that_say_nothing_and_a_clock_that_jumps_are_told(machine: Machine, world: World) -> None:
    world.home("h").heard(NOW)
    machine.lives(885)
    assert machine.said == []
    machine.lives(60)
    assert machine.said == ["Yiju needs you: nothing has come from any home"]
    world.rows("UPDATE gateway_status SET heard_at = %s RETURNING 1", machine.clock.now())
    machine.lives(60)
    machine.clock.move(timedelta(hours=1))  # the machine's steady time stands still meanwhile
    world.rows("UPDATE gateway_status SET heard_at = %s RETURNING 1", machine.clock.now())
    machine.lives(120, "api")
    assert machine.said[1:] == [
        "Over: nothing has come from any home",
        "Yiju needs you: the clock of the machine jumped",
    ]


def test_messages_that_wait_are_told_by_who_does_not_send_them(machine: Machine, world: World) -> None:
    home = world.home("h")
    world.person("wang", "worker", channels=["json://127.0.0.1:1/x"])
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    world.tick(NOW)
    machine.lives(180, "api")
    assert machine.said == ["Yiju needs you: messages wait and are not sent"]


def test_a_database_that_is_away_is_told_without_it(world: World, database: Database) -> None:
    away = database.url.replace(database.url.rsplit("/", 1)[1], "not_there")
    with open_pool(away, DatabaseRole.API, size=1) as pool:
        machine = Machine(world, {"api": pool})
        pool.timeout = 0.01
        machine.guards["api"] = Guard(
            "api", pool, machine.clock, Operator(["x:"], WORDS["en"], "UTC", machine.send), Limits(), machine.now
        )
        patience, looks = 0.05, round(AWAY_S / 15) + 3
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("alerts.watcher.guard.PATIENCE_S", patience)
            machine.lives(15 * looks)
    assert machine.said == ["Yiju needs you: the database does not answer"]


def test_what_could_not_be_told_is_told_later(machine: Machine) -> None:
    machine.lives(60)
    machine.works = False
    machine.alive.discard("ingest")
    machine.lives(120)
    assert machine.said == []
    machine.works = True
    machine.lives(15)
    assert machine.said == ["Yiju needs you: ingest is silent"]


def test_all_is_well_is_said_once_in_its_span_by_whoever_comes_first(world: World, database: Database) -> None:
    for key, heard in (("a", NOW), ("b", NOW), ("c", NOW - timedelta(hours=3))):
        home = world.home(key)
        home.heard(heard)
        world.owner.execute("INSERT INTO home_state VALUES (%s, NULL, NULL, %s)", [home.id, heard])
    day = timedelta(days=1)
    with database.connect(DatabaseRole.ALERTS) as one, database.connect(DatabaseRole.ALERTS) as other:
        said = [due_beat(connection, NOW, day, WORDS["en"]) for connection in (one, other)]
        assert [message and message.title for message in said] == ["All is well: 2 homes watched, 1 not", None]
        assert due_beat(one, NOW + timedelta(hours=23), day, WORDS["en"]) is None
        assert due_beat(other, NOW + day, day, WORDS["zh_CN"]) is not None


def test_nothing_personal_reaches_the_log(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    home = world.home("h")
    world.person("wang", "worker", channels=["webhook+http://:hush@127.0.0.1:1/token-abc", "nonsense://138123"])
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    world.tick(NOW)
    with open_pool(world.database.url, DatabaseRole.ALERTS) as pool:
        send = Dispatch("https://y", lambda: 0.0, timeout_s=0.5)
        outbox = Outbox(pool, ManualClock(NOW), WORDS, "https://y", np.random.default_rng(1), send)
        for future in outbox.start_due():
            future.result()
        outbox.close()
    logged = "".join(capsys.readouterr())
    assert "not_sent" in logged
    assert not any(secret in logged for secret in ("hush", "token-abc", "138123", "127.0.0.1"))
