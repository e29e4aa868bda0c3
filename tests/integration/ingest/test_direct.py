"""Devices that publish to the platform themselves: the same ledger, the same exactness, the same refusals."""

import json
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from care.register import apply_register, read_document
from core.model import Flag
from core.wire import ack_topic, direct_topic, to_ms
from store.pool import DatabaseRole
from tests.conftest import NOW, Database, running_broker
from tests.integration.ingest.homes import register_homes
from tests.integration.ingest.test_ingest import count, eventually, running
from tests.needs import need
from yiju.embedded.broker import BrokerKind, EmbeddedBroker, find_mosquitto

NOW_MS = to_ms(NOW)
TOPIC = direct_topic("gw-1")


@pytest.fixture(params=[BrokerKind.MOSQUITTO, BrokerKind.AMQTT])
def either_broker(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[EmbeddedBroker]:
    if request.param is BrokerKind.MOSQUITTO:
        need(find_mosquitto() is not None, "mosquitto is not installed: apt-get install mosquitto")
    with running_broker(tmp_path / "broker", request.param) as broker:
        yield broker


@pytest.fixture
def registered(database: Database) -> Database:
    """Home 1's gateway account is a direct device: a door contact that calls itself nothing."""
    register_homes(database, homes=1)
    home = {"key": "home-1", "region": "d-1", "name": "第1家", "commissioned": NOW.replace(year=2025),
            "device": [{"gateway": "gw-1", "address": "direct/self", "kind": "contact"}]}  # fmt: skip
    with database.connect(DatabaseRole.REGISTER) as connection:
        apply_register(connection, read_document({"home": [home]}, "test"), "test", NOW)
    return database


@pytest.fixture
def device(either_broker: EmbeddedBroker) -> Iterator[mqtt.Client]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="nb-1")
    client.username_pw_set("gw-1", "secret")
    client.connect("127.0.0.1", either_broker.port)
    client.loop_start()
    eventually(client.is_connected)
    yield client
    client.disconnect()
    client.loop_stop()


def say(client: mqtt.Client, topic: str = TOPIC, **message: Any) -> None:
    client.publish(topic, json.dumps({"v": 1, **message}), qos=1).wait_for_publish(10)


def rows(database: Database, what: str) -> list[dict[str, Any]]:
    with database.connect() as connection:
        return list(connection.execute(what))


def test_a_direct_device_is_stored_once_and_told_so_however_often_it_says_it(
    registered: Database, either_broker: EmbeddedBroker, device: mqtt.Client
) -> None:
    told: list[dict[str, Any]] = []
    device.on_message = lambda _client, _data, message: told.append(json.loads(message.payload))
    device.subscribe(ack_topic("gw-1"), 1)
    with running(registered, either_broker):
        for _ in range(3):  # counted
            say(device, seq=1, readings=[["open", 1, NOW_MS, 1], ["battery", 90, NOW_MS]])
        for _ in range(3):  # not counted: its bytes are its number
            say(device, readings=[["open", 0, NOW_MS + 1000, 1]])
        say(device, readings=[["open", 0, NOW_MS + 1000]])  # the same time, another message
        say(device, seq=1, boot="2", readings=[["open", 1, NOW_MS + 2000, 1]])  # its counter began anew
        eventually(lambda: count(registered, "ledger") == 4 and len(told) >= 2)
        eventually(lambda: {"v": 1, "boot": "2", "seqs": [1]} in told)
    assert count(registered, "reading") == 5
    assert count(registered, "rejected") == 0
    assert {"v": 1, "boot": "", "seqs": [1]} in told
    life = rows(registered, "SELECT life_at FROM home_state")
    assert [to_ms(row["life_at"]) for row in life] == [NOW_MS + 2000]


def test_a_direct_device_without_a_clock_is_stamped_and_one_with_neither_clock_nor_count_is_refused(
    registered: Database, either_broker: EmbeddedBroker, device: mqtt.Client
) -> None:
    with running(registered, either_broker):
        say(device, seq=7, readings=[["sos", 1]])
        say(device, readings=[["sos", 1]])
        say(device, seq=8, device="unknown", readings=[["open", 1, NOW_MS], ["open", 0, NOW_MS]])
        eventually(lambda: count(registered, "rejected") == 2)
        eventually(lambda: count(registered, "reading") == 1)
    (stored,) = rows(registered, "SELECT time, flags FROM reading")
    assert (stored["time"], stored["flags"]) == (NOW, Flag.RESTAMPED)
    assert count(registered, "urgent_event") == 1
    refused = {row["reason"]: row for row in rows(registered, "SELECT reason, readings, payload FROM rejected")}
    assert set(refused) == {"undecodable", "unknown_device"}
    kept = json.loads(refused["unknown_device"]["payload"])
    assert (kept["device"], kept["seq"]) == ("unknown", 8)
    assert kept["readings"] == [["open", 1.0, NOW_MS, 0], ["open", 0.0, NOW_MS, 0]]


def test_a_direct_device_cannot_speak_for_another(
    registered: Database, either_broker: EmbeddedBroker, device: mqtt.Client
) -> None:
    with running(registered, either_broker):
        thief = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="thief")
        thief.username_pw_set("gw-2", "secret")
        thief.connect("127.0.0.1", either_broker.port)
        thief.publish(TOPIC, json.dumps({"v": 1, "seq": 1, "readings": [["open", 1, NOW_MS]]}), qos=0)
        for _ in range(20):
            thief.loop(0.05)
        thief.disconnect()
        say(device, seq=2, readings=[["open", 1, NOW_MS]])
        eventually(lambda: count(registered, "ledger") == 1)
    assert [row["seq"] for row in rows(registered, "SELECT seq FROM ledger")] == [2]
