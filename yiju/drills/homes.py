"""Simulated homes in a process that may be killed at any moment: `python -m yiju.drills.homes`.

The plan of what happens in them is a file that is written before; what the platform has acknowledged end to end is
appended to another one. So all that is not acknowledged is sent again, also after a kill -9, under the same number:
as a gateway's outbox does it. One connection speaks for all homes.
"""

import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from bench.publisher import packet
from core.address import parse_broker_url
from core.clock import Clock, parse_clock
from core.model import Lane
from core.wire import (
    ROOT,
    VERSION,
    Batch,
    Status,
    WireReading,
    ack_topic,
    decode_ack,
    encode,
    status_topic,
    to_ms,
    up_topic,
)
from yiju.embedded.child import end_with_parent

AGAIN_S: Final = 2.0  # without an acknowledgement: it is sent again
BEAT_S: Final = 5.0  # real seconds between two statuses of each gateway
FLAGS: Final = 1
_POLL_S: Final = 0.05
_CONNECT_S: Final = 0.3
_PUBLISH: Final = 3


class Happening(msgspec.Struct, frozen=True):
    """Something that goes wrong in a home.

    Attributes:
        at_ms: when, platform time.
        kind: of the alert that it must lead to; "" = to none.
        metric: what the device says; "" = the gateway goes away.
        session: of the gateway's outbox, another one for each happening.
    """

    gateway: str
    at_ms: int
    kind: str
    device: str
    metric: str
    session: UUID
    value: float = 1.0


class Plan(msgspec.Struct, frozen=True):
    """All gateways, and what happens."""

    gateways: list[str]
    happenings: list[Happening]


def main() -> None:
    end_with_parent()
    folder = Path(os.environ["YIJU_DRILL_FOLDER"])
    plan = msgspec.json.decode((folder / "plan.json").read_bytes(), type=Plan)
    homes = Homes(plan, folder / "acknowledged", os.environ["YIJU_BROKER_URL"], parse_clock(os.environ["YIJU_CLOCK"]))
    while True:
        with suppress(OSError):  # the broker is away: the next connection says everything again
            homes.speak()
        time.sleep(_CONNECT_S)


class Homes:
    """All homes of a plan."""

    def __init__(self, plan: Plan, acknowledged: Path, broker_url: str, clock: Clock) -> None:
        self._plan = plan
        self._file = acknowledged
        self._address = parse_broker_url(broker_url, "the broker's URL")
        self._clock = clock
        acknowledged.touch()
        self._done = set(acknowledged.read_text(encoding="ascii").split())
        self._sent: dict[UUID, float] = {}
        self._away: set[str] = set()
        self._topics = {ack_topic(one.gateway) for one in plan.happenings}
        self._mid = 0
        self._rest = b""

    def speak(self) -> None:
        """One connection, until it breaks. Raises OSError then."""
        with socket.create_connection((self._address.host, self._address.port), timeout=5) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(_connect(self._address.user, self._address.password) + _subscribe(f"{ROOT}/+/down/ack"))
            line.settimeout(_POLL_S)
            self._sent, self._rest = {}, b""
            self._away = {one.gateway for one in self._due() if not one.metric}
            self._say_status(line, sorted(self._away), online=False)
            beat_at = time.monotonic()
            while True:
                if time.monotonic() >= beat_at:
                    self._say_status(line, [key for key in self._plan.gateways if key not in self._away], online=True)
                    beat_at += BEAT_S
                self._send(line)
                with suppress(TimeoutError):
                    self._hear(line.recv(65_536))

    def _due(self) -> list[Happening]:
        now = to_ms(self._clock.now())
        return [one for one in self._plan.happenings if one.at_ms <= now]

    def _send(self, line: socket.socket) -> None:
        present = time.monotonic()
        for one in self._due():
            if not one.metric:
                if one.gateway not in self._away:
                    self._away.add(one.gateway)
                    self._say_status(line, [one.gateway], online=False)
            elif str(one.session) not in self._done and present - self._sent.get(one.session, -AGAIN_S) >= AGAIN_S:
                self._sent[one.session] = present
                reading = WireReading(one.device, one.metric, one.at_ms, one.value, one.at_ms, FLAGS)
                batch = Batch(VERSION, one.session, 1, [reading])
                line.sendall(packet(up_topic(one.gateway, Lane.URGENT), encode(batch), self._next()))

    def _say_status(self, line: socket.socket, gateways: Sequence[str], *, online: bool) -> None:
        payload = encode(Status(VERSION, online, time=to_ms(self._clock.now()) if online else None))
        for key in gateways:
            said = packet(status_topic(key), payload, self._next())
            line.sendall(bytes([said[0] | 1]) + said[1:])  # retained

    def _hear(self, data: bytes) -> None:
        if not data:
            raise ConnectionResetError("the broker has closed the connection")
        self._rest += data
        while (found := _split(self._rest)) is not None:
            kind, body, self._rest = found
            if kind != _PUBLISH:
                continue
            size = int.from_bytes(body[:2], "big")
            topic = body[2 : 2 + size].decode()
            if topic not in self._topics:
                continue  # of what the drill did to get the homes heard
            ack = decode_ack(body[2 + size :])
            key = str(ack.session)
            if ack.seqs and key not in self._done:
                self._done.add(key)
                with self._file.open("a", encoding="ascii") as file:
                    file.write(f"{key}\n")

    def _next(self) -> int:
        self._mid = self._mid % 65_535 + 1
        return self._mid


def _connect(user: str, password: str) -> bytes:
    words = [b"drill-homes", user.encode(), password.encode()]
    body = b"\0\x04MQTT\x04\xc2\0\0" + b"".join(len(word).to_bytes(2, "big") + word for word in words)
    return b"\x10" + bytes([len(body)]) + body


def _subscribe(topic: str) -> bytes:
    body = b"\0\x01" + len(topic).to_bytes(2, "big") + topic.encode() + b"\0"  # QoS 0: what is lost is said again
    return b"\x82" + bytes([len(body)]) + body


def _split(data: bytes) -> tuple[int, bytes, bytes] | None:
    """The first packet's kind and body, and what follows it; None as long as it is not whole."""
    size = shift = 0
    for place in range(1, 5):
        if place >= len(data):
            return None
        size |= (data[place] & 127) << shift
        shift += 7
        if data[place] < 128:
            end = place + 1 + size
            return (data[0] >> 4, data[place + 1 : end], data[end:]) if len(data) >= end else None
    raise ConnectionResetError("the broker sends what is no MQTT")


if __name__ == "__main__":
    main()
