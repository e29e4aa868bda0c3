"""How other parts of the home's box join in: they hear messages, tick, take orders, and cannot break the gateway."""

from datetime import datetime, timedelta

from core.clock import ManualClock
from core.model import Reading
from core.wire import encode
from gateway.drivers.base import Nothing
from gateway.gateway import Gateway
from gateway.heard import Heard
from gateway.settings import Settings
from tests.conftest import NOW
from tests.integration.gateway.platform import Platform, until


def test_a_listener_hears_every_message_when_its_readings_are_on_the_disk(
    settings: Settings, clock: ManualClock
) -> None:
    gateway = Gateway(settings, clock)
    heard: list[tuple[Heard, int]] = []
    gateway.listen(lambda message: heard.append((message, gateway.unacknowledged())))
    gateway.receive("zigbee2mqtt/Door", b'{"contact":true}')
    gateway.receive("zigbee2mqtt/Door", b'{"contact":true}', retained=True)
    gateway.receive_many([("zigbee2mqtt/Door", b'{"contact":false}', NOW)] * 2)
    assert [(message.topic, message.retained, depth) for message, depth in heard] == [
        ("zigbee2mqtt/Door", False, 1),
        ("zigbee2mqtt/Door", True, 1),
        ("zigbee2mqtt/Door", False, 3),
        ("zigbee2mqtt/Door", False, 3),
    ]
    assert [message.decoded.nothing for message, _ in heard] == [None, Nothing.RETAINED, None, None]
    gateway.stop()


def test_a_part_that_fails_stops_neither_the_gateway_nor_the_next_part(settings: Settings, clock: ManualClock) -> None:
    gateway = Gateway(settings, clock)

    def fails(_: object) -> None:
        raise ZeroDivisionError

    ticked: list[datetime] = []
    heard: list[Heard] = []
    gateway.listen(fails)
    gateway.listen(heard.append)
    gateway.each_tick(fails)
    gateway.each_tick(ticked.append)
    assert gateway.receive("zigbee2mqtt/Door", b'{"contact":true}') == 1
    gateway.tick(NOW)
    assert len(heard) == 1
    assert ticked == [NOW]
    gateway.stop()


def test_the_platform_s_orders_reach_their_part_and_answers_reach_the_platform(
    settings: Settings, clock: ManualClock, platform: Platform
) -> None:
    gateway = Gateway(settings, clock)
    orders: list[tuple[str, bytes, bool]] = []
    connections: list[datetime] = []
    gateway.obey(lambda name, payload, retained: orders.append((name, payload, retained)))
    gateway.at_connection(lambda: connections.append(clock.now()))
    assert not gateway.say("status", b"{}")  # nobody is there
    gateway.start()
    until(lambda: connections, "connected")
    until(lambda: platform.statuses, "birth")  # so the subscription of `down` stands too
    platform.order("gw-1", "command", b"ring")
    platform.order("gw-1", "config", b"1", retain=True)
    until(lambda: len(orders) == 2, "orders")
    assert orders == [("command", b"ring", False), ("config", b"1", False)]
    assert gateway.say("status", encode(platform.statuses[-1]))
    until(lambda: len(platform.statuses) == 2, "said")
    gateway.stop()


def test_readings_that_no_device_sent_travel_like_the_others(settings: Settings, clock: ManualClock) -> None:
    gateway = Gateway(settings, clock)
    gateway.report([Reading("zigbee2mqtt/Door", "online", NOW - timedelta(seconds=1), 0.0, NOW)])
    assert gateway.unacknowledged() == 1
    gateway.stop()
