"""From an SOS that a gateway publishes to the alert on the live stream, while all the other homes go on sending.

The clock starts when the message is handed to the broker and stops when the event of that home's new alert arrives on
the api's stream, which says so only after the alert is committed. In the same run a message goes to the broker and
back: what the network and the broker take of it.
"""

import json
import queue
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.request import Request, urlopen
from uuid import uuid4

import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from bench.publisher import Publisher
from bench.servers import Servers
from bench.workload import GAP_MS, SOS, Homes, gateway_key, register_homes
from care.register import apply_register, read_document
from core.address import parse_broker_url
from core.clock import Clock
from core.errors import StackError
from core.model import Lane
from core.wire import VERSION, Batch, WireReading, ack_topic, encode, to_ms, up_topic
from store.pool import DatabaseRole, connect

LOGIN: Final = "bench"
PATIENCE_S: Final = 60.0
WARM_UP_S: Final = 15.0  # two looks of the alert engine at everything
EVERY_S: Final = 0.37  # between two presses; no multiple of anything that happens every so often


@dataclass(frozen=True)
class Latency:
    """What one run gave; `load_per_s` in messages of the other homes."""

    p50_ms: float
    p99_ms: float
    broker_round_trip_p50_ms: float
    presses: int
    load_per_s: float


def measure(
    servers: Servers, clock: Clock, homes: int, presses: int, port: int, advance: Callable[[float, float], None]
) -> Latency:
    """Measures `presses` in as many homes.

    Args:
        port: where the api that is started listens.
        advance: called with (presses so far, presses in all).

    Raises:
        StackError: a service does not come up, or a press leads to no alert within a minute.
    """
    register_homes(servers.database_url, homes, clock.now())
    password = uuid4().hex
    _register_worker(servers.database_url, password, clock.now())
    for name in ("ingest", "alerts"):
        servers.start(name)
    servers.start("api", YIJU_HOST="127.0.0.1", YIJU_PORT=str(port))
    stream = _Stream(f"http://127.0.0.1:{port}", password)
    load = _Load(servers, clock, homes)
    load.start()
    time.sleep(WARM_UP_S)
    presser = Publisher(servers.load_url, "bench-press")
    echo = _Echo(servers)
    took: list[float] = []
    round_trips: list[float] = []
    ids = _home_ids(servers.database_url)
    for number in range(presses):
        time.sleep(EVERY_S)
        round_trips.append(echo.round_trip(presser))
        key = gateway_key(number * (homes // presses))
        took.append(_press(presser, stream, clock, key, ids[key]))
        advance(number + 1, presses)
    sent_per_s = load.stop()
    ordered = np.array(took) * 1000
    return Latency(
        round(float(np.quantile(ordered, 0.5)), 1),
        round(float(np.quantile(ordered, 0.99)), 1),
        round(statistics.median(round_trips) * 1000, 2),
        presses,
        round(sent_per_s, 1),
    )


def _press(presser: Publisher, stream: "_Stream", clock: Clock, key: str, home_id: int) -> float:
    """Seconds from the press in this home to the event of its alert."""
    now = to_ms(clock.now())
    press = Batch(VERSION, uuid4(), 1, [WireReading(*SOS, now, 1.0, now, 1)])
    began = time.monotonic()
    presser.publish([(up_topic(key, Lane.URGENT), encode(press))])
    return stream.wait_for(home_id) - began


def _register_worker(database_url: str, password: str, now: datetime) -> None:
    person = {"key": LOGIN, "name": LOGIN, "login": LOGIN, "password": password,
              "grant": [{"role": "worker", "region": "bench"}]}  # fmt: skip
    with connect(database_url, DatabaseRole.REGISTER, autocommit=True) as connection:
        apply_register(connection, read_document({"person": [person]}, "bench"), "bench", now)


def _home_ids(database_url: str) -> dict[str, int]:
    with connect(database_url, DatabaseRole.INGEST, autocommit=True) as connection:
        return {row["key"]: row["id"] for row in connection.execute("SELECT key, id FROM home")}


class _Stream:
    """The api's live events, as one worker's page hears them; when each home's first event came."""

    def __init__(self, url: str, password: str) -> None:
        token = self._token(url, password)
        request = Request(f"{url}/api/v1/events", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
        self._answer = urlopen(request, timeout=PATIENCE_S)  # noqa: S310
        self._came: queue.Queue[tuple[int, float]] = queue.Queue()
        self._seen: dict[int, float] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def wait_for(self, home_id: int) -> float:
        """When the first event of that home came, on time.monotonic(). Raises StackError."""
        while home_id not in self._seen:
            try:
                home, at = self._came.get(timeout=PATIENCE_S)
            except queue.Empty as error:
                raise StackError(f"no alert of home {home_id} on the live stream after {PATIENCE_S:g} s") from error
            self._seen.setdefault(home, at)
        return self._seen[home_id]

    def _read(self) -> None:
        name = b""
        for line in self._answer:
            at = time.monotonic()
            if line.startswith(b"event: "):
                name = line[7:].strip()
            elif line.startswith(b"data: ") and name == b"alert":
                self._came.put((json.loads(line[6:])["home"], at))

    def _token(self, url: str, password: str) -> str:
        body = json.dumps({"login": LOGIN, "password": password}).encode()
        request = Request(f"{url}/api/v1/tokens", body, {"Content-Type": "application/json"})  # noqa: S310
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                with urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
                    token: str = json.load(answer)["token"]
                    return token
            except OSError as error:
                if time.monotonic() > until:
                    raise StackError(f"the api does not answer at {url}: {error}") from error
                time.sleep(0.2)


class _Load:
    """All homes, each at the field's rate, one reading a message: the dearest way to send them."""

    def __init__(self, servers: Servers, clock: Clock, homes: int) -> None:
        self._publisher = Publisher(servers.load_url, "bench-load")
        self._rate = homes * 1000 / GAP_MS
        start = clock.now() - timedelta(minutes=5)  # nothing of it lies in the future
        self._homes = Homes(servers.database_url, homes, start, np.random.default_rng(1))
        self._stopping = threading.Event()
        self._sent = 0
        self._began = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> float:
        """Returns how many messages a second were sent."""
        self._stopping.set()
        self._thread.join()
        return self._sent / (time.monotonic() - self._began)

    def _run(self) -> None:
        while not self._stopping.is_set():
            messages = self._homes.load(int(self._rate), 1, 1).messages
            self._sent += self._publisher.publish(messages, rate=self._rate)


class _Echo:
    """A message to the broker and back, QoS 1 both ways."""

    def __init__(self, servers: Servers) -> None:
        address = parse_broker_url(servers.load_url, "the broker's URL")
        self._topic = ack_topic("bench-echo")
        self._came = threading.Event()
        subscribed = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bench-echo")
        client.username_pw_set(address.user, address.password)
        client.on_message = lambda *_: self._came.set()
        client.on_subscribe = lambda *_: subscribed.set()
        client.connect(address.host, address.port)
        client.loop_start()
        client.subscribe(self._topic, 1)
        if not subscribed.wait(PATIENCE_S):
            raise StackError("the broker does not take the echo's subscription")

    def round_trip(self, publisher: Publisher) -> float:
        """Seconds."""
        self._came.clear()
        began = time.monotonic()
        publisher.publish([(self._topic, b"{}")])
        if not self._came.wait(PATIENCE_S):
            raise StackError("a message to the broker does not come back")
        return time.monotonic() - began


def figures(latency: Latency) -> dict[str, Any]:
    """For a program."""
    return {
        "p50_ms": latency.p50_ms,
        "p99_ms": latency.p99_ms,
        "broker_round_trip_p50_ms": latency.broker_round_trip_p50_ms,
    }
