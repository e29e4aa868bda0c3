"""The broker for a machine without mosquitto: amqtt (pure Python), with our accounts and our access list.

    python -m yiju.embedded.amqtt_broker PORT ACCOUNTS ACL

Runs as a child process. What this class changes, because amqtt 0.12.1 as it is

- sends a client, whenever it connects, every retained message that matches ANY client's filter;
- looks for (and ends!) the session of a client id before it has asked for the password;
- publishes a client's will without asking whether the client may write there;
- marks the messages that it kept for an absent client as retained, so that they look like old news;
- loses a message when somebody subscribes while it is handed out (a dict that changes while it is walked);
- never misses a client that has gone silent, and takes messages of any size.

Messages live in memory: gateways keep what the platform has not acknowledged (docs/architecture.md).
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Any, Final

from amqtt.adapters import ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action, BrokerConfig, ListenerConfig
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

from core.credentials import broker_password_matches
from yiju.embedded.acl import Acl, read_acl

MESSAGE_LIMIT_BYTES: Final = 1_048_576  # the same as mosquitto's message_size_limit
PACKET_LIMIT_BYTES: Final = 16 * MESSAGE_LIMIT_BYTES  # beyond, the connection is cut
SILENCE: Final = 1.5  # times the keep-alive, as the standard says
logger = logging.getLogger("yiju.broker")


class Accounts:
    """The accounts file, `user:hash` lines; read again whenever it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._hashes: dict[str, str] = {}

    def lets_in(self, user: str | None, password: str | None) -> bool:
        """Whether this is a user's password."""
        self._read()
        return bool(user and password) and broker_password_matches(password or "", self._hashes.get(user or "", ""))

    def knows(self, user: str | None) -> bool:
        """Whether the user has an account."""
        self._read()
        return user in self._hashes

    def _read(self) -> None:
        status = self._path.stat()
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        if stamp != self._stamp:
            lines = self._path.read_text(encoding="utf-8").splitlines()
            self._hashes = dict(line.split(":", 1) for line in lines if ":" in line)
            self._stamp = stamp


class _LimitedReader(StreamReaderAdapter):  # type: ignore[misc]  # amqtt has no types
    """Refuses to take a packet that would fill the memory."""

    async def read(self, n: int = -1) -> bytes:
        if n > PACKET_LIMIT_BYTES:
            raise AMQTTError(f"a packet of {n} bytes; at most {PACKET_LIMIT_BYTES} are taken")
        data: bytes = await super().read(n)
        return data


class _Handler(BrokerProtocolHandler):  # type: ignore[misc]  # amqtt has no types
    """Ends the connection of a client that has gone silent, so that its will is sent."""

    def handle_read_timeout(self) -> None:
        logger.info("a client has gone silent")
        self._silent = asyncio.ensure_future(self.handle_connection_closed())


