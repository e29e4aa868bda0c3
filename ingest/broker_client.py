"""paho, but what it does for each message is done for many: blocks are read, and a transaction is acknowledged at once.

paho asks the system four times for each message (its first byte, its length byte by byte, the rest) and once for each
acknowledgement, and each time another thread of the interpreter may take its turn; that was a third of ingest's work.
Here published messages are cut out of what has come; every other packet stays paho's affair. It rests on paho's inside,
so pyproject.toml holds its version (decision 26).
"""

import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MessageType, MQTTErrorCode
from paho.mqtt.exception import MalformedPacket

BLOCK: Final = 65_536  # bytes asked for at once
_TYPE: Final = 0xF0  # of a packet's first byte; below it are flags
_RETAIN: Final = 0x01
_MOST_LENGTH_BYTES: Final = 4
_PUBACK: Final = 0x4002  # an acknowledgement's first two bytes: what it is, and that two more follow

Taken = Callable[[str, bytes, bool, int], None]  # topic ("": none that can be), payload, retained, id (QoS 0: 0)


class BrokerClient(mqtt.Client):
    """Durable session, manual acknowledgements, MQTT 3.1.1, for a foreign loop (`socket`, `loop_read`, `loop_write`).

    Args:
        client_id: the broker keeps its session.
        taken: called with each message that is published to us. QoS 2 is never asked for.
    """

    def __init__(self, client_id: str, taken: Taken) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True)
        self._taken = taken
        self._unread = bytearray()
        self._unread_of: Any = None  # the connection that it came over

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Reads one block and does what the packets in it say; MQTT_ERR_AGAIN when nothing has come."""
        connection = self._sock
        if connection is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        if connection is not self._unread_of:
            self._unread_of = connection
            self._unread.clear()
        try:
            block = connection.recv(BLOCK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError:
            block = b""
        if not block:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        self._unread += block
        return self._loop_rc_handle(self._packets(connection))

    def acknowledge(self, ids: Sequence[int]) -> None:
        """Queues the acknowledgements of these messages as one piece."""
        if not ids:
            return
        packets = np.full((len(ids), 2), _PUBACK, ">u2")
        packets[:, 1] = ids
        self._packet_queue(MessageType.PUBACK, packets.tobytes(), 0, 1)

    def _packets(self, connection: Any) -> MQTTErrorCode:
        """Does what all whole packets say; the beginning of the next one stays unread."""
        done, result = 0, MQTTErrorCode.MQTT_ERR_SUCCESS
        with memoryview(self._unread) as unread:
            while result == MQTTErrorCode.MQTT_ERR_SUCCESS and self._sock is connection:
                try:
                    body = _body(unread, done)
                    if body is None:
                        break
                    begin, end = body
                    if unread[done] & _TYPE == MessageType.PUBLISH:
                        self._taken(*_published(unread, done, begin, end))
                    else:
                        result = self._other(unread[done], unread[begin:end])
                except _Malformed:
                    result = MQTTErrorCode.MQTT_ERR_PROTOCOL
                else:
                    done = end
        del self._unread[:done]
        return result

    def _other(self, command: int, body: memoryview) -> MQTTErrorCode:
        """Any packet but a published message, as if paho had read it."""
        self._in_packet = {
            "command": command,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        try:
            return self._packet_handle()
        except MalformedPacket as error:
            raise _Malformed from error


class _Malformed(Exception):
    """What the broker sends is no MQTT 3.1.1."""


def _body(unread: memoryview, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` begins and ends; None when it is not all there yet."""
    length, begin = 0, at + 1
    for place in range(_MOST_LENGTH_BYTES):
        if begin >= len(unread):
            return None
        byte = unread[begin]
        begin += 1
        length |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return (begin, begin + length) if begin + length <= len(unread) else None
    raise _Malformed


def _published(unread: memoryview, at: int, begin: int, end: int) -> tuple[str, bytes, bool, int]:
    """A published message: topic, payload, whether it was retained, its id."""
    qos = unread[at] >> 1 & 3
    payload = begin + 2 + (unread[begin] << 8 | unread[begin + 1]) if end - begin >= 2 else end + 1
    topic = unread[begin + 2 : payload]
    mid = 0
    if qos:
        mid = unread[payload] << 8 | unread[payload + 1] if payload + 2 <= end else 0
        payload += 2
    if payload > end or qos > 1 or (qos and not mid):
        raise _Malformed
    try:
        name = str(topic, "utf-8")
    except UnicodeDecodeError:
        name = ""
    return name, bytes(unread[payload:end]), bool(unread[at] & _RETAIN), mid
