"""Calls for help and other urgent events: each leaves a trace, late ones are judged by when they were measured."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from alerts import ending
from alerts.at_once import at_once
from alerts.detect.fall import GET_UP_S
from alerts.lifecycle import acknowledge, resolve
from alerts.observe import View
from core.model import Outcome
from store.pool import DatabaseRole
from tests.conftest import NOW
from tests.integration.alerts.world import World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_the_same_press_twice_is_recorded_and_a_later_press_is_a_second_occurrence(world: World) -> None:
    home = world.home("h1")
    home.heard(NOW)
    button = home.device("sos", "bedroom")
    home.urgent(button, "sos", NOW)
    world.tick(NOW)
    home.urgent(button, "sos", NOW + timedelta(seconds=2))
    world.tick(NOW + timedelta(seconds=3))
    home.urgent(button, "sos", NOW + 5 * MINUTE)
    assert world.tick(NOW + 5 * MINUTE).again != []
    (alert,) = world.alerts()
    assert alert["occurrences"] == 2
    assert alert["last_at"] == NOW + 5 * MINUTE
    assert [what for what in world.history(alert["id"]) if what not in ("rung_skipped", "nobody_told")] == [
        "opened",
        "repeated",
        "occurred_again",
    ]
    assert world.rows("SELECT * FROM urgent_event WHERE handled_at IS NULL") == []


def test_an_urgent_event_of_long_ago_is_worth_a_look_and_one_of_last_week_nothing(world: World) -> None:
    home = world.home("h1")
    home.heard(NOW)
    button = home.device("sos", "bedroom")
    home.urgent(button, "sos", NOW - 7 * HOUR, stored=NOW)
    home.urgent(home.device("smoke", "kitchen"), "smoke", NOW - timedelta(days=7), stored=NOW)
    world.tick(NOW)
    (alert,) = world.alerts()
    assert (alert["kind"], alert["severity"], alert["message"]) == ("sos", "normal", "finding.sos.late")
    # and a press now makes it urgent
    home.urgent(button, "sos", NOW + MINUTE)
    world.tick(NOW + MINUTE)
    (alert,) = world.alerts()
    assert (alert["severity"], alert["message"], alert["occurrences"]) == ("urgent", "finding.sos.why", 2)
    assert world.rows("SELECT * FROM urgent_event WHERE handled_at IS NULL") == []


def test_a_press_while_the_alert_is_being_resolved_is_an_alert_that_is_told(world: World) -> None:
    home = world.home("h1")
    person = world.person("wang", "worker", channels=["json://127.0.0.1:1"])
    button = home.device("sos", "bedroom")
    home.heard(NOW)
    home.urgent(button, "sos", NOW)
    (first,) = world.tick(NOW).opened
    home.urgent(button, "sos", NOW + 5 * MINUTE)
    with ThreadPoolExecutor(1) as pool, world.database.connect(DatabaseRole.ALERTS, autocommit=False) as other:
        other.execute("SELECT FROM alert WHERE id = %s FOR UPDATE", [first])  # as lifecycle.resolve begins
        ticking = pool.submit(world.tick, NOW + 5 * MINUTE)
        waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while not world.rows(waits):
            assert not ticking.done()
        resolve(other, first, person, NOW + 5 * MINUTE, Outcome.HELPED)
        other.commit()
        (second,) = ticking.result().opened
    assert world.rows("SELECT count(*) AS n FROM delivery WHERE alert_id = %s", second) == [{"n": 1}]


def test_who_took_a_late_call_holds_a_new_one_no_longer_than_a_new_one(world: World) -> None:
    home = world.home("h1")
    person = world.person("wang", "worker", channels=["json://127.0.0.1:1"])
    button = home.device("sos", "bedroom")
    home.heard(NOW)
    home.urgent(button, "sos", NOW - 7 * HOUR, stored=NOW)
    (alert_id,) = world.tick(NOW).opened
    acknowledge(world.owner, alert_id, person, NOW)  # a look today: two hours
    home.urgent(button, "sos", NOW + MINUTE)
    world.tick(NOW + MINUTE)
    assert world.alerts()[0]["ack_until"] == NOW + 16 * MINUTE


def test_a_fall_warning_waits_for_getting_up(world: World) -> None:
    up, down = world.home("up"), world.home("down")
    for home in (up, down):
        home.heard(NOW)
        radar = home.device("radar", "bathroom", mains=True)
        home.urgent(radar, "fall", NOW, value=1)
        if home is up:
            home.state(radar, "fall", 0, NOW + timedelta(seconds=40))
    assert world.tick(NOW + timedelta(seconds=60)).opened == []
    assert len(world.tick(NOW + timedelta(seconds=90)).opened) == 1
    assert [row["home_id"] for row in world.alerts("fall")] == [down.id]
    assert world.rows("SELECT * FROM urgent_event WHERE handled_at IS NULL") == []


def test_what_comes_late_is_never_graver_than_in_time(world: World) -> None:
    home = world.home("h1")
    home.heard(NOW)
    home.urgent(home.device("motion", "entry"), "tamper", NOW - 7 * HOUR, stored=NOW)
    world.tick(NOW, ["json://127.0.0.1:1"])
    assert [(row["severity"], row["message"]) for row in world.alerts()] == [("notice", "finding.tamper.late")]
    assert world.rows("SELECT * FROM delivery") == []


def test_a_leak_ends_when_the_floor_is_dry_but_smoke_needs_a_person(world: World) -> None:
    home = world.home("h1")
    leak, smoke = home.device("leak", "bathroom"), home.device("smoke", "kitchen")
    home.heard(NOW)
    for device, metric in ((leak, "leak"), (smoke, "smoke")):
        home.urgent(device, metric, NOW)
    world.tick(NOW)
    for device, metric in ((leak, "leak"), (smoke, "smoke")):
        home.state(device, metric, 0, NOW + 5 * MINUTE)
    world.tick(NOW + 5 * MINUTE)
    assert {row["kind"]: row["state"] for row in world.alerts()} == {"leak": "resolved", "smoke": "open"}


def test_a_leak_that_comes_again_while_a_look_ends_the_last_one_stays_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = world.home("h1")
    home.heard(NOW)
    leak = home.device("leak", "bathroom")
    home.urgent(leak, "leak", NOW)
    world.tick(NOW)
    home.state(leak, "leak", 0, NOW + MINUTE, changed=True)
    meanwhile = ending._life_since

    def wet_again(view: View) -> Any:
        home.urgent(leak, "leak", NOW + 2 * MINUTE)
        with world.database.connect(DatabaseRole.ALERTS, autocommit=False) as other:
            at_once(other, NOW + 2 * MINUTE)
        return meanwhile(view)

    monkeypatch.setattr(ending, "_life_since", wet_again)
    world.tick(NOW + 2 * MINUTE)
    (alert,) = world.alerts("leak")
    assert (alert["state"], alert["occurrences"]) == ("open", 2)


def test_an_event_that_cannot_become_an_alert_hides_no_other_homes_event(world: World) -> None:
    world.owner.execute(
        "INSERT INTO urgent_event (home_id, device_id, metric, time, value, stored_at) VALUES (999, 1, 6, %s, 1, %s)",
        [NOW, NOW],
    )
    home = world.home("h1")
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    world.tick(NOW)
    assert [row["home_id"] for row in world.alerts("sos")] == [home.id]


def test_a_sensor_that_is_opened_while_somebody_works_on_the_equipment_is_no_alert(world: World) -> None:
    home, fitter = world.home("h1"), world.person("fitter", "worker")
    home.heard(NOW)
    world._insert("maintenance", home_id=home.id, from_at=NOW - HOUR, until_at=NOW + HOUR, entered_by=fitter,
                  entered_at=NOW - HOUR)  # fmt: skip
    home.urgent(home.device("motion", "entry"), "tamper", NOW)
    with world.database.connect(DatabaseRole.ALERTS, autocommit=False) as connection:
        done = at_once(connection, NOW)
    assert done.look
    world.tick(NOW)
    assert world.alerts() == []
    assert [row["kind"] for row in world.rows("SELECT kind FROM muted_finding")] == ["tamper"]
    assert world.rows("SELECT FROM urgent_event WHERE handled_at IS NULL") == []


def test_a_call_for_help_is_an_alert_on_its_first_rung_without_a_look_at_everything(world: World) -> None:
    home = world.home("h1")
    worker = world.person("wang", "worker", channels=["json://127.0.0.1:1"])
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    home.urgent(home.device("smoke", "kitchen"), "smoke", NOW)
    home.urgent(home.device("radar", "bedroom"), "fall", NOW, value=2)
    with world.database.connect(DatabaseRole.ALERTS, autocommit=False) as connection:
        done = at_once(connection, NOW)
    assert (len(done.opened), done.look) == (2, True)  # the fall waits for the look at everything
    assert [row["kind"] for row in world.alerts()] == ["sos", "smoke"]
    told = world.rows("SELECT alert_id, rung, person_id FROM delivery ORDER BY alert_id")
    assert told == [{"alert_id": alert, "rung": 1, "person_id": worker} for alert in done.opened]
    world.tick(NOW)
    assert [row["kind"] for row in world.alerts()] == ["sos", "smoke"]  # a fall waits for what follows, and is not lost
    world.tick(NOW + timedelta(seconds=GET_UP_S))
    assert sorted(row["kind"] for row in world.alerts()) == ["fall", "smoke", "sos"]
    assert world.rows("SELECT * FROM urgent_event WHERE handled_at IS NULL") == []


def test_a_second_press_brought_in_at_once_is_an_occurrence_and_asks_for_a_look(world: World) -> None:
    home = world.home("h1")
    home.heard(NOW)
    button = home.device("sos", "bedroom")
    home.urgent(button, "sos", NOW)
    home.urgent(button, "sos", NOW + 5 * MINUTE)
    with world.database.connect(DatabaseRole.ALERTS, autocommit=False) as connection:
        done = at_once(connection, NOW + 5 * MINUTE)
    assert (len(done.opened), done.look) == (1, True)
    assert [row["occurrences"] for row in world.alerts()] == [2]
