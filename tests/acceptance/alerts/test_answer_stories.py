"""She answers from the message: by the link, by text message, twice, too late, and when it is not hers any more."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from alerts.lifecycle import acknowledge, resolve
from alerts.notify.keys import shared_key
from alerts.notify.tickets import reply_code
from api.app import create_app
from api.service import Serving, uvicorn_server
from api.settings import Settings
from core.model import Outcome
from store.pool import DatabaseRole, open_pool
from tests.acceptance.alerts.street import HOUR, MINUTE, Street
from tests.integration.api.conftest import wait_for
from yiju.embedded.postgres import free_port

PUBLIC = "https://yiju.example"
SECRET = {"secret": "of the sms gateway"}


@pytest.fixture
def phone(street: Street) -> Iterator[httpx.Client]:
    """A telephone without a session."""
    url = street.world.database.url
    with open_pool(url, DatabaseRole.API) as pool:
        port = free_port()
        settings = Settings(database_url=url, port=port, public_url=PUBLIC, phone_secret=SECRET["secret"])
        app = create_app(settings, street.clock, pool)
        server = uvicorn_server(app, settings)
        with Serving(app.state.house, server):
            wait_for(lambda: server.started, "the server listens")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
                yield client


def falls(street: Street, key: str = "home-7") -> int:
    home = street.world.home(key)
    home.heard(street.now)
    home.urgent(home.device("sos", "bedroom"), "sos", street.now)
    street.passes()
    return int(street.world.alerts()[-1]["id"])


def link(street: Street, who: str = "wang") -> str:
    found = re.search(r"https://yiju\.example(/a/\S+)", street.says(who))
    assert found is not None
    return found[1]


def statuses(street: Street) -> list[str]:
    return [row["status"] for row in street.world.rows("SELECT status FROM delivery ORDER BY id")]


def test_a_tap_takes_it_once_and_it_stands_in_the_history(street: Street, phone: httpx.Client) -> None:
    wang = street.person("wang")
    alert = falls(street)
    path = link(street)
    # The messenger previews the link, three times: nothing has happened.
    for _ in range(3):
        page = phone.get(path)
        assert page.status_code == 200
        assert "home-7" in page.text
        assert "call for help" in page.text
    assert street.world.alerts()[0]["state"] == "open"
    assert statuses(street) == ["sent"]
    # It is opened by a person, and she taps.
    assert phone.post(f"{path}/arrived").status_code == 204
    assert statuses(street) == ["accepted"]
    street.clock.move(timedelta(seconds=1))
    assert phone.post(f"{path}/seen").status_code == 204
    assert statuses(street) == ["seen"]
    done = phone.post(path, data={"answer": "acknowledge"})
    assert done.status_code == 200
    assert "You have it" in done.text
    (row,) = street.world.alerts()
    assert (row["state"], row["ack_by"], row["ack_until"]) == ("acknowledged", wang, street.now + 15 * MINUTE)
    assert statuses(street) == ["answered"]
    (event,) = street.world.rows("SELECT * FROM alert_event WHERE what = 'acknowledged'")
    assert (event["person_id"], event["source"], event["alert_id"]) == (wang, "link", alert)
    (audit,) = street.world.rows("SELECT person_id FROM audit WHERE what = 'alert.acknowledge'")
    assert audit["person_id"] == wang
    # She taps again, and somebody else finds the message: a clear page, and nothing more happens.
    for again in ("acknowledge", "pass_on"):
        page = phone.post(path, data={"answer": again})
        assert "You have answered this already" in page.text
    assert len(street.world.rows("SELECT FROM alert_event WHERE what IN ('acknowledged', 'passed_on')")) == 1


def test_who_cannot_says_so_and_the_next_rung_rings_at_once(street: Street, phone: httpx.Client) -> None:
    street.person("wang")
    street.person("li", "manager", street.world.street)
    alert = falls(street)
    assert street.rings() == {"wang": 1}
    page = phone.post(link(street), data={"answer": "pass_on"})
    assert "The next one is being told" in page.text
    street.passes(timedelta(seconds=1))
    assert street.rings() == {"wang": 1, "li": 1}
    assert "passed_on" in street.world.history(alert)
    # the manager, who has a link of her own, takes it
    assert "You have it" in phone.post(link(street, "li"), data={"answer": "acknowledge"}).text


def test_somebody_was_quicker_or_it_is_over(street: Street, phone: httpx.Client) -> None:
    street.person("wang")
    li = street.person("li")
    alert = falls(street)
    acknowledge(street.world.owner, alert, li, street.now)
    page = phone.post(link(street), data={"answer": "acknowledge"})
    assert "Somebody else has it already" in page.text
    assert "li" not in re.findall(r"\w+", page.text)  # who, is for those who are signed in
    # li gives it back an hour later: the link is still good, as it has done nothing
    resolve(street.world.owner, alert, li, street.clock.move(MINUTE), Outcome.HELPED)
    assert "It is over" in phone.get(link(street)).text


def test_a_link_expires_and_a_changed_one_opens_nothing(street: Street, phone: httpx.Client) -> None:
    street.person("wang")
    falls(street)
    path = link(street)
    broken = path[:-1] + ("A" if path[-1] != "A" else "B")
    assert (phone.get(broken).status_code, phone.post(broken, data={"answer": "acknowledge"}).status_code) == (404, 404)
    street.clock.move(24 * HOUR + MINUTE)
    assert phone.get(path).status_code == 410
    page = phone.post(path, data={"answer": "acknowledge"})
    assert (page.status_code, street.world.alerts()[0]["state"]) == (410, "open")


def test_whoever_has_lost_the_home_since_can_neither_see_nor_answer(street: Street, phone: httpx.Client) -> None:
    home = street.world.home("home-7")
    street.family("daughter", home)
    home.heard(street.now)
    home.urgent(home.device("sos", "bedroom"), "sos", street.now)
    street.passes()
    path = link(street, "daughter")
    assert phone.get(path).status_code == 200
    street.world.owner.execute("UPDATE consent SET withdrawn_at = %s", [street.now])
    page = phone.get(path)
    assert page.status_code == 403
    assert "home-7" not in page.text
    assert phone.post(path, data={"answer": "acknowledge"}).status_code == 403
    assert street.world.alerts()[0]["state"] == "open"


def test_one_tap_takes_all_of_a_bundle_that_can_be_taken(street: Street, phone: httpx.Client) -> None:
    wang, li = street.person("wang"), street.person("li")
    for number in range(4):
        home = street.world.home(f"home-{number}")
        home.heard(street.now)
        home.urgent(home.device("sos", "bedroom"), "sos", street.now)
    street.passes()
    first = street.world.alerts()[0]["id"]
    acknowledge(street.world.owner, first, li, street.now)
    page = phone.post(link(street), data={"answer": "acknowledge"})
    assert "3 of 4 are yours" in page.text
    assert [row["ack_by"] for row in street.world.alerts()] == [li, wang, wang, wang]


def test_a_reply_by_text_message_takes_it(street: Street, phone: httpx.Client) -> None:
    url = street.receiver.url("text?to=%2B8613812345678", "sms+http")
    wang = street.world.person("wang", "worker", channels=[url])
    falls(street)
    with street.world.database.connect(DatabaseRole.API) as connection:
        key = shared_key(connection, "answer")
    (row,) = street.world.rows("SELECT id FROM answer_link")
    code = reply_code(key, row["id"])
    assert f"Reply+1+{code}" in street.receiver.taken["text"][0][1].decode()
    (delivery,) = street.world.rows("SELECT id FROM delivery")

    def reply(text: str, sender: str, **more: str) -> dict[str, object]:
        answer = phone.post("/api/v1/phone/replies", data={"from": sender, "text": text, **SECRET, **more})
        return {"status": answer.status_code, **(answer.json() if answer.status_code == 200 else {})}

    # The gateway's receipt first; then strangers, wrong codes and a wrong secret do nothing.
    receipt = {"id": f"{delivery['id']}-1", "status": "delivered"}
    assert phone.post("/api/v1/phone/receipts", data=receipt).status_code == 403
    assert phone.post("/api/v1/phone/receipts", data={**receipt, **SECRET}).status_code == 204
    assert statuses(street) == ["accepted"]
    assert reply(f"1 {code}", "13899999999")["done"] is False
    assert reply(f"1 {int(code) ^ 1:06d}", "13812345678")["done"] is False
    assert reply(f"1 {code}", "13812345678", secret="guessed")["status"] == 403
    assert street.world.alerts()[0]["state"] == "open"
    done = reply(f"１ {code}", "138 1234 5678")
    assert done["done"] is True
    assert (street.world.alerts()[0]["ack_by"], statuses(street)) == (wang, ["answered"])
    (event,) = street.world.rows("SELECT source FROM alert_event WHERE what = 'acknowledged'")
    assert event["source"] == "sms"
    assert reply(f"1 {code}", "13812345678")["done"] is False
    # Whoever tries codes is told to wait.
    answers = [reply(f"1 {number:06d}", "13812345678")["status"] for number in range(10)]
    assert answers[-1] == 429


def test_a_text_message_that_never_arrived_is_in_the_history(street: Street, phone: httpx.Client) -> None:
    street.world.person("wang", "worker", channels=[street.receiver.url("text?to=13812345678", "sms+http")])
    alert = falls(street)
    (delivery,) = street.world.rows("SELECT id FROM delivery")
    data = {"id": f"{delivery['id']}-1", "status": "failed", **SECRET}
    assert phone.post("/api/v1/phone/receipts", data=data).status_code == 204
    assert statuses(street) == ["failed"]
    assert street.world.history(alert)[-1] == "not_told"
    assert phone.post("/api/v1/phone/receipts", data=data).status_code == 404
    assert phone.post("/api/v1/phone/receipts", data={**data, "id": "b1"}).status_code == 404
