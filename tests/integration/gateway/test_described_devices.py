"""A device that describes itself at the home's broker is listened to from then on, at a real broker."""

import json
from collections.abc import Iterator

import pytest
from paho.mqtt.client import Client

from core.address import BrokerAddress
from core.clock import ManualClock
from gateway.client import client_for, connect
from gateway.gateway import Gateway
from gateway.home import HomeBroker
from tests.integration.gateway.conftest import MakeGateway
from tests.integration.gateway.platform import until


@pytest.fixture
def device(home: int) -> Iterator[Client]:
    """Somebody at the home's broker."""
    address = BrokerAddress("127.0.0.1", home, False, "", "")
    client = client_for(address, "device")
    connect(client, address)
    until(client.is_connected, "a connection")
    yield client
    client.disconnect()
    client.loop_stop()


def say(device: Client, topic: str, payload: str, *, retain: bool = False) -> None:
    device.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)


def test_topics_of_described_devices_are_subscribed_to_and_left_again(
    home: int, make_gateway: MakeGateway, clock: ManualClock, device: Client
) -> None:
    config = {"dev_cla": "door", "stat_t": "hall/door/state", "dev": {"ids": "d1"}}
    say(device, "homeassistant/binary_sensor/hall/door/config", json.dumps(config), retain=True)
    gateway = make_gateway()
    listening = HomeBroker(BrokerAddress("127.0.0.1", home, False, "", ""), gateway, clock, "gateway-home")
    listening.start()
    try:
        until(lambda: bool(gateway.drivers[-1].discovered()), "discovered")
        config |= {"stat_t": "hall/door2/state"}
        say(device, "homeassistant/binary_sensor/hall/door2/config", json.dumps(config))
        until(lambda: len(gateway.drivers[-1].discovered()) == 2, "discovered")
        until(lambda: _said(device, gateway, "hall/door/state"), "heard")
        until(lambda: _said(device, gateway, "hall/door2/state"), "heard")
        # `+/status/+` is Shelly's: the message comes once, and the one driver that knows the topic reads it
        config |= {"stat_t": "porch/status/bell", "dev": {"ids": "d2"}}
        say(device, "homeassistant/binary_sensor/porch/bell/config", json.dumps(config))
        until(lambda: len(gateway.drivers[-1].discovered()) == 3, "discovered")
        before = gateway.unacknowledged()
        say(device, "porch/status/bell", "ON")
        say(device, "zigbee2mqtt/last", '{"battery":5}')  # in order behind it
        until(lambda: gateway.unacknowledged() >= before + 2, "heard")
        assert gateway.unacknowledged() == before + 2
        say(device, "homeassistant/binary_sensor/porch/bell/config", "")
        until(lambda: len(gateway.drivers[-1].discovered()) == 2, "discovered")
        before = gateway.unacknowledged()
        say(device, "porch/status/bell", "ON")
        say(device, "zigbee2mqtt/last", '{"battery":5}')
        until(lambda: gateway.unacknowledged() > before, "heard")
        assert gateway.unacknowledged() == before + 1
        assert listening.failures == 0
    finally:
        listening.stop()


def _said(device: Client, gateway: Gateway, topic: str) -> bool:
    """Says it until it is heard: the subscription may be on its way."""
    before = gateway.unacknowledged()
    say(device, topic, "ON")
    say(device, "zigbee2mqtt/last", '{"battery":5}')
    until(lambda: gateway.unacknowledged() > before, "heard")
    return gateway.unacknowledged() == before + 2
