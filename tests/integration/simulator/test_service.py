"""The running simulator with real gateways at a real broker: nothing is lost or doubled over a restart."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from core.clock import ScaledClock
from core.errors import SettingsError, StackError
from core.metrics import BY_ID
from core.model import Lane
from core.wire import from_ms
from gateway.gateway import Gateway
from gateway.settings import Settings as GatewaySettings
from simulator.control import ask
from simulator.days import DayBook
from simulator.history import history
from simulator.homes import demo_homes
from simulator.marks import Marks
from simulator.service import Settings, play, read_passwords
from tests.integration.gateway.platform import Platform, until
from yiju.embedded.broker import EmbeddedBroker

ORIGIN = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)  # 07:00 in Shanghai
SEED = 1


@pytest.fixture
def settings(broker: EmbeddedBroker, tmp_path: Path) -> Settings:
    passwords = tmp_path / "passwords.json"
    passwords.touch(mode=0o600)
    passwords.write_bytes(msgspec.json.encode({"gw-1": "secret"}))
    return Settings(
        platform_url=f"mqtt://127.0.0.1:{broker.port}",
        simulator_passwords=str(passwords),
        simulator_folder=str(tmp_path / "simulator"),
        simulator_seed=SEED,
        simulator_homes=1,
    )


@pytest.fixture
def clock() -> ScaledClock:
    """Half an hour passes in a second."""
    return ScaledClock(ORIGIN, datetime.now(UTC), 1800)


@pytest.fixture
def platform(broker: EmbeddedBroker) -> Iterator[Platform]:
    made = Platform(broker.url())
    yield made
    made.close()


@contextmanager
def playing(settings: Settings, clock: ScaledClock) -> Iterator[None]:
    stopping, wake = threading.Event(), threading.Event()
    thread = threading.Thread(target=play, args=(settings, clock, stopping, wake))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        wake.set()
        thread.join(30)
        assert not thread.is_alive()


def measured(platform: Platform) -> int:
    """How many readings of devices have arrived."""
    return len(platform.values())


def deliver_the_rest(settings: Settings, clock: ScaledClock) -> None:
    folder = str(Path(settings.simulator_folder) / "gateways" / "gw-1")
    gateway = Gateway(GatewaySettings("gw-1", "secret", settings.platform_url, gateway_folder=folder), clock)
    gateway.start()
    until(lambda: gateway.unacknowledged() == 0, "all is acknowledged")
    gateway.stop()


def test_what_arrives_over_a_restart_is_exactly_what_happened(
    settings: Settings, clock: ScaledClock, platform: Platform
) -> None:
    folder = Path(settings.simulator_folder)
    with playing(settings, clock):
        until(lambda: measured(platform) > 100, "a hundred readings arrive")
        assert ask(folder, "sos", 1).ok
        until(lambda: platform.values(Lane.URGENT), "the SOS arrives")
    before = measured(platform)
    with playing(settings, clock):
        until(lambda: measured(platform) > before + 100, "more readings arrive")
    deliver_the_rest(settings, clock)

    with Marks(folder, SEED) as marks:
        played_until = marks.get(1)
    assert played_until is not None
    book = DayBook(demo_homes(SEED)[0])
    begun = min(reading.time for reading in platform.readings() if reading.device != "gateway")
    expected = Counter(
        (book.home.devices[device].address, BY_ID[metric].name, time, value)
        for device, metric, time, value, _ in history(book, from_ms(begun), from_ms(played_until)).tolist()
    )
    got = Counter(
        (reading.device, reading.metric, reading.time, reading.value)
        for reading in platform.readings()
        if reading.device != "gateway"
    )
    assert not expected - got
    more = list((got - expected).elements())
    told = {(device, metric) for device, metric, time, _ in more if time == begun}  # to a new gateway, as hubs do
    assert {("zigbee2mqtt/bed", "occupied"), ("zigbee2mqtt/entry_motion", "motion")} <= told
    extra = sorted((device, metric) for device, metric, time, _ in more if time != begun)
    assert extra == [("zigbee2mqtt/sos_button", metric) for metric in ("battery", "link_quality", "sos")]


def test_the_service_stops_cleanly_on_sigterm(settings: Settings, tmp_path: Path) -> None:
    environment = {f"YIJU_{name.upper()}": str(value) for name, value in msgspec.structs.asdict(settings).items()}
    program = (
        "import os; from core.clock import SystemClock; from core.settings import read_settings;"
        "from simulator.service import Settings, run; run(read_settings(Settings, os.environ), SystemClock())"
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", program], env={**os.environ, **environment}, stdout=log, stderr=log
        )
    try:
        until(lambda: answers(settings, process), "the demo answers")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, (tmp_path / "log").read_text()
    finally:
        process.kill()
        process.wait()
    with pytest.raises(StackError, match="no demo runs"):
        ask(Path(settings.simulator_folder), "fall", 1)


def answers(settings: Settings, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "it has ended"
    try:
        return not ask(Path(settings.simulator_folder), "end", 1).ok
    except StackError:
        return False


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (None, 0, "which cannot be read"),
        (b"{}", 0o644, "others can read: run chmod 600"),
        (b"[1]", 0o600, "no JSON object of passwords"),
    ],
)
def test_a_wrong_passwords_file_is_named_with_its_remedy(
    tmp_path: Path, content: bytes | None, mode: int, says: str
) -> None:
    path = tmp_path / "passwords.json"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(SettingsError, match=says):
        read_passwords(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"simulator_start": "yesterday"}, "YIJU_SIMULATOR_START is 'yesterday'"),
        ({"simulator_homes": 2}, "no gw-2 in it"),
    ],
)
def test_a_wrong_setting_is_named(settings: Settings, clock: ScaledClock, change: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        play(msgspec.structs.replace(settings, **change), clock, threading.Event(), threading.Event())


def test_a_start_in_the_past_is_played_first(settings: Settings, clock: ScaledClock, platform: Platform) -> None:
    earlier = ORIGIN - timedelta(hours=2)
    with playing(msgspec.structs.replace(settings, simulator_start=earlier.isoformat()), clock):
        until(lambda: measured(platform) > 50, "readings arrive")
    assert min(r.time for r in platform.readings() if r.device != "gateway") < (earlier.timestamp() + 600) * 1000
