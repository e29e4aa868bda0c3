"""Silence: when it is an alarm, what explains it, and what ends it."""

from datetime import timedelta

from alerts.lifecycle import resolve
from core.model import Outcome
from tests.conftest import NOW
from tests.integration.alerts.world import World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


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


def test_one_gateway_of_two_that_is_away_hides_no_silence(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.life(motion, NOW)
    meters = world._insert("gateway", key="gw-meters", home_id=home.id, registered_at=world.registered)
    world.owner.execute("INSERT INTO gateway_status VALUES (%s, false, %s, %s)", [meters, NOW, NOW])
    home.heard(NOW + 13 * HOUR)
    world.tick(NOW + 13 * HOUR)
    assert sorted(row["kind"] for row in world.alerts()) == ["gateway_offline", "inactivity"]


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
