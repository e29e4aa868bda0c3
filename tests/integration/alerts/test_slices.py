"""Several alert workers share the homes; what one leaves, the others take."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from alerts import ladder, slices
from alerts.engine import tick
from alerts.slices import ALL, COUNT, Share
from core.clock import ManualClock
from store.pool import DatabaseRole
from tests.conftest import NOW, Database
from tests.integration.alerts.test_service import eventually
from tests.integration.alerts.world import World

LEASE = timedelta(seconds=slices.LEASE_S)
BEAT = timedelta(seconds=slices.RENEW_S)


def renew(world: World, worker: str, now: datetime) -> Share:
    share = slices.renew(world.worker, now, worker, LEASE)
    world.worker.commit()
    return share


def settle(world: World, workers: list[str], now: datetime) -> dict[str, list[int]]:
    """Two beats of each: the first leaves, the second takes."""
    for beat in range(2):
        shares = {worker: renew(world, worker, now + beat * BEAT) for worker in workers}
    return {worker: list(share.held) for worker, share in shares.items()}


def test_one_worker_alone_has_all_homes_and_leads(world: World) -> None:
    share = renew(world, "a", NOW)
    assert (list(share.held), share.leads, share.workers) == (list(ALL), True, 1)
    assert slices.held(world.worker, NOW, "a") == list(ALL)
    assert [row["n"] for row in world.rows("SELECT count(*) AS n FROM alert_slice")] == [COUNT]


def test_a_worker_that_joins_gets_its_share_within_two_beats(world: World) -> None:
    renew(world, "a", NOW)
    for workers in (["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d", "e"]):
        settle(world, workers, NOW)  # those who are there hear of the new one
        shares = settle(world, workers, NOW + 2 * BEAT)
        assert sorted(number for held in shares.values() for number in held) == list(ALL), "all, and none twice"
        assert max(map(len, shares.values())) - min(map(len, shares.values())) <= 1
        assert sum(slices.LEADER in held for held in shares.values()) == 1


def test_a_dead_worker_s_slices_are_taken_when_its_lease_ends_and_not_before(world: World) -> None:
    settle(world, ["a", "b"], NOW)
    died = NOW + BEAT  # b's last sign
    before = renew(world, "a", died + LEASE - timedelta(milliseconds=1))
    assert len(before.held) == COUNT / 2
    after = renew(world, "a", died + LEASE)
    assert list(after.held) == list(ALL)
    assert slices.held(world.worker, died + LEASE, "b") == []


def test_a_worker_that_wakes_up_finds_its_slices_gone_and_shares_anew(world: World) -> None:
    settle(world, ["a", "b"], NOW)
    late = NOW + timedelta(minutes=5)
    assert list(renew(world, "a", late).held) == list(ALL)
    assert renew(world, "b", late).held == []
    shares = settle(world, ["a", "b"], late + BEAT)
    assert [len(held) for held in shares.values()] == [COUNT / 2, COUNT / 2]


def test_a_worker_that_stops_leaves_its_slices_at_once(world: World) -> None:
    settle(world, ["a", "b"], NOW)
    slices.sign_off(world.worker, "b")
    assert list(renew(world, "a", NOW + BEAT).held) == list(ALL)


def test_a_lease_from_a_clock_that_was_set_back_does_not_hold(world: World) -> None:
    renew(world, "a", NOW + timedelta(days=30))
    assert list(renew(world, "b", NOW).held) == list(ALL)


def test_two_that_take_at_the_same_moment_do_not_wait_for_each_other(world: World, database: Database) -> None:
    renew(world, "a", NOW - timedelta(hours=1))
    with database.connect(DatabaseRole.ALERTS, autocommit=False) as other:
        first = slices.renew(other, NOW, "b", LEASE)  # not committed
        second = slices.renew(world.worker, NOW, "c", LEASE)
        assert set(first.held).isdisjoint(second.held)
        assert (len(first.held), second.held) == (COUNT, [])


def test_a_worker_looks_at_its_own_homes_only_and_ends_only_their_alerts(world: World) -> None:
    homes = [world.home(f"h{n}", inactivity_s=3600) for n in range(4)]
    for home in homes:
        home.device("motion", "bedroom")
        home.heard(NOW - timedelta(days=1))
    world.tick(NOW)
    opened = {row["home_id"] for row in world.alerts("gateway_offline") + world.alerts("cannot_watch")}
    assert opened == {home.id for home in homes}
    mine = [home.id % COUNT for home in homes[:2]]
    for home in homes:
        home.heard(NOW + timedelta(minutes=1))
    world.tick(NOW + timedelta(minutes=1), slices=mine)
    still = {row["home_id"] for row in world.alerts() if row["state"] != "resolved"}
    assert still == {home.id for home in homes[2:]}
    world.tick(NOW + timedelta(minutes=1), slices=[number for number in ALL if number not in mine])
    assert [row for row in world.alerts() if row["state"] != "resolved"] == []


def test_a_rung_is_climbed_by_whoever_comes_first_with_the_home_s_own_policy(world: World) -> None:
    home = world.home("h1", rung_urgent_s=90)
    world.person("wang", "worker", channels=["json://127.0.0.1:1"])
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    home.urgent(home.device("smoke", "kitchen"), "smoke", NOW)
    others = [number for number in ALL if number != home.id % COUNT]
    world.tick(NOW, slices=others)
    assert world.alerts() == [], "its events are its own slice's"
    world.tick(NOW, slices=[home.id % COUNT])
    world.owner.execute("UPDATE alert SET rung = 0, rung_at = %s", [NOW + timedelta(seconds=30)])
    ladder.escalate(world.worker, NOW + timedelta(seconds=31), {}, [])
    world.worker.commit()
    assert {row["rung_at"] for row in world.alerts()} == {NOW + timedelta(seconds=31 + 90)}


@pytest.fixture
def workers(database: Database) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    running: dict[str, subprocess.Popen[bytes]] = {}
    for name in ("a", "b"):
        environment = {
            **os.environ, "YIJU_DATABASE_URL": database.url, "YIJU_ALERTS_WORKER": name, "YIJU_LOG_LEVEL": "ERROR",
            "YIJU_TICK_S": "1",
        }  # fmt: skip
        running[name] = subprocess.Popen([sys.executable, "-m", "yiju", "alerts"], env=environment)
    yield running
    for process in running.values():
        process.kill()
        process.wait()


def test_a_killed_worker_s_homes_are_taken_over_within_fifteen_seconds_and_nothing_is_doubled(
    world: World, workers: dict[str, "subprocess.Popen[bytes]"], clock: ManualClock
) -> None:
    def share(name: str) -> int:
        return len(world.rows("SELECT FROM alert_slice WHERE holder = %s", name))

    eventually(lambda: share("a") == share("b") == COUNT / 2)
    workers["b"].send_signal(signal.SIGKILL)
    killed = time.perf_counter()
    now = datetime.now().astimezone()
    world.person("wang", "worker", channels=["json://127.0.0.1:1"])
    for number in range(COUNT):  # one home in each slice
        home = world.home(f"h{number}")
        home.device("motion", "bedroom")
        home.heard(now - timedelta(days=1, hours=number))  # not all at once: that is one incident of the region
    eventually(lambda: len({row["home_id"] for row in world.alerts()}) == COUNT)
    assert time.perf_counter() - killed < 15
    assert share("a") == COUNT
    assert len(world.alerts()) == len({row["dedup_key"] for row in world.alerts()})


def test_two_workers_that_look_at_one_blackout_at_the_same_moment_make_one_incident_of_it(
    world: World, database: Database
) -> None:
    homes = [world.home(f"h{number}") for number in range(12)]
    for home in homes:
        home.device("motion", "bedroom")
        home.heard(NOW - timedelta(minutes=20))
    mine = [home.id % COUNT for home in homes[:6]]
    theirs = [home.id % COUNT for home in homes[6:]]
    with database.connect(DatabaseRole.ALERTS, autocommit=False) as other:
        other.execute("SET lock_timeout = '5s'")
        tick(world.worker, NOW, slices=mine)  # not committed: the incident is not seen by others yet
        tick(other, NOW, slices=theirs)  # does not wait, and does not make another one
        other.commit()
        world.worker.commit()
        world.tick(NOW + timedelta(seconds=5), slices=mine)
        world.tick(NOW + timedelta(seconds=5), connection=other, slices=theirs)
        (incident,) = world.alerts("regional_outage")
        assert incident["parameters"]["homes"] == 12
        assert {row["state"] for row in world.alerts() if row["kind"] == "gateway_offline"} == {"resolved"}
        # The line is back, and both see it at the same moment: it ends once.
        for home in homes:
            home.heard(NOW + timedelta(minutes=1))
        tick(world.worker, NOW + timedelta(minutes=1), slices=mine)
        tick(other, NOW + timedelta(minutes=1), slices=theirs)
        other.commit()
        world.worker.commit()
        for worker, slice_numbers in ((other, theirs), (world.worker, mine)):
            world.tick(NOW + timedelta(minutes=2), connection=worker, slices=slice_numbers)
    assert world.history(incident["id"]).count("ended_itself") == 1
    assert [row for row in world.alerts() if row["state"] != "resolved"] == []
