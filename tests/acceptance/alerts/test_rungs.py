"""The ladder rung by rung, and every reason to skip one. It is 09:00 when a story begins."""

from datetime import timedelta

import psycopg
import pytest
from psycopg.types.json import Jsonb

from alerts.lifecycle import acknowledge, hand_on, home_policy, on_site, reopen, resolve
from alerts.policy import check_policy
from core.errors import Conflict, NotFound, RegisterError
from core.model import Outcome, Source
from store.pool import DatabaseRole
from tests.acceptance.alerts.street import DAY, HOUR, MINUTE, Street
from tests.integration.alerts.world import HomeWorld


def press(street: Street, home: HomeWorld) -> int:
    """She presses SOS; the alert's id."""
    home.heard(street.now)
    home.urgent(home.device("sos", "bedroom"), "sos", street.now)
    street.passes()
    return int(street.world.alerts("sos")[-1]["id"])


def silent_since(street: Street, home: HomeWorld, hours: float = 12.1) -> None:
    """The last sign of life came so long ago."""
    home.life(home.device("motion", "kitchen"), street.now - hours * HOUR)
    home.heard(street.now)


def cold(street: Street, home: HomeWorld) -> None:
    """An alert of severity normal that the elder is asked about. Nobody can look, so it stays."""
    said = {"room": "", "celsius": 5, "limit_celsius": 12, "silence_s": 9000, "since_at": street.now.isoformat()}
    street.world._insert(
        "alert", home_id=home.id, kind="cold", severity="normal", dedup_key="v1:cold", message="finding.cold.why",
        parameters=Jsonb(said), rung_at=street.now, began_at=street.now, opened_at=street.now, last_at=street.now,
    )  # fmt: skip


def test_a_call_for_help_climbs_every_rung_until_somebody_has_it(street: Street) -> None:
    home = street.world.home("home-7")
    wang, zhao = street.person("wang"), street.person("zhao")
    street.rotation(wang)
    street.family("daughter", home)
    street.volunteer("neighbour")
    street.person("desk", "centre", street.world.street)
    alert = press(street, home)
    # 09:00 family and the worker on shift; 09:05 the other worker and the volunteer; 09:10 the street's desk.
    assert street.rings() == {"wang": 1, "daughter": 1}
    street.passes(5 * MINUTE, home)
    assert street.rings() == {"wang": 1, "daughter": 1, "zhao": 1, "neighbour": 1}
    street.passes(5 * MINUTE, home)
    assert street.rings() == {"wang": 1, "daughter": 1, "zhao": 1, "neighbour": 1, "desk": 1}
    # 09:15: nobody has answered. All but the volunteer hear that 120 must be called.
    street.passes(5 * MINUTE, home)
    assert street.rings() == {"wang": 2, "daughter": 2, "zhao": 2, "neighbour": 1, "desk": 2}
    assert "Call 120" in street.says("desk")
    assert "emergency" in street.world.history(alert)
    # 09:25: it begins anew, and stops when somebody has it.
    street.passes(10 * MINUTE, home)
    assert street.rings()["wang"] == 3
    acknowledge(street.world.owner, alert, zhao, street.now)
    on_site(street.world.owner, alert, zhao, street.now)
    street.passes(HOUR, home)
    assert sum(street.rings().values()) == 11


def test_nobody_at_all_is_said_and_who_is_registered_later_is_told(street: Street) -> None:
    home = street.world.home("home-7")
    alert = press(street, home)
    assert street.world.history(alert)[-1] == "nobody_told"
    street.person("wang")
    street.passes(5 * MINUTE, home)
    assert street.rings() == {"wang": 1}
    assert street.world.history(alert).count("nobody_told") == 1


