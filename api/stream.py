"""Live events: one LISTEN connection for all clients of this process; each client hears of its own homes only.

An event says which alert of which home has changed, nothing more; what it says now is fetched, under the reader's
own rights. So a lost event costs nothing: a client that comes back simply fetches again (`event: hello`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from threading import Event, Lock, Thread
from typing import Final, NamedTuple

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool

from store.pool import DatabaseRole, listening

CHANNEL: Final = "alert_changed"
HEARTBEAT_S: Final = 15.0
LIFE_S: Final = 15 * 60.0  # then the client comes back, and its rights are looked up anew
LOOK_AGAIN_S: Final = 60.0  # how old a client's rights may be
RETRY_MS: Final = 2_000
BACKOFF_S: Final = 1.0
WAITING_EVENTS: Final = 500  # for one slow client; beyond it is told to fetch again

log = structlog.get_logger(__name__)


class AlertChanged(msgspec.Struct, frozen=True):
    """The payload of `alert_changed`. `home` is None for a regional incident."""

    alert: int
    home: int | None


class Signal(NamedTuple):
    """What a client is told: `changed` with its alert, `resync` when something may have been missed, `bye`."""

    name: str
    change: AlertChanged | None = None


class Client:
    """One open stream: a queue on its own event loop."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Signal] = asyncio.Queue(WAITING_EVENTS)
        self._loop = asyncio.get_running_loop()

    def tell(self, signal: Signal) -> None:
        """From any thread."""
        try:
            self._loop.call_soon_threadsafe(self._put, signal)
        except RuntimeError:  # its loop has closed: nobody is there to hear it
            log.debug("an event for a client whose loop has ended")

    def _put(self, signal: Signal) -> None:
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(Signal("resync"))
        self.queue.put_nowait(signal)


class Switchboard:
    """Passes changes of alerts from the database on to every open stream."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._clients: set[Client] = set()
        self._lock = Lock()
        self._ended = Event()
        self._thread: Thread | None = None
        self.listens = Event()

    def start(self) -> None:
        self._thread = Thread(target=self._listen, name="alert-listener", daemon=True)
        self._thread.start()

    def hang_up(self) -> None:
        """Ends every stream now, so that none holds up a shutdown; later ones end at once."""
        self._ended.set()
        self._tell_all(Signal("bye"))

    def stop(self) -> None:
        self.hang_up()
        if self._thread is not None:
            self._thread.join()

    def join(self) -> Client:
        """A new client, on the running event loop."""
        client = Client()
        with self._lock:
            self._clients.add(client)
        if self._ended.is_set():
            client.tell(Signal("bye"))
        return client

    def leave(self, client: Client) -> None:
        with self._lock:
            self._clients.discard(client)

    def _tell_all(self, signal: Signal) -> None:
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.tell(signal)

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                with listening(self._url, DatabaseRole.API, CHANNEL) as connection:
                    self.listens.set()
                    self._tell_all(Signal("resync"))
                    while not self._ended.is_set():
                        for notice in connection.notifies(timeout=0.5):
                            self._pass_on(notice.payload)
            except Exception as error:  # noqa: BLE001 - the edge of a thread: without it every page stands still
                self.listens.clear()
                log.warning("live events are interrupted", error=type(error).__name__, retry_s=BACKOFF_S)
                self._ended.wait(BACKOFF_S)

    def _pass_on(self, payload: str) -> None:
        try:
            change = msgspec.json.decode(payload, type=AlertChanged)
        except msgspec.DecodeError as error:
            log.warning("a notice that is none of ours", channel=CHANNEL, error=str(error))
            return
        # Whose incident it is only the database knows: everyone looks again, under their own rights.
        self._tell_all(Signal("resync") if change.home is None else Signal("changed", change))


async def live(
    switchboard: Switchboard, rights: Callable[[], frozenset[int] | None], *, life_s: float = LIFE_S
) -> AsyncIterator[str]:
    """One client's stream, as text/event-stream.

    Args:
        rights: the ids of the homes that the client may see now, or None when its session has ended. It asks the
            database, so it runs in a thread.
    """
    loop = asyncio.get_running_loop()
    client = switchboard.join()
    try:
        homes, looked_at, end = await run_in_threadpool(rights), loop.time(), loop.time() + life_s
        yield f"retry: {RETRY_MS}\nevent: hello\ndata: {{}}\n\n"
        while homes is not None and loop.time() < end:
            try:
                patience = min(HEARTBEAT_S, max(0.0, end - loop.time()))
                signal = await asyncio.wait_for(client.queue.get(), patience)
            except TimeoutError:
                signal = Signal("heartbeat")
            if loop.time() - looked_at > LOOK_AGAIN_S:
                homes, looked_at = await run_in_threadpool(rights), loop.time()
            if signal.name == "bye" or homes is None:
                return
            if signal.name == "heartbeat":
                yield ": here\n\n"
            elif signal.change is None:
                yield f"event: {signal.name}\ndata: {{}}\n\n"
            elif signal.change.home in homes:
                yield f"event: alert\ndata: {msgspec.json.encode(signal.change).decode()}\n\n"
    finally:
        switchboard.leave(client)
