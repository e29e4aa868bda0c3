"""One's own channels, this browser, and who can be reached; the addresses never leave the database."""

import base64
from typing import Any

import httpx
import psycopg
import pytest

from alerts.notify.keys import make_keys
from core.clock import ManualClock
from store.pool import DatabaseRole
from tests.conftest import Database
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World

PUSH = "https://fcm.googleapis.com/fcm/send/abc"
KEYS = {"p256dh": base64.urlsafe_b64encode(b"\x04" + b"k" * 64).decode().rstrip("="), "auth": "QUFBQUFBQUFBQUFBQUFBQQ"}
ROBOT = "wecombot://SECRET-OF-THE-ROBOT"


def channels(world: World, who: str) -> list[str]:
    row = world.connection.execute(
        "SELECT channels || own_channels AS all FROM person WHERE id = %s", [world.people[who]]
    ).fetchone()
    assert row is not None
    found: list[str] = row["all"]
    return found


def subscribe(client: httpx.Client, **more: Any) -> int:
    body = {"endpoint": PUSH, "keys": KEYS, "browser": "Chrome, Android", **more}
    return client.post("/api/v1/me/push", json=body).status_code


def test_a_person_adds_tries_and_removes_a_channel_of_their_own(world: World, program: SignIn) -> None:
    world.connection.execute(
        "UPDATE person SET channels = %s WHERE key = 'anna'", [["mailtos://anna:pw@mail.example/?to=a@example.org"]]
    )
    anna = program("anna")
    added = anna.post("/api/v1/me/channels", json={"channel": ROBOT})
    assert added.status_code == 201
    assert [(one["number"], one["kind"], one["own"]) for one in added.json()] == [
        (1, "mailtos", False), (2, "wecombot", True),
    ]  # fmt: skip
    assert "SECRET" not in added.text
    assert "pw" not in added.text
    assert anna.post("/api/v1/me/channels", json={"channel": ROBOT}).status_code == 409
    assert anna.post("/api/v1/me/channels/2/test").status_code == 202
    (row,) = world.connection.execute("SELECT channel, purpose, state FROM delivery").fetchall()
    assert row == {"channel": ROBOT, "purpose": "test", "state": "queued"}
    assert anna.delete("/api/v1/me/channels/1").status_code == 404  # the register's own
    assert anna.delete("/api/v1/me/channels/2").status_code == 204
    assert len(channels(world, "anna")) == 1


@pytest.mark.parametrize(
    "channel", ["json://10.0.0.1/admin", "webhook+http://:s@localhost/", "wecombot:", "WECOMBOT", "mailto://x@y", "file:///etc/passwd"]
)  # fmt: skip
def test_nobody_sends_the_platform_into_its_own_network(world: World, program: SignIn, channel: str) -> None:
    assert program("anna").post("/api/v1/me/channels", json={"channel": channel}).status_code == 422
    assert channels(world, "anna") == []


def test_a_browser_is_subscribed_moves_to_another_person_and_is_removed(world: World, program: SignIn) -> None:
    anna, bo = program("anna"), program("bo")
    assert subscribe(anna) == 204
    assert subscribe(anna) == 204  # again: it stays one
    (first,) = channels(world, "anna")
    assert first.startswith("webpush://fcm.googleapis.com/")
    (shown,) = anna.get("/api/v1/me/channels").json()
    assert (shown["kind"], shown["browser"], shown["own"]) == ("webpush", "Chrome, Android", True)
    # Bo signs in on the same phone: it is his from now on.
    assert subscribe(bo) == 204
    assert (channels(world, "anna"), len(channels(world, "bo"))) == ([], 1)
    # Nobody removes another's.
    assert anna.request("DELETE", "/api/v1/me/push", json={"endpoint": PUSH}).status_code == 404
    assert bo.request("DELETE", "/api/v1/me/push", json={"endpoint": PUSH}).status_code == 204
    assert channels(world, "bo") == []
    assert world.connection.execute("SELECT FROM push_subscription").fetchall() == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x", "https://127.0.0.1/x", "https://evil-fcm.googleapis.com.example/x",
        "https://notfcm.googleapis.com/x", "https://user@fcm.googleapis.com/x",
    ],
)  # fmt: skip
def test_a_push_service_that_is_not_known_is_refused(program: SignIn, endpoint: str) -> None:
    assert subscribe(program("anna"), endpoint=endpoint) == 422


