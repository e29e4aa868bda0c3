"""Who is told, when, and what happens when nobody answers: days told on a moved clock, with real webhooks."""

from concurrent.futures import wait
from datetime import timedelta

from alerts.lifecycle import acknowledge, on_site, resolve
from alerts.notify.outbox import MAX_ATTEMPTS
from alerts.notify.sender import SendReason
from core.model import Outcome
from tests.acceptance.alerts.street import MINUTE, Street


def test_she_presses_sos_and_nobody_answers(street: Street) -> None:
    world, receiver = street.world, street.receiver
    home = world.home("home-7")
    button = home.device("sos", "bedroom")
    home.heard(street.clock.now())
    world.person("wang", "worker", channels=[receiver.channel("wang")])
    world.person("li", "manager", world.street, channels=[receiver.channel("li")], locale="zh_CN")
    world.family("daughter", home, channels=[receiver.channel("daughter")])
    street.platform = [receiver.channel("platform")]
    # At 09:00 she presses the button beside her bed: worker, family and the platform's own channel ring, once.
    home.urgent(button, "sos", street.clock.now())
    street.passes()
    assert street.rings() == {"wang": 1, "daughter": 1, "platform": 1}
    (post,) = receiver.rung["wang"]
    assert post["title"] == "home-7: call for help"
    assert "bedroom" in post["message"]
    alert_id = world.alerts()[0]["id"]
    assert f"https://yiju.example/alerts/{alert_id}" in post["message"]
    # At 09:04 nobody has answered; nobody is bothered again.
    home.heard(street.clock.now() + 4 * MINUTE)
    street.passes(4 * MINUTE)
    assert street.rings() == {"wang": 1, "daughter": 1, "platform": 1}
    # At 09:05 the street's manager rings, in her language, and is told that nobody has answered.
    street.passes(1 * MINUTE)
    assert street.rings() == {"wang": 1, "daughter": 1, "platform": 1, "li": 1}
    assert "求助" in receiver.rung["li"][0]["title"]
    assert "还没有人接手" in receiver.rung["li"][0]["message"]
    # At 09:10 everyone is told to call 120. Nobody is left to tell, and at 09:20 it begins anew: it never falls silent.
    home.heard(street.clock.now() + 5 * MINUTE)
    street.passes(5 * MINUTE)
    assert street.rings() == {"wang": 2, "daughter": 2, "platform": 2, "li": 2}
    assert "120" in receiver.rung["wang"][1]["message"]
    home.heard(street.clock.now() + 10 * MINUTE)
    street.passes(10 * MINUTE)
    assert street.rings() == {"wang": 3, "daughter": 3, "platform": 3, "li": 2}
    assert "Nobody has answered" in receiver.rung["wang"][2]["message"]
    history = world.history(alert_id)
    assert history[:5] == ["opened", "told", "told", "told", "rung_skipped"]
    assert history.count("rung_skipped") == 1  # there is no second worker and no volunteer


def test_who_has_it_stops_the_ladder_until_the_time_is_over(street: Street) -> None:
    world, receiver = street.world, street.receiver
    home = world.home("home-7")
    button = home.device("sos", "bedroom")
    wang = world.person("wang", "worker", channels=[receiver.channel("wang")])
    world.person("li", "manager", world.district, channels=[receiver.channel("li")])
    home.urgent(button, "sos", street.clock.now())
    home.heard(street.clock.now())
    street.passes()
    alert_id = world.alerts()[0]["id"]
    # At 09:02 the worker has it: at 09:05 the manager's phone is quiet.
    acknowledge(world.owner, alert_id, wang, street.clock.move(2 * MINUTE))
    home.heard(street.clock.now() + 3 * MINUTE)
    street.passes(3 * MINUTE)
    assert street.rings() == {"wang": 1}
    # At 09:10 she presses again: it is the worker's, who hears of it.
    home.urgent(button, "sos", street.clock.now() + 5 * MINUTE)
    street.passes(5 * MINUTE)
    assert street.rings() == {"wang": 2}
    assert "2 times" in receiver.rung["wang"][1]["message"]
    # At 09:17 the time is over and nobody is there: the worker rings once more, five minutes later the manager.
    home.heard(street.clock.now() + 7 * MINUTE)
    street.passes(7 * MINUTE)
    assert street.rings() == {"wang": 3}
    home.heard(street.clock.now() + 5 * MINUTE)
    street.passes(5 * MINUTE)
    assert street.rings() == {"wang": 3, "li": 1}
    resolve(world.owner, alert_id, wang, street.clock.now(), Outcome.HELPED, "tea was too far away")
    assert world.alerts()[0]["state"] == "resolved"


