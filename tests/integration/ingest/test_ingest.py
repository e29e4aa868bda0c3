"""The whole way from a real broker to a real database, with what can arrive and what can break."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any
from uuid import UUID

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.clock import ManualClock
from core.model import Lane
from core.wire import (
    VERSION,
    Ack,
    Batch,
    Status,
    WireReading,
    ack_topic,
    decode_ack,
    encode,
    status_topic,
    to_ms,
    up_topic,
)
from ingest.service import Ingest, Settings
from tests.conftest import NOW, Database
from tests.integration.ingest.homes import register_homes
from yiju.embedded.broker import EmbeddedBroker

SESSION = UUID("12345678-1234-5678-1234-567812345678")
NOW_MS = to_ms(NOW)


def eventually(what: Callable[[], Any], until_s: float = 15) -> Any:
    """Asks until the answer is true; fails with the last answer."""
    deadline = time.monotonic() + until_s
    while not (answer := what()):
        assert time.monotonic() < deadline, f"still {answer!r} after {until_s} s"
        time.sleep(0.02)
    return answer


def grows_to(goal: int, what: Callable[[], int], patience_s: float = 20) -> None:
    """Waits for as long as the number grows, on a machine however slow; fails when it stands still or is too great."""
    number, since = what(), time.monotonic()
    while number < goal:
        assert time.monotonic() - since < patience_s, f"{number} of {goal}, and no more for {patience_s} s"
        time.sleep(0.02)
        if (now := what()) != number:
            number, since = now, time.monotonic()
    assert number == goal


class GatewayClient:
    """The least that a gateway does: publishes, and collects end-to-end acknowledgements."""

    def __init__(self, broker: EmbeddedBroker, key: str = "gw-1") -> None:
        self.key = key
        self.acks: Queue[Ack] = Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=key)
        self.client.username_pw_set(key, "secret")
        self.client.on_message = lambda _client, _data, message: self.acks.put(decode_ack(bytes(message.payload)))
        subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.client.subscribe(ack_topic(key), 1)
        assert subscribed.wait(10)

    def send(self, seq: int, *readings: WireReading, lane: Lane = Lane.BULK, retain: bool = False) -> None:
        self.publish(up_topic(self.key, lane), encode(Batch(VERSION, SESSION, seq, list(readings))), retain=retain)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain)

    def acknowledged(self, seq: int) -> None:
        """Waits for the acknowledgement of `seq`."""
        while seq not in self.acks.get(timeout=15).seqs:
            pass


def door(minutes_ago: int = 0, value: float = 1.0) -> WireReading:
    return WireReading("zigbee2mqtt/door", "open", NOW_MS - 60_000 * minutes_ago, value, NOW_MS, 1)


@contextmanager
def running(database: Database, broker: EmbeddedBroker, keep_readings_days: int = 180) -> Iterator[Ingest]:
    ingest = Ingest(Settings(database.url, broker.url(), keep_readings_days), ManualClock(NOW))
    thread = threading.Thread(target=ingest.run)
    thread.start()
    try:
        eventually(lambda: ingest.connected)
        yield ingest
    finally:
        ingest.stopping.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def gateway(broker: EmbeddedBroker) -> Iterator[GatewayClient]:
    gateway = GatewayClient(broker)
    yield gateway
    gateway.client.disconnect()
    gateway.client.loop_stop()


def count(database: Database, table: str) -> int:
    with database.connect() as connection:
        row = connection.execute(f"SELECT count(*) AS n FROM {table}").fetchone()
    return int(row["n"]) if row else 0


def test_a_batch_is_stored_and_acknowledged_to_its_gateway(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=2)
    with running(database, broker):
        gateway.send(1, door())
        gateway.acknowledged(1)
    assert count(database, "reading") == 1


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\x00\xff\xfejunk", "undecodable"),
        (b"", "undecodable"),
        (b'{"v":99,"session":"12345678-1234-5678-1234-567812345678","seq":5}', "wrong_version"),
        (json.dumps({"v": 1, "readings": "x" * 300_000}).encode(), "too_large"),
        (
            b'{"v":1,"session":"12345678-1234-5678-1234-567812345678","seq":5,'
            b'"readings":[["zigbee2mqtt/door","open",1,NaN,1]]}',
            "undecodable",
        ),
        (encode(Batch(VERSION, SESSION, 5, [WireReading("zigbee2mqtt/x", "open", NOW_MS, 1.0, 1)])), "unknown_device"),
        (encode(Batch(VERSION, SESSION, 5, [WireReading("zigbee2mqtt/door", "open", 0, 1.0, 1)])), "too_early"),
        (
            encode(Batch(VERSION, SESSION, 5, [WireReading("zigbee2mqtt/door", "open", 4_070_908_800_000, 1.0, 1)])),
            "in_the_future",
        ),
        (
            encode(Batch(VERSION, SESSION, 5, [WireReading("zigbee2mqtt/door", "open", -(2**62), 1.0, 2**62)])),
            "too_early",
        ),
        (
            b'{"v":1,"session":"12345678-1234-5678-1234-567812345678","seq":%d,"readings":[]}' % 2**63,
            "undecodable",
        ),
    ],
)
def test_a_bad_message_ends_in_rejected_and_the_next_good_one_is_stored(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient, payload: bytes, reason: str
) -> None:
    register_homes(database, homes=1)
    with running(database, broker):
        gateway.publish(up_topic("gw-1", Lane.BULK), payload)
        gateway.send(6, door())
        gateway.acknowledged(6)
    with database.connect() as connection:
        rows = connection.execute("SELECT reason, size, payload FROM rejected").fetchall()
    assert [(row["reason"], row["size"]) for row in rows] == [(reason, len(payload))]
    assert count(database, "reading") == 1


def test_a_batch_that_the_ledger_refuses_ends_in_rejected_and_ingest_lives(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    with database.connect() as owner:  # the database refuses this one number, whatever the batch holds
        owner.execute("ALTER TABLE ledger ADD CONSTRAINT not_five CHECK (seq <> 5)")
    with running(database, broker):
        gateway.send(5, door())
        gateway.send(6, door())
        gateway.acknowledged(6)
    with database.connect() as connection:
        rows = connection.execute("SELECT reason, readings FROM rejected").fetchall()
    assert rows == [{"reason": "unstorable", "readings": 1}]
    assert count(database, "reading") == 1


def test_a_status_that_the_database_refuses_stops_nothing(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    """As of a gateway that is erased while its word is on the way."""
    register_homes(database, homes=2)
    with database.connect() as owner:
        owner.execute("ALTER TABLE gateway_status ADD CONSTRAINT none CHECK (online)")
    other = GatewayClient(broker, "gw-2")
    with running(database, broker) as ingest:
        gateway.publish(status_topic("gw-1"), encode(Status(VERSION, online=False)))
        other.publish(status_topic("gw-2"), encode(Status(VERSION, online=True)))
        gateway.send(1, door())
        gateway.acknowledged(1)
        eventually(lambda: count(database, "gateway_status") == 2 and count(database, "rejected") == 1)
        assert not ingest.stopping.is_set()
    other.client.disconnect()
    other.client.loop_stop()
    assert count(database, "reading") == 1


def test_a_batch_of_10_mb_stops_nothing(database: Database, broker: EmbeddedBroker, gateway: GatewayClient) -> None:
    register_homes(database, homes=2)
    other = GatewayClient(broker, "gw-2")
    with running(database, broker):
        other.publish(up_topic("gw-2", Lane.BULK), b"[" * 10_000_000)
        gateway.send(1, door())
        gateway.acknowledged(1)
    other.client.disconnect()
    other.client.loop_stop()
    assert count(database, "reading") == 1


def test_a_retained_replay_stores_nothing_twice_and_does_not_bring_a_dead_gateway_to_life(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    gateway.send(1, door(), retain=True)
    gateway.publish(status_topic("gw-1"), encode(Status(VERSION, online=True)), retain=True)
    time_of_status = ManualClock(NOW).now()
    for _ in range(2):  # each start subscribes anew, and the broker replays what it retains
        with running(database, broker):
            eventually(lambda: count(database, "gateway_status"))
            gateway.send(2, door(1))
            gateway.acknowledged(2)
    assert count(database, "reading") == 2
    with database.connect() as connection:
        row = connection.execute("SELECT online, heard_at FROM gateway_status").fetchone()
    assert row == {"online": True, "heard_at": time_of_status}  # heard by its batch, not by the retained status


def test_a_device_registered_a_moment_ago_is_known_at_its_next_message(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    with running(database, broker):
        gateway.send(1, door())
        gateway.acknowledged(1)  # unknown gateway: in `rejected`, and acknowledged all the same
        register_homes(database, homes=1)
        gateway.send(2, door())
        gateway.acknowledged(2)
    assert count(database, "reading") == 1
    assert count(database, "rejected") == 1


def test_what_is_published_while_ingest_is_down_waits_in_the_broker(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    with running(database, broker):
        gateway.send(1, door(1))
        gateway.acknowledged(1)
    for seq in range(2, 60):
        gateway.send(seq, door(seq))
    with running(database, broker):
        grows_to(59, lambda: count(database, "reading"))


def test_a_backup_that_reads_for_hours_keeps_nothing_from_being_stored(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    with running(database, broker):
        gateway.send(1, door(50 * 1440))
        gateway.acknowledged(1)
    with database.connect(autocommit=False) as backup:
        backup.execute("LOCK TABLE reading IN ACCESS SHARE MODE")
        with running(database, broker, keep_readings_days=1) as ingest:
            gateway.send(2, door())  # of a day that has no place yet, while an old one cannot go
            gateway.acknowledged(2)
            eventually(lambda: ingest.stored)
    assert count(database, "reading") == 2


def test_a_gateway_cannot_take_ingests_place_at_the_broker(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    with running(database, broker):
        pass
    thief = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="yiju-ingest-1", clean_session=True)
    thief.username_pw_set("gw-2", "secret")
    thief.connect("127.0.0.1", broker.port)
    thief.loop_start()
    eventually(thief.is_connected)
    thief.disconnect()
    thief.loop_stop()
    gateway.send(1, door())
    with running(database, broker):
        gateway.acknowledged(1)
    assert count(database, "reading") == 1


def test_when_the_database_cuts_the_connection_nothing_is_lost_and_nothing_is_doubled(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    with running(database, broker):
        for seq in range(1, 200):
            gateway.send(seq, door(seq), lane=Lane.BULK if seq % 3 else Lane.URGENT)
            if seq % 40 == 0:
                with psycopg.connect(database.url, autocommit=True) as connection:
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND application_name = 'yiju_ingest'"
                    )
        gateway.acknowledged(199)
        grows_to(199, lambda: count(database, "ledger"))
    assert count(database, "reading") == 199


def test_a_gateway_that_loses_its_line_is_shown_offline_by_its_will(database: Database, broker: EmbeddedBroker) -> None:
    register_homes(database, homes=1)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="gw-1")
    client.username_pw_set("gw-1", "secret")
    client.will_set(status_topic("gw-1"), encode(Status(VERSION, online=False)), qos=1, retain=True)

    def online() -> Any:
        with database.connect() as connection:
            row = connection.execute("SELECT online FROM gateway_status").fetchone()
        return row and row["online"]

    with running(database, broker):
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        client.publish(status_topic("gw-1"), encode(Status(VERSION, online=True)), qos=1, retain=True)
        eventually(lambda: online() is True)
        sock = client.socket()
        assert sock is not None
        client.loop_stop()
        sock.close()  # the line breaks: no goodbye
        eventually(lambda: online() is False)


def test_a_message_sent_with_qos_0_is_stored_and_ends_no_connection(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    with running(database, broker):
        topic = up_topic("gw-1", Lane.BULK)
        gateway.client.publish(topic, encode(Batch(VERSION, SESSION, 1, [door(1)])), qos=0)
        gateway.send(2, door())
        gateway.acknowledged(2)
        eventually(lambda: count(database, "reading") == 2)
        time.sleep(0.2)  # an acknowledgement of what has no id would end the connection
        gateway.send(3, door(2))
        gateway.acknowledged(3)
    assert count(database, "reading") == 3
