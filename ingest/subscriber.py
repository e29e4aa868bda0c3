"""Ingest's side of the broker: messages are taken as they come and acknowledged only after the commit.

One thread speaks to the broker (`ingest/broker_client.py`): it reads many messages for one look at the socket and sends
the acknowledgements of a transaction together. paho's own thread looks at the socket before each message, and is woken
by a byte in a pipe for each acknowledgement.
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
from paho.mqtt.enums import MQTTErrorCode

from core.address import parse_broker_url
from core.credentials import broker_client_id
from core.errors import StackError
from core.model import Lane
from core.wire import ROOT, VERSION, Ack, DirectAck, PlatformTime, ack_topic, encode, time_topic
from ingest.broker_client import BrokerClient
from ingest.decode import Decoded, Message

log = structlog.get_logger()

# What is taken and not acknowledged yet; beyond, nothing more is read. The shipped broker waits earlier by itself
# (deploy/broker/mosquitto.conf); this is for one that does not.
MOST_HELD: Final = 20_000
MOST_HELD_BYTES: Final = 64_000_000
AT_ONCE: Final = 8  # blocks read before acknowledgements get their turn
KEEPALIVE_S: Final = 30
LOOK_S: Final = 0.5
FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 30.0
DATA: Final = (f"{ROOT}/+/up/+", f"{ROOT}/+/direct")  # any worker may store these
STATUS: Final = f"{ROOT}/+/status"  # every worker hears these: their order matters, and shared ones have none
SHARE: Final = "$share/ingest/"


class Subscriber:
    """A durable subscription (clean_session off): what is published while ingest is down waits in the broker.

    Args:
        broker_url: mqtt://user:password@host:port, or mqtts:// for TLS with the system's certificates.
        name: what the broker's memory of us is called; one per worker.
        ended: called when the thread that speaks to the broker has ended, by an error too, which `stop` raises.
        shared: each message goes to one of the workers that share; else to every worker.
    """

    def __init__(self, broker_url: str, name: str, ended: Callable[[], None], *, shared: bool = False) -> None:
        address = self._address = parse_broker_url(broker_url, "YIJU_BROKER_URL")
        self._arrived = threading.Condition()
        self._waiting: deque[Message] = deque()
        self._held = 0  # messages of this connection that are not acknowledged, and their bytes
        self._held_bytes = 0
        self._stored: deque[tuple[Sequence[Decoded], int]] = deque()  # what is to be acknowledged
        self._connection = 0
        self._stopping = threading.Event()
        self._ear, self._bell = socket.socketpair()  # a byte ends the wait for the broker
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="broker")
        self._future: Future[None] | None = None
        self._ended = ended
        self._shared = shared
        self.connected = False
        client_id = broker_client_id(name, address.password)
        self._client = BrokerClient(client_id, self._on_message)
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

    def acknowledge(self, work: Sequence[Decoded], now_ms: int) -> None:
        """After the commit: end to end to each gateway, then to the broker.

        Args:
            now_ms: the platform's present, which gateways hear with it, milliseconds since 1970.
        """
        self._stored.append((work, now_ms))
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
        """What is there, within bounds; then whoever waits for messages is told."""
        for _ in range(AT_ONCE):
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS or not self._has_room():
                break
        with self._arrived:
            self._arrived.notify()

    def _send_acknowledgements(self) -> None:
        while self._stored:
            work, now_ms = self._stored.popleft()
            self._acknowledge_to_gateways(work, now_ms)
            # Ids of an earlier connection mean nothing now.
            ours = [decoded.message for decoded in work if decoded.message.connection == self._connection]
            self._held -= len(ours)
            self._held_bytes -= sum(len(message.payload) for message in ours)
            # What was sent with QoS 0 has no id, and nobody waits for an answer.
            self._client.acknowledge([message.mid for message in ours if message.mid])
        broker = self._client.socket()
        if broker is not None and self._client.want_write():
            _cork(broker, True)  # one packet for all of them
            self._client.loop_write()
            if self._client.socket() is broker:
                _cork(broker, False)

    def _acknowledge_to_gateways(self, work: Iterable[Decoded], now_ms: int) -> None:
        stored: dict[tuple[str, UUID, Lane], list[int]] = defaultdict(list)
        for decoded in work:
            if decoded.key is not None and decoded.asks_time:
                self._client.publish(time_topic(decoded.key), encode(PlatformTime(VERSION, now_ms)), qos=1)
            if decoded.key is None or decoded.numbered is None:
                continue
            session, lane, seq = decoded.numbered
            if lane is not None:
                stored[decoded.key, session, lane].append(seq)
            elif decoded.direct is not None and decoded.direct.seq is not None:
                told = DirectAck(VERSION, decoded.direct.boot, [seq])
                self._client.publish(ack_topic(decoded.key), encode(told), qos=1)
        for (gateway, session, lane), seqs in stored.items():
            self._client.publish(ack_topic(gateway), encode(Ack(VERSION, session, lane, seqs, now_ms)), qos=1)

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
        plain, shared = list(DATA), [SHARE + topic for topic in DATA]
        client.subscribe([(topic, 1) for topic in [*(shared if self._shared else plain), STATUS]])
        client.unsubscribe(plain if self._shared else shared)  # what the broker remembers of a time before

    def _on_subscribe(self, _client: mqtt.Client, _data: Any, _mid: int, codes: Any, _properties: Any) -> None:
        refused = [str(code) for code in codes if code.is_failure]
        if refused and self._shared:
            raise StackError(
                f"the broker does not let workers share a subscription ({', '.join(refused)}): run one worker,"
                " or use mosquitto"
            )
        if refused:
            log.error("broker refused the subscription", reasons=refused)
            return
        self.connected = True
        log.info("broker connected", host=self._address.host, port=self._address.port)

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.connected = False
        if not self._stopping.is_set():
            log.warning("broker lost", reason=str(reason))

    def _on_message(self, topic: str, payload: bytes, retained: bool, mid: int) -> None:
        self._held += 1
        self._held_bytes += len(payload)
        self._waiting.append(Message(topic, payload, retained, mid, self._connection))


def _cork(connection: Any, on: bool) -> None:
    """Linux: what is written while it is on leaves in full packets."""
    cork = getattr(socket, "TCP_CORK", None)
    if cork is not None:
        connection.setsockopt(socket.IPPROTO_TCP, cork, int(on))
