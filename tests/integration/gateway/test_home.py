"""What the home's broker keeps for a gateway that is away: told from what comes live, and nothing taken twice."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from core.address import BrokerAddress
from core.clock import ManualClock
from core.model import Flag
from core.wire import to_ms
from gateway.drivers.base import Nothing
from gateway.gateway import Gateway
from gateway.home import FENCE_S, HomeBroker
from gateway.settings import Settings
from tests.integration.gateway.platform import until
from tests.integration.gateway.test_process import reaches
from tests.needs import need
from tests.unit.gateway.test_gateway import left
from yiju.embedded.child import start_child, stop_child
from yiju.embedded.postgres import free_port

MINUTE = timedelta(minutes=1)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A home's own broker, set up as docs/gateway.md says: it keeps QoS 0 messages too."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    need(program is not None, "mosquitto is not installed: apt-get install mosquitto")
    port = free_port()
    configuration = tmp_path / "home.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nqueue_qos0_messages true\nmax_queued_messages 100000\n",
        encoding="utf-8",
    )
    process = start_child([str(program), "-c", configuration], not_as_root=True, output=subprocess.DEVNULL)
    yield port
    stop_child(process)


@pytest.fixture
def devices(port: int) -> Iterator[Client]:
    client = Client(CallbackAPIVersion.VERSION2)
    client.loop_start()
    until(lambda: reaches(client, port), "the home's broker answers")
    yield client
    client.disconnect()
    client.loop_stop()


@contextmanager
def running(settings: Settings, clock: ManualClock, port: int, seconds: Callable[[], float]) -> Iterator[Gateway]:
    """The gateway at its home's broker."""
    gateway = Gateway(settings, clock)
    home = HomeBroker(BrokerAddress("127.0.0.1", port, tls=False), gateway, clock, "home", monotonic=seconds)
    home.start()
    try:
        yield gateway
    finally:
        home.stop()
        gateway.stop()


def say(devices: Client, name: str, payload: bytes, qos: int = 1) -> None:
    devices.publish(f"zigbee2mqtt/{name}", payload, qos=qos).wait_for_publish(10)


def live(devices: Client, gateway: Gateway) -> None:
    """Waits until the gateway has subscribed, and its fence is back."""

    def heard() -> bool:
        say(devices, "Lamp", b'{"power":1}')
        return gateway.unacknowledged() > 0

    until(heard, "the gateway hears its devices")


def test_what_was_said_while_the_gateway_was_away_is_taken_and_an_old_movement_stays_old(
    settings: Settings, clock: ManualClock, port: int, devices: Client
) -> None:
    with running(settings, clock, port, lambda: 0.0) as gateway:
        live(devices, gateway)
        say(devices, "Door", b'{"contact":true}')
        until(lambda: gateway.heard_until == clock.now() and gateway.unacknowledged() > 1, "the door is taken")
    clock.move(60 * MINUTE)
    say(devices, "Hall", b'{"occupancy":true}', qos=0)  # Zigbee2MQTT's own QoS
    say(devices, "Door", b'{"contact":false}')
    say(devices, "Door", b'{"contact":true}')
    say(devices, "Bed", b'{"occupied":true,"last_seen":"2026-03-02T09:17:00+00:00"}')
    say(devices, "Button", b'{"action":"emergency"}')
    clock.move(60 * MINUTE)
    heard: list[tuple[str, bool]] = []
    gateway = Gateway(settings, clock)
    gateway.listen(lambda message: heard.append((message.topic, message.waited)))
    home = HomeBroker(BrokerAddress("127.0.0.1", port, tls=False), gateway, clock, "home")
    home.start()
    until(lambda: len(heard) == 5, "what waited")

    def taken_live() -> bool:
        say(devices, "Hall", b'{"occupancy":true}')
        return heard[-1] == ("zigbee2mqtt/Hall", False)

    until(taken_live, "what comes after the fence is live")
    home.stop()
    gateway.stop()
    found = [reading for reading in left(settings) if reading.metric not in ("power", "uptime")]
    waited = {(r.device.rpartition("/")[2], r.value): r for r in found if r.received == _ms(clock)}
    gap = _ms(clock) - 120 * 60_000
    assert [waited[key].time - gap for key in (("Door", 1.0), ("Door", 0.0))] == [2, 3]  # as old as can be, in order
    assert waited["Bed", 1.0].time == gap + 17 * 60_000  # it has said when
    assert waited["Bed", 1.0].flags & Flag.RESTAMPED == 0
    assert waited["Button", 1.0].time == _ms(clock)  # a cry for help is one of now
    assert waited["Button", 1.0].flags & Flag.RESTAMPED
    halls = [r for r in found if r.device == "zigbee2mqtt/Hall"]
    assert (halls[0].time - gap, halls[0].flags & Flag.RESTAMPED) == (1, Flag.RESTAMPED)
    assert (halls[-1].time, halls[-1].flags & Flag.RESTAMPED) == (_ms(clock), 0)


