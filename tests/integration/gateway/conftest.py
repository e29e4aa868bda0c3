"""A gateway in a folder of its own, and a platform, at the test's broker."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.clock import ManualClock
from gateway.gateway import Gateway
from gateway.settings import Settings
from tests.integration.gateway.platform import Platform
from tests.needs import need
from yiju.embedded.broker import EmbeddedBroker
from yiju.embedded.child import start_child, stop_child
from yiju.embedded.postgres import free_port

MakeGateway = Callable[[], Gateway]


@pytest.fixture
def settings(broker: EmbeddedBroker, tmp_path: Path) -> Settings:
    return Settings(
        gateway_key="gw-1",
        gateway_password="secret",
        platform_url=f"mqtt://127.0.0.1:{broker.port}",
        gateway_folder=str(tmp_path / "gateway"),
    )


@pytest.fixture
def platform(broker: EmbeddedBroker) -> Iterator[Platform]:
    made = Platform(broker.url())
    yield made
    made.close()


@pytest.fixture
def make_gateway(settings: Settings, clock: ManualClock) -> Iterator[MakeGateway]:
    """Makes and starts a gateway; stops what is left at the end."""
    running: list[Gateway] = []

    def make() -> Gateway:
        gateway = Gateway(settings, clock)
        running.append(gateway)
        gateway.start()
        return gateway

    yield make
    for gateway in running:
        gateway.stop()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[int]:
    """The port of a home's own broker, which asks nobody's name."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    need(program is not None, "mosquitto is not installed: apt-get install mosquitto")
    assert program is not None
    port = free_port()
    configuration = tmp_path / "home.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
    process = start_child([program, "-c", configuration], not_as_root=True, output=subprocess.DEVNULL)
    yield port
    stop_child(process)
