"""What is muted, by what, and how it comes up again. It is 09:00 when a story begins."""

from datetime import timedelta

from tests.acceptance.alerts.street import DAY, HOUR, MINUTE, Street
from tests.integration.alerts.world import HomeWorld


def muted(street: Street) -> dict[str, str]:
    """kind -> cause, of what is muted now."""
    return {
        row["kind"]: row["cause"] for row in street.world.rows("SELECT * FROM muted_finding WHERE ended_at IS NULL")
    }


def kinds(street: Street) -> list[str]:
    """What is open."""
    return sorted(row["kind"] for row in street.world.alerts() if row["state"] != "resolved")


def lives_in(street: Street, home: HomeWorld) -> int:
    """She is up at 09:00; her motion sensor."""
    motion = home.device("motion", "kitchen")
    home.life(motion, street.now)
    return motion


def test_a_stay_with_the_daughter_mutes_the_silence_and_afterwards_it_comes_up(street: Street) -> None:
    home = street.world.home("home-7")
    motion = lives_in(street, home)
    absence = street.absence(home, "away", street.now, street.now + 2 * DAY)
    street.passes(13 * HOUR, home)
    assert kinds(street) == []
    assert muted(street) == {"inactivity": f"absence:{absence}"}
    # A call for help rings all the same.
    home.urgent(home.device("sos", "bedroom"), "sos", street.now)
    street.passes()
    assert kinds(street) == ["sos"]
    # She has not come back when the time is over. (The sensor has checked in meanwhile, as it does each day.)
    home.state(motion, "battery", 90, street.now + 2 * DAY)
    street.passes(2 * DAY, home)
    assert "inactivity" in kinds(street)
    assert muted(street) == {}
    (row,) = street.world.rows("SELECT ended_at FROM muted_finding WHERE kind = 'inactivity'")
    assert row["ended_at"] == street.now  # and that it was muted stays on record


def test_an_absence_ends_by_itself_when_she_is_home_again_not_when_flowers_are_watered(street: Street) -> None:
    home = street.world.home("home-7")
    motion = lives_in(street, home)
    street.absence(home, "hospital", street.now, street.now + 20 * DAY)
    street.clock.move(3 * DAY)
    for minutes in (0, 8):
        home.life(motion, street.clock.move(minutes * MINUTE))
        street.passes(MINUTE, home)
    assert street.world.rows("SELECT ended_at FROM absence") == [{"ended_at": None}]
    street.clock.move(2 * DAY)
    for _ in range(3):
        home.life(motion, street.clock.move(15 * MINUTE))
        street.passes(MINUTE, home)
    (row,) = street.world.rows("SELECT ended_at, ended_by FROM absence")
    assert row == {"ended_at": street.now, "ended_by": None}


def test_who_comes_home_early_and_falls_silent_is_not_muted(street: Street) -> None:
    home = street.world.home("home-7")
    motion = lives_in(street, home)
    street.absence(home, "away", street.now, street.now + 5 * DAY)
    street.clock.move(DAY)
    home.life(motion, street.now)  # somebody is there, once, and then nothing
    street.passes(12.1 * HOUR, home)
    assert kinds(street) == ["inactivity"]


def test_with_a_visitor_in_the_home_a_silence_counts(street: Street) -> None:
    home = street.world.home("home-7")
    lives_in(street, home)
    street.absence(home, "visitor", street.now, street.now + 5 * DAY)
    street.passes(12.1 * HOUR, home)
    assert kinds(street) == ["inactivity"]


def test_work_on_the_equipment_mutes_the_equipment_of_the_home_or_of_the_region(street: Street) -> None:
    own, region = street.world.home("own"), street.world.home("region")
    other = street.world.region("community-2", "community", street.world.street)
    far = street.world.home("far", other)
    for home in (own, region, far):
        home.device("motion", "kitchen")
        home.heard(street.now)
    street.maintenance(street.now, street.now + 2 * HOUR, home_id=own.id)
    street.clock.move(timedelta(seconds=1))
    street.maintenance(street.now, street.now + 3 * HOUR, region_id=street.world.community)
    street.passes(HOUR)
    assert [(row["kind"], row["home_id"]) for row in street.world.alerts()] == [("gateway_offline", far.id)]
    street.passes(3 * HOUR)
    assert kinds(street) == ["gateway_offline"] * 3


def blackout(street: Street, homes: list[HomeWorld]) -> None:
    for home in homes:
        home.will(street.now)


def test_a_power_cut_in_the_street_is_one_incident_with_its_homes(street: Street) -> None:
    world = street.world
    homes = [world.home(f"home-{number}") for number in range(12)]
    elsewhere = world.home("elsewhere", world.region("community-2", "community", world.street))
    wang = street.person("wang")
    street.person("li", "manager", world.street)
    for home in (*homes, elsewhere):
        home.device("motion", "kitchen")
        home.heard(street.now)
    # The first four are noticed a little before the others: four alerts, as nobody can know yet.
    blackout(street, homes[:4])
    street.passes(MINUTE)
    assert kinds(street) == ["gateway_offline"] * 4
    blackout(street, homes[4:9])
    for home in (*homes[9:], elsewhere):
        home.heard(street.now)
    street.passes(MINUTE, *homes[9:], elsewhere)
    assert kinds(street) == ["regional_outage"]
    (incident,) = (row for row in world.alerts() if row["state"] == "open")
    assert (incident["home_id"], incident["region_id"]) == (None, world.community)
    assert incident["parameters"] == {"homes": 9, "region": "community-1"}
    assert street.rings() == {"wang": 1, "li": 1}
    assert street.says("wang").startswith("community-1: regional outage")
    assert "ended_itself" in world.history(world.alerts("gateway_offline")[0]["id"])
    assert set(muted(street).values()) == {f"v1:regional_outage:r{world.community}"}
    # One more goes: it belongs to it, and nobody is told again.
    blackout(street, homes[9:10])
    street.passes(MINUTE, *homes[10:], elsewhere)
    street.passes(MINUTE, *homes[10:], elsewhere)
    assert kinds(street) == ["regional_outage"]
    assert world.alerts("regional_outage")[0]["parameters"]["homes"] == 10
    assert street.rings() == {"wang": 1, "li": 1}
    # The power is back for all but two: the incident ends, those who were told hear it, and the two come up.
    street.clock.move(20 * MINUTE)
    for home in (*homes[2:], elsewhere):
        home.heard(street.now)
    street.passes()
    assert kinds(street) == ["gateway_offline"] * 2
    assert street.rings() == {"wang": 2, "li": 2}
    assert street.says("li").startswith("Over: community-1: regional outage")
    assert wang


def test_gateways_that_fail_one_by_one_over_a_day_are_no_incident(street: Street) -> None:
    homes = [street.world.home(f"home-{number}") for number in range(8)]
    for home in homes:
        home.device("motion", "kitchen")
        home.heard(street.now)
    for number, home in enumerate(homes):
        home.will(street.now)
        street.passes(HOUR, *homes[number + 1 :])
    assert kinds(street) == ["gateway_offline"] * 8


def test_an_outage_of_two_communities_is_one_incident_of_their_street(street: Street) -> None:
    world = street.world
    other = world.region("community-2", "community", world.street)
    world.region("street-2", "street", world.district)
    homes = [world.home(f"home-{number}", other if number % 2 else None) for number in range(12)]
    for home in homes:
        home.device("motion", "kitchen")
        home.heard(street.now)
    blackout(street, homes)
    street.passes(2 * MINUTE)
    assert [(row["kind"], row["region_id"]) for row in world.alerts()] == [("regional_outage", world.street)]