def test_where_nobody_has_an_address_the_platform_s_channel_hears_that_first_and_of_120_when_a_rung_s_time_is_over(
    street: Street,
) -> None:
    street.platform = [street.receiver.channel("desk")]
    home = street.world.home("home-7")
    for name in ("wang", "zhao"):
        street.world.person(name, "worker")
    street.world.family("daughter", home)
    alert = press(street, home)
    # 09:00 one message, and it is true: nobody can be reached. That 120 must be called is not said yet.
    assert street.rings() == {"desk": 1}
    assert "一个也联系不上" in street.says("desk")
    assert "还没有人接手" not in street.says("desk")
    assert street.world.history(alert).count("nobody_told") == 1
    # 09:05 nobody has taken it: now it is.
    street.passes(5 * MINUTE - timedelta(seconds=1), home)
    assert street.rings() == {"desk": 1}
    street.passes(timedelta(seconds=1), home)
    assert street.rings() == {"desk": 2}
    assert "还没有人接手" in street.says("desk")
    assert "请立即拨打 120" in street.says("desk")
    assert street.world.history(alert)[-2:] == ["emergency", "told"]
    # 09:15 it begins anew, one message at a time, in the same order.
    street.passes(10 * MINUTE, home)
    assert street.rings() == {"desk": 3}
    assert "请立即拨打 120" not in street.says("desk")
    # Who gets an address hears of it with the next round, and the platform's channel says nothing untrue.
    channel = street.receiver.channel("wang")
    street.world.owner.execute("UPDATE person SET channels = %s WHERE key = 'wang'", [[channel]])
    for minutes in (5, 10):
        street.passes(minutes * MINUTE, home)
    assert street.rings() == {"desk": 5, "wang": 2}  # told of 120 with all others, then in his turn
    assert "联系不上" not in street.says("desk")


def test_a_call_for_120_that_a_ladder_sends_at_once_does_not_say_that_nobody_came(street: Street) -> None:
    ladder = {"sos": [{"tell": ["on_shift"], "wait_s": 0}, {"tell": ["emergency"]}]}
    home = street.world.home("home-7", ladder=ladder)
    street.person("wang")
    press(street, home)
    assert "Call 120" in street.says("wang")
    assert "Nobody has answered" not in street.says("wang")


def test_two_messages_about_one_alert_come_in_their_order_also_when_the_first_must_be_tried_again(
    street: Street,
) -> None:
    street.platform = [street.receiver.channel("desk")]
    home = street.world.home("home-7")
    street.receiver.status = {"desk": 503}
    alert = press(street, home)
    for _ in range(4):  # the service is down from 09:00 on
        street.passes(MINUTE, home)
    tries = street.receiver.count("desk")
    street.receiver.status = {}
    street.passes(MINUTE, home)  # 09:05: both are due, and the first does not wait for its pause to end
    assert ["拨打 120" in post["message"] for post in street.receiver.rung["desk"][tries:]] == [False, True]
    assert street.world.history(alert)[-2:] == ["told", "told"]


def test_what_can_wait_goes_to_the_family_one_after_the_other_in_their_order(street: Street) -> None:
    home = street.world.home("home-7")
    street.family("son", home, 2)
    street.family("daughter", home, 1)
    street.world.family("cousin", home)  # no address
    street.world.owner.execute(
        "UPDATE consent SET place = 3 FROM person WHERE person.id = person_id AND key = 'cousin'"
    )
    street.person("wang")
    home.heard(street.now)
    home.urgent(home.device("leak", "bathroom"), "leak", street.now)
    street.passes()
    assert street.rings() == {"daughter": 1}
    street.passes(10 * MINUTE, home)
    assert street.rings() == {"daughter": 1, "son": 1}
    # The cousin cannot be told and is passed over at once.
    street.passes(10 * MINUTE, home)
    assert street.rings() == {"daughter": 1, "son": 1, "wang": 1}
    assert "person_skipped" in street.world.history(street.world.alerts("leak")[0]["id"])


def test_a_worker_on_leave_is_passed_over_at_once_and_it_is_said_why(street: Street) -> None:
    home = street.world.home("home-7")
    wang = street.person("wang")
    street.person("zhao")
    street.rotation(wang)
    street.leave(wang, street.now - HOUR, street.now + HOUR)
    alert = press(street, home)
    assert street.rings() == {"zhao": 1}  # wang is not told as one of "the other workers" either
    rows = street.world.rows("SELECT person_id, details FROM alert_event WHERE what = 'person_skipped'")
    assert {(row["person_id"], row["details"]["reason"]) for row in rows} == {(wang, "on_leave")}
    assert "rung_skipped" in street.world.history(alert)