def test_who_presses_again_and_again_does_not_keep_the_managers_phone_quiet(street: Street) -> None:
    world, receiver = street.world, street.receiver
    home = world.home("home-7")
    button = home.device("sos", "bedroom")
    world.person("wang", "worker", channels=[receiver.channel("wang")])
    world.person("li", "manager", world.street, channels=[receiver.channel("li")])
    # From 09:00 on she presses every two minutes, and the worker does not answer.
    for minutes in (0, 2, 2, 2):
        home.urgent(button, "sos", street.clock.now() + minutes * MINUTE)
        home.heard(street.clock.now() + minutes * MINUTE)
        street.passes(minutes * MINUTE)
    # At 09:06 the manager has been told, once; the worker at every press.
    assert street.rings() == {"wang": 4, "li": 1}


def test_a_press_after_the_helper_has_left_without_a_word_calls_everyone(street: Street) -> None:
    world, receiver = street.world, street.receiver
    home = world.home("home-7")
    button = home.device("sos", "bedroom")
    wang = world.person("wang", "worker", channels=[receiver.channel("wang")])
    world.person("li", "manager", world.street, channels=[receiver.channel("li")])
    home.heard(street.clock.now())
    home.urgent(button, "sos", street.clock.now())
    street.passes()
    alert_id = world.alerts()[0]["id"]
    # At 09:05 the worker is there. At 09:10 she shows how she pressed it: the worker's phone rings, nobody else's.
    on_site(world.owner, alert_id, wang, street.clock.move(5 * MINUTE))
    for _ in range(2):
        home.heard(street.clock.now() + 5 * MINUTE)
        home.urgent(button, "sos", street.clock.now() + 5 * MINUTE)
        street.passes(5 * MINUTE)
    assert street.rings() == {"wang": 3}
    assert world.alerts()[0]["state"] == "on_site"
    # The worker goes home and never says that it is over. In the evening she presses again: it is open anew.
    home.heard(street.clock.now() + 600 * MINUTE)
    home.urgent(button, "sos", street.clock.now() + 600 * MINUTE)
    street.passes(600 * MINUTE)
    assert street.rings() == {"wang": 4}
    assert world.alerts("sos")[0]["state"] == "open"
    home.heard(street.clock.now() + 5 * MINUTE)
    street.passes(5 * MINUTE)
    assert street.rings() == {"wang": 4, "li": 1}


def test_an_empty_rung_is_skipped_at_once_and_stands_in_the_history(street: Street) -> None:
    world, receiver = street.world, street.receiver
    home = world.home("home-7")
    world.person("silent", "worker")  # has no channel
    world.person("li", "manager", world.street, channels=[receiver.channel("li")])
    home.heard(street.clock.now())
    home.urgent(home.device("sos", "bedroom"), "sos", street.clock.now())
    street.passes()
    assert street.rings() == {"li": 1}
    # neither the worker, who has no address, nor a second one, nor a volunteer
    assert world.history(world.alerts()[0]["id"]) == [
        "opened", "person_skipped", "rung_skipped", "rung_skipped", "told",
    ]  # fmt: skip


def test_the_workers_of_the_nearest_region_are_told(street: Street) -> None:
    world, receiver = street.world, street.receiver
    other = world.region("community-2", "community", world.street)
    near, far = world.home("near"), world.home("far", other)
    world.person("wang", "worker", channels=[receiver.channel("wang")])
    world.person("zhao", "worker", world.street, channels=[receiver.channel("zhao")])
    for home in (near, far):
        home.heard(street.clock.now())
        home.urgent(home.device("sos", "bedroom"), "sos", street.clock.now())
    street.passes()
    assert [post["title"] for post in receiver.rung["wang"]] == ["near: call for help"]
    assert [post["title"] for post in receiver.rung["zhao"]] == ["far: call for help"]


def test_a_notice_stands_on_the_page_only(street: Street) -> None:
    world, receiver = street.world, street.receiver
    quiet, loud = world.home("quiet"), world.home("loud", tell_notices=True)
    world.person("wang", "worker", channels=[receiver.channel("wang")])
    for home in (quiet, loud):
        home.device("motion", "kitchen")
        home.heard(street.clock.now())
    street.passes(11 * MINUTE)
    assert [row["kind"] for row in world.alerts()] == ["gateway_offline", "gateway_offline"]
    assert [post["title"] for post in receiver.rung["wang"]] == ["loud: gateway offline"]


