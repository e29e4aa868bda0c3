"""What a tick does with what it sees: one alert, the right one, that ends when it is over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from alerts.lifecycle import acknowledge, on_site, resolve
from core.errors import Conflict
from core.model import Outcome
from store.pool import DatabaseRole
from tests.conftest import NOW
from tests.integration.alerts.world import World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_two_workers_that_tick_at_once_open_one_alert(world: World) -> None:
    home = world.home("h1")
    home.heard(NOW)
    home.life(home.device("motion", "living"), NOW - 13 * HOUR)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    home.urgent(home.device("sos", "living"), "sos", NOW)
    barrier = Barrier(4)

    def work(_: int) -> int:
        with world.database.connect(DatabaseRole.ALERTS, autocommit=False) as connection:
            barrier.wait()
            return len(world.tick(NOW, connection=connection).opened)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 2
    assert sorted((row["kind"], row["occurrences"]) for row in world.alerts()) == [("inactivity", 1), ("sos", 2)]


def test_a_tick_again_changes_nothing(world: World) -> None:
    home = world.home("h1")
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    world.tick(NOW, ["json://127.0.0.1:1"])
    before = [world.rows(f"SELECT * FROM {table} ORDER BY id") for table in ("alert", "alert_event", "delivery")]
    world.tick(NOW, ["json://127.0.0.1:1"])
    assert before == [
        world.rows(f"SELECT * FROM {table} ORDER BY id") for table in ("alert", "alert_event", "delivery")
    ]


def test_a_gateway_offline_mutes_its_home_and_what_still_holds_comes_up_after(world: World) -> None:
    home = world.home("h1")
    motion, radar = home.device("motion", "kitchen"), home.device("radar", "bathroom", mains=True)
    home.heard(NOW)
    home.life(motion, NOW)
    home.state(radar, "presence", 0, NOW)
    later = NOW + 13 * HOUR
    world.tick(later)
    assert [row["kind"] for row in world.alerts()] == ["gateway_offline"]
    muted = {row["kind"]: row["cause"] for row in world.rows("SELECT * FROM muted_finding")}
    assert muted == dict.fromkeys(("device_silent", "cannot_watch"), f"v1:gateway_offline:{home.id}:{home.gateway}")
    # it is back: the radar has its 25 minutes to speak, and then it is its own trouble
    home.heard(later + MINUTE, since=later + MINUTE)
    world.owner.execute("UPDATE gateway_status SET since = %s", [later + MINUTE])
    world.tick(later + MINUTE)
    assert {row["kind"]: row["state"] for row in world.alerts()} == {
        "gateway_offline": "resolved",
        "inactivity": "open",  # thirteen hours, and nothing in the backlog
    }
    home.heard(later + 27 * MINUTE)
    world.tick(later + 27 * MINUTE)
    assert "device_silent" in [row["kind"] for row in world.alerts() if row["state"] == "open"]
    assert world.rows("SELECT * FROM muted_finding WHERE ended_at IS NULL") == []


def test_a_dead_sensor_comes_up_again_after_its_gateway_was_away(world: World) -> None:
    home = world.home("h1")
    home.device("motion", "kitchen")
    radar = home.device("radar", "bathroom", mains=True)
    home.heard(NOW)
    home.state(radar, "presence", 0, NOW)

    def silent_at(now: datetime) -> list[str]:
        home.heard(now)
        world.tick(now)
        return [row["state"] for row in world.alerts("device_silent")]

    assert silent_at(NOW + 26 * MINUTE) == ["open"]
    home.will(NOW + 30 * MINUTE)
    home.heard(NOW + 31 * MINUTE)  # it is back, and its devices have their time to speak again
    assert silent_at(NOW + 32 * MINUTE) == ["resolved"]
    assert silent_at(NOW + 57 * MINUTE) == ["resolved", "open"]


def test_an_alarm_that_somebody_holds_is_left_to_them(world: World) -> None:
    home = world.home("h1")
    person = world.person("wang", "worker")
    motion = home.device("motion", "kitchen")
    home.life(motion, NOW)
    home.heard(NOW + 13 * HOUR)
    (alert_id,) = world.tick(NOW + 13 * HOUR).opened
    with world.owner.transaction():
        on_site(world.owner, alert_id, person, NOW + 14 * HOUR)
    for minutes in (5, 6):  # it is the worker who moves there
        home.life(motion, NOW + 14 * HOUR + minutes * MINUTE)
        home.heard(NOW + 14 * HOUR + minutes * MINUTE)
        world.tick(NOW + 14 * HOUR + minutes * MINUTE)
    assert world.alerts()[0]["state"] == "on_site"
    assert world.history(alert_id).count("life_again") == 1
    resolve(world.owner, alert_id, person, NOW + 15 * HOUR, Outcome.HELPED)
    home.heard(NOW + 15 * HOUR)
    assert world.tick(NOW + 15 * HOUR).opened == []


def test_an_acknowledgement_expires_into_the_open(world: World) -> None:
    home = world.home("h1")
    person = world.person("wang", "worker", channels=["json://127.0.0.1:1"])
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    (alert_id,) = world.tick(NOW).opened
    acknowledge(world.owner, alert_id, person, NOW + MINUTE)
    world.tick(NOW + 15 * MINUTE)
    assert world.alerts("sos")[0]["state"] == "acknowledged"
    world.owner.execute("UPDATE delivery SET state = 'sent', next_try_at = NULL")
    world.tick(NOW + 16 * MINUTE)
    assert world.alerts("sos")[0]["state"] == "open"
    assert world.history(alert_id)[-1] == "ack_expired"
    assert [row["state"] for row in world.rows("SELECT * FROM delivery")] == ["queued"]  # told again


def test_a_policy_is_inherited_and_a_wrong_value_does_not_stop_the_watch(world: World) -> None:
    world.owner.execute("UPDATE region SET policy = '{\"inactivity_s\": 7200}' WHERE key = 'street-1'")
    home = world.home("h1", inactivity_s="soon")
    home.life(home.device("motion", "kitchen"), NOW)
    home.heard(NOW + 2.1 * HOUR)
    assert len(world.tick(NOW + 2.1 * HOUR).opened) == 1


def test_nobody_holds_an_alert_for_longer_than_a_day(world: World) -> None:
    home = world.home("h1")
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    worker = world.person("w", "worker")
    (alert,) = world.tick(NOW).opened
    with pytest.raises(Conflict, match="at most"):
        acknowledge(world.owner, alert, worker, NOW, NOW + timedelta(days=365))


def test_what_is_open_about_a_device_is_over_when_it_was_taken_away(world: World) -> None:
    """Whoever unscrews a sensor sets off its tamper contact; a puddle under another one is none of this."""
    home = world.home("home-1")
    door, floor = home.device("contact", "entry"), home.device("leak", "kitchen")
    home.heard(NOW)
    home.urgent(door, "tamper", NOW)
    home.urgent(floor, "leak", NOW)
    world.tick(NOW)
    assert {alert["kind"]: alert["state"] for alert in world.alerts()} == {"tamper": "open", "leak": "open"}
    for device in (door, floor):
        world.owner.execute("UPDATE device SET taken_at = %s WHERE id = %s", [NOW, device])
    world.tick(NOW + MINUTE)
    assert {alert["kind"]: alert["state"] for alert in world.alerts()} == {"tamper": "resolved", "leak": "open"}