def test_a_homes_own_ladder_and_a_filter_of_channels(street: Street) -> None:
    world, channel = street.world, street.receiver.channel
    ladder = {"sos": [{"tell": ["manager"], "channels": ["json"], "wait_s": 60, "repeat": 2}, {"tell": ["on_shift"]}]}
    check_policy({"ladder": ladder})
    world.owner.execute("UPDATE region SET policy = %s WHERE key = 'street-1'", [Jsonb({"ladder": ladder})])
    home = world.home("home-7", ladder={"fall": [{"tell": ["manager"]}]})
    world.person("li", "manager", world.street, channels=["mailto://nobody@mail.invalid", channel("li")])
    world.person("mo", "manager", world.street, channels=["mailto://nobody@mail.invalid"])
    street.person("wang")
    press(street, home)
    assert street.rings() == {"li": 1}
    assert world.rows("SELECT * FROM delivery WHERE channel LIKE 'mailto%%'") == []
    street.passes(MINUTE, home)
    assert street.rings() == {"li": 2}
    street.passes(MINUTE, home)
    assert street.rings() == {"li": 2, "wang": 1}
    sources = home_policy(world.owner, home.id).sources
    assert dict(sources) == {"ladder.sos": "street-1", "ladder.fall": "home-7"}


def test_a_ladder_that_cannot_be_is_refused_at_the_registers_door() -> None:
    for wrong, says in (
        ({"falls": [{"tell": ["manager"]}]}, "there is no ladder 'falls'"),
        ({"fall": [{"tell": ["mayor"]}]}, "mayor"),
        ({"fall": []}, "length"),
        ({"fall": [{"tell": ["manager"], "delay": 3}]}, "delay"),
    ):
        with pytest.raises(RegisterError, match=says):
            check_policy({"ladder": wrong})
    with pytest.raises(RegisterError, match="quiet_from"):
        check_policy({"quiet_from": "22"})


def test_who_is_asked_by_name_is_told_and_when_they_do_not_answer_the_ladder_goes_on(street: Street) -> None:
    home = street.world.home("home-7")
    wang, zhao = street.person("wang"), street.person("zhao", "worker", street.world.street)
    street.person("li", "manager", street.world.street)
    alert = press(street, home)
    acknowledge(street.world.owner, alert, wang, street.now)
    with pytest.raises(Conflict, match="yourself"):
        hand_on(street.world.owner, alert, wang, wang, street.now)
    with pytest.raises(Conflict, match="only they"):
        hand_on(street.world.owner, alert, zhao, wang, street.now)
    with pytest.raises(NotFound):
        hand_on(street.world.owner, alert, wang, 999, street.now)
    hand_on(street.world.owner, alert, wang, zhao, street.now, source=Source.PAGE, why="I am two hours away")
    street.passes(MINUTE, home)
    assert street.rings() == {"wang": 1, "zhao": 1}
    assert "You are asked to take this over" in street.says("zhao")
    assert street.world.alerts()[0]["state"] == "open"  # nobody has it because somebody else was asked
    (row,) = street.world.rows("SELECT person_id, source, why, details FROM alert_event WHERE what = 'handed_on'")
    assert (row["person_id"], row["source"], row["why"]) == (wang, "page", "I am two hours away")
    street.passes(5 * MINUTE, home)
    assert street.rings()["zhao"] == 2  # the second rung, where the ladder had been stopped
    acknowledge(street.world.owner, alert, zhao, street.now, source=Source.LINK)
    assert street.world.alerts()[0]["handed_to"] is None


def test_who_is_asked_and_cannot_be_told_does_not_stop_the_ladder(street: Street) -> None:
    home = street.world.home("home-7")
    wang, mute = street.person("wang"), street.world.person("mute", "worker", street.world.street)
    street.person("li", "manager", street.world.street)
    alert = press(street, home)
    acknowledge(street.world.owner, alert, wang, street.now)
    hand_on(street.world.owner, alert, wang, mute, street.now)
    street.passes(MINUTE, home)
    assert street.rings() == {"wang": 1, "li": 1}
    assert "person_skipped" in street.world.history(alert)


