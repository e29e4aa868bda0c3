"""From a device's message to the platform: nothing lost, nothing doubled, urgent first."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from uuid import uuid4

import pytest

from core.address import BrokerAddress
from core.clock import ManualClock
from core.model import Flag, Lane
from core.wire import Ack, encode
from gateway.drivers.base import Nothing
from gateway.gateway import Gateway
from gateway.outbox import Outbox
from gateway.settings import Settings
from gateway.source import Sealed
from gateway.uplink import ACK_PATIENCE_S, Uplink
from gateway.window import FIRST
from tests.conftest import NOW
from tests.integration.gateway.conftest import MakeGateway
from tests.integration.gateway.platform import Platform, until
from yiju.embedded.broker import EmbeddedBroker

SECOND = timedelta(seconds=1)


def power(values: Iterable[int]) -> list[tuple[str, bytes, datetime]]:
    """A meter's messages, one a second; each value is a reading to be found again."""
    return [
        ("tele/meter/SENSOR", b'{"ENERGY":{"Power":%d}}' % value, NOW + value * SECOND) for value in values
    ]  # fmt: skip


def test_a_door_that_opens_reaches_the_platform_and_leaves_the_outbox(
    make_gateway: MakeGateway, platform: Platform, clock: ManualClock
) -> None:
    gateway = make_gateway()
    assert gateway.receive("zigbee2mqtt/FrontDoor", b'{"contact":true}') == 1
    assert gateway.receive("zigbee2mqtt/FrontDoor", b'{"contact":false}', received=NOW + SECOND) == 1
    assert gateway.unacknowledged() == 2
    gateway.tick(clock.move(2 * SECOND))
    assert gateway.depth().batches == 0  # it still waits for company
    gateway.tick(clock.move(4 * SECOND))
    until(lambda: gateway.unacknowledged() == 0, "acknowledged")
    doors = [reading for reading in platform.readings() if reading.device == "zigbee2mqtt/FrontDoor"]
    assert [(door.metric, door.value, door.flags) for door in doors] == [("open", 0, 0), ("open", 1, Flag.CHANGED)]


