"""One gateway without a network: what it takes, reports about itself, and refuses."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from core.clock import ManualClock
from core.errors import SettingsError
from core.model import Lane
from core.settings import describe_settings, read_settings
from core.wire import WireReading, decode_batch
from gateway.gateway import Gateway
from gateway.outbox import Outbox
from gateway.service import Settings
from tests.conftest import NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A gateway whose platform is not there."""
    return Settings("gw-1", "secret", "mqtt://127.0.0.1:1", gateway_folder=str(tmp_path))


def left(settings: Settings) -> list[WireReading]:
    """What a stopped gateway has left in its outbox."""
    outbox = Outbox(Path(settings.gateway_folder) / "outbox.sqlite")
    found = [r for lane in Lane for b in outbox.take(lane, 0, 10_000) for r in decode_batch(b.payload).readings]
    outbox.close()
    return found


def test_messages_are_taken_while_the_platform_is_away(settings: Settings, clock: ManualClock) -> None:
    gateway = Gateway(settings, clock)
    gateway.start()
    assert gateway.receive("zigbee2mqtt/Button", b'{"action":"emergency","battery":90}') == 2
    assert gateway.receive_many([("tele/plug/SENSOR", b'{"ENERGY":{"Power":5,"Total":1}}', NOW)] * 3) == 6
    assert gateway.unacknowledged() == 8
    gateway.stop()
    assert [(r.device, r.metric) for r in left(settings)[:2]] == [
        ("zigbee2mqtt/Button", "sos"),
        ("zigbee2mqtt/Button", "battery"),
    ]


def test_many_messages_are_taken_in_few_transactions_and_none_is_left_out(
    settings: Settings, clock: ManualClock
) -> None:
    gateway = Gateway(settings, clock)
    messages = (("zigbee2mqtt/a", b'{"temperature":%d}' % n, NOW + n * SECOND) for n in range(4_321))
    assert gateway.receive_many(messages) == 4_321
    gateway.stop()
    assert [r.value for r in left(settings)] == list(range(4_321))


def test_a_clock_that_was_set_back_does_not_hold_readings(settings: Settings, clock: ManualClock) -> None:
    gateway = Gateway(settings, clock)
    gateway.tick(NOW)
    gateway.receive("zigbee2mqtt/Door", b'{"contact":true}')
    yesterday = NOW - timedelta(days=1)
    gateway.tick(yesterday)
    gateway.tick(yesterday + 5 * SECOND)
    assert gateway.depth().waiting_since is None
    gateway.stop()


def test_what_a_full_budget_cost_is_reported_once_as_a_reading(settings: Settings, clock: ManualClock) -> None:
    gateway = Gateway(msgspec.structs.replace(settings, outbox_mb=1), clock)
    gateway.receive_many(("tele/m/SENSOR", b'{"ENERGY":{"Power":%d}}' % n, NOW) for n in range(30_000))
    for _ in range(3):
        gateway.tick(clock.move(timedelta(minutes=1)))
    kept = gateway.unacknowledged()
    gateway.stop()
    found = left(settings)
    (lost,) = [r.value for r in found if r.metric == "readings_lost"]
    assert 0 < lost == 30_000 - sum(r.metric == "power" for r in found)
    assert kept == len(found)


def test_a_button_that_says_ok_is_a_setting(settings: Settings, clock: ManualClock) -> None:
    gateway = Gateway(msgspec.structs.replace(settings, ok_actions="single ok"), clock)
    assert gateway.receive("zigbee2mqtt/Button", b'{"action":"single"}') == 1
    gateway.stop()
    assert [r.metric for r in left(settings)] == ["ok_press"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gateway_key": "GW 1"}, "YIJU_GATEWAY_KEY is 'GW 1'"),
        ({"platform_url": "localhost"}, "YIJU_PLATFORM_URL cannot be read"),
        ({"platform_url": "mqtts://h", "platform_ca": "/nowhere"}, "YIJU_PLATFORM_CA names '/nowhere'"),
    ],
)
def test_a_wrong_setting_is_named_and_holds_no_outbox(
    settings: Settings, clock: ManualClock, change: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        Gateway(msgspec.structs.replace(settings, **change), clock)
    Gateway(settings, clock).stop()


def test_settings_are_read_from_the_environment_and_all_described() -> None:
    environment = {
        "YIJU_GATEWAY_KEY": "gw-7",
        "YIJU_GATEWAY_PASSWORD": "secret",
        "YIJU_PLATFORM_URL": "mqtts://platform",
        "YIJU_OUTBOX_MB": "64",
    }
    assert read_settings(Settings, environment) == Settings("gw-7", "secret", "mqtts://platform", outbox_mb=64)
    assert all(described.description != "no description" for described in describe_settings(Settings))
    with pytest.raises(SettingsError, match="YIJU_OUTBOX_MB"):
        read_settings(Settings, {**environment, "YIJU_OUTBOX_MB": "0"})