def test_the_key_of_the_platform_is_for_browsers_to_see(
    database: Database, clock: ManualClock, program: SignIn
) -> None:
    anna = program("anna")
    assert anna.get("/api/v1/me/push").status_code == 404  # alerts has never run
    with database.connect(DatabaseRole.ALERTS) as connection:
        keys = make_keys(connection, clock.now())
    shown = anna.get("/api/v1/me/push").json()["key"]
    assert base64.urlsafe_b64decode(shown + "=") == keys.vapid_public


def test_the_api_cannot_read_an_address_or_a_private_key(database: Database, world: World) -> None:
    with database.connect(DatabaseRole.API) as connection:
        for column, table in (
            ("channels", "person"), ("own_channels", "person"), ("endpoint", "push_subscription"),
            ("auth", "push_subscription"),
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT {column} FROM {table}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE person SET own_channels = '{}'")
        connection.execute("SELECT set_config('yiju.person', '', false)")
        assert connection.execute("SELECT * FROM own_channels()").fetchall() == []
        assert connection.execute("SELECT add_own_channel('x') AS added").fetchall() == [{"added": False}]


def test_a_manager_sees_first_who_cannot_be_reached(world: World, clock: ManualClock, program: SignIn) -> None:
    execute = world.connection.execute
    execute("UPDATE person SET channels = '{wecombot://k}' WHERE key IN ('anna', 'bo')")
    for who, state, ok, reason in (("anna", "sent", True, "sent"), ("bo", "failed", False, "refused")):
        delivery = world.add(
            "INSERT INTO delivery (rung, person_id, channel, purpose, created_at, state, sent_at)"
            " VALUES (0, %(person)s, 'wecombot://k', 'test', %(now)s, %(state)s, %(sent)s) RETURNING id",
            person=world.people[who], now=clock.now(), state=state, sent=clock.now() if ok else None,
        )  # fmt: skip
        execute(
            "INSERT INTO delivery_attempt (delivery_id, at, ok, reason) VALUES (%s, %s, %s, %s)",
            [delivery, clock.now(), ok, reason],
        )
    people = {one["name"]: one for one in program("head").get("/api/v1/reach").json()}
    assert {"Anna", "Bo", "Mei", "Head"} <= people.keys()
    assert (people["Mei"]["unreachable"], people["Mei"]["roles"]) == (True, ["family"])
    assert (people["Bo"]["failing"], people["Bo"]["reason"]) == (True, "refused")
    assert (people["Anna"]["unreachable"], people["Anna"]["failing"]) == (False, False)
    order = list(people)
    assert order.index("Mei") < order.index("Bo") < order.index("Anna")
    assert program("anna").get("/api/v1/reach").status_code == 403
    assert program("mei").get("/api/v1/reach").status_code == 403


@pytest.mark.parametrize("who", ["anna", "mei", "head", "nobody"])
def test_everybody_has_a_page_of_their_own(world: World, browser: SignIn, who: str) -> None:
    client = browser(who)
    page = client.get("/me")
    assert page.status_code == 200
    assert "No channel yet" in page.text
    assert client.post("/me/channels", data={"channel": ROBOT}).headers["location"] == "/me?said=added"
    assert client.post("/me/channels", data={"channel": "nonsense"}).headers["location"] == "/me?said=refused"
    page = client.get("/me?said=added")
    assert "wecombot" in page.text
    assert "SECRET" not in page.text
    assert client.post("/me/channels/1/test").status_code == 303
    assert client.post("/me/channels/1/remove").status_code == 303
    assert client.get("/reach").status_code == (200 if who == "head" else 403)