def test_a_retained_replay_is_not_taken_and_counted(make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    assert gateway.receive("zigbee2mqtt/Motion", b'{"occupancy":true}', retained=True) == 0
    assert gateway.receive("elsewhere/Motion", b"1") == 0
    assert gateway.ignored() == {Nothing.RETAINED: 1, Nothing.NOT_MINE: 1}
    assert gateway.unacknowledged() == 0


def test_sos_is_sent_at_once_and_overtakes_a_backlog(make_gateway: MakeGateway, broker: EmbeddedBroker) -> None:
    platform = Platform(broker.url(), acknowledging=False)
    gateway = make_gateway()
    assert gateway.receive_many(power(range(10_000))) == 10_000
    window = int(FIRST)
    until(lambda: len(platform.stored) == window, "the bulk window is full")
    gateway.receive("zigbee2mqtt/Button", b'{"action":"emergency"}')
    until(lambda: platform.values(Lane.URGENT) == [1], "the SOS is there")
    assert len(platform.stored) == window + 1  # of 50 batches that wait
    platform.acknowledging = True
    platform.acknowledge_all("gw-1")
    until(lambda: gateway.unacknowledged() == 0, "all acknowledged")
    assert sorted(platform.values(Lane.BULK)) == list(range(10_000))
    platform.close()


def test_an_outbox_that_cannot_be_read_for_a_moment_does_not_end_the_uplink(
    settings: Settings, platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    readable, asked = Outbox.take, Event()

    def unreadable(*_: object) -> list[Sealed]:
        asked.set()
        raise sqlite3.OperationalError("disk I/O error")

    gateway = Gateway(settings, clock)
    gateway.receive("zigbee2mqtt/Button", b'{"action":"emergency"}')
    monkeypatch.setattr(Outbox, "take", unreadable)
    gateway.start()
    until(asked.is_set, "connected, with an outbox that cannot be read")
    monkeypatch.setattr(Outbox, "take", readable)
    gateway.tick(clock.now())
    until(lambda: gateway.depth().batches == 0, "acknowledged")
    gateway.stop()
    assert platform.values(Lane.URGENT) == [1]


def test_a_broker_that_is_killed_and_forgets_everything_costs_no_reading(
    make_gateway: MakeGateway, broker: EmbeddedBroker
) -> None:
    platform = Platform(broker.url(), acknowledging=False)
    gateway = make_gateway()
    gateway.receive_many(power(range(5_000)))
    until(lambda: len(platform.stored) == int(FIRST), "the broker has taken a window")
    for _ in range(2):
        assert broker.process is not None
        broker.process.kill()
        broker.process.wait()
        (broker.folder / "mosquitto.db").unlink(missing_ok=True)
        until(lambda: not gateway.connected, "the loss is noticed")
        gateway.receive("zigbee2mqtt/Button", b'{"action":"emergency"}')  # taken without a connection
        broker.start()
        until(lambda: gateway.connected, "connected again")
    platform.acknowledging = True
    platform.acknowledge_all("gw-1")
    until(lambda: gateway.unacknowledged() == 0, "all acknowledged")
    assert sorted(platform.values(Lane.BULK)) == list(range(5_000))
    assert platform.values(Lane.URGENT) == [1, 1]
    platform.close()


def test_acknowledgements_that_are_junk_foreign_early_or_doubled_do_no_harm(
    make_gateway: MakeGateway, broker: EmbeddedBroker
) -> None:
    platform = Platform(broker.url(), acknowledging=False)
    gateway = make_gateway()
    gateway.receive_many(power(range(200 * (int(FIRST) + 1))))
    until(lambda: len(platform.stored) == int(FIRST), "the window is full")
    session = next(iter(platform.stored))[0]
    unsent = int(FIRST) + 1
    platform.say("gw-1", b"\xff not an ack")
    platform.say("gw-1", encode(Ack(99, session, Lane.BULK, [1])))
    platform.acknowledge("gw-1", uuid4(), Lane.BULK, [1])
    platform.acknowledge("gw-1", session, Lane.URGENT, [1])
    platform.acknowledge("gw-1", session, Lane.BULK, [unsent, 999, -1])
    platform.acknowledge("gw-1", session, Lane.BULK, [1, 1])
    platform.acknowledge("gw-1", session, Lane.BULK, [1])
    until(lambda: len(platform.stored) == unsent, "batch 1 made room for the one that was never sent")
    assert gateway.depth().batches == int(FIRST)
    platform.acknowledge_all("gw-1")
    until(lambda: gateway.unacknowledged() == 0, "all acknowledged")
    platform.close()


def test_a_batch_without_an_acknowledgement_is_sent_again_with_growing_patience(
    broker: EmbeddedBroker, clock: ManualClock, make_gateway: MakeGateway
) -> None:
    platform = Platform(broker.url(), acknowledging=False)
    gateway = make_gateway()
    gateway.receive("zigbee2mqtt/Button", b'{"action":"emergency"}')
    gateway.stop()
    outbox = Outbox(broker.folder.parent / "gateway" / "outbox.sqlite")
    elapsed = [0.0]
    address = BrokerAddress("127.0.0.1", broker.port, tls=False, user="gw-1", password="secret")
    uplink = Uplink(address, "gw-1", outbox, clock, monotonic=lambda: elapsed[0])
    uplink.start()
    until(lambda: uplink.connected and platform.copies, "sent")
    (key,) = platform.copies
    seen = platform.copies[key]

    def ticked(copies: int) -> bool:
        uplink.tick(clock.now())
        return platform.copies[key] == copies

    patience_s = ACK_PATIENCE_S[Lane.URGENT]
    for patience, again in ((patience_s - 1, 0), (1, 1), (2 * patience_s - 1, 0), (1, 1)):
        elapsed[0] += patience
        seen += again
        # the broker's own acknowledgement may come after the batch has come to the platform: tick until it is sent
        until(partial(ticked, seen), f"{seen} copies")
    platform.acknowledge_all("gw-1")
    until(lambda: outbox.depth().batches == 0, "acknowledged")
    uplink.stop()
    outbox.close()
    platform.close()


def test_birth_heartbeat_and_goodbye_tell_whether_the_gateway_is_there(
    make_gateway: MakeGateway, platform: Platform, clock: ManualClock
) -> None:
    gateway = make_gateway()
    until(lambda: platform.statuses, "birth")
    birth = platform.statuses[-1]
    assert (birth.online, birth.time) == (True, int(NOW.timestamp() * 1000))
    until(lambda: gateway.connected, "connected")
    gateway.tick(clock.move(timedelta(seconds=59)))
    gateway.tick(clock.move(SECOND))
    until(lambda: len(platform.statuses) == 2, "heartbeat")
    assert platform.statuses[-1].time == int(NOW.timestamp() * 1000) + 60_000
    gateway.stop()
    until(lambda: not platform.statuses[-1].online, "goodbye")


def test_a_gateway_whose_disk_is_full_does_not_say_that_it_is_there(
    make_gateway: MakeGateway, platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = make_gateway()
    until(lambda: gateway.connected and platform.statuses, "birth")

    def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "append", full)
        for _ in range(3):
            clock.move(61 * SECOND)
            for _ in range(2):
                with pytest.raises(sqlite3.OperationalError):
                    gateway.tick(clock.now())
                clock.move(SECOND)
    gateway.tick(clock.now())
    until(lambda: len(platform.statuses) > 1, "heartbeat")
    assert [status.time for status in platform.statuses[1:]] == [int(clock.now().timestamp() * 1000)]


def test_health_is_reported_each_minute(make_gateway: MakeGateway, platform: Platform, clock: ManualClock) -> None:
    gateway = make_gateway()
    for _ in range(60):
        gateway.tick(clock.move(2 * SECOND))
    gateway.flush()
    until(lambda: gateway.unacknowledged() == 0, "acknowledged")
    health = [reading for reading in platform.readings() if reading.device == "gateway"]
    for metric in ("uptime", "outbox_depth", "outbox_age", "disk_free", "reconnects"):
        assert [reading.metric for reading in health].count(metric) == 2
    assert [reading.value for reading in health if reading.metric == "uptime"] == [2, 62]


def test_a_restart_continues_where_it_was(make_gateway: MakeGateway, broker: EmbeddedBroker) -> None:
    gateway = make_gateway()
    gateway.receive_many(power(range(300)))
    gateway.stop()
    platform = Platform(broker.url())
    gateway = make_gateway()
    gateway.receive_many(power(range(300, 500)))
    gateway.flush()
    until(lambda: gateway.unacknowledged() == 0, "acknowledged")
    assert platform.values() == list(range(500))
    assert [seq for _, _, seq in platform.stored] == [1, 2, 3]
    platform.close()
