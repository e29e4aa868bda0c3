"""A small platform for tests: takes batches, acknowledges them by core.wire, and remembers all that came."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from paho.mqtt.client import Client, MQTTMessage

from core.address import parse_broker_url
from core.model import Lane
from core.wire import (
    ROOT,
    VERSION,
    Ack,
    Batch,
    Status,
    WireReading,
    ack_topic,
    decode_batch,
    decode_status,
    encode,
    gateway_of,
)
from gateway.client import client_for, connect

Key = tuple[UUID, Lane, int]
PATIENCE_S = 30.0


def until(condition: Callable[[], object], what: str) -> None:
    """Waits until `condition` holds; for what other threads and processes do."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"after {PATIENCE_S:.0f} s still not: {what}"
        time.sleep(0.01)


class Platform:
    """Subscribes at the broker `url` as the platform and keeps each batch once, by (session, lane, seq).

    Attributes:
        acknowledging: whether batches are acknowledged when they come.
        stored: the batches, each once, in the order of their first arrival.
        copies: how often each came.
        statuses: every status that came.
    """

    def __init__(self, url: str, ca: str = "", *, acknowledging: bool = True) -> None:
        self.acknowledging = acknowledging
        self.stored: dict[Key, Batch] = {}
        self.copies: Counter[Key] = Counter()
        self.statuses: list[Status] = []
        self._subscribed = threading.Event()
        address = parse_broker_url(url, "url")
        self._client = client_for(address, "platform", ca, retry_s=0.1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        connect(self._client, address)
        assert self._subscribed.wait(PATIENCE_S)

    def readings(self, lane: Lane | None = None) -> list[WireReading]:
        """All readings stored, of one lane or of both."""
        return [r for (_, of, _), batch in list(self.stored.items()) if lane in (None, of) for r in batch.readings]

    def values(self, lane: Lane | None = None) -> list[float]:
        """Their values, without what the gateway says about itself."""
        return [reading.value for reading in self.readings(lane) if reading.device != "gateway"]

    def acknowledge(self, gateway: str, session: UUID, lane: Lane, seqs: list[int]) -> None:
        self.say(gateway, encode(Ack(VERSION, session, lane, seqs)))

    def acknowledge_all(self, gateway: str) -> None:
        for session, lane, seq in list(self.stored):
            self.acknowledge(gateway, session, lane, [seq])

    def say(self, gateway: str, payload: bytes) -> None:
        self._client.publish(ack_topic(gateway), payload, qos=1)

    def order(self, gateway: str, name: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(f"{ROOT}/{gateway}/down/{name}", payload, qos=1, retain=retain)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, *_: Any) -> None:
        client.subscribe([("yiju/v1/+/up/+", 1), ("yiju/v1/+/status", 1)])

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        gateway = gateway_of(message.topic)
        assert gateway is not None
        payload = bytes(message.payload)
        if message.topic.endswith("/status"):
            self.statuses.append(decode_status(payload))
            return
        batch, lane = decode_batch(payload), Lane(message.topic.rpartition("/")[2])
        key = (batch.session, lane, batch.seq)
        assert self.stored.setdefault(key, batch) == batch, "one number, two batches"
        self.copies[key] += 1
        if self.acknowledging:
            self.acknowledge(gateway, batch.session, lane, [batch.seq])
