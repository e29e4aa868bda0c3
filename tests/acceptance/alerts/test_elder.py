"""The elder is asked first: what an answer ends, hastens, or leaves as it is."""

from datetime import timedelta

import pytest

from alerts.lifecycle import reopen, resolve
from core.model import Outcome
from tests.acceptance.alerts.street import HOUR, MINUTE, Street
from tests.acceptance.alerts.test_rungs import cold, silent_since


def test_she_is_asked_first_and_her_answer_ends_a_silence(street: Street) -> None:
    home = street.world.home("home-7")
    street.prompt(home)
    street.person("wang")
    silent_since(street, home)
    street.passes()
    (question,) = street.questions()
    assert (question["kind"], question["seconds"]) == ("ask", 55)
    assert street.rings() == {}
    street.clock.move(40 * timedelta(seconds=1))
    street.answers("ok")
    street.passes()
    (alert,) = street.world.alerts()
    assert (alert["state"], alert["outcome"]) == ("resolved", "ended_itself")
    assert street.world.history(alert["id"]) == ["opened", "elder_asked", "elder_ok", "ended_itself"]
    (event,) = street.world.rows("SELECT source FROM alert_event WHERE what = 'elder_ok'")
    assert event["source"] == "gateway"
    street.passes(HOUR, home)
    assert street.rings() == {}


@pytest.mark.parametrize("answer", ["none", "refused", "help"])
def test_without_her_all_right_the_others_are_told_at_once(street: Street, answer: str) -> None:
    home = street.world.home("home-7")
    street.prompt(home)
    street.person("wang")
    silent_since(street, home)
    street.passes()
    street.clock.move(20 * timedelta(seconds=1))
    street.answers(answer)
    street.passes()
    assert street.rings() == {"wang": 1}
    assert f"elder_{answer}" in street.world.history(street.world.alerts()[0]["id"])


def test_a_gateway_that_says_nothing_costs_a_minute(street: Street) -> None:
    home = street.world.home("home-7")
    street.prompt(home)
    street.person("wang")
    silent_since(street, home)
    street.passes()
    street.passes(59 * timedelta(seconds=1), home)
    assert street.rings() == {}
    street.passes(timedelta(seconds=1), home)
    assert street.rings() == {"wang": 1}
    street.passes(5 * MINUTE, home)
    assert "elder_unreached" in street.world.history(street.world.alerts()[0]["id"])


def test_after_a_fall_she_is_asked_while_the_others_are_told_and_her_answer_does_not_end_it(street: Street) -> None:
    home = street.world.home("home-7")
    street.prompt(home)
    street.person("wang")
    home.heard(street.now)
    home.urgent(home.device("radar", "bathroom", mains=True), "fall", street.now, value=2)
    for minutes in (0, 1, 1):  # a fall is given its time to get up
        street.passes(minutes * MINUTE, home)
    assert len(street.questions()) == 1
    assert street.rings() == {"wang": 1}
    street.answers("ok")
    street.passes(MINUTE, home)
    assert street.world.alerts("fall")[0]["state"] == "open"


def test_a_home_without_a_prompt_is_not_waited_for(street: Street) -> None:
    home = street.world.home("home-7")
    street.person("wang")
    silent_since(street, home)
    street.passes()
    assert street.rings() == {"wang": 1}
    (row,) = street.world.rows("SELECT details FROM alert_event WHERE what = 'rung_skipped'")
    assert row["details"] == {"rung": 1, "audience": "elder"}


def test_an_answer_from_before_does_not_end_what_somebody_reopens(street: Street) -> None:
    home, owner = street.world.home("home-7"), street.world.owner
    wang = street.person("wang")
    street.prompt(home)
    silent_since(street, home)
    street.passes()
    (alert,) = street.world.alerts()
    resolve(owner, alert["id"], wang, street.clock.move(10 * timedelta(seconds=1)), Outcome.FALSE_ALARM)
    street.answers("ok")
    street.passes(MINUTE, home)
    reopen(owner, alert["id"], wang, street.now, why="it was not she who pressed")
    street.passes(MINUTE, home)
    assert street.world.alerts()[0]["state"] == "open"
    assert street.rings() == {"wang": 1}


def test_help_that_is_asked_for_after_the_minute_skips_nobody_of_the_urgent_ladder(street: Street) -> None:
    home = street.world.home("home-7")
    wang = street.person("wang")
    street.rotation(wang)
    street.person("desk", "centre", street.world.street)
    street.family("daughter", home)
    street.prompt(home)
    home.heard(street.now)
    cold(street, home)
    street.passes()
    street.passes(MINUTE, home)  # no answer: the first of the family
    assert street.rings() == {"daughter": 1}
    street.answers("help")
    street.passes(timedelta(seconds=5), home)
    assert street.rings() == {"daughter": 2, "wang": 1}
    street.passes(5 * MINUTE, home)
    assert street.rings() == {"daughter": 2, "wang": 1, "desk": 1}


def test_help_does_not_begin_a_ladder_anew_that_the_home_has_set_for_the_kind(street: Street) -> None:
    home = street.world.home("home-7", ladder={"cold": [{"tell": ["elder"], "wait_s": 60}, {"tell": ["contact"]},
                                                        {"tell": ["on_shift"]}]})  # fmt: skip
    street.person("wang")
    street.family("daughter", home)
    street.prompt(home)
    home.heard(street.now)
    cold(street, home)
    street.passes()
    street.passes(MINUTE, home)
    street.answers("help")
    street.passes(timedelta(seconds=5), home)
    assert street.rings() == {"daughter": 1, "wang": 1}
