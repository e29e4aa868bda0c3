"""The home's own broker, which the devices speak to."""

from typing import Any

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


class HomeBroker:
    """Feeds `gateway` with what its drivers' devices say at the broker `address`.

    The session is clean: what devices said while the gateway was not running is not queued. A queued message has
    no time of its own, and an old movement must not look like one of this minute.
    """

    def __init__(
        self, address: BrokerAddress, gateway: Gateway, clock: Clock, client_id: str, will: Publication | None = None
    ) -> None:
        self._address = address
        self._gateway = gateway
        self._clock = clock
        self._log = structlog.get_logger()
        self.failures = 0
        self._client = client_for(address, client_id)
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
        client.subscribe([(topic, 1) for driver in self._gateway.drivers for topic in driver.filters])

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._log.warning("home_broker_lost", reason=str(reason))

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        try:
            self._gateway.receive(
                message.topic, bytes(message.payload), retained=message.retain, received=self._clock.now()
            )
        except Exception as error:  # noqa: BLE001  # the edge: one bad message or a full disk must not end the thread
            self.failures += 1
            self._log.error("message_not_taken", error=f"{type(error).__name__}: {error}", failures=self.failures)