def test_a_service_that_is_down_is_tried_again_and_one_that_hangs_keeps_nobody_waiting(street: Street) -> None:
    world, receiver = street.world, street.receiver
    home = world.home("home-7")
    for name in ("down", "gone", "hangs", "fine"):
        world.person(name, "worker", channels=[receiver.channel(name)])
    world.person("nonsense", "worker", channels=["carrier-pigeon:"])
    receiver.status = {"down": 503, "gone": 404}
    receiver.hanging = {"hangs"}
    home.heard(street.clock.now())
    home.urgent(home.device("sos", "bedroom"), "sos", street.clock.now())
    street.passes()
    tried = {
        row["name"]: (row["state"], row["reason"])
        for row in world.rows(
            "SELECT person.name, delivery.state, delivery_attempt.reason FROM delivery"
            " JOIN person ON person.id = person_id JOIN delivery_attempt ON delivery_id = delivery.id"
        )
    }
    assert tried == {
        "down": ("queued", SendReason.SERVER_FAULT),
        "gone": ("failed", SendReason.REFUSED),
        "hangs": ("queued", SendReason.UNREACHABLE),
        "fine": ("sent", SendReason.SENT),
        "nonsense": ("failed", SendReason.BAD_CHANNEL),
    }
    # Both come back, and each gets its message.
    receiver.status = {}
    receiver.hanging = set()
    receiver.let_go.set()
    street.passes(MINUTE)
    states = [row["state"] for row in world.rows("SELECT state FROM delivery ORDER BY person_id")]
    assert states == ["sent", "failed", "sent", "sent", "failed"]
    details = " ".join(row["detail"] for row in world.rows("SELECT detail FROM delivery_attempt"))
    assert "127.0.0.1" not in details  # a channel's URL may hold a token


def test_a_call_for_help_goes_before_what_waited_longer(street: Street) -> None:
    world, receiver = street.world, street.receiver
    home = world.home("home-7", tell_notices=True)
    for number in range(5):
        world.person(f"worker-{number}", "worker", channels=[receiver.channel(f"worker-{number}")])
    world.tick(street.clock.now())
    home.heard(street.clock.now())
    home.urgent(home.device("leak", "kitchen"), "leak", street.clock.now())
    world.tick(street.clock.now())  # five messages wait, for four threads
    now = street.clock.move(MINUTE)
    home.urgent(home.device("sos", "bedroom"), "sos", now)
    world.tick(now)
    wait(street.outbox.start_due())
    assert {post["title"] for posts in receiver.rung.values() for post in posts} == {"home-7: call for help"}


def test_who_can_never_be_reached_is_given_up_and_it_is_said(street: Street) -> None:
    world, receiver = street.world, street.receiver
    home = world.home("home-7")
    world.person("down", "worker", channels=[receiver.channel("down")])
    receiver.status = {"down": 503}
    home.heard(street.clock.now())
    home.urgent(home.device("sos", "bedroom"), "sos", street.clock.now())
    street.passes()
    keeper = world.person("keeper", "manager", world.street)  # so that the ladder does not begin anew meanwhile
    acknowledge(world.owner, world.alerts()[0]["id"], keeper, street.clock.now(), street.clock.now() + 300 * MINUTE)
    for _ in range(MAX_ATTEMPTS + 1):
        street.passes(10 * MINUTE)
    assert receiver.count("down") == MAX_ATTEMPTS
    assert world.rows("SELECT state, next_try_at FROM delivery") == [{"state": "failed", "next_try_at": None}]
    assert "not_told" in world.history(world.alerts("sos")[0]["id"])


def test_a_worker_that_was_killed_while_sending_costs_a_minute_not_the_message(street: Street) -> None:
    world, receiver = street.world, street.receiver
    home = world.home("home-7")
    world.person("wang", "worker", channels=[receiver.channel("wang")])
    home.heard(street.clock.now())
    home.urgent(home.device("sos", "bedroom"), "sos", street.clock.now())
    world.tick(street.clock.now())
    # another process has claimed it and is gone
    world.owner.execute("UPDATE delivery SET attempts = 1, next_try_at = %s", [street.clock.now() + MINUTE])
    street.passes(MINUTE - timedelta(seconds=1))
    assert street.rings() == {}
    street.passes(timedelta(seconds=1))
    assert street.rings() == {"wang": 1}


def test_what_is_resolved_before_it_is_sent_bothers_nobody(street: Street) -> None:
    world, receiver = street.world, street.receiver
    home = world.home("home-7")
    wang = world.person("wang", "worker", channels=[receiver.channel("wang")])
    home.heard(street.clock.now())
    home.urgent(home.device("sos", "bedroom"), "sos", street.clock.now())
    (alert_id,) = world.tick(street.clock.now()).opened
    resolve(world.owner, alert_id, wang, street.clock.now(), Outcome.TEST)
    street.passes()
    assert street.rings() == {}
