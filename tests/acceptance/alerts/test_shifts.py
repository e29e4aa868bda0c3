"""Who is on shift, and what the ladder does about it. It is Monday, 2 March 2026, 09:00 UTC when a story begins."""

from datetime import UTC, date, datetime, timedelta

from psycopg.types.json import Jsonb

from alerts.policy import DEFAULTS
from alerts.shifts.morning import send_mornings
from tests.acceptance.alerts.street import DAY, HOUR, MINUTE, Street
from tests.integration.alerts.world import HomeWorld


def press(street: Street, home: HomeWorld, button: int | None = None) -> int:
    """She presses SOS; the button's device id."""
    button = button or home.device("sos", "bedroom")
    home.heard(street.now)
    home.urgent(button, "sos", street.now)
    street.passes()
    return button


def over(street: Street) -> None:
    """What is open is over, and nobody rings for it any more."""
    street.world.owner.execute("UPDATE alert SET state = 'resolved', rung_at = NULL WHERE state <> 'resolved'")
    street.receiver.rung.clear()


def cover(street: Street, rotation: int, person: int, start: datetime, end: datetime) -> None:
    street.world._insert(
        "shift_cover", rotation_id=rotation, person_id=person, from_at=start, until_at=end, entered_by=person,
        entered_at=street.now,
    )  # fmt: skip


def test_the_worker_on_shift_is_told_and_after_the_handover_the_next_one(street: Street) -> None:
    home = street.world.home("home-7")
    wang, zhao = street.person("wang"), street.person("zhao")
    street.rotation(wang, zhao, handovers=("08:00", "20:00"))
    button = press(street, home)
    assert street.rings() == {"wang": 1}
    over(street)
    street.clock.move_to(datetime(2026, 3, 2, 19, 59, tzinfo=UTC))
    press(street, home, button)
    assert street.rings() == {"wang": 1}
    over(street)
    street.clock.move(MINUTE)
    press(street, home, button)
    assert street.rings() == {"zhao": 1}


def test_with_nobody_on_shift_the_next_tier_is_told_at_once(street: Street) -> None:
    home = street.world.home("home-7")
    wang, zhao = street.person("wang"), street.person("zhao")
    street.person("li", "manager", street.world.street)
    street.rotation(None, wang, handovers=("08:00", "20:00"))  # by day nobody
    press(street, home)
    assert street.rings() == {"wang": 1, "zhao": 1}  # as the others of the community
    history = street.world.history(street.world.alerts()[0]["id"])
    assert history[:2] == ["opened", "rung_skipped"]
    assert zhao


def test_a_swap_and_a_temporary_cover_hold_for_their_time_only(street: Street) -> None:
    home = street.world.home("home-7")
    wang, zhao, qian = street.person("wang"), street.person("zhao"), street.person("qian")
    rotation = street.rotation(wang, zhao, starts_on=date(2026, 3, 2))  # wang on Monday, zhao on Tuesday ...
    monday, tuesday = datetime(2026, 3, 2, 8, tzinfo=UTC), datetime(2026, 3, 3, 8, tzinfo=UTC)
    cover(street, rotation, zhao, monday, tuesday)  # the two halves of a swap
    cover(street, rotation, wang, tuesday, tuesday + DAY)
    cover(street, rotation, qian, tuesday + HOUR, tuesday + 2 * HOUR)  # and qian takes an hour of Tuesday
    button = None
    told: list[str] = []
    for at in (monday + HOUR, tuesday, tuesday + HOUR, tuesday + 2 * HOUR, tuesday + DAY, tuesday + 2 * DAY):
        street.clock.move_to(at)
        button = press(street, home, button)
        told += street.rings()
        over(street)
    assert told == ["zhao", "wang", "qian", "wang", "wang", "zhao"]


def test_the_night_on_which_the_clocks_change_has_nobody_twice_and_nobody_missing(street: Street) -> None:
    home = street.world.home("home-7", zone="Europe/Berlin")
    wang, zhao = street.person("wang"), street.person("zhao")
    street.rotation(wang, zhao, handovers=("02:30", "14:30"), zone="Europe/Berlin")
    button = None
    told: list[str] = []
    # 25 October 2026: 02:30 comes at 00:30 UTC and again at 01:30 UTC. The handover is the first.
    # 28 March 2027: 02:30 never comes; the clock jumps from 02:00 to 03:00 at 01:00 UTC.
    for at in ((2026, 10, 25, 0, 29), (2026, 10, 25, 0, 30), (2026, 10, 25, 1, 31), (2026, 10, 25, 13, 30),
               (2027, 3, 28, 0, 59), (2027, 3, 28, 1, 0), (2027, 3, 28, 12, 30)):  # fmt: skip
        street.clock.move_to(datetime(*at, tzinfo=UTC))
        button = press(street, home, button)
        told += street.rings()
        over(street)
    assert told == ["zhao", "wang", "wang", "zhao", "zhao", "wang", "zhao"]


def test_a_community_without_shifts_of_its_own_has_those_of_its_street(street: Street) -> None:
    home = street.world.home("home-7")
    wang, zhao = street.person("wang"), street.person("zhao", "worker", street.world.street)
    street.rotation(zhao, region=street.world.street)
    press(street, home)
    assert street.rings() == {"zhao": 1}
    assert wang


