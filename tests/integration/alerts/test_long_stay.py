"""Somebody who does not come out of the bathroom, and somebody who only visits it from before a blind sensor."""

from datetime import timedelta

from psycopg.types.json import Jsonb

from tests.conftest import NOW
from tests.integration.alerts.world import QUARTER, HomeWorld, World

MINUTE = timedelta(minutes=1)


def test_who_went_into_the_bathroom_and_was_seen_nowhere_since_is_found_after_75_minutes(world: World) -> None:
    home, kitchen, bathroom, _ = furnished(world)
    home.life(kitchen, NOW)
    home.life(bathroom, NOW + MINUTE)
    assert not stays(world, home, 74)
    assert stays(world, home, 76)


def test_who_was_somewhere_unseen_before_they_were_seen_in_the_bathroom_is_not(world: World) -> None:
    home, kitchen, bathroom, _ = furnished(world)
    home.life(kitchen, NOW)
    home.life(bathroom, NOW + 70 * MINUTE)
    assert not stays(world, home, 76)


def test_a_blind_sensor_elsewhere_raises_doubt_and_one_in_the_bathroom_itself_does_not(world: World) -> None:
    home, kitchen, bathroom, blind = furnished(world)
    known(world, home, blind=kitchen)
    home.life(kitchen, NOW)
    home.life(bathroom, NOW + MINUTE)
    assert not stays(world, home, 76)
    known(world, home, blind=blind)
    assert stays(world, home, 78)


def furnished(world: World) -> tuple[HomeWorld, int, int, int]:
    """A home that is known; its kitchen's and its bathroom's sensor, and another of the bathroom."""
    home = world.home("h1")
    devices = home.device("motion", "kitchen"), home.device("motion", "bathroom"), home.device("motion", "bathroom")
    home.heard(NOW - timedelta(days=1))
    for device in devices:
        home.state(device, "motion", 0, NOW - QUARTER)
    known(world, home)
    return home, *devices


def known(world: World, home: HomeWorld, blind: int | None = None) -> None:
    sensors = [] if blind is None else [{"device": blind, "since": NOW.timestamp() - 9e5}]
    habits = {"known": True, "fitted_at": NOW.timestamp(), "stay_s": 1800.0, "blind": sensors, "blinded": len(sensors)}
    world.owner.execute(
        "INSERT INTO profile (home_id, version, fitted_at, data) SELECT %s, count(*) + 1, %s, %s FROM profile",
        [home.id, NOW, Jsonb({"form": 2, "known": False, "routine": habits})],
    )


def stays(world: World, home: HomeWorld, minutes: int) -> bool:
    """Whether a long stay is found so long after NOW."""
    home.heard(NOW + minutes * MINUTE)
    world.tick(NOW + minutes * MINUTE)
    return bool(world.alerts("long_stay"))
