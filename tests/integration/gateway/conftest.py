"""A gateway in a folder of its own, and a platform, at the test's broker."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.clock import ManualClock
from gateway.gateway import Gateway
from gateway.settings import Settings
from tests.integration.gateway.platform import Platform
from yiju.embedded.broker import EmbeddedBroker

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