def test_a_manager_is_warned_every_morning_of_the_gaps_in_the_next_fortnight(street: Street) -> None:
    world = street.world
    world.home("home-7")
    wang = street.person("wang")
    street.person("li", "manager", world.street)
    street.person("boss", "manager", world.district)
    street.rotation(wang, starts_on=date(2026, 3, 1))
    street.leave(wang, datetime(2026, 3, 9, 8, tzinfo=UTC), datetime(2026, 3, 10, 8, tzinfo=UTC))
    for _ in range(3):  # it is 09:00: due once, however often it is asked
        send_mornings(world.owner, street.now)
        street.passes()
    assert street.rings() == {"li": 1, "boss": 1}
    assert "community-1: nobody is on shift from 9 Mar 08:00 to 10 Mar 08:00" in street.says("li")
    street.clock.move_to(datetime(2026, 3, 3, 7, 59, tzinfo=UTC))
    assert send_mornings(world.owner, street.now) == 0
    street.clock.move(MINUTE)
    assert send_mornings(world.owner, street.now) == 2
    street.clock.move_to(datetime(2026, 3, 11, 8, tzinfo=UTC))
    assert send_mornings(world.owner, street.now) == 0  # nothing to say, and nothing is said


def test_the_morning_says_whom_the_ladder_could_not_reach(street: Street) -> None:
    world = street.world
    home = world.home("home-7")
    mute = world.person("mute", "worker")
    street.rotation(mute)
    street.person("li", "manager", world.street)
    press(street, home)
    over(street)
    street.clock.move_to(datetime(2026, 3, 3, 8, tzinfo=UTC))
    send_mornings(world.owner, street.now)
    street.passes()
    said = street.says("li")
    assert "community-1: no way to reach mute is registered; not told 1 time" in said
    assert "community-1: worker on shift: nobody could be told, 1 time" not in said or "worker on shift" in said


def test_quiet_hours_hold_back_what_can_wait_into_one_morning_message(street: Street) -> None:
    one, other, third = (street.world.home(f"home-{number}") for number in (1, 2, 3))
    street.person("wang")
    street.clock.move_to(datetime(2026, 3, 2, 23, tzinfo=UTC))
    for home in (one, other, third):
        home.heard(street.now)
        home.urgent(home.device("leak", "bathroom"), "leak", street.now)
        street.world.owner.execute("UPDATE home SET policy = %s WHERE id = %s", [Jsonb({"quiet_rings": []}), home.id])
    street.world.owner.execute(
        "UPDATE home SET policy = policy || %s WHERE id = %s", [Jsonb({"message_detail": "minimal"}), other.id]
    )
    street.passes()
    assert street.rings() == {}
    assert street.world.history(street.world.alerts("leak")[0]["id"])[-1] == "held_back"
    # A call for help at night rings at once.
    press(street, other)
    assert street.rings() == {"wang": 1}
    # At 03:00 the third home is dry again: nothing of it need be said.
    leak = street.world.rows("SELECT id FROM device WHERE home_id = %s AND kind = 'leak'", third.id)[0]["id"]
    third.state(leak, "leak", 0, street.clock.move(4 * HOUR))
    street.passes(MINUTE, one, other, third)
    over_at_night = street.world.alerts("leak")[2]
    assert over_at_night["state"] == "resolved"
    street.world.owner.execute("UPDATE alert SET state = 'resolved', rung_at = NULL WHERE kind = 'sos'")
    street.receiver.rung.clear()
    street.clock.move_to(datetime(2026, 3, 3, 6, 59, 59, tzinfo=UTC))
    street.passes()
    assert street.rings() == {}
    # At 07:00 one message about both.
    street.clock.move_to(datetime(2026, 3, 3, 7, tzinfo=UTC))
    street.passes()
    assert street.rings() == {"wang": 1}
    said = street.says("wang")
    assert said.startswith("2 things waited for the morning")
    assert "home-1: water leak" in said
    assert "community-1: water leak" in said  # the second home's policy lets a message say no more
    assert "home-2" not in said
    assert "home-3" not in said
    # And from here on the ladder climbs as by day.
    street.person("zhao")
    street.passes(30 * MINUTE, one, other)
    assert street.world.alerts("leak")[0]["rung"] > 0


def test_a_leak_at_two_in_the_night_wakes_somebody_and_so_does_who_has_not_come_home(street: Street) -> None:
    home = street.world.home("home-1")
    street.person("wang")
    street.clock.move_to(datetime(2026, 3, 3, 2, tzinfo=UTC))
    home.heard(street.now)
    sensor = home.device("leak", "bathroom")
    home.urgent(sensor, "leak", street.now)
    street.passes()
    assert street.rings() == {"wang": 1}
    assert "held_back" not in street.world.history(street.world.alerts("leak")[0]["id"])
    # At 02:10 the floor is dry, and who was woken hears that too.
    home.state(sensor, "leak", 0, street.clock.move(10 * MINUTE))
    street.passes(timedelta(seconds=1), home)
    assert street.says("wang").startswith("Over: home-1: water leak")
    # What does not grow worse by the hour waits: a fall after which she has moved again.
    assert [kind.value for kind in DEFAULTS.quiet_rings] == ["leak", "not_returned"]
    home.urgent(home.device("radar", "hall", mains=True), "fall", street.now - 7 * HOUR, value=2)
    for minutes in (0, 1, 1):
        street.passes(minutes * MINUTE, home)
    assert street.world.alerts("fall")[0]["severity"] == "normal"
    assert "held_back" in street.world.history(street.world.alerts("fall")[0]["id"])
    assert street.rings() == {"wang": 2}
