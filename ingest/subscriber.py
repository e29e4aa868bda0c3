"""Ingest's side of the broker: messages are taken as they come and acknowledged only after the commit.

One thread speaks to the broker, through paho's own functions for a foreign loop (`loop_read`, `loop_write`): it reads
many messages for one look at the socket and sends the acknowledgements of a transaction together. paho's own thread
looks at the socket before each message, and is woken by a byte in a pipe for each acknowledgement.
"""

import contextlib
import select
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final
from uuid import UUID

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from core.address import parse_broker_url
from core.credentials import broker_client_id
from core.model import Lane
from core.wire import ROOT, VERSION, Ack, ack_topic, encode
from ingest.decode import Decoded, Message

log = structlog.get_logger()

# What is taken and not acknowledged yet; beyond, nothing more is read. The shipped broker waits earlier by itself
# (deploy/broker/mosquitto.conf); this is for one that does not.
MOST_HELD: Final = 20_000
MOST_HELD_BYTES: Final = 64_000_000
AT_ONCE: Final = 500  # messages read before acknowledgements get their turn
KEEPALIVE_S: Final = 30
LOOK_S: Final = 0.5
FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 30.0
TOPICS: Final = (f"{ROOT}/+/up/+", f"{ROOT}/+/status")


class Subscriber:
    """A durable subscription (clean_session off): what is published while ingest is down waits in the broker.

    Args:
        broker_url: mqtt://user:password@host:port, or mqtts:// for TLS with the system's certificates.
        name: what the broker's memory of us is called; one per worker.
        ended: called when the thread that speaks to the broker has ended, by an error too, which `stop` raises.
    """

    def __init__(self, broker_url: str, name: str, ended: Callable[[], None]) -> None:
        address = self._address = parse_broker_url(broker_url, "YIJU_BROKER_URL")
        self._arrived = threading.Condition()
        self._waiting: deque[Message] = deque()
        self._held = 0  # messages of this connection that are not acknowledged, and their bytes
        self._held_bytes = 0
        self._stored: deque[Sequence[Decoded]] = deque()  # what is to be acknowledged
        self._taken = 0
        self._connection = 0
        self._stopping = threading.Event()
        self._ear, self._bell = socket.socketpair()  # a byte ends the wait for the broker
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="broker")
        self._future: Future[None] | None = None
        self._ended = ended
        self.connected = False
        client_id = broker_client_id(name, address.password)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True
        )
        if address.user:
            self._client.username_pw_set(address.user, address.password)
        if address.tls:
            self._client.tls_set()
        self._client.max_inflight_messages_set(0)  # end-to-end acknowledgements do not wait for each other
        self._client.on_socket_open = self._on_socket_open
        self._client.on_socket_register_write = lambda *_: None  # we write when all is queued, not packet by packet
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connects in the background and keeps connecting."""
        self._client.connect_async(self._address.host, self._address.port, keepalive=KEEPALIVE_S)
        self._future = self._thread.submit(self._run)

    def stop(self) -> None:
        """Sends the acknowledgements that are due and leaves; what was not acknowledged stays with the broker."""
        self._stopping.set()
        self._ring()
        self._thread.shutdown()
        self._ear.close()
        self._bell.close()
        if self._future is not None:
            self._future.result()

    def take(self, most: int, wait_s: float) -> list[Message]:
        """Up to `most` messages: what is there, or, after at most `wait_s`, what has come."""
        with self._arrived:
            if not self._waiting:
                self._arrived.wait(wait_s)
            return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def waiting(self) -> int:
        """Messages that are not acknowledged."""
        return self._held

    def acknowledge(self, work: Sequence[Decoded]) -> None:
        """After the commit: end to end to each gateway, then to the broker."""
        self._stored.append(work)
        self._ring()

    # The thread that speaks to the broker ------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._speak()
        finally:
            self._ended()

    def _speak(self) -> None:
        wait_s = FIRST_RETRY_S
        while not self._stopping.is_set():
            before = self._connection
            try:
                self._client.reconnect()
            except OSError as error:
                log.warning("broker away", error=str(error), again_in_s=wait_s)
            else:
                self._serve()
            if self._connection > before:  # it had let us in
                wait_s = FIRST_RETRY_S
            self._stopping.wait(wait_s)
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)

    def _serve(self) -> None:
        """Until the connection is lost or we are told to stop."""
        while not self._stopping.is_set():
            broker = self._client.socket()
            if broker is None:
                return
            reads = [broker, self._ear] if self._has_room() else [self._ear]
            pending = getattr(broker, "pending", None)  # TLS holds what it has decrypted already
            wait_s = 0.0 if pending is not None and self._has_room() and pending() else LOOK_S
            readable, _, _ = select.select(reads, [broker] if self._client.want_write() else [], [], wait_s)
            if self._ear in readable:
                with contextlib.suppress(BlockingIOError):
                    self._ear.recv(4096)
            if broker in readable or wait_s == 0.0:
                self._read()
            self._send_acknowledgements()
            self._client.loop_misc()
        self._send_acknowledgements()
        self._client.disconnect()
        self._client.loop_write()

    def _has_room(self) -> bool:
        return self._held < MOST_HELD and self._held_bytes < MOST_HELD_BYTES

    def _read(self) -> None:
        """As many messages as are there, within bounds; then whoever waits for them is told."""
        for _ in range(AT_ONCE):
            before = self._taken
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS or self._taken == before:
                break
        with self._arrived:
            self._arrived.notify()

    def _send_acknowledgements(self) -> None:
        while self._stored:
            work = self._stored.popleft()
            self._acknowledge_to_gateways(work)
            for decoded in work:
                message = decoded.message
                if message.connection == self._connection:  # ids of an earlier one mean nothing now
                    self._held -= 1
                    self._held_bytes -= len(message.payload)
                    if message.mid:  # what was sent with QoS 0 has no id, and nobody waits for an answer
                        self._client.ack(message.mid, 1)
        broker = self._client.socket()
        if broker is not None and self._client.want_write():
            _cork(broker, True)  # one packet for all of them
            self._client.loop_write()
            if self._client.socket() is broker:
                _cork(broker, False)

    def _acknowledge_to_gateways(self, work: Iterable[Decoded]) -> None:
        stored: dict[tuple[str, UUID, Lane], list[int]] = defaultdict(list)
        for decoded in work:
            if decoded.key is not None and decoded.numbered is not None:
                session, lane, seq = decoded.numbered
                stored[decoded.key, session, lane].append(seq)
        for (gateway, session, lane), seqs in stored.items():
            self._client.publish(ack_topic(gateway), encode(Ack(VERSION, session, lane, seqs)), qos=1)

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it rings already
            self._bell.send(b"!")

    # What paho calls, on that thread ------------------------------------------------------------------

    def _on_socket_open(self, _client: mqtt.Client, _data: Any, connection: Any) -> None:
        # Small packets go out at once: with Nagle's algorithm each waits 40 ms for the acknowledgement before it.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("broker refused", reason=str(reason))
            return
        self._connection += 1
        with self._arrived:
            self._waiting.clear()  # all that was not acknowledged comes again
        self._held = self._held_bytes = 0
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
        self._taken += 1
        self._held += 1
        self._held_bytes += len(taken.payload)
        self._waiting.append(taken)


def _cork(connection: Any, on: bool) -> None:
    """Linux: what is written while it is on leaves in full packets."""
    cork = getattr(socket, "TCP_CORK", None)
    if cork is not None:
        connection.setsockopt(socket.IPPROTO_TCP, cork, int(on))
