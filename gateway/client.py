"""A client for a broker: the platform's or the home's own."""

import socket
import ssl
from typing import Any, Final

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.address import BrokerAddress
from core.errors import SettingsError

KEEPALIVE_S: Final = 30  # a dead connection is noticed after one and a half of these at most


def client_for(
    address: BrokerAddress, client_id: str, ca: str = "", *, retry_s: float = 1, keep_session: bool = False
) -> Client:
    """A client for `address`, not connected yet: MQTT 3.1.1, reconnecting with growing patience.

    Args:
        ca: file with the broker's certificate authority; empty trusts the system's.
        retry_s: first wait before a reconnect; it doubles up to a minute.
        keep_session: whether the broker keeps our subscriptions and what comes for them while we are away.

    Raises:
        SettingsError: `ca` cannot be read.
    """
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=not keep_session)
    if address.user:
        client.username_pw_set(address.user, address.password)
    if address.tls:
        try:
            client.tls_set_context(ssl.create_default_context(cafile=ca or None))
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"YIJU_PLATFORM_CA names {ca!r}, which is no readable certificate: {error}") from error
    client.on_socket_open = _without_delay
    client.reconnect_delay_set(retry_s, 60)  # type: ignore[arg-type]  # seconds; fractions work too
    client.max_inflight_messages_set(0)  # our own windows are the limit
    return client


def _without_delay(_client: Client, _data: Any, connection: Any) -> None:
    """Small packets go out at once: with Nagle's algorithm each waits 40 ms for the acknowledgement before it."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def connect(client: Client, address: BrokerAddress) -> None:
    """Connects in the background, on a thread of the client's own, and again whenever the connection is lost."""
    client.connect_async(address.host, address.port, keepalive=KEEPALIVE_S)
    client.loop_start()
