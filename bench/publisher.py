"""Publishes at full speed: MQTT 3.1.1 packets made beforehand, straight into a socket.

A paho publisher costs five times what a subscriber costs, so with it the publisher would be what is measured.
"""

import socket
import time
from collections.abc import Iterable
from typing import Final

from core.address import parse_broker_url

_CHUNK: Final = 200  # packets in one write
_PATIENCE_S: Final = 120.0
_PUBACK_BYTES: Final = 4
_MIDS: Final = 65_535


class Publisher:
    """One connection to the broker at `url`, QoS 1. Raises OSError when the broker refuses or goes away."""

    def __init__(self, url: str, client_id: str) -> None:
        address = parse_broker_url(url, "the broker's URL")
        self._socket = socket.create_connection((address.host, address.port), timeout=_PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._mid = 0
        words = [client_id.encode(), address.user.encode(), address.password.encode()]
        body = b"\0\x04MQTT\x04\xc2\0\0" + b"".join(len(word).to_bytes(2, "big") + word for word in words)
        self._socket.sendall(b"\x10" + _length(len(body)) + body)
        answer = self._receive(4)
        if answer[3] != 0:
            raise ConnectionRefusedError(f"the broker refuses {address.user}: code {answer[3]}")

    def publish(self, messages: Iterable[tuple[str, bytes]], rate: float | None = None) -> int:
        """Publishes (topic, payload), at most `rate` messages a second; returns when the broker has taken all."""
        began, done, chunk = time.monotonic(), 0, list[bytes]()
        for topic, payload in messages:
            self._mid = self._mid % _MIDS + 1
            chunk.append(packet(topic, payload, self._mid))
            if len(chunk) >= (_CHUNK if rate is None else min(_CHUNK, max(1, int(rate / 100)))):
                done += self._send(chunk)
                if rate is not None:
                    time.sleep(max(0.0, began + done / rate - time.monotonic()))
        return done + self._send(chunk)

    def close(self) -> None:
        self._socket.sendall(b"\xe0\0")
        self._socket.close()

    def _send(self, chunk: list[bytes]) -> int:
        self._socket.sendall(b"".join(chunk))
        self._receive(_PUBACK_BYTES * len(chunk))
        sent = len(chunk)
        chunk.clear()
        return sent

    def _receive(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            data = self._socket.recv(size - len(received))
            if not data:
                raise ConnectionResetError("the broker has closed the connection")
            received += data
        return bytes(received)


def packet(topic: str, payload: bytes, mid: int) -> bytes:
    """A PUBLISH packet, QoS 1."""
    name = topic.encode()
    size = 2 + len(name) + 2 + len(payload)
    return b"\x32" + _length(size) + len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + payload


def _length(size: int) -> bytes:
    """MQTT's variable length: seven bits a byte, the lowest first."""
    parts = bytearray()
    while True:
        size, low = divmod(size, 128)
        parts.append(low | (128 if size else 0))
        if not size:
            return bytes(parts)