def test_what_was_closed_too_early_is_reopened_within_a_day(street: Street) -> None:
    home, owner = street.world.home("home-7"), street.world.owner
    wang = street.person("wang")
    alert = press(street, home)
    with pytest.raises(Conflict, match="not resolved"):
        reopen(owner, alert, wang, street.now)
    resolve(owner, alert, wang, street.now, Outcome.FALSE_ALARM)
    street.passes(23 * HOUR, home)
    reopen(owner, alert, wang, street.now, why="she is still on the floor")
    street.passes(MINUTE, home)
    assert street.rings() == {"wang": 2}
    assert street.world.alerts()[0]["outcome"] is None
    resolve(owner, alert, wang, street.now, Outcome.HELPED)
    street.clock.move(DAY + MINUTE)
    with pytest.raises(Conflict, match="more than a day"):
        reopen(owner, alert, wang, street.now)
    later = press(street, home)
    resolve(owner, later, wang, street.now, Outcome.HELPED)
    latest = press(street, home)
    assert latest != later
    with pytest.raises(Conflict, match="another alert"):
        reopen(owner, later, wang, street.now)


def test_a_silence_that_somebody_reopens_is_not_ended_by_who_moved_before(street: Street) -> None:
    home, owner = street.world.home("home-7"), street.world.owner
    wang = street.person("wang")
    motion = home.device("motion", "kitchen")
    home.life(motion, street.now - 13 * HOUR)
    home.heard(street.now)
    street.passes()
    (alert,) = street.world.alerts()
    acknowledge(owner, alert["id"], wang, street.now)
    home.life(motion, street.clock.move(5 * MINUTE))  # the helper
    resolve(owner, alert["id"], wang, street.clock.move(MINUTE), Outcome.HELPED)
    street.passes(10 * MINUTE, home)
    reopen(owner, alert["id"], wang, street.now, why="she was not there, and is not at her daughter's")
    street.passes(MINUTE, home)
    assert street.world.alerts()[0]["state"] == "open"
    assert street.rings() == {"wang": 2}
    home.life(motion, street.clock.move(MINUTE))
    street.passes(MINUTE, home)
    assert street.world.alerts()[0]["outcome"] == "ended_itself"


def test_a_leak_that_somebody_reopens_ends_by_a_person_only_though_the_floor_is_dry_there(street: Street) -> None:
    home, owner = street.world.home("home-7"), street.world.owner
    wang, leak = street.person("wang"), home.device("leak", "kitchen")
    home.heard(street.now)
    home.urgent(leak, "leak", street.now)
    street.passes()
    (alert,) = street.world.alerts("leak")
    acknowledge(owner, alert["id"], wang, street.now)
    resolve(owner, alert["id"], wang, street.clock.move(MINUTE), Outcome.FALSE_ALARM)
    home.state(leak, "leak", 0, street.clock.move(MINUTE), changed=True)
    reopen(owner, alert["id"], wang, street.clock.move(MINUTE), why="it comes through the ceiling")
    street.passes(MINUTE, home)
    assert street.world.alerts("leak")[0]["state"] == "open"


def test_who_was_told_of_a_silence_hears_that_it_is_over(street: Street) -> None:
    home = street.world.home("home-7")
    street.person("wang")
    motion = home.device("motion", "kitchen")
    home.life(motion, street.now - 13 * HOUR)
    home.heard(street.now)
    street.passes()
    assert street.rings() == {"wang": 1}
    home.life(motion, street.clock.move(5 * MINUTE))
    street.passes(MINUTE, home)
    assert street.rings() == {"wang": 2}
    assert street.says("wang").startswith("Over: home-7: no activity")
    assert street.world.history(street.world.alerts()[0]["id"])[-2:] == ["ended_itself", "told"]


def test_no_service_may_change_the_history(street: Street) -> None:
    alert = press(street, street.world.home("home-7"))
    for role in (DatabaseRole.ALERTS, DatabaseRole.API, DatabaseRole.INGEST, DatabaseRole.REGISTER):
        for change in ("UPDATE alert_event SET what = 'opened'", "DELETE FROM alert_event", "TRUNCATE alert_event"):
            with street.world.database.connect(role) as service, pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute(change.encode())
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        street.world.owner.execute("UPDATE alert_event SET why = 'because' WHERE alert_id = %s", [alert])