def test_a_broker_that_gives_no_fence_back_does_not_make_everything_old_for_ever(
    settings: Settings, clock: ManualClock, port: int, devices: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(settings, clock, port, lambda: 0.0) as gateway:
        live(devices, gateway)
    taken = len(left(settings))
    clock.move(60 * MINUTE)
    seconds = [0.0]
    publish = Client.publish
    monkeypatch.setattr(  # an access list that lets the gateway write nowhere
        Client, "publish", lambda self, topic, *a, **k: publish(self, topic, *a, **k) if "fence" not in topic else None
    )
    with running(settings, clock, port, lambda: seconds[0]) as gateway:

        def heard(more: int) -> bool:
            say(devices, "Lamp", b'{"power":2}')
            return gateway.unacknowledged() >= taken + more

        until(lambda: heard(1), "heard")
        seconds[0] = FENCE_S
        until(lambda: heard(30), "heard")
    lamps = [r for r in left(settings) if r.value == 2]
    assert lamps[0].time < _ms(clock)
    assert lamps[-1].time == _ms(clock)


def test_a_message_that_the_broker_gives_twice_is_taken_once_and_a_second_press_is_a_second_press(
    settings: Settings, clock: ManualClock
) -> None:
    gateway = Gateway(settings, clock)
    home = HomeBroker(BrokerAddress("127.0.0.1", 1, tls=False), gateway, clock, "home")

    def give(number: int, *, again: bool) -> None:
        message = MQTTMessage(number, b"zigbee2mqtt/Button")
        message.payload, message.dup = b'{"action":"emergency"}', again
        home._on_message(home._client, None, message)

    give(1, again=False)
    give(1, again=True)
    gateway.stop()
    gateway = Gateway(settings, clock)  # killed before the broker heard that it was taken
    home._gateway = gateway
    give(1, again=True)
    give(2, again=True)  # was on its way when the process was killed
    assert gateway.ignored() == {Nothing.REPEATED: 1}
    gateway.stop()
    assert len(left(settings)) == 2


@pytest.mark.parametrize("killed", [False, True])
def test_what_still_waits_when_the_taking_is_cut_off_stays_as_old_as_it_is(
    settings: Settings, clock: ManualClock, killed: bool
) -> None:
    """The line or the process breaks while the home's broker hands over two hours of messages."""
    gateway = Gateway(settings, clock)
    home = HomeBroker(BrokerAddress("127.0.0.1", 1, tls=False), gateway, clock, "home")

    def give(number: int, topic: bytes, payload: bytes, *, retained: bool = False) -> None:
        message = MQTTMessage(number, topic)
        message.payload, message.retain = payload, retained
        home._on_message(home._client, None, message)

    def connect(*, session: bool) -> None:
        flags, accepted = ConnectFlags(session_present=session), ReasonCode(PacketTypes.CONNACK, "Success")
        home._on_connect(home._client, None, flags, accepted, None)

    connect(session=False)
    give(1, b"zigbee2mqtt/Door", b'{"contact":true}')
    last = _ms(clock)
    clock.move(120 * MINUTE)
    connect(session=True)
    give(0, b"zigbee2mqtt/bridge/state", b'{"state":"online"}', retained=True)  # need not wait for its turn
    give(2, b"zigbee2mqtt/Hall", b'{"occupancy":true}')
    if killed:
        gateway.stop()
        gateway = Gateway(settings, clock)
        home = HomeBroker(BrokerAddress("127.0.0.1", 1, tls=False), gateway, clock, "home")
    connect(session=True)
    give(3, b"zigbee2mqtt/Bath", b'{"occupancy":true}')
    gateway.stop()
    moved = [reading.time - last for reading in left(settings) if reading.metric == "motion"]
    assert len(moved) == 2
    assert all(0 < age <= 2 for age in moved)


def _ms(clock: ManualClock) -> int:
    return to_ms(clock.now())
