"""The way down: configurations (retained) and commands go to gateways, their reports come back. A thread of ingest's.

Everything that matters is in the database: what a broker forgets or a restart cuts off is published again. So several
workers may do the same at once.
"""

import queue
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

import paho.mqtt.client as mqtt
import psycopg
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from core.address import parse_broker_url
from core.clock import Clock
from core.credentials import broker_client_id
from core.errors import WireError
from core.wire import ROOT, VERSION, Command, command_topic, config_topic, decode_report, encode, gateway_of, to_ms
from ingest.downlink.desired import desired, make_configurations
from ingest.downlink.notices import publish_notices
from ingest.downlink.reports import put_report
from store.pool import Connection, DatabaseRole, listening
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
LOOK_S: Final = 1.0  # of the machine's time: how soon commands are sent again that nobody has answered
SEND_AGAIN: Final = timedelta(seconds=5)
LOOK_AT_REGISTER_S: Final = 60.0  # also without being told
LONGEST_WAIT_S: Final = 10.0
TAKEN_WITHIN_S: Final = 5.0  # by the broker
KEEPALIVE_S: Final = 30
MOST_REPORTS: Final = 10_000  # that wait for the database; a gateway sends its own again each hour
log = structlog.get_logger()


class _Arrived(NamedTuple):
    topic: str
    payload: bytes


class Downlink:
    """Publishes what gateways shall be and do.

    Args:
        name: what the broker knows this client by; one per worker.
    """

    def __init__(self, database_url: str, broker_url: str, name: str, clock: Clock) -> None:
        self._database_url = database_url
        self._clock = clock
        self._stopping = threading.Event()
        self._publish_all = threading.Event()
        self._reports: queue.Queue[_Arrived] = queue.Queue(MOST_REPORTS)
        self._register_changed = True
        self._looked_at = 0.0
        address = self._address = parse_broker_url(broker_url, "YIJU_BROKER_URL")
        client_id = broker_client_id(name, address.password)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        if address.user:
            self._client.username_pw_set(address.user, address.password)
        if address.tls:
            self._client.tls_set()
        self._client.reconnect_delay_set(1, 30)
        self._client.on_socket_open = _without_delay
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._thread = threading.Thread(target=self._run, name="downlink", daemon=True)

    def start(self) -> None:
        """Works in the background until `stop`."""
        self._client.connect_async(self._address.host, self._address.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        wait_s = 0.2
        while not self._stopping.is_set():
            try:
                with listening(
                    self._database_url, DatabaseRole.INGEST, "register_changed", "gateway_command"
                ) as connection:
                    self._register_changed = True
                    while not self._stopping.is_set():
                        self._step(connection)
                        wait_s = 0.2
            except psycopg.Error as error:  # away, restarted, not migrated yet: all of it waits in the database
                log.warning("downlink waits for the database", error=str(error).strip().splitlines()[:1])
                self._stopping.wait(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            except Exception as error:  # noqa: BLE001  # the edge of a thread: without it no gateway is ever asked
                log.error("downlink failed", error=f"{type(error).__name__}: {error}")
                self._stopping.wait(LONGEST_WAIT_S)

    def _step(self, connection: Connection) -> None:
        for notice in connection.notifies(timeout=LOOK_S if self._reports.empty() else 0, stop_after=1):
            self._register_changed |= notice.channel == "register_changed"
        stale = self._register_changed or time.monotonic() - self._looked_at >= LOOK_AT_REGISTER_S
        if stale:
            self._register_changed = False
            self._looked_at = time.monotonic()
            changed = make_configurations(connection, self._clock.now())
            if changed:
                self._publish_configurations(connection, changed)
        if self._publish_all.is_set():
            self._publish_all.clear()
            self._publish_configurations(connection, None)
        self._take_reports(connection)
        self._send_commands(connection)
        if self._client.is_connected():
            publish_notices(connection, self._publish_notice, self._clock.now())

    def _publish_configurations(self, connection: Connection, keys: Sequence[str] | None) -> None:
        if not self._client.is_connected():
            return  # all are published when the connection comes
        for key, one in desired(connection, keys):
            self._client.publish(config_topic(key), encode(one), qos=1, retain=True)

    def _send_commands(self, connection: Connection) -> None:
        if not self._client.is_connected():
            return
        now = self._clock.now()
        rows = connection.execute(QUERIES["claim_commands"], {"now": now, "before": now - SEND_AGAIN}).fetchall()
        for row in rows:
            command = Command(
                VERSION, row["id"], row["kind"], to_ms(row["created_at"]), to_ms(row["expires_at"]), row["seconds"]
            )
            self._client.publish(command_topic(row["key"]), encode(command), qos=1)

    def _publish_notice(self, topic: str, payload: bytes) -> bool:
        info = self._client.publish(topic, payload, qos=1)
        try:
            info.wait_for_publish(TAKEN_WITHIN_S)
            return info.is_published()
        except (RuntimeError, ValueError):  # the connection broke, or the queue is full: it stays in the database
            return False

    def _take_reports(self, connection: Connection) -> None:
        behind = {key for arrived in self._waiting() if (key := self._take_report(connection, arrived)) is not None}
        if behind:
            self._publish_configurations(connection, sorted(behind))

    def _waiting(self) -> Iterable[_Arrived]:
        """The last report of each gateway of those that wait."""
        latest: dict[str, _Arrived] = {}
        while not self._reports.empty():
            arrived = self._reports.get_nowait()
            latest[arrived.topic] = arrived
        return latest.values()

    def _take_report(self, connection: Connection, arrived: _Arrived) -> str | None:
        """Stores one report; returns the gateway's key when it has not the configuration that it shall have."""
        key = gateway_of(arrived.topic)
        if key is None:
            return None
        try:
            report = decode_report(arrived.payload)
            return None if put_report(connection, key, report, self._clock.now()) else key
        except (WireError, psycopg.DataError, OverflowError) as error:  # one bad report never stops the others
            log.warning("report refused", gateway=key, error=type(error).__name__)
            return None

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("broker refused the downlink", reason=str(reason))
            return
        client.subscribe(f"{ROOT}/+/report", qos=1)
        self._publish_all.set()  # the broker may have lost what it kept

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            self._reports.put_nowait(_Arrived(message.topic, bytes(message.payload)))
        except (queue.Full, UnicodeDecodeError) as error:
            log.warning("report not taken", error=type(error).__name__)


def _without_delay(_client: mqtt.Client, _data: Any, connection: Any) -> None:
    """Small packets go out at once: with Nagle's algorithm each waits 40 ms for the acknowledgement before it."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
