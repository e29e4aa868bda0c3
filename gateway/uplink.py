"""The way up: batches of the outbox to the platform, until the platform says that it has them.

The outbox is the only buffer. At most a window of batches of each source is on its way, the most pressing first;
paho's own queue is emptied whenever a connection is lost, and the window is sent again from the outbox on the next one.
The bulk lane's window follows the acknowledgements (gateway/window.py), so an urgent batch never waits behind more than
the line carries in a moment. A batch that the broker has taken and the platform has not acknowledged is sent again with
growing patience: the platform may be down for hours, and every copy waits in the broker's queue for it.

A machine that has not heard the time since it was started asks for it first and holds its batches for a moment.

Threads: paho's thread runs the callbacks, the gateway's callers run `send` and `tick`. `_lock` is never taken in
`on_disconnect`, which paho may call while it holds a lock that `publish` needs.
"""

import sqlite3
import threading
import time
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from core.address import BrokerAddress
from core.clock import Clock
from core.credentials import broker_client_id
from core.errors import WireError
from core.model import Lane
from core.wire import (
    ROOT,
    VERSION,
    Ack,
    Status,
    ack_topic,
    decode_ack,
    decode_time,
    encode,
    status_topic,
    time_topic,
    to_ms,
    up_topic,
)
from gateway.client import client_for, connect
from gateway.health import Line
from gateway.heard import Order
from gateway.outbox import Outbox
from gateway.source import Sealed, Source
from gateway.true_time import TrueTime
from gateway.window import Window

URGENT_WINDOW: Final = 50
# How long a batch that the broker has taken waits for the platform's word before it is sent again.
ACK_PATIENCE_S: Final = {Lane.URGENT: 2.0, Lane.BULK: 5.0}
MAX_ACK_PATIENCE_S: Final = 3600.0
HEARTBEAT: Final = timedelta(minutes=1)
HOLD_S: Final = 3.0  # how long batches wait for the platform to say the time, once after the machine's start
_GOODBYE_S: Final = 2.0


def _nobody(*_: object) -> None:
    """What happens with orders and connections that nobody wants to hear of."""


class _Sent(NamedTuple):
    info: MQTTMessageInfo
    at: float
    again: bool


