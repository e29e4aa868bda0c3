"""Each kind of channel, sent to a real HTTP receiver and read there as its receiver would."""

import base64
import json
import socket
import time
from threading import Thread
from urllib.parse import parse_qs

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from alerts.notify.dispatch import Dispatch, Pushing
from alerts.notify.keys import Keys, make_keys
from alerts.notify.message import Message
from alerts.notify.post import post
from alerts.notify.push import Subscription
from alerts.notify.result import SendReason
from alerts.notify.webhook import TOLERANCE_S, is_genuine
from store.pool import DatabaseRole
from tests.acceptance.alerts.receiver import Receiver
from tests.conftest import NOW, Database

AT = 1_772_442_000
MESSAGE = Message(
    "Home 7: fall", "She fell.", True, id="41-1", brief="fall", url="https://y/alerts/3", answer_url="https://y/a/T",
    reply="Reply 1 482913", facts={"alert": 3, "kind": "fall"},
)  # fmt: skip
SEND = Dispatch("https://yiju.example/", lambda: AT, timeout_s=1.0)


def test_a_signed_webhook_can_be_checked_and_neither_changed_nor_sent_again() -> None:
    with Receiver() as receiver:
        channel = receiver.url("hook?x=1", "webhook+http").replace("://", "://:s%40cret@")
        assert SEND(channel, MESSAGE).reason is SendReason.SENT
        ((headers, body),) = receiver.taken["hook"]
    told = json.loads(body)
    assert (told["v"], told["id"], told["title"], told["alert"]) == (1, "41-1", "Home 7: fall", 3)
    signed = (headers["Yiju-Id"], headers["Yiju-Timestamp"], headers["Yiju-Signature"])
    assert "s@cret" not in str(headers)
    assert is_genuine(b"s@cret", *signed, body, AT)
    assert not is_genuine(b"another", *signed, body, AT)
    assert not is_genuine(b"s@cret", *signed, body + b" ", AT)
    assert not is_genuine(b"s@cret", "41-2", *signed[1:], body, AT)
    assert not is_genuine(b"s@cret", signed[0], str(AT + 1), signed[2], body, AT)
    assert not is_genuine(b"s@cret", *signed, body, AT + TOLERANCE_S + 1)
    assert not is_genuine(b"s@cret", signed[0], "soon", signed[2], body, AT)


@pytest.mark.parametrize(
    "channel", ["webhook+https://host/no-secret", "webhook+http://:s@host:99999/", "sms+https://h/"]
)
def test_a_channel_that_cannot_work_is_a_bad_channel_and_not_tried_again(channel: str) -> None:
    sent = SEND(channel, MESSAGE)
    assert (sent.reason, sent.retry_helps) == (SendReason.BAD_CHANNEL, False)


def test_a_text_message_is_a_form_with_what_was_set_for_it() -> None:
    with Receiver() as receiver:
        channel = receiver.url("text?to=%2B8613812345678&sign=Yiju&kind=voice", "sms+http")
        assert SEND(channel.replace("://", "://me:p%3Aw@"), MESSAGE).ok
        ((headers, body),) = receiver.taken["text"]
    form = {name: value[0] for name, value in parse_qs(body.decode()).items()}
    assert form == {
        "to": "+8613812345678", "sign": "Yiju", "kind": "voice", "id": "41-1",
        "text": "Home 7: fall\nShe fell.\nReply 1 482913", "callback": "https://yiju.example/api/v1/phone/receipts",
    }  # fmt: skip
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"me:p:w"


@pytest.mark.parametrize(
    ("status", "reason", "again"),
    [(429, "throttled", True), (503, "server_fault", True), (403, "refused", False), (302, "refused", False)],
)
def test_what_the_service_answers_says_whether_to_try_again(status: int, reason: str, again: bool) -> None:
    with Receiver() as receiver:
        receiver.status["hook"] = status
        sent = SEND(receiver.url("hook", "webhook+http").replace("://", "://:s@"), MESSAGE)
    assert (sent.reason.value, sent.retry_helps) == (reason, again)


def test_a_service_that_gives_a_byte_now_and_then_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    for letter in b"HTTP/1.1 200 OK\r\n" + b"x" * 200:
                        connection.sendall(bytes([letter]))
                        time.sleep(0.1)
                except OSError:
                    return  # the sender has gone: that is what is wanted

        thread = Thread(target=drip, daemon=True)
        thread.start()
        began = time.perf_counter()
        sent = post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"x", {}, "slow", 0.5)
        assert sent.reason is SendReason.TIMED_OUT
        assert time.perf_counter() - began < 2
        thread.join()


@pytest.fixture
def keys(database: Database) -> Keys:
    with database.connect(DatabaseRole.ALERTS) as connection:
        return make_keys(connection, NOW)


def test_the_platforms_keys_are_made_once_and_the_api_sees_no_private_one(database: Database, keys: Keys) -> None:
    with database.connect(DatabaseRole.ALERTS) as connection:
        assert make_keys(connection, NOW) == keys
    with database.connect(DatabaseRole.API) as connection:
        names = {row["name"] for row in connection.execute("SELECT name FROM platform_secret")}
    assert names == {"answer", "vapid_public"}
    assert "hidden" in repr(keys)


def test_a_browsers_message_opens_with_its_own_key_and_shows_nothing_of_whom(keys: Keys) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    auth = b"a" * 16

    def text(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    with Receiver() as receiver:
        found = {7: Subscription(receiver.url("push"), text(point), text(auth))}
        pushing = Pushing(lambda: keys, "mailto:me@example.org", found.get)
        send = Dispatch("https://y", lambda: time.time(), pushing, 1.0)
        assert send("webpush://127.0.0.1/7", MESSAGE).ok
        ((headers, body),) = receiver.taken["push"]
        assert send("webpush://127.0.0.1/8", MESSAGE).reason is SendReason.GONE
        receiver.status["push"] = 410
        assert send("webpush://127.0.0.1/7", MESSAGE).reason is SendReason.GONE
    assert b"fall" not in body
    told = json.loads(http_ece.decrypt(body, private_key=private, auth_secret=auth, version="aes128gcm"))
    assert told == {"title": "fall", "url": "https://y/a/T", "tag": "41-1", "urgent": True}
    assert (headers["Content-Encoding"], headers["Urgency"], headers["TTL"]) == ("aes128gcm", "high", "3600")
    assert Vapid02.verify(headers["Authorization"])
    assert text(keys.vapid_public) in headers["Authorization"]
