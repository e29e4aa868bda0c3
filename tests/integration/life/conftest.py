"""A home and the platform, all real: PostgreSQL, the platform's broker, ingest, the home's own broker, a gateway."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from psycopg.types.json import Jsonb

from core.address import BrokerAddress
from core.clock import ManualClock
from core.configuration import Publication
from gateway.gateway import Gateway
from gateway.home import HomeBroker
from gateway.settings import Settings
from gateway.steward import Steward
from ingest.service import Ingest
from ingest.service import Settings as IngestSettings
from store.pool import Connection
from tests.conftest import Database
from tests.integration.ingest.homes import register_homes
from tests.needs import need
from yiju.embedded.broker import EmbeddedBroker
from yiju.embedded.child import start_child, stop_child
from yiju.embedded.postgres import free_port

PATIENCE_S = 20.0
ASK, SIREN = Publication("voice/say", "are you all right?"), Publication("zigbee2mqtt/Siren/set", '{"warning":1}')
OPTIONS: dict[str, Any] = {
    "prompts": {"ask": {"topic": ASK.topic, "payload": ASK.payload}},
    "rules": [{"when": ["sos", "smoke"], "publish": [{"topic": SIREN.topic, "payload": SIREN.payload}]}],
}


def until(condition: Callable[[], Any], what: str) -> Any:
    """Waits until `condition` holds; for what other threads and processes do."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"after {PATIENCE_S:.0f} s still not: {what}"
        time.sleep(0.02)
    return found


class HomeDevices:
    """The home's own broker and everything in the home that speaks to it; remembers what the gateway says there."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._configuration = folder / "home.conf"
        self._configuration.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
        self.said: list[tuple[str, bytes, bool]] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_message = lambda _client, _data, message: self.said.append(
            (message.topic, bytes(message.payload), message.retain)
        )
        self.start()
        until(self._reaches, "the home's broker answers")
        self._client.loop_start()

    def start(self) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        need(program is not None, "mosquitto is not installed: apt-get install mosquitto")
        assert program is not None
        self._process = start_child(
            [program, "-c", self._configuration], not_as_root=True, output=subprocess.DEVNULL
        )  # fmt: skip

    def speak(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(10)

    def heard(self, one: Publication) -> int:
        """How often it was said."""
        return sum((topic, payload) == (one.topic, one.payload.encode()) for topic, payload, _ in list(self.said))

    def stop(self) -> None:
        stop_child(self._process)

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self.stop()

    def _reaches(self) -> bool:
        try:
            self._client.connect("127.0.0.1", self.port)
        except OSError:
            return False
        return True


class Box:
    """The gateway's box: its process, as far as a test needs it, on the test's clock."""

    def __init__(self, settings: Settings, home: HomeDevices, clock: ManualClock) -> None:
        self._stopped = False
        self.clock = clock
        self.folder = Path(settings.gateway_folder)
        self.gateway = Gateway(settings, clock)
        self.home = HomeBroker(BrokerAddress("127.0.0.1", home.port, False), self.gateway, clock, "box-home")
        self.steward = Steward(self.gateway, settings.gateway_key, self.folder, self.home)
        self.steward.join()
        self.gateway.start()
        self.home.start()

    def tick(self, span: timedelta = timedelta(seconds=1)) -> bool:
        """A second of the test's clock passes; True, so that it can stand in a condition."""
        self.gateway.tick(self.clock.move(span))
        return True

    def until(self, condition: Callable[[], Any], what: str, step: timedelta = timedelta(milliseconds=100)) -> Any:
        """Ticks until `condition` holds."""
        return until(lambda: self.tick(step) and condition(), what)

    def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        self.steward.stop(self.clock.now())
        self.home.stop()
        self.gateway.stop()


@pytest.fixture
def home_devices(tmp_path: Path) -> Iterator[HomeDevices]:
    made = HomeDevices(tmp_path)
    yield made
    made.end()


@pytest.fixture
def rows(database: Database) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Asks the database."""
    with database.connect() as connection:
        yield lambda sql, *parameters: connection.execute(sql.encode(), parameters).fetchall()


@pytest.fixture
def registered(database: Database) -> Iterator[Connection]:
    """Two homes in the register, the first with a voice and a siren."""
    register_homes(database, 2)
    with database.connect() as connection:
        connection.execute("UPDATE gateway SET options = %s WHERE key = 'gw-1'", [Jsonb(OPTIONS)])
        yield connection


@pytest.fixture
def ingest(database: Database, broker: EmbeddedBroker, clock: ManualClock, registered: Connection) -> Iterator[Ingest]:
    made = Ingest(IngestSettings(database.url, broker.url()), clock)
    thread = threading.Thread(target=made.run)
    thread.start()
    until(lambda: made.connected, "ingest is connected")
    yield made
    made.stopping.set()
    thread.join()


@pytest.fixture
def box_settings(broker: EmbeddedBroker, tmp_path: Path) -> Settings:
    return Settings("gw-1", "secret", f"mqtt://127.0.0.1:{broker.port}", gateway_folder=str(tmp_path / "gateway"))


@pytest.fixture
def box(box_settings: Settings, home_devices: HomeDevices, clock: ManualClock) -> Iterator[Box]:
    made = Box(box_settings, home_devices, clock)
    made.until(lambda: made.home.connected and made.gateway.connected, "the box is connected")
    yield made
    made.stop()
