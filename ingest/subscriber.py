"""Ingest's side of the broker: messages come into a bounded queue and are acknowledged only after the commit."""

import queue
import socket
import threading
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from core.address import parse_broker_url
from core.credentials import broker_client_id
from core.model import Lane
from core.wire import ROOT, VERSION, Ack, PlatformTime, ack_topic, encode, time_topic
from ingest.decode import Decoded, Message

log = structlog.get_logger()

QUEUE: Final = 2_000  # messages; a full queue stops reading from the broker, so its own window holds the rest
KEEPALIVE_S: Final = 30
TOPICS: Final = (f"{ROOT}/+/up/+", f"{ROOT}/+/status")


class Subscriber:
    """A durable subscription (clean_session off): what is published while ingest is down waits in the broker.

    Args:
        broker_url: mqtt://user:password@host:port, or mqtts:// for TLS with the system's certificates.
        name: what the broker's memory of us is called; one per worker.
    """

    def __init__(self, broker_url: str, name: str) -> None:
        address = self._address = parse_broker_url(broker_url, "YIJU_BROKER_URL")
        self._messages: queue.Queue[Message] = queue.Queue(QUEUE)
        self._connection = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.connected = False
        client_id = broker_client_id(name, address.password)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True
        )
        if address.user:
            self._client.username_pw_set(address.user, address.password)
        if address.tls:
            self._client.tls_set()
        self._client.reconnect_delay_set(1, 30)
        self._client.on_socket_open = self._on_socket_open
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connects in the background and keeps connecting."""
        self._client.connect_async(self._address.host, self._address.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Leaves; what was not acknowledged stays with the broker."""
        self._stopping.set()
        self._client.disconnect()
        self._client.loop_stop()

    def take(self, most: int, wait_s: float) -> list[Message]:
        """Up to `most` messages: waits up to `wait_s` for the first, takes what else is there."""
        try:
            messages = [self._messages.get(timeout=wait_s)]
        except queue.Empty:
            return []
        while len(messages) < most:
            try:
                messages.append(self._messages.get_nowait())
            except queue.Empty:
                break
        return messages

    def waiting(self) -> int:
        """Messages in the queue."""
        return self._messages.qsize()

    def acknowledge(self, work: Iterable[Decoded], now_ms: int) -> None:
        """After the commit: end to end to each gateway, then to the broker.

        Args:
            now_ms: the platform's present, which gateways hear with it, milliseconds since 1970.
        """
        stored: dict[tuple[str, UUID, Lane], list[int]] = defaultdict(list)
        messages: list[Message] = []
        for decoded in work:
            if decoded.key is not None and decoded.numbered is not None:
                session, lane, seq = decoded.numbered
                stored[decoded.key, session, lane].append(seq)
            if decoded.key is not None and decoded.asks_time:
                self._client.publish(time_topic(decoded.key), encode(PlatformTime(VERSION, now_ms)), qos=1)
            messages.append(decoded.message)
        for (gateway, session, lane), seqs in stored.items():
            self._client.publish(ack_topic(gateway), encode(Ack(VERSION, session, lane, seqs, now_ms)), qos=1)
        with self._lock:  # looked at here: the connection may have changed since, and its numbers with it
            for message in messages:
                if message.connection == self._connection:
                    self._client.ack(message.mid, 1)

    def _on_socket_open(self, _client: mqtt.Client, _data: Any, connection: Any) -> None:
        # Small packets go out at once: with Nagle's algorithm each waits 40 ms for the acknowledgement before it.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("broker refused", reason=str(reason))
            return
        with self._lock:
            self._connection += 1  # message ids of an earlier connection mean nothing now
        client.subscribe([(topic, 1) for topic in TOPICS])

    def _on_subscribe(self, _client: mqtt.Client, _data: Any, _mid: int, codes: Any, _properties: Any) -> None:
        refused = [str(code) for code in codes if code.is_failure]
        if refused:
            log.error("broker refused the subscription", reasons=refused)
            return
        self.connected = True
        log.info("broker connected", host=self._address.host, port=self._address.port)

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.connected = False
        if not self._stopping.is_set():
            log.warning("broker lost", reason=str(reason))

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # cannot be a topic of ours; it ends in `rejected`
        taken = Message(topic, bytes(message.payload), message.retain, message.mid, self._connection)
        while not self._stopping.is_set():
            try:
                return self._messages.put(taken, timeout=0.5)
            except queue.Full:
                continue  # the broker's window fills up and it waits: that is the back-pressure
        return None
