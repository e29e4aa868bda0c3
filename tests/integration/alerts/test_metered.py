"""A home with nothing but a smart meter is watched by what is switched on and off."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from psycopg.types.json import Jsonb

import store
from alerts.detect import power
from alerts.engine import detect
from alerts.learn import learn_home
from alerts.observe import observe
from alerts.reasoning import reason
from tests.conftest import NOW
from tests.integration.alerts.world import HomeWorld, World

HOUR = timedelta(hours=1)
POWER = 20


def lives(world: World, home: HomeWorld, meter: int, start: datetime, end: datetime, kettle: tuple[int, int]) -> None:
    """A value a minute: a fridge round the clock, and a kettle at five past each hour of `kettle` (from, to)."""
    world.owner.execute("SELECT reading_make_room(%s, %s)", [start, end])
    world.owner.execute(
        "INSERT INTO reading SELECT %(home)s, %(meter)s, %(batch)s, at, at,"
        " 60 + extract(minute FROM at)::int %% 3"
        " + CASE WHEN extract(epoch FROM at)::int / 60 %% 47 < 20 THEN 80 ELSE 0 END"
        " + CASE WHEN extract(minute FROM at) = 5 AND extract(hour FROM at AT TIME ZONE 'UTC') BETWEEN %(first)s AND"
        " %(last)s THEN 2000 ELSE 0 END, %(power)s, 1"
        " FROM generate_series(%(start)s::timestamptz, %(end)s - interval '1 minute', interval '1 minute') AS at",
        {"home": home.id, "meter": meter, "batch": world.batch, "first": kettle[0], "last": kettle[1], "power": POWER,
         "start": start, "end": end},
    )  # fmt: skip
    world.owner.execute(
        "INSERT INTO rollup SELECT %s, at, %s, %s, 15, 0, 0, 0, 0, 0 FROM generate_series(%s::timestamptz,"
        " %s - interval '15 minutes', interval '15 minutes') AS at ON CONFLICT DO NOTHING",
        [home.id, meter, POWER, start, end],
    )


def test_who_switches_nothing_on_any_more_is_missed_though_the_fridge_goes_on(world: World) -> None:
    home = world.home("h1")
    meter = home.device("meter", mains=True)
    lives(world, home, meter, NOW - timedelta(days=12), NOW + 6 * HOUR, (6, 22))  # NOW is 09:00
    for now in (NOW, NOW + timedelta(minutes=2)):
        home.heard(now)
        home.state(meter, "power", 60, now)
        world.tick(now)
    (kept,) = world.rows("SELECT life_at FROM power_life")
    assert kept["life_at"] == NOW - timedelta(minutes=54)  # the kettle at 08:05, for a minute
    (profile,) = world.rows("SELECT data FROM profile")
    assert profile["data"]["known"]
    usual = NOW + 6 * HOUR
    home.heard(usual)
    home.state(meter, "power", 60, usual)
    world.tick(usual)
    assert world.alerts("inactivity") == []
    lives(world, home, meter, usual, usual + 8 * HOUR, (0, -1))  # from 15:00 on the fridge alone
    for hours in (0.5, 7.9):
        now = usual + hours * HOUR
        home.heard(now)
        home.state(meter, "power", 60, now)
        world.tick(now)
        world.tick(now + timedelta(seconds=5))
    (alert,) = world.alerts("inactivity")
    assert alert["began_at"] == usual - timedelta(minutes=54)
    assert alert["parameters"]["limit_s"] < 8 * 3600


def fills_in(world: World, home: HomeWorld, meter: int, start: datetime, end: datetime) -> None:
    """Its hub repeats one value each minute."""
    world.owner.execute("SELECT reading_make_room(%s, %s)", [start, end])
    world.owner.execute(
        "INSERT INTO reading SELECT %s, %s, %s, at, at, 63, %s, 0"
        " FROM generate_series(%s::timestamptz, %s - interval '1 minute', interval '1 minute') AS at",
        [home.id, meter, world.batch, POWER, start, end],
    )


def look(world: World, home: HomeWorld, meter: int, now: datetime) -> set[str]:
    """A tick; gives the kinds of the alerts that are open then."""
    home.heard(now)
    home._rollup(meter, POWER, now, 0)
    world.owner.execute(
        "INSERT INTO device_state (device_id, metric, home_id, time, value, on_at, changed_at, received_at)"
        " VALUES (%s, %s, %s, %s, 63, %s, %s, %s) ON CONFLICT (device_id, metric) DO UPDATE SET time = excluded.time,"
        " received_at = excluded.received_at",
        [meter, POWER, home.id, now, now, now, now],
    )  # fmt: skip
    world.tick(now)
    return {alert["kind"] for alert in world.alerts() if alert["state"] != "resolved"}


def test_a_meter_that_is_filled_with_one_value_is_no_quiet_home(world: World) -> None:
    """After 14 h of it, a night and a morning: a silence is found as it was before."""
    home = world.home("h1", stuck_s=10 * 86_400)  # that the sensor is stuck is another notice
    meter = home.device("meter", mains=True)
    dead, back = NOW + timedelta(minutes=10), NOW + 14 * HOUR
    silent = NOW + 26 * HOUR  # 11:00
    lives(world, home, meter, NOW - timedelta(days=14), dead, (6, 22))
    fills_in(world, home, meter, dead, back)
    lives(world, home, meter, back, silent, (6, 10))
    lives(world, home, meter, silent, silent + 12 * HOUR, (0, -1))
    half = timedelta(minutes=30)
    opened = {step: look(world, home, meter, NOW + step * half) for step in range(77)}
    said = {step for step, kinds in opened.items() if "cannot_watch" in kinds}
    assert said == set(range(3, 28))  # 63 W since 09:10: an hour later, until the meter is back at 23:00
    (alarm,) = world.alerts("inactivity")  # none of that day and of the night after it
    assert silent - HOUR < alarm["began_at"] < silent
    assert alarm["opened_at"] < silent + 8 * HOUR
    (memory,) = world.rows("SELECT data FROM home_memory")
    _, lengths, _ = memory["data"]["spells"]
    assert 8 * 3600 > max(lengths) > 7 * 3600  # a night; the quiet day taught nothing


def test_a_meter_is_no_witness_where_sensors_are(world: World) -> None:
    home = world.home("h1")
    home.device("motion", "kitchen")
    meter = home.device("meter", mains=True)
    lives(world, home, meter, NOW - timedelta(days=1), NOW, (0, 23))
    home.heard(NOW)
    world.tick(NOW)
    assert world.rows("SELECT * FROM power_life") == []


def test_who_once_pressed_the_ok_button_is_watched_by_the_meter_all_the_same(world: World) -> None:
    home = world.home("h1")
    meter = home.device("meter", mains=True)
    home.life(home.device("sos", "bedroom"), NOW - timedelta(days=2), "ok_press")
    lives(world, home, meter, NOW - timedelta(days=3), NOW, (6, 22))
    home.heard(NOW)
    home.state(meter, "power", 60, NOW)
    seen = observe(world.worker, NOW)
    assert seen.homes.life_at[0] == (NOW - timedelta(minutes=54)).timestamp()
    assert seen.homes.life_room[0] == ""
    assert "inactivity" not in {finding.kind for finding in detect(seen, NOW)}


def test_of_two_meters_the_one_that_is_followed_is_learned(world: World) -> None:
    home = world.home("h1")
    meter, other = home.device("meter", mains=True), home.device("meter", mains=True)
    lives(world, home, meter, NOW - timedelta(days=9), NOW, (6, 22))
    home.state(other, "power", 10, NOW)
    home.heard(NOW)
    assert learn_home(world.owner, home.id, "UTC", NOW)["known"]


def test_a_meter_that_only_counts_each_quarter_of_an_hour_shows_who_boils_water(world: World) -> None:
    """It never says its power; the engine and hindsight see the same."""
    home = world.home("h1")
    meter = home.device("meter", mains=True)
    start, counted = NOW - timedelta(days=12), 100.0
    for quarter in range(12 * 96 + 1):  # 60 to 62 W, and the kettle at 7, 12, 17 and 22 o'clock
        at = start + quarter * timedelta(minutes=15)
        boils = at.minute == 15 and at.hour in (7, 12, 17, 22)
        counted += (0.0155 if quarter % 3 else 0.015) + 0.1 * boils
        home.state(meter, "energy", round(counted, 4), at)
    home.heard(NOW)
    learn_home(world.owner, home.id, "UTC", NOW)
    world.owner.execute("UPDATE power_life SET until = NULL")  # as of a home that was never looked at
    now = NOW + timedelta(minutes=1)
    seen = observe(world.worker, now)
    assert seen.homes.life_at[0] == (NOW - 1.5 * HOUR).timestamp()  # lower again at 07:30
    found = reason(world.owner, "h1", now)
    assert found.life_at == seen.homes.life_at[0]
    assert found.unseen_s == seen.homes.unseen_s[0]


def test_what_was_learned_of_steps_up_from_40_w_is_kept(world: World) -> None:
    """By the migration that gave each class its new place."""
    (script,) = (Path(store.__file__).parent / "migrations").glob("*_what_a_meter_shows.sql")
    text = script.read_text(encoding="utf-8")
    update = text[text.index("UPDATE power_life") :]
    home = world.home("h1")
    old = [[float(size * 100 + hour) for hour in range(24)] for size in range(24)]
    world.owner.execute("INSERT INTO power_life (home_id, by_hour) VALUES (%s, %s)", [home.id, Jsonb(old)])
    world.owner.execute(update.encode())
    world.owner.execute(update.encode())  # as it is in the new form
    (kept,) = world.rows("SELECT by_hour FROM power_life")
    assert np.array(kept["by_hour"]).shape == (power.SIZES, 24)
    assert kept["by_hour"][2:24] == old[:22]
    assert not np.array(kept["by_hour"][:2] + kept["by_hour"][24:]).any()
