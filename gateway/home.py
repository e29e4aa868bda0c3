"""The home's own broker, which the devices speak to."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from core.address import BrokerAddress
from core.clock import Clock
from core.configuration import Publication
from gateway.client import client_for, connect
from gateway.gateway import Gateway

FENCE_S: Final = 60.0  # a broker that lets nobody write to the fence's topic gives none back


class _Fence:
    """The word that comes back after all that waited. `since`: when we last heard anything."""

    def __init__(self, word: bytes, until: float, since: datetime) -> None:
        self.word = word
        self.until = until
        self.messages = 0
        self._since = since

    def next(self) -> datetime:
        """How old the next message may be: a millisecond later than the one before, to keep their order."""
        self.messages += 1
        return self._since + timedelta(milliseconds=self.messages)


class HomeBroker:
    """Feeds `gateway` with what its drivers' devices say at the broker `address`.

    The session stays with the broker, so that an SOS pressed while the gateway is away waits for it. What waited has no
    time of its own, so it must be told from what comes live: after each connection the gateway says a word to itself,
    the fence. What the broker gives before that word may be as old as the last thing we heard.

    Args:
        monotonic: the machine's seconds, for the patience with the fence.
    """

    def __init__(
        self,
        address: BrokerAddress,
        gateway: Gateway,
        clock: Clock,
        client_id: str,
        *,
        will: Publication | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._gateway = gateway
        self._clock = clock
        self._monotonic = monotonic
        self._log = structlog.get_logger()
        self._fence_topic = f"yiju/{client_id}/fence"
        self._fence: _Fence | None = None
        self._heard: datetime | None = None
        self.failures = 0
        self._filters: dict[str, None] = {}
        self._client = client_for(address, client_id, keep_session=True)
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    @property
    def connected(self) -> bool:
        """Whether the home's broker has let us in and the connection stands."""
        return self._client.is_connected()

    def start(self) -> None:
        """Connects and subscribes in the background, and again whenever the connection is lost."""
        connect(self._client, self._address)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Says something to the home's devices, QoS 1, now or never; returns whether there was a connection."""
        if not self._client.is_connected():
            return False
        return self._client.publish(topic, payload, qos=1, retain=retain).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: Client, userdata: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._log.warning("home_broker_refused", reason=str(reason))
            return
        self._log.info("home_broker_connected")
        self._filters = self._wanted()
        client.subscribe([(topic, 1) for topic in (self._fence_topic, *self._filters)])
        if flags.session_present:
            since = self._heard or self._gateway.heard_until or self._clock.now()
            self._fence = _Fence(uuid4().bytes, self._monotonic() + FENCE_S, since)
            client.publish(self._fence_topic, self._fence.word, qos=1)

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._log.warning("home_broker_lost", reason=str(reason))

    def _wanted(self) -> dict[str, None]:
        return dict.fromkeys(topic for driver in self._gateway.drivers for topic in driver.filters)

    def _listen_on(self) -> None:
        """Subscribes to what a driver has learned of since, and leaves what it no longer wants."""
        wanted = self._wanted()
        if wanted.keys() == self._filters.keys():
            return
        if more := [topic for topic in wanted if topic not in self._filters]:
            self._client.subscribe([(topic, 1) for topic in more])
        if gone := [topic for topic in self._filters if topic not in wanted]:
            self._client.unsubscribe(gone)
        self._filters = wanted

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        try:
            self._take(message)
            if message.topic.endswith("/config"):  # a driver may have learned of more topics
                self._listen_on()
        except Exception as error:  # noqa: BLE001  # the edge: one bad message or a full disk must not end the thread
            self.failures += 1
            self._log.error("message_not_taken", error=f"{type(error).__name__}: {error}", failures=self.failures)

    def _take(self, message: MQTTMessage) -> None:
        now, payload = self._clock.now(), bytes(message.payload)
        if self._fence is not None and self._monotonic() >= self._fence.until:
            self._fence = None
            self._log.warning("no_fence", topic=self._fence_topic, remedy="let the gateway write and read this topic")
        if message.topic == self._fence_topic:
            if self._fence is not None and payload == self._fence.word:
                self._log.info("heard_what_waited", messages=self._fence.messages)
                self._fence = None
            return
        since = None
        if self._fence is not None and not message.retain:
            since = self._fence.next()
        self._gateway.receive(
            message.topic,
            payload,
            retained=message.retain,
            received=now,
            waited_since=since,
            number=message.mid,
            repeated=message.dup,
        )
        if since is None and not message.retain:  # what is retained need not wait for its turn behind what waited
            self._heard = now
