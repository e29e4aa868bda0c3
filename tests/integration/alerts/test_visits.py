"""A carer's visit, from the tap to what rings and what does not."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts.lifecycle import on_site, resolve
from alerts.slices import ALL
from alerts.visits import end_forgotten
from care import visits
from core.model import Found, Outcome
from tests.conftest import NOW
from tests.integration.alerts.world import HomeWorld, World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEFT = NOW - 200 * MINUTE  # when the carer left; NOW is 09:00 UTC or later


class Visited:
    """A home with a door and rooms, known for long enough to have limits of two hours indoors; and its carer."""

    def __init__(self, world: World, **policy: Any) -> None:
        self.world = world
        self.home: HomeWorld = world.home("h1", **policy)
        self.carer = world.person("anna", "worker")
        self.door = self.home.device("contact", "entry", exterior=True)
        self.hall = self.home.device("motion", "entry")
        self.kitchen = self.home.device("motion", "kitchen")

    def came_and_left(
        self, found: Found | None, left: datetime = LEFT, *, together: bool = False, minutes: int = 40
    ) -> None:
        """The sensors see it; with a word of how the resident was it is logged, too."""
        came = left - minutes * MINUTE
        for at in (came, left):
            self.home.life(self.hall, at)
            self.home.life(self.door, at + timedelta(seconds=20), "open")
        if found is not None:
            visits.arrive(self.world.owner, self.home.id, self.carer, came)
            visits.leave(self.world.owner, self.home.id, self.carer, left, found, together=together)

    def kinds(self, now: datetime = NOW) -> set[str]:
        for quarters in range(40, -1, -1):  # all the time: what is not heard is no silence
            self.home.heard(now - quarters * 15 * MINUTE, since=NOW - timedelta(days=1))
        self.world.tick(now)
        return {row["kind"] for row in self.world.alerts()}


@pytest.fixture
def visited(world: World) -> Visited:
    return Visited(world, inactivity_s=3 * 3600)


def test_who_falls_behind_the_door_after_the_carer_left_is_found_by_the_limit_indoors(visited: Visited) -> None:
    visited.home.life(visited.kitchen, LEFT - 20 * MINUTE)
    visited.came_and_left(Found.WELL)
    assert visited.kinds(LEFT + 175 * MINUTE) == set()
    assert visited.kinds() == {"inactivity"}
    (alert,) = visited.world.alerts()
    assert (alert["began_at"], alert["parameters"]["room"]) == (LEFT + timedelta(seconds=20), "")


def test_without_a_word_of_the_visit_the_same_silence_is_an_outing(visited: Visited) -> None:
    visited.home.life(visited.kitchen, LEFT - 20 * MINUTE)
    visited.came_and_left(None)
    assert visited.kinds() == set()


@pytest.mark.parametrize(("found", "together"), [(Found.NOT_MET, False), (Found.WELL, True)])
def test_who_was_not_met_or_went_along_is_out(visited: Visited, found: Found, together: bool) -> None:
    visited.home.life(visited.kitchen, LEFT - 20 * MINUTE)
    visited.came_and_left(found, together=together)
    assert visited.kinds() == set()


def test_a_door_that_is_used_later_than_the_margin_is_the_residents_own_outing(visited: Visited) -> None:
    visited.came_and_left(Found.WELL)
    visited.home.life(visited.hall, LEFT + 14 * MINUTE)
    visited.home.life(visited.door, LEFT + 15 * MINUTE, "open")
    assert visited.kinds() == set()


def test_who_is_seen_indoors_after_the_door_fell_shut_is_at_home_and_judged_by_that_room(visited: Visited) -> None:
    visited.came_and_left(Found.WELL)
    visited.home.life(visited.kitchen, LEFT + 3 * MINUTE)
    assert visited.kinds(LEFT + 182 * MINUTE) == set()
    assert visited.kinds() == {"inactivity"}
    (alert,) = visited.world.alerts()
    assert alert["parameters"]["room"] == "kitchen"


def test_being_met_is_a_sign_of_life_where_no_sensor_saw_any(visited: Visited) -> None:
    visited.home.life(visited.kitchen, LEFT - 2 * HOUR)
    visits.log(
        visited.world.owner, visited.home.id, visited.carer, NOW,
        visits.Past(LEFT - 10 * MINUTE, LEFT + 60 * MINUTE, Found.NEEDS_ATTENTION),
    )  # fmt: skip
    assert visited.kinds() == set()


def test_while_a_carer_is_there_silence_rings_nobody_and_an_sos_rings(visited: Visited) -> None:
    visited.home.life(visited.kitchen, NOW - 5 * HOUR)
    visits.arrive(visited.world.owner, visited.home.id, visited.carer, NOW - 5 * MINUTE)
    visited.home.urgent(visited.home.device("sos", "bedroom"), "sos", NOW)
    assert visited.kinds() == {"sos"}
    (muted,) = visited.world.rows("SELECT kind, cause FROM muted_finding WHERE ended_at IS NULL")
    assert (muted["kind"], muted["cause"].split(":")[0]) == ("inactivity", "visit")


def test_an_unclosed_visit_ends_by_itself_and_the_home_is_not_blind(visited: Visited) -> None:
    visited.home.life(visited.kitchen, NOW - 5 * HOUR)
    visits.arrive(visited.world.owner, visited.home.id, visited.carer, NOW - 5 * MINUTE)
    assert "inactivity" not in visited.kinds(NOW + 3 * HOUR)
    over = NOW + 4 * HOUR
    assert "inactivity" in visited.kinds(over)
    (row,) = visited.world.rows("SELECT began_at, ended_at, ended_itself, found FROM care_visit")
    assert (row["ended_at"] - row["began_at"], row["ended_itself"], row["found"]) == (4 * HOUR, True, None)
    assert end_forgotten(visited.world.owner, over, {}) == []


def test_the_time_after_which_a_visit_ends_by_itself_is_inherited(world: World) -> None:
    community = world.region("community-2", "community", world.street, {"visit_s": 3600})
    home, carer = world.home("h2", community), world.person("bo", "worker", community)
    visits.arrive(world.owner, home.id, carer, NOW)
    home.heard(NOW + 2 * HOUR, since=NOW)
    world.tick(NOW + 2 * HOUR)
    (row,) = world.rows("SELECT ended_at FROM care_visit")
    assert row["ended_at"] == NOW + HOUR


def test_a_visit_that_a_home_gives_more_time_is_not_ended_by_the_worker_of_other_homes(world: World) -> None:
    home, carer = world.home("h2", visit_s=8 * 3600), world.person("bo", "worker")
    visits.arrive(world.owner, home.id, carer, NOW)
    home.heard(NOW + 5 * HOUR, since=NOW)
    world.tick(NOW + 5 * HOUR, slices=[one for one in ALL if one != home.id % len(ALL)])
    assert world.rows("SELECT ended_at FROM care_visit") == [{"ended_at": None}]
    world.tick(NOW + 9 * HOUR, slices=[home.id % len(ALL)])
    assert world.rows("SELECT ended_at FROM care_visit") == [{"ended_at": NOW + 8 * HOUR}]


@pytest.mark.parametrize(("found", "home_again"), [(Found.NOT_MET, False), (Found.WELL, True)])
def test_a_carer_in_the_home_of_somebody_who_is_away_is_not_the_resident_come_home(
    visited: Visited, found: Found, home_again: bool
) -> None:
    visited.world._insert("absence", home_id=visited.home.id, kind="hospital", from_at=NOW - timedelta(days=2),
                          until_at=NOW + timedelta(days=5), entered_by=visited.carer,
                          entered_at=NOW - timedelta(days=2))  # fmt: skip
    came, left = NOW - 65 * MINUTE, NOW - 5 * MINUTE
    for quarter in range(4):
        visited.home.life(visited.kitchen, came + quarter * 15 * MINUTE)
    visits.arrive(visited.world.owner, visited.home.id, visited.carer, came)
    visits.leave(visited.world.owner, visited.home.id, visited.carer, left, found)
    visited.kinds()
    assert [row["ended_at"] is not None for row in visited.world.rows("SELECT ended_at FROM absence")] == [home_again]
    assert ("inactivity" in visited.kinds(NOW + 4 * HOUR)) is home_again


def test_who_is_on_site_for_an_alert_is_in_the_home_too(visited: Visited) -> None:
    visited.home.life(visited.kitchen, NOW - 5 * HOUR)
    visited.home.urgent(visited.home.device("sos", "bedroom"), "sos", NOW - 4 * HOUR)
    (sos,) = _at_once(visited, NOW - 4 * HOUR)
    on_site(visited.world.owner, sos, visited.carer, NOW - HOUR)
    assert visited.kinds() == {"sos"}
    resolve(visited.world.owner, sos, visited.carer, NOW, Outcome.HELPED)
    assert visited.kinds(NOW + 5 * MINUTE) == {"sos", "inactivity"}


def _at_once(visited: Visited, now: datetime) -> list[int]:
    visited.kinds(now)
    return [row["id"] for row in visited.world.alerts()]


@pytest.mark.parametrize(
    ("found", "rose"), [(Found.WELL, True), (Found.NEEDS_ATTENTION, False), (Found.NOT_MET, False)]
)
def test_a_carer_in_the_kitchen_does_not_prove_that_the_resident_has_risen_unless_they_are_well(
    world: World, found: Found, rose: bool
) -> None:
    visited = Visited(world)
    noon = NOW.replace(hour=12, minute=0, second=0, microsecond=0)
    bedroom = visited.home.device("motion", "bedroom")
    visited.home.life(bedroom, noon - 8 * HOUR)
    visited.home.life(visited.kitchen, noon - 2 * HOUR)
    visited.home.life(visited.hall, noon - 110 * MINUTE)
    visits.log(
        world.owner, visited.home.id, visited.carer, noon,
        visits.Past(noon - 130 * MINUTE, noon - 100 * MINUTE, found),
    )  # fmt: skip
    visited.home.life(bedroom, noon - 60 * MINUTE)
    visited.home.heard(noon, since=noon - 20 * HOUR)
    world.tick(noon)
    assert ("not_risen" in {row["kind"] for row in world.alerts()}) is not rose


def test_who_rose_before_the_carer_came_has_risen(world: World) -> None:
    visited = Visited(world)
    noon = NOW.replace(hour=12, minute=0, second=0, microsecond=0)
    visited.home.life(visited.kitchen, noon - 4 * HOUR)
    visited.home.life(visited.kitchen, noon - 2 * HOUR)
    visits.log(
        world.owner, visited.home.id, visited.carer, noon,
        visits.Past(noon - 130 * MINUTE, noon - 100 * MINUTE, Found.NEEDS_ATTENTION),
    )  # fmt: skip
    visited.home.heard(noon, since=noon - 20 * HOUR)
    world.tick(noon)
    assert world.alerts("not_risen") == []