class _Way:
    """A source's batches on their way."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.sent: dict[int, _Sent] = {}
        self.after = 0  # the last number sent on this connection
        self.highest = 0  # the highest number ever sent by this process
        self.window = Window()
        self.patience_s = ACK_PATIENCE_S[source.lane]

    def free(self) -> int:
        """How many more batches may be on their way."""
        return (self.window.size if self.source.lane is Lane.BULK else URGENT_WINDOW) - len(self.sent)

    def begin_again(self) -> None:
        """A new connection: nothing is on its way."""
        self.sent.clear()
        self.after = 0
        self.window = Window()
        self.patience_s = ACK_PATIENCE_S[self.source.lane]

    def lose_patience(self) -> None:
        """Batches had to be sent again."""
        self.patience_s = min(2 * self.patience_s, MAX_ACK_PATIENCE_S)

    def gain_patience(self) -> None:
        """The platform lives: halved, not reset, as one that is catching up must not be sent everything twice."""
        self.patience_s = max(ACK_PATIENCE_S[self.source.lane], self.patience_s / 2)


class Uplink:
    """Sends `outbox` to the platform's broker at `address`, as the gateway `key`.

    Args:
        true_time: hears the platform's time; None where nobody wants to know it.
        ca: file with the broker's certificate authority; empty trusts the system's.
        monotonic: the machine's seconds, for network patience: this does not run with a scaled clock.

    Attributes:
        on_order: called with what comes below `down/` and is no acknowledgement.
        on_connection: called when the broker has let us in. Both on paho's thread; they must not raise.

    Raises:
        SettingsError: `ca` cannot be read.
    """

    def __init__(
        self,
        address: BrokerAddress,
        key: str,
        outbox: Outbox,
        clock: Clock,
        *,
        true_time: TrueTime | None = None,
        ca: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._key = key
        self._outbox = outbox
        self._clock = clock
        self._monotonic = monotonic
        self._log = structlog.get_logger().bind(gateway=key)
        self._lock = threading.Lock()
        self._connected = False
        self._stopping = False
        self._true_time = true_time
        self._held_until: float | None = None
        self._ways = {(source.session, source.lane): _Way(source) for source in outbox.sources()}
        self._heartbeat: datetime | None = None
        self._line = Line()
        self.on_order: Order = _nobody
        self.on_connection: Callable[[], None] = _nobody
        # A spread first wait, so that the homes of a district do not all return in the same second.
        spread_s = 0.5 + zlib.crc32(key.encode()) % 1000 / 1000
        client_id = broker_client_id(f"yiju-{key}", address.password)
        self._client = client_for(address, client_id, ca, retry_s=spread_s)
        self._client.will_set(status_topic(key), encode(Status(VERSION, online=False)), qos=1, retain=True)
        self._client.on_pre_connect = self._on_pre_connect
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    @property
    def connected(self) -> bool:
        """Whether the platform's broker has let us in and the connection stands."""
        return self._connected

    @property
    def line(self) -> Line:
        """What was counted since the start."""
        return self._line

    def start(self) -> None:
        """Connects in the background, and again whenever the connection is lost."""
        connect(self._client, self._address)

    def send(self) -> None:
        """Sends what the windows allow, the most pressing first. Returns at once; nothing goes without a connection.

        An outbox that cannot be read now is logged and asked again at the next tick: paho's thread, which comes here
        too, would end with an error, and with it the connection for good.
        """
        if self._connected and not self._stopping and not self._holds():
            try:
                with self._lock:
                    for way in self._ways.values():
                        self._fill_window(way)
            except sqlite3.Error as error:
                self._log.error("outbox_unreadable", error=str(error))

    def tick(self, now: datetime, *, alive: bool = True) -> None:
        """Sends the heartbeat when it is due, what waits, and again what was not acknowledged in time.

        Args:
            alive: False keeps the heartbeat back: a gateway that takes nothing must not say that it is there.
        """
        if not self._connected:
            return
        with self._lock:
            try:
                self._resend_overdue()
            except sqlite3.Error as error:
                self._log.error("outbox_unreadable", error=str(error))
            if alive and (self._heartbeat is None or abs(now - self._heartbeat) >= HEARTBEAT):
                self._say_online(now)
        self.send()

    def sent(self, source: Source) -> int:
        """The highest number of `source` that this process ever sent."""
        with self._lock:
            return self._ways[source.session, source.lane].highest

    def say(self, name: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publishes at `yiju/v1/{gateway}/{name}`; returns whether there was a connection to give it to."""
        if not self._connected or self._stopping:
            return False
        return self._publish(f"{ROOT}/{self._key}/{name}", payload, retain=retain).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def stop(self) -> None:
        """Says goodbye and disconnects. What is not acknowledged stays in the outbox."""
        self._stopping = True  # from here on no batch is sent, or the end would wait for the whole backlog
        if self._connected:
            info = self._publish(status_topic(self._key), encode(Status(VERSION, online=False)), retain=True)
            try:
                info.wait_for_publish(_GOODBYE_S)
            except RuntimeError:
                self._log.info("goodbye_unsent")  # the connection went first; the will says it
        self._client.disconnect()
        self._client.loop_stop()

    def _holds(self) -> bool:
        """Whether batches wait for the platform to say the time."""
        if self._held_until is None or self._true_time is None:
            return False
        return self._true_time.wanted and self._monotonic() < self._held_until

    def _fill_window(self, way: _Way) -> None:
        free = way.free()
        if free <= 0:
            return
        for batch in way.source.take(way.after, free):
            if not self._send_batch(way, batch, again=False):
                return
            way.after = batch.seq

    def _resend_overdue(self) -> None:
        """Sends again what the broker took long ago. What it has not taken is TCP's affair: paho still holds it."""
        now = self._monotonic()
        for way in self._ways.values():
            late = [
                (seq, sent)
                for seq, sent in way.sent.items()
                if sent.at <= now - way.patience_s and sent.info.is_published()
            ]
            for seq, sent in late:
                way.window.overdue(sent.at, now)
                del way.sent[seq]
                for batch in way.source.take(seq - 1, 1):
                    if batch.seq == seq:
                        self._send_batch(way, batch, again=True)
            if late:
                way.lose_patience()
                self._log.info("sent_again", lane=way.source.lane, batches=len(late), patience_s=way.patience_s)

    def _send_batch(self, way: _Way, batch: Sealed, *, again: bool) -> bool:
        info = self._publish(up_topic(self._key, way.source.lane), batch.payload)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False  # the connection went away under us; the next one sends it
        self._line = self._line._replace(
            sent=self._line.sent + 1, again=self._line.again + (again or batch.seq <= way.highest)
        )
        way.sent[batch.seq] = _Sent(info, self._monotonic(), again)
        way.highest = max(way.highest, batch.seq)
        return True

    def _say_online(self, now: datetime) -> None:
        wanted = self._true_time is not None and self._true_time.wanted
        status = Status(VERSION, online=True, session=self._outbox.session, time=to_ms(now), ask_time=wanted)
        self._publish(status_topic(self._key), encode(status), retain=True)
        self._heartbeat = now

    def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> MQTTMessageInfo:
        return self._client.publish(topic, payload, qos=1, retain=retain)

    def _on_pre_connect(self, client: Client, userdata: Any) -> None:
        client.drop_out_messages()

    def _on_connect(
        self, client: Client, userdata: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._log.warning("platform_refused", reason=str(reason))
            return
        if self._stopping:  # the connection came up while we were leaving
            client.disconnect()
            return
        self._log.info("platform_connected")
        client.subscribe(f"{ROOT}/{self._key}/down/+", qos=1)
        with self._lock:
            for way in self._ways.values():
                way.begin_again()
            self._held_until = self._monotonic() + HOLD_S
            self._line = self._line._replace(connections=self._line.connections + 1)
            self._say_online(self._clock.now())
            self._connected = True
        self.send()
        self.on_connection()

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        was, self._connected = self._connected, False
        if was and not self._stopping:
            self._log.warning("platform_lost", reason=str(reason))

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        try:
            if message.topic == ack_topic(self._key):
                self._on_ack(decode_ack(payload))
            elif message.topic == time_topic(self._key):
                self._on_time(decode_time(payload).time)
            else:
                self.on_order(message.topic.rpartition("/")[2], payload, message.retain)
        except WireError as error:
            self._log.warning("word_of_the_platform_ignored", topic=message.topic, reason=error.reason)

    def _on_time(self, platform_ms: int) -> None:
        if self._true_time is not None:
            self._true_time.heard(platform_ms)
            self.send()

    def _on_ack(self, ack: Ack) -> None:
        if self._true_time is not None and ack.time is not None:
            self._true_time.heard(ack.time)
        way = self._ways.get((ack.session, ack.lane))
        if way is None:
            return  # meant for an outbox that this one has replaced
        with self._lock:
            # What this process never sent cannot have arrived, whatever the ack says; an ack for what an
            # earlier process sent comes again when we have sent it again.
            seqs = [seq for seq in ack.seqs if seq <= way.highest]
            try:
                forgotten = way.source.forget(seqs)
            except sqlite3.Error as error:  # a full disk; the batch will be sent and acknowledged again
                self._log.error("ack_lost", error=str(error))
                return
            now = self._monotonic()
            for seq in seqs:
                sent = way.sent.pop(seq, None)
                if sent is not None and not sent.again:
                    way.window.acknowledged(sent.at, now)
            if forgotten:
                way.gain_patience()
        self.send()
