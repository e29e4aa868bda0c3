"""What listeners hear of alerts over MQTT: keys and kinds, and nothing of a person."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.clock import ManualClock
from core.credentials import LISTENER_USER, broker_password_hash
from ingest.downlink import Downlink
from tests.conftest import NOW, Database
from tests.integration.alerts.world import World
from yiju.embedded.broker import EmbeddedBroker


@contextmanager
def listener(broker: EmbeddedBroker, topic: str) -> Iterator["queue.Queue[mqtt.MQTTMessage]"]:
    """Hears what comes on `topic`."""
    heard: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
    ready: queue.Queue[Any] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener")
    client.username_pw_set(LISTENER_USER, "listens")

    def subscribe(*_: Any) -> None:
        client.subscribe(topic, qos=1)

    client.on_connect = subscribe
    client.on_subscribe = lambda *_: ready.put(None)
    client.on_message = lambda _client, _data, message: heard.put(message)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        ready.get(timeout=10)
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    made = World(database, NOW)
    yield made
    made.close()


def test_an_alert_is_heard_by_its_region_and_leaves_no_row_behind(
    database: Database, world: World, broker: EmbeddedBroker
) -> None:
    broker.write_accounts({LISTENER_USER: broker_password_hash("listens")})
    home = world.home("home-7")
    home.heard(NOW)
    downlink = Downlink(database.url, broker.url(), "downlink-test", ManualClock(NOW))
    with listener(broker, "yiju/v1/alerts/+") as heard:
        downlink.start()
        try:
            home.urgent(home.device("sos", "bedroom"), "sos", NOW)
            world.tick(NOW)
            message = heard.get(timeout=10)
        finally:
            downlink.stop()
    assert (message.topic, message.retain) == ("yiju/v1/alerts/community-1", False)
    told = msgspec.json.decode(message.payload)
    (alert,) = world.alerts()
    assert told == {
        "v": 1, "id": told["id"], "alert": alert["id"], "event": "opened", "kind": "sos", "severity": "urgent",
        "state": "open", "region": "community-1", "home": "home-7", "time": int(NOW.timestamp() * 1000),
    }  # fmt: skip
    assert world.rows("SELECT * FROM alert_notice") == []


def test_without_a_broker_what_is_to_be_heard_waits(database: Database, world: World, broker: EmbeddedBroker) -> None:
    home = world.home("home-7")
    home.heard(NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    world.tick(NOW)
    assert [row["event"] for row in world.rows("SELECT event FROM alert_notice")] == ["opened"]
