"""What a tick does with what it sees: one alert, the right one, that ends when it is over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from alerts.at_once import at_once
from alerts.detect.fall import GET_UP_S
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


def test_twelve_hours_of_silence_are_an_alarm_that_a_sign_of_life_ends(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.life(motion, NOW)
    for hours, count in ((11.9, 0), (12.01, 1), (13, 0)):
        now = NOW + hours * HOUR
        home.heard(now)
        assert len(world.tick(now).opened) == count
    (alert,) = world.alerts()
    assert (alert["kind"], alert["severity"], alert["began_at"]) == ("inactivity", "urgent", NOW)
    assert alert["parameters"]["room"] == "kitchen"
    assert alert["coverage"]["sensors_seen"] == 1
    home.life(motion, NOW + 14 * HOUR)
    home.heard(NOW + 14 * HOUR)
    assert world.tick(NOW + 14 * HOUR).ended == [alert["id"]]
    assert world.alerts()[0]["outcome"] == "ended_itself"


def test_a_home_with_known_habits_is_not_left_for_twelve_hours(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.routine(motion, NOW - timedelta(days=9), 9)  # quiet from 23:00 to 05:00, else every quarter
    home.life(motion, NOW)  # 09:00
    home.heard(NOW)
    world.tick(NOW)  # learns
    (profile,) = world.rows("SELECT * FROM profile")
    assert profile["data"]["known"]
    for quarter in range(1, 5 * 4):
        home._rollup(home.itself, 50, NOW + quarter * timedelta(minutes=15), 0)
    for hours, count in ((1.4, 0), (4, 1)):  # never before the floor of 1.5 h; by day nothing is ever quiet for an hour
        home.heard(NOW + hours * HOUR)
        assert len(world.tick(NOW + hours * HOUR).opened) == count
    (alert,) = world.alerts()
    assert 1.5 * 3600 <= alert["parameters"]["limit_s"] < 4 * 3600
    assert alert["parameters"]["profile"] == profile["version"]


def test_a_planned_absence_silences_until_it_ends_or_somebody_moves_in_the_home(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.life(motion, NOW)
    world.owner.execute(
        "INSERT INTO absence (home_id, kind, from_at, until_at, entered_by, entered_at)"
        " VALUES (%s, 'away', %s, %s, %s, %s)",
        [home.id, NOW, NOW + 48 * HOUR, world.person("wang", "worker"), NOW],
    )
    home.heard(NOW + 20 * HOUR)
    assert world.tick(NOW + 20 * HOUR).opened == []
    home.life(motion, NOW + 21 * HOUR)  # she is back early
    home.heard(NOW + 33.1 * HOUR)
    assert len(world.tick(NOW + 33.1 * HOUR).opened) == 1


def test_a_collapse_just_inside_the_door_is_found(world: World) -> None:
    """She comes home after hours, and nothing stirs: that is no outing."""
    home = world.home("h1")
    door, motion = home.device("contact", "entry", exterior=True), home.device("motion", "kitchen")
    for day in range(9, 0, -1):
        morning = NOW - timedelta(days=day)
        for quarter in range(13 * 4):
            if not 12 <= quarter < 20:  # out from 12:00 to 14:00
                home.life(motion, morning + quarter * timedelta(minutes=15))
        for at in (11.9 * 3600, 14 * 3600 - 60):
            home.life(door, morning - 9 * HOUR + timedelta(seconds=at), "open")
    home.heard(NOW)
    for quarter in range(12):
        home.life(motion, NOW + quarter * timedelta(minutes=15))
    home.life(door, NOW + 2.9 * HOUR, "open")
    home.life(door, NOW + 5 * HOUR, "open")  # comes home, and nothing more
    home.heard(NOW + 5 * HOUR)
    world.tick(NOW + 5 * HOUR)
    home.heard(NOW + 15 * HOUR)
    world.tick(NOW + 15 * HOUR)
    (alert,) = world.alerts("inactivity")
    assert alert["parameters"]["limit_s"] < 9 * 3600


def test_time_in_which_nothing_was_received_is_not_silence(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.routine(motion, NOW - timedelta(days=9), 9)
    home.life(motion, NOW)
    home.heard(NOW)
    world.tick(NOW)
    back = NOW + 5 * HOUR  # gateway without power for five hours
    home.heard(back)
    assert world.tick(back).opened == []
    for quarter in range(5 * 4 + 1, 10 * 4):
        home._rollup(home.itself, 50, NOW + quarter * timedelta(minutes=15), 0)
    now = NOW + 9.6 * HOUR
    home.heard(now)
    assert len(world.tick(now).opened) == 1
    assert world.alerts()[0]["coverage"]["unseen_s"] == 19 * 900  # whole quarters of an hour


def test_who_went_out_is_missed_after_a_day_only(world: World) -> None:
    home = world.home("h1")
    door, hall = home.device("contact", "entry", exterior=True), home.device("motion", "entry")
    home.life(door, NOW, "open")
    home.life(hall, NOW + timedelta(seconds=3))  # the hall's sensor while the door falls shut
    home.heard(NOW + 13 * HOUR)
    assert world.tick(NOW + 13 * HOUR).opened == []
    home.heard(NOW + 24.1 * HOUR)
    world.tick(NOW + 24.1 * HOUR)
    assert [row["kind"] for row in world.alerts()] == ["not_returned"]
    # she comes home, and nobody need do anything
    home.life(door, NOW + 25 * HOUR, "open")
    home.heard(NOW + 25 * HOUR)
    world.tick(NOW + 25 * HOUR)
    assert world.alerts()[0]["state"] == "resolved"


def test_a_use_of_the_door_that_was_heard_of_late_ends_an_absence(world: World) -> None:
    home = world.home("h1")
    door = home.device("contact", "entry", exterior=True)
    home.device("motion", "kitchen")
    home.life(door, NOW, "open")
    home.heard(NOW + 24.1 * HOUR)
    world.tick(NOW + 24.1 * HOUR)
    assert [row["kind"] for row in world.alerts()] == ["not_returned"]
    home.life(door, NOW + 23 * HOUR, "open")
    home.heard(NOW + 24.2 * HOUR)
    world.tick(NOW + 24.2 * HOUR)  # nobody knows how long is too long there: no number to compare with
    assert world.alerts()[0]["outcome"] == "ended_itself"


def test_activity_behind_the_door_means_that_somebody_is_home(world: World) -> None:
    home = world.home("h1")
    door, kitchen = home.device("contact", "entry", exterior=True), home.device("motion", "kitchen")
    home.life(door, NOW, "open")
    home.life(kitchen, NOW + 2 * MINUTE)
    home.heard(NOW + 12.1 * HOUR)
    world.tick(NOW + 12.1 * HOUR)
    assert [row["kind"] for row in world.alerts()] == ["inactivity"]


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


def test_a_backlog_is_awaited_before_silence_is_judged(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.heard(NOW)
    home.life(motion, NOW)
    later = NOW + 13 * HOUR
    home.will(NOW + 2 * HOUR)
    home.heard(later)
    home.state(home.itself, "uptime", 1, NOW + 2 * HOUR)  # its readings have arrived as far as 11:00
    assert world.tick(later).opened == []
    home.heard(later + MINUTE)  # and now they are of the present
    assert len(world.tick(later + MINUTE).opened) == 1


def test_a_home_whose_sensors_cannot_be_seen_is_never_inactive(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen", mains=True)
    home.life(motion, NOW)
    home.heard(NOW + 13 * HOUR, since=NOW)
    world.tick(NOW + 13 * HOUR)
    assert sorted(row["kind"] for row in world.alerts()) == ["cannot_watch", "device_silent"]


def test_sensors_that_are_said_to_be_gone_see_nothing(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.life(motion, NOW)
    home.state(motion, "online", 0, NOW + 11 * HOUR)  # the stick was pulled out; the gateway itself is well
    home.heard(NOW + 13 * HOUR, since=NOW)
    world.tick(NOW + 13 * HOUR)
    assert sorted(row["kind"] for row in world.alerts()) == ["cannot_watch", "device_silent"]
    assert world.alerts("cannot_watch")[0]["began_at"] == NOW + 11 * HOUR


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


def test_one_gateway_of_two_that_is_away_hides_no_silence(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.life(motion, NOW)
    meters = world._insert("gateway", key="gw-meters", home_id=home.id, registered_at=world.registered)
    world.owner.execute("INSERT INTO gateway_status VALUES (%s, false, %s, %s)", [meters, NOW, NOW])
    home.heard(NOW + 13 * HOUR)
    world.tick(NOW + 13 * HOUR)
    assert sorted(row["kind"] for row in world.alerts()) == ["gateway_offline", "inactivity"]


def test_what_comes_late_is_never_graver_than_in_time(world: World) -> None:
    home = world.home("h1")
    home.heard(NOW)
    home.urgent(home.device("motion", "entry"), "tamper", NOW - 7 * HOUR, stored=NOW)
    world.tick(NOW, ["json://127.0.0.1:1"])
    assert [(row["severity"], row["message"]) for row in world.alerts()] == [("notice", "finding.tamper.late")]
    assert world.rows("SELECT * FROM delivery") == []


def test_late_data_ends_a_silence_and_the_history_says_so(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.life(motion, NOW)
    home.heard(NOW + 13 * HOUR)
    world.tick(NOW + 13 * HOUR)
    home.life(motion, NOW + 11 * HOUR)  # measured before the alarm, arrived after it
    world.tick(NOW + 13 * HOUR + MINUTE)
    (alert,) = world.alerts()
    assert alert["outcome"] == "ended_itself"
    (event,) = world.rows("SELECT details FROM alert_event WHERE what = 'ended_itself'")
    assert event["details"]["late"] is True


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


def test_a_silence_that_was_looked_into_comes_up_again_when_it_goes_on(world: World) -> None:
    home = world.home("h1")
    person = world.person("wang", "worker")
    home.life(home.device("motion", "kitchen"), NOW)
    home.heard(NOW + 12.1 * HOUR)
    (alert_id,) = world.tick(NOW + 12.1 * HOUR).opened
    resolve(world.owner, alert_id, person, NOW + 12.5 * HOUR, Outcome.FALSE_ALARM)
    for hours, count in ((12.6, 0), (24.4, 0), (24.6, 1)):
        home.heard(NOW + hours * HOUR)
        assert len(world.tick(NOW + hours * HOUR).opened) == count


def test_a_home_that_nobody_sees_is_not_forgotten_after_one_tap(world: World) -> None:
    home = world.home("h1")
    person = world.person("wang", "worker")
    home.device("motion", "kitchen")
    home.heard(NOW)
    (alert_id,) = world.tick(NOW + HOUR).opened
    resolve(world.owner, alert_id, person, NOW + HOUR, Outcome.SENSOR_FAULT)
    assert world.tick(NOW + 12.9 * HOUR).opened == []
    world.tick(NOW + 13.1 * HOUR)
    assert [(row["kind"], row["state"]) for row in world.alerts()] == [
        ("gateway_offline", "resolved"),
        ("gateway_offline", "open"),
    ]


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


def test_nobody_holds_an_alert_for_longer_than_a_day(world: World) -> None:
    home = world.home("h1")
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    worker = world.person("w", "worker")
    (alert,) = world.tick(NOW).opened
    with pytest.raises(Conflict, match="at most"):
        acknowledge(world.owner, alert, worker, NOW, NOW + timedelta(days=365))


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
