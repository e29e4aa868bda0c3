"""Both brokers keep the same rules: who gets in, who may use which topic, what is retained, what they survive."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Final
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.credentials import broker_password_hash
from tests.conftest import running_broker
from tests.needs import need
from yiju.embedded.broker import BrokerKind, EmbeddedBroker, find_mosquitto

PATIENCE_S: Final = 10.0


@pytest.fixture(params=[BrokerKind.MOSQUITTO, BrokerKind.AMQTT])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """Each of the two brokers."""
    kind: BrokerKind = request.param
    if kind is BrokerKind.MOSQUITTO:
        need(find_mosquitto() is not None, "mosquitto is not installed: apt-get install mosquitto")
    with running_broker(tmp_path / "broker", kind) as broker:
        yield broker


class Client:
    """An MQTT client that remembers what it got."""

    def __init__(self, url: str, name: str = "", will: str | None = None, *, clean: bool = True) -> None:
        parts = urlsplit(url)
        self.got: Queue[mqtt.MQTTMessage] = Queue()
        self.entered: Queue[bool] = Queue()
        self.left: Queue[bool] = Queue()
        self._granted: Queue[bool] = Queue()
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean)
        self.mqtt.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        self.mqtt.on_message = lambda client, data, message: self.got.put(message)
        self.mqtt.on_connect = lambda client, data, flags, reason, properties: self.entered.put(not reason.is_failure)
        self.mqtt.on_disconnect = lambda *_: self.left.put(True)
        self.mqtt.on_subscribe = lambda client, data, mid, reasons, properties: self._granted.put(
            not reasons[0].is_failure
        )
        if will is not None:
            self.mqtt.will_set(will, b"gone", qos=1, retain=True)
        self.mqtt.connect(parts.hostname or "", parts.port or 0, keepalive=30)
        self.mqtt.loop_start()

    def __enter__(self) -> "Client":
        assert self.entered.get(timeout=PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()

    def subscribe(self, topic: str) -> bool:
        self.mqtt.subscribe(topic, qos=1)
        return self._granted.get(timeout=PATIENCE_S)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.mqtt.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def next(self) -> tuple[str, bytes, bool]:
        message = self.got.get(timeout=PATIENCE_S)
        return message.topic, bytes(message.payload), message.retain

    def cut(self) -> None:
        """The power fails: the connection goes without a farewell."""
        sock = self.mqtt.socket()
        assert sock is not None
        self.mqtt.loop_stop()
        sock.close()


def gateway(broker: EmbeddedBroker, key: str = "gw-1", **more: object) -> Client:
    return Client(broker.url(key, "secret"), **more)  # type: ignore[arg-type]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def nothing_more(client: Client, sender: Client, marker: str) -> None:
    """Asserts that `client` gets `marker` next, hence nothing that was sent before it."""
    sender.publish(marker, b"marker")
    assert client.next()[:2] == (marker, b"marker")


@pytest.mark.parametrize(
    ("user", "password"), [("gw-1", "wrong"), ("gw-9", "secret"), ("_platform", "secret"), ("", "")]
)
def test_a_wrong_password_or_an_unknown_user_is_refused(either: EmbeddedBroker, user: str, password: str) -> None:
    parts = urlsplit(either.url())
    entered: Queue[bool] = Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    if user:
        client.username_pw_set(user, password)
    client.on_connect = lambda client, data, flags, reason, properties: entered.put(not reason.is_failure)
    client.connect(parts.hostname or "", parts.port or 0)
    client.loop_start()
    assert entered.get(timeout=PATIENCE_S) is False
    client.disconnect()
    client.loop_stop()


def test_whose_account_ends_is_cut_off_and_nobody_else(either: EmbeddedBroker) -> None:
    with Client(either.url()) as platform, gateway(either) as home, gateway(either, "gw-2") as other:
        other.subscribe("yiju/v1/gw-2/down/ack")
        either.write_accounts({"gw-2": broker_password_hash("secret")})
        assert home.left.get(timeout=PATIENCE_S)
        assert home.entered.get(timeout=PATIENCE_S) is False  # it comes again, and is refused
        nothing_more(other, platform, "yiju/v1/gw-2/down/ack")
        assert other.left.empty()
        assert platform.left.empty()


def test_a_batch_goes_up_and_its_acknowledgement_comes_down(either: EmbeddedBroker) -> None:
    with Client(either.url()) as platform, gateway(either) as home:
        assert platform.subscribe("yiju/v1/+/up/+")
        assert home.subscribe("yiju/v1/gw-1/down/ack")
        home.publish("yiju/v1/gw-1/up/urgent", b"batch")
        assert platform.next() == ("yiju/v1/gw-1/up/urgent", b"batch", False)
        platform.publish("yiju/v1/gw-1/down/ack", b"ack")
        assert home.next() == ("yiju/v1/gw-1/down/ack", b"ack", False)


def test_a_configuration_waits_for_its_gateway_and_the_report_for_the_platform(either: EmbeddedBroker) -> None:
    with Client(either.url()) as platform:
        platform.publish("yiju/v1/gw-1/down/config", b"desired", retain=True)
    with gateway(either, "gw-2") as other, gateway(either) as home:
        other.subscribe("yiju/v1/gw-1/down/config")
        assert home.subscribe("yiju/v1/gw-1/down/+")
        assert home.next() == ("yiju/v1/gw-1/down/config", b"desired", True)
        home.publish("yiju/v1/gw-1/report", b"report", retain=True)
        other.subscribe("yiju/v1/gw-1/report")
        with Client(either.url()) as platform:
            platform.subscribe("yiju/v1/+/report")
            assert platform.next() == ("yiju/v1/gw-1/report", b"report", True)
            platform.publish("yiju/v1/gw-1/down/command", b"ask")
            assert home.next() == ("yiju/v1/gw-1/down/command", b"ask", False)
            assert other.subscribe("yiju/v1/gw-2/down/+")
            nothing_more(other, platform, "yiju/v1/gw-2/down/ack")


@pytest.mark.parametrize(
    "topic", ["yiju/v1/gw-2/report", "yiju/v1/gw-1/down/config", "yiju/v1/gw-1/down/command", "yiju/v1/gw-1/report/x"]
)
def test_a_gateway_can_forge_no_report_and_no_order(either: EmbeddedBroker, topic: str) -> None:
    with Client(either.url()) as platform, gateway(either, "gw-2") as other, gateway(either) as home:
        platform.subscribe("yiju/v1/+/report")
        other.subscribe("yiju/v1/gw-2/down/+")
        forged = home.mqtt.publish(topic, b"forged", qos=1, retain=True)
        until(lambda: forged.is_published() or not home.mqtt.is_connected())
        with gateway(either) as again:
            nothing_more(platform, again, "yiju/v1/gw-1/report")
            again.subscribe("yiju/v1/gw-1/down/+")
            nothing_more(again, platform, "yiju/v1/gw-1/down/ack")


@pytest.mark.parametrize("topic", ["yiju/v1/gw-2/up/urgent", "yiju/v1/gw-1/down/ack", "elsewhere"])
def test_a_gateway_cannot_speak_for_another(either: EmbeddedBroker, topic: str) -> None:
    """What it sends is dropped (some versions of mosquitto hang up as well); its own topics stay its own."""
    with Client(either.url()) as platform, gateway(either) as home:
        platform.subscribe("yiju/v1/+/up/+")
        forged = home.mqtt.publish(topic, b"forged", qos=1)
        until(lambda: forged.is_published() or not home.mqtt.is_connected())
        with gateway(either) as again:
            nothing_more(platform, again, "yiju/v1/gw-1/up/urgent")


def test_a_gateway_cannot_listen_to_another(either: EmbeddedBroker) -> None:
    with Client(either.url()) as platform, gateway(either) as home:
        home.subscribe("yiju/v1/gw-1/down/+")
        for topic in ("yiju/v1/gw-2/down/ack", "yiju/v1/+/down/+", "yiju/#", "#"):
            home.subscribe(topic)
        platform.publish("yiju/v1/gw-2/down/ack", b"private")
        nothing_more(home, platform, "yiju/v1/gw-1/down/ack")


def test_a_retained_status_reaches_who_comes_later(either: EmbeddedBroker) -> None:
    with gateway(either) as home:
        home.publish("yiju/v1/gw-1/status", b"online", retain=True)
    with Client(either.url()) as platform:
        platform.subscribe("yiju/v1/+/status")
        assert platform.next() == ("yiju/v1/gw-1/status", b"online", True)


def test_nobody_gets_what_is_retained_for_anothers_subscription(either: EmbeddedBroker) -> None:
    """amqtt as it comes sends it to everybody who connects, past the access list."""
    with Client(either.url()) as platform, gateway(either, "gw-2") as other:
        platform.subscribe("yiju/v1/+/status")
        other.publish("yiju/v1/gw-2/status", b"online", retain=True)
        assert platform.next()[0] == "yiju/v1/gw-2/status"
        with gateway(either) as home:
            home.subscribe("yiju/v1/gw-1/down/+")
            nothing_more(home, platform, "yiju/v1/gw-1/down/ack")


def test_a_gateway_whose_power_fails_is_reported_by_its_will(either: EmbeddedBroker) -> None:
    with Client(either.url()) as platform:
        platform.subscribe("yiju/v1/+/status")
        home = gateway(either, will="yiju/v1/gw-1/status")
        home.__enter__()
        home.cut()
        assert platform.next()[:2] == ("yiju/v1/gw-1/status", b"gone")


def test_a_will_in_anothers_name_is_not_sent(either: EmbeddedBroker) -> None:
    with Client(either.url()) as platform, gateway(either, "gw-2") as other:
        platform.subscribe("yiju/v1/+/status")
        home = gateway(either, will="yiju/v1/gw-2/status")
        home.__enter__()
        home.cut()
        nothing_more(platform, other, "yiju/v1/gw-2/status")


def test_a_stranger_without_the_password_cannot_end_a_clients_session(either: EmbeddedBroker) -> None:
    with Client(either.url(), name="ingest", clean=False) as platform, gateway(either) as home:
        platform.subscribe("yiju/v1/+/up/+")
        stranger = Client(either.url("gw-1", "wrong"), name="ingest")
        assert stranger.entered.get(timeout=PATIENCE_S) is False
        stranger.__exit__()
        home.publish("yiju/v1/gw-1/up/bulk", b"batch")
        assert platform.next()[1] == b"batch"


def test_what_came_while_the_platform_was_away_is_new_when_it_returns(either: EmbeddedBroker) -> None:
    with Client(either.url(), name="ingest", clean=False) as platform:
        platform.subscribe("yiju/v1/+/up/+")
    with gateway(either) as home:
        for number in range(20):
            home.publish("yiju/v1/gw-1/up/bulk", b"%d" % number)
    with Client(either.url(), name="ingest", clean=False) as platform:
        got = [platform.next() for _ in range(20)]
    assert sorted(int(payload) for _, payload, _ in got) == list(range(20))
    assert not any(retain for _, _, retain in got)


def test_ten_megabytes_do_not_end_it(either: EmbeddedBroker) -> None:
    with Client(either.url()) as platform, gateway(either) as home:
        platform.subscribe("yiju/v1/+/up/+")
        huge = home.mqtt.publish("yiju/v1/gw-1/up/bulk", b"x" * 10_000_000, qos=1)
        until(lambda: huge.is_published() or not home.mqtt.is_connected())
        with gateway(either) as again:
            nothing_more(platform, again, "yiju/v1/gw-1/up/bulk")


@pytest.mark.parametrize(
    "junk",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 64,
        b"\xff" * 64,
        b"\x10\x7f\x00\x04MQTT\x04\xff",
        b"\x30\xff\xff\xff\x7f",
        b"",
    ],
)
def test_junk_does_not_end_it(either: EmbeddedBroker, junk: bytes) -> None:
    with socket.create_connection(("127.0.0.1", either.port)) as sock, suppress(OSError):  # it may hang up
        sock.sendall(junk)
        sock.shutdown(socket.SHUT_WR)
    assert either.process is not None
    assert either.process.poll() is None
    with Client(either.url()) as platform, gateway(either) as home:
        platform.subscribe("yiju/v1/+/up/+")
        nothing_more(platform, home, "yiju/v1/gw-1/up/bulk")


def test_a_gateway_gets_in_as_soon_as_it_is_registered(either: EmbeddedBroker) -> None:
    either.write_accounts({"gw-3": broker_password_hash("new")})

    def let_in() -> bool:
        client = Client(either.url("gw-3", "new"))
        try:
            return client.entered.get(timeout=PATIENCE_S)
        except Empty:
            return False
        finally:
            client.__exit__()

    until(let_in)


def test_many_who_subscribe_while_messages_flow_lose_none(either: EmbeddedBroker) -> None:
    with Client(either.url()) as platform, gateway(either) as home:
        platform.subscribe("yiju/v1/+/up/+")
        crowd = [Client(either.url()) for _ in range(10)]

        def send() -> None:
            for number in range(200):
                home.publish("yiju/v1/gw-1/up/bulk", b"%d" % number)

        sending = threading.Thread(target=send)
        sending.start()
        for number, client in enumerate(crowd):
            with client:
                client.subscribe(f"yiju/v1/gw-{number}/status")
        sending.join()
        got = {int(platform.next()[1]) for _ in range(200)}
    assert got == set(range(200))
