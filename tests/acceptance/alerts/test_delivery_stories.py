"""What reaches a phone: bundles, shares, services that fail and hang, and how much a message says."""

import time
from concurrent.futures import wait
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from psycopg.types.json import Jsonb

from alerts.notify.lines import PER_LINE
from alerts.notify.outbox import PERSON_MOST, Outbox
from alerts.notify.result import SendReason, Sent
from core.words import load_words
from store.pool import DatabaseRole, open_pool
from tests.acceptance.alerts.street import HOUR, MINUTE, Street
from tests.integration.alerts.world import HomeWorld


def presses(street: Street, count: int, **policy: Any) -> list[HomeWorld]:
    """So many homes cry for help at once."""
    homes = []
    for number in range(count):
        home = street.world.home(f"sos-{number}", **policy)
        button = home.device("sos", "bedroom")
        home.heard(street.now)
        home.urgent(button, "sos", street.now)
        homes.append(home)
    return homes


def deliveries(street: Street, where: str = "") -> list[dict[str, Any]]:
    return street.world.rows(f"SELECT * FROM delivery {where} ORDER BY id")


def test_three_cries_for_help_are_three_messages_and_four_are_one(street: Street) -> None:
    street.person("wang")
    presses(street, 3)
    street.passes()
    assert street.rings() == {"wang": 3}
    street.receiver.rung.clear()
    # Within two minutes two more: they count together with the three, and come as one.
    for number in range(2):
        home = street.world.home(f"more-{number}")
        home.heard(street.now)
        home.urgent(home.device("sos", "bedroom"), "sos", street.now)
    street.passes(MINUTE)
    assert street.rings() == {"wang": 1}
    assert street.says("wang").startswith("2 homes in community-1\ncall for help: 2\n")
    told = street.world.rows("SELECT details FROM alert_event WHERE what = 'told' AND details ? 'bundle'")
    assert len(told) == 2  # it stands in each one's history
    assert {row["status"] for row in deliveries(street)} == {"sent"}


def test_four_homes_in_a_community_are_one_message_with_the_list_behind_one_link(street: Street) -> None:
    wang = street.person("wang")
    street.person("li", "manager", street.world.street)
    presses(street, 4)
    street.passes()
    assert street.rings() == {"wang": 1}
    assert street.says("wang").startswith("4 homes in community-1\n")
    (link,) = street.world.rows("SELECT * FROM answer_link")
    assert (link["person_id"], len(link["alert_ids"])) == (wang, 4)
    assert street.receiver.rung["wang"][0]["message"].count("https://yiju.example/a/") == 1


def test_an_urgent_one_goes_before_a_hundred_others_whatever_the_share(street: Street) -> None:
    wang = street.person("wang")
    street.receiver.status["wang"] = 200
    for number in range(PERSON_MOST):  # has had the share of ten minutes
        street.world.owner.execute(
            "INSERT INTO delivery (alert_id, digest_id, rung, person_id, channel, created_at, state, sent_at, purpose)"
            " VALUES (NULL, NULL, %s, %s, %s, %s, 'sent', %s, 'test')",
            [number, wang, street.receiver.channel("wang"), street.now, street.now],
        )
    silent = [street.world.home(f"silent-{number}", tell_notices=True) for number in range(2)]
    for home in silent:
        home.device("motion", "kitchen")
        home.heard(street.now - HOUR)
        home.will(street.now - HOUR)
    presses(street, 1)
    street.passes()
    assert [post["title"] for post in street.receiver.rung["wang"]] == ["sos-0: call for help"]
    waiting = deliveries(street, "WHERE state = 'queued'")
    assert waiting
    assert all(row["attempts"] == 0 for row in waiting)
    # When the ten minutes are over it comes.
    street.passes(11 * MINUTE)
    assert not deliveries(street, "WHERE state = 'queued'")


def test_a_service_that_fails_and_recovers_gets_its_message_once_it_can(street: Street) -> None:
    street.person("wang")
    street.receiver.status["wang"] = 503
    presses(street, 1)
    street.passes()
    (row,) = deliveries(street)
    assert (row["state"], row["attempts"]) == ("queued", 1)
    street.receiver.status["wang"] = 200
    street.passes(timedelta(seconds=6))
    (row,) = deliveries(street)
    assert (row["state"], row["status"], row["telling"]) == ("sent", "sent", 1)
    reasons = street.world.rows("SELECT reason FROM delivery_attempt ORDER BY id")
    assert [one["reason"] for one in reasons] == ["server_fault", "sent"]


