"""A box that starts with a wrong clock asks the platform for the time before it says anything."""

from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.model import Flag, Lane
from core.wire import VERSION, PlatformTime, encode, to_ms
from gateway.gateway import Gateway
from gateway.settings import Settings
from gateway.true_time import Machine
from gateway.uplink import HOLD_S
from tests.conftest import NOW
from tests.integration.gateway.platform import Platform, until
from yiju.embedded.broker import EmbeddedBroker

BEHIND = timedelta(hours=5)


@pytest.fixture
def wrong() -> ManualClock:
    """Five hours behind; it stands still, as the machine's count does."""
    return ManualClock(NOW - BEHIND)


def test_an_sos_of_a_home_five_hours_behind_arrives_with_the_true_time(
    settings: Settings, wrong: ManualClock, platform: Platform
) -> None:
    gateway = Gateway(settings, wrong, Machine("boot-1", lambda: 0))
    gateway.receive("zigbee2mqtt/Button", b'{"action":"emergency"}')
    assert gateway.clock_offset() is None
    gateway.start()
    until(lambda: platform.statuses, "birth")
    assert platform.statuses[-1].ask_time
    assert not platform.stored  # it waits for the answer
    platform.order("gw-1", "time", encode(PlatformTime(VERSION, to_ms(NOW))))
    until(lambda: platform.readings(Lane.URGENT), "the SOS")
    (sos,) = platform.readings(Lane.URGENT)
    assert (sos.time, sos.flags) == (to_ms(NOW), Flag.RESTAMPED)
    assert gateway.clock_offset() == BEHIND
    gateway.stop()


def test_a_platform_that_does_not_know_the_question_is_not_waited_for_long(
    settings: Settings, wrong: ManualClock, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Gateway(settings, wrong, Machine("boot-1", lambda: 0))
    seconds = [0.0]
    monkeypatch.setattr(gateway._uplink, "_monotonic", lambda: seconds[0])
    gateway.receive("zigbee2mqtt/Button", b'{"action":"emergency"}')
    gateway.start()
    until(lambda: gateway.connected and platform.statuses, "birth")
    gateway.tick(wrong.now())
    assert not platform.stored
    seconds[0] = HOLD_S
    gateway.tick(wrong.now())
    until(lambda: platform.readings(Lane.URGENT), "the SOS")
    (sos,) = platform.readings(Lane.URGENT)
    assert (sos.time, sos.flags) == (to_ms(NOW - BEHIND), Flag.UNSURE)
    gateway.stop()


def test_a_process_that_is_started_again_on_the_same_machine_asks_no_more(
    settings: Settings, wrong: ManualClock, broker: EmbeddedBroker
) -> None:
    platform = Platform(broker.url())
    for asks in (True, False):
        gateway = Gateway(settings, wrong, Machine("boot-1", lambda: 0))
        before = len(platform.statuses)
        gateway.start()
        until(lambda: len(platform.statuses) > before, "birth")  # noqa: B023  # called at once
        assert platform.statuses[before].ask_time == asks
        platform.order("gw-1", "time", encode(PlatformTime(VERSION, to_ms(NOW))))
        until(lambda: gateway.clock_offset() == BEHIND, "the time is known")  # noqa: B023
        gateway.stop()
        until(lambda: not platform.statuses[-1].online, "goodbye")
    platform.close()