class YijuBroker(Broker):  # type: ignore[misc]  # amqtt has no types
    """amqtt with our accounts and access list; see the module's text for what differs and why."""

    def __init__(self, port: int, accounts: Accounts, acl: Acl) -> None:
        listener = ListenerConfig(bind=f"127.0.0.1:{port}")
        super().__init__(BrokerConfig(listeners={"default": listener}, plugins={}))
        self._accounts = accounts
        self._acl = acl
        self._sending: set[asyncio.Future[Any]] = set()
        self._ending: set[asyncio.Future[None]] = set()

    # A client comes ---------------------------------------------------------------------------------

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        try:
            await self._client_connected(listener_name, _LimitedReader(reader), StreamWriterAdapter(writer))
        except Exception as error:  # noqa: BLE001 -- the edge: one client's junk must not stop the others
            logger.warning("a client's connection was cut: %r", error)
        finally:
            writer.close()

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Reads CONNECT and asks for the password before anything else happens."""
        try:
            _, session = await BrokerProtocolHandler.init_from_connect(reader, writer, self.plugins_manager)
        except (AMQTTError, MQTTError, NoDataError) as error:
            raise AMQTTError(f"no CONNECT that can be read: {error}") from error
        if not self._accounts.lets_in(session.username, session.password):
            await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
            raise AMQTTError("wrong user name or password")
        user = session.username or ""
        if session.will_flag and not self._acl.allows(user, "write", session.will_topic or ""):
            session.will_flag = False
        # the user's name is a part of it, so that nobody can take over another user's session
        session.client_id = f"{user}/{session.client_id or ''}"
        session = await self._resumed(session)
        session.keep_alive = int(session.keep_alive * SILENCE)
        return _Handler(self.plugins_manager, loop=self._loop), session

    async def _resumed(self, new: Session) -> Session:
        """The session that goes on with this connection: the client's old one unless it wants a clean one."""
        old, connection = self._sessions.get(new.client_id or "", (None, None))
        if old is None or new.clean_session:
            if connection is not None:
                await connection.handle_connection_closed()  # a client has one connection: the newest
            await self._delete_session(new.client_id or "")
            new.parent = 0
            return new
        for name in ("will_flag", "will_topic", "will_message", "will_qos", "will_retain", "keep_alive", "username"):
            setattr(old, name, getattr(new, name))
        old.parent = 1
        return old

    def accounts_changed(self) -> None:
        """Ends the connections of those who have no account any more, as mosquitto does."""
        for session, connection in self._sessions.values():
            if not self._accounts.knows(session.username):
                ending = asyncio.ensure_future(connection.handle_connection_closed())
                self._ending.add(ending)
                ending.add_done_callback(self._ending.discard)

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        return True  # _initialize_client_session has asked

    # Messages ---------------------------------------------------------------------------------------
    # Nothing here waits between looking at `_subscriptions` and using it: it changes while others run.

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        return self._acl.allows(session.username or "", "write" if action == Action.PUBLISH else "read", topic)

    async def _handle_message_delivery(
        self, client_session: Session, handler: BrokerProtocolHandler, wait_deliver: "asyncio.Future[Any]"
    ) -> bool:
        """Hands one message on. One that may not be is dropped, as mosquitto does; the client stays."""
        message = wait_deliver.result()
        if message is None:
            return True
        topic, data = message.topic or "", message.data or b""
        if any(sign in topic for sign in "+#") or not self._acl.allows(client_session.username or "", "write", topic):
            logger.info("dropped: %s may not publish to %s", client_session.username, topic)
        elif len(data) > MESSAGE_LIMIT_BYTES:
            logger.warning("dropped: %s bytes on %s, at most %s", len(data), topic, MESSAGE_LIMIT_BYTES)
        else:
            await self._broadcast_message(client_session, topic, data)
            if message.publish_packet and message.publish_packet.retain_flag:
                await self.retain_message(client_session, topic, data, message.qos)
        return True

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Sends what is retained under a filter to a client that has subscribed to that very filter."""
        topic_filter, qos = subscription
        holders = self._subscriptions.get(topic_filter, [])
        if not any(holder.client_id == session.client_id for holder, _ in holders):
            return
        for topic, kept in self._retained_messages.items():
            if self._matches(topic, topic_filter) and self._acl.allows(session.username or "", "read", topic):
                self._send(session, topic, kept.data, min(qos, kept.qos or 0), retain=True)

    async def _publish_session_retained_messages(self, session: Session) -> None:
        """Sends what was kept while the client was away."""
        while not session.retained_messages.empty():
            kept = session.retained_messages.get_nowait()
            self._send(session, kept.topic, kept.data, kept.qos, retain=False)

    def _send(self, session: Session, topic: str, data: bytes | bytearray, qos: int, *, retain: bool) -> None:
        handler = self._get_handler(session)
        if handler is not None:
            sending = asyncio.ensure_future(handler.mqtt_publish(topic, data, qos, retain=retain))
            self._sending.add(sending)
            sending.add_done_callback(self._sent)

    def _sent(self, sending: "asyncio.Future[Any]") -> None:
        self._sending.discard(sending)
        if not sending.cancelled() and sending.exception() is not None:
            logger.info("a message could not be sent: %r", sending.exception())


async def serve(port: int, accounts: Path, acl: Path) -> None:
    """Runs until SIGTERM or SIGINT. SIGHUP says that the accounts have changed."""
    broker = YijuBroker(port, Accounts(accounts), read_acl(acl))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, broker.accounts_changed)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("yiju").setLevel(logging.INFO)
    port, accounts, acl = sys.argv[1:]
    asyncio.run(serve(int(port), Path(accounts), Path(acl)))


if __name__ == "__main__":
    main()