def test_a_service_that_hangs_holds_up_no_other(street: Street) -> None:
    for number in range(8):
        street.person(f"hung-{number}")
        street.receiver.hanging.add(f"hung-{number}")
    # a service of its own: another host
    channel = street.receiver.channel("li").replace("127.0.0.1", "localhost")
    street.world.person("li", "worker", channels=[channel])
    presses(street, 1)
    street.world.tick(street.now)
    sending = street.outbox.start_due()
    while not street.receiver.count("li"):
        time.sleep(0.005)
    assert street.rings() == {"li": 1}
    assert len(sending) <= PER_LINE + 1
    street.receiver.let_go.set()
    wait(sending)


@pytest.mark.parametrize(
    ("detail", "title", "says", "says_not"),
    [
        ("minimal", "community-1: call for help", [], ["home-7", "bedroom", "Wang Xiuying", "Lane 7"]),
        ("home", "home-7: call for help", ["bedroom"], ["Wang Xiuying", "Lane 7"]),
        ("full", "home-7: call for help", ["bedroom", "Wang Xiuying", "Lane 7"], []),
    ],
)
def test_a_message_says_as_much_as_the_policy_lets_it_to_those_who_may_know(
    street: Street, detail: str, title: str, says: list[str], says_not: list[str]
) -> None:
    home = street.world.home("home-7", message_detail=detail)
    street.world.owner.execute("UPDATE home SET address = 'Lane 7' WHERE id = %s", [home.id])
    street.world._insert("resident", home_id=home.id, key="r7", name="Wang Xiuying")
    street.person("wang")
    street.platform = [street.receiver.channel("group")]
    home.heard(street.now)
    home.urgent(home.device("sos", "bedroom"), "sos", street.now)
    street.passes()
    text = street.says("wang")
    assert street.receiver.rung["wang"][0]["title"] == title
    assert all(word in text for word in says)
    assert not any(word in text for word in says_not)
    # a channel of the platform belongs to nobody: it never says name or address
    assert not any(word in street.says("group") for word in ("Wang Xiuying", "Lane 7"))
    assert "/a/" not in street.says("group")


@pytest.mark.parametrize(("detail", "says_why"), [("minimal", False), ("home", True)])
def test_a_regional_incident_says_as_much_as_its_region_s_policy_lets_it(
    street: Street, detail: str, says_why: bool
) -> None:
    world = street.world
    world.owner.execute("UPDATE region SET policy = %s WHERE key = 'street-1'", [Jsonb({"message_detail": detail})])
    street.person("wang")
    for number in range(6):
        home = world.home(f"home-{number}")
        home.device("motion", "kitchen")
        home.heard(street.now - 11 * MINUTE)
    street.passes()
    assert [row["kind"] for row in world.alerts()] == ["regional_outage"]
    assert street.says("wang").startswith("community-1: regional outage")
    assert ("The gateways of 6 homes" in street.says("wang")) is says_why


def test_a_browser_that_is_gone_is_forgotten_and_the_message_goes_by_the_other_way(street: Street) -> None:
    wang = street.person("wang")
    push = street.world._insert(
        "push_subscription", person_id=wang, endpoint="https://x", p256dh="p", auth="a", created_at=street.now
    )
    channel = f"webpush://push.example/{push}"
    street.world.owner.execute("UPDATE person SET own_channels = %s WHERE id = %s", [[channel], wang])

    def send(channel: str, message: Any) -> Sent:
        return Sent(SendReason.GONE if channel.startswith("webpush") else SendReason.SENT)

    presses(street, 1)
    street.world.tick(street.now)
    with open_pool(street.world.database.url, DatabaseRole.ALERTS) as pool:
        outbox = Outbox(pool, street.clock, load_words(), "https://y", np.random.default_rng(1), send)
        wait(outbox.start_due())
        outbox.close()
    states = {row["channel"]: row["state"] for row in deliveries(street)}
    assert states == {channel: "failed", street.receiver.channel("wang"): "sent"}
    assert street.world.rows("SELECT id FROM push_subscription") == []
    assert street.world.rows("SELECT own_channels FROM person WHERE id = %s", wang) == [{"own_channels": []}]
