"""One gateway: device messages in, durable; batches up. All of it but the home's own broker, so that many of them
run in one process (the demo's homes) or take messages as fast as they come (a replay)."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
import structlog

from core.address import BrokerAddress, parse_broker_url
from core.clock import Clock
from core.errors import SettingsError
from core.metrics import BY_NAME
from core.model import Flag, Lane, Reading
from core.wire import GATEWAY_KEY as KEY_FORM
from core.wire import from_ms
from gateway.drivers.base import Decoded, Nothing
from gateway.drivers.set_up import set_up
from gateway.health import Health
from gateway.heard import Heard, Listener, Order, Sieve, Tick
from gateway.outbox import MARK_BYTES, Depth, Outbox
from gateway.samples import Samples
from gateway.settings import Settings
from gateway.true_time import Machine, TrueTime
from gateway.uplink import Uplink

SELF: Final = "gateway"  # the address under which a gateway reports about itself
SEAL_AFTER: Final = timedelta(seconds=5)
HEALTH_EVERY: Final = timedelta(minutes=1)
_CHUNK: Final = 2_000  # messages in one transaction of `receive_many`


class Gateway:
    """Takes device messages and brings their readings to the platform.

    Other parts of a home's box join in by `listen`, `each_tick`, `obey` and `at_connection`, before `start`. What they
    raise is logged and stops nobody else: a rule that fails must cost no reading.

    Args:
        clock: gives the present where a caller does not.
        machine: what shows that the clock jumps; None where the clock is the platform's own and cannot be wrong.

    Raises:
        SettingsError: a setting is wrong, or another process holds the outbox.
    """

    def __init__(self, settings: Settings, clock: Clock, machine: Machine | None = None) -> None:
        if not KEY_FORM.fullmatch(settings.gateway_key):
            raise SettingsError(
                f"YIJU_GATEWAY_KEY is {settings.gateway_key!r}: write 1 to 63 of a-z, 0-9, - and _, no - or _ first"
            )
        self._clock = clock
        self._folder = Path(settings.gateway_folder)
        self.drivers = set_up(settings)
        address = _platform(settings)
        self._outbox = Outbox(self._folder / "outbox.sqlite", budget_bytes=settings.outbox_mb * 1024 * 1024)
        self._true_time = TrueTime(self._outbox, clock, machine)
        try:
            self._uplink = Uplink(
                address, settings.gateway_key, self._outbox, clock, true_time=self._true_time, ca=settings.platform_ca
            )
        except SettingsError:
            self._outbox.close()
            raise
        self.samples = Samples(self._folder / "samples.json")
        self._uplink.on_order = self._order
        self._uplink.on_connection = self._connection
        self._listeners: list[Listener] = []
        self._ticks: list[Tick] = []
        self._orders: list[Order] = []
        self._at_connection: list[Callable[[], None]] = []
        self._before_storing: list[Sieve] = []
        self._log = structlog.get_logger().bind(gateway=settings.gateway_key)
        self._stopped = False
        self._counts: Counter[Nothing] = Counter()
        self._counts_lock = threading.Lock()
        self._health_of = Health(self._folder, clock.now())
        self._health: datetime | None = None

    @property
    def connected(self) -> bool:
        """Whether the connection to the platform's broker stands."""
        return self._uplink.connected

    @property
    def heard_until(self) -> datetime | None:
        """When the newest message with a reading was said, or may have been; None before the first. Outlives us."""
        heard = self._outbox.heard()
        return from_ms(heard) if heard else None

    def clock_offset(self) -> timedelta | None:
        """How far the platform's clock is ahead of the home's; None while it was not heard."""
        offset = self._true_time.offset_ms()
        return None if offset is None else timedelta(milliseconds=offset)

    def true_time(self, now: datetime) -> datetime | None:
        """The home's `now` by the platform's clock; None while that was not heard and the home's may be wrong."""
        return None if self._true_time.wanted else now + (self.clock_offset() or timedelta())

    def listen(self, listener: Listener) -> None:
        """Has `listener` called with every message, once its readings are on the disk; on the caller's thread."""
        self._listeners.append(listener)

    def before_storing(self, sieve: Sieve) -> None:
        """Has `sieve` give the readings of each message that shall be stored: the same, others, or more.

        It sees a call for help also when the disk is full.
        """
        self._before_storing.append(sieve)

    def each_tick(self, work: Tick) -> None:
        """Has `work` called with the present at each `tick`, on its thread."""
        self._ticks.append(work)

    def obey(self, order: Order) -> None:
        """Has `order` called with what the platform says below `down/` (acknowledgements and time apart).

        On the network's thread, which must not be held up.
        """
        self._orders.append(order)

    def at_connection(self, work: Callable[[], None]) -> None:
        """Has `work` called whenever the platform's broker has let us in; on the network's thread."""
        self._at_connection.append(work)

    def say(self, name: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publishes `payload` at `yiju/v1/{gateway}/{name}`, now or never.

        Returns:
            Whether there was a connection to give it to. Readings belong into `report`, which keeps them.
        """
        return self._uplink.say(name, payload, retain=retain)

    def start(self) -> None:
        """Connects to the platform, in the background. Messages are taken before and without it too."""
        self._uplink.start()

    def receive(
        self,
        topic: str,
        payload: bytes,
        *,
        retained: bool = False,
        received: datetime | None = None,
        waited_since: datetime | None = None,
        number: int = 0,
        repeated: bool = False,
    ) -> int:
        """Takes one device message. Its readings are on the disk when this returns; never waits for a network.

        Args:
            waited_since: the message waited at the home's broker and may be as old as this. A cry for help in it is
                one of now; all else that does not say when it was measured is as old as it can be: an old movement must
                not look like one of this minute.
            number: the broker's number of the message; 0 where it has none.
            repeated: the broker says that it may have given us this message before, under the same number.

        Returns:
            How many readings it held; why there were none is counted in `ignored()`.

        Raises:
            sqlite3.DatabaseError: the disk is full or broken: only what is urgent was taken.
        """
        self._true_time.check()
        mark = _mark(topic, payload, number)
        if repeated and self._outbox.has_taken(mark):
            self._count(Nothing.REPEATED)
            return 0
        heard = self._decode(topic, payload, received or self._clock.now(), retained)
        if waited_since is not None:
            heard = _waited(heard, waited_since)
        heard = self._sifted(heard)
        try:
            self.report(heard.decoded.readings, mark, waited_since)
        finally:
            self._tell(heard)
        return len(heard.decoded.readings)

    def report(self, readings: Sequence[Reading], mark: bytes = b"", waited_since: datetime | None = None) -> None:
        """Takes readings that no device sent: a watchdog's, a rule's. On the disk when this returns.

        Args:
            mark, waited_since: of the message they came with, if any; see Outbox.append.

        Raises:
            sqlite3.DatabaseError: the disk is full or broken: only what is urgent was taken.
        """
        try:
            sealed = self._outbox.append(readings, mark, waited_since)
        except sqlite3.DatabaseError:
            self._uplink.send()
            raise
        if sealed:
            self._uplink.send()

    def receive_many(self, messages: Iterable[tuple[str, bytes, datetime]]) -> int:
        """Takes many live messages `(topic, payload, received)`, some thousands in each transaction.

        Returns:
            How many readings they held; all are on the disk.

        Raises:
            sqlite3.DatabaseError: what was taken before the disk was full or broken stays taken.
        """
        self._true_time.check()
        taken = 0
        source = iter(messages)
        while chunk := list(islice(source, _CHUNK)):
            all_heard = [
                self._sifted(self._decode(topic, payload, received, retained=False))
                for topic, payload, received in chunk
            ]
            readings = [reading for heard in all_heard for reading in heard.decoded.readings]
            self.report(readings)
            for heard in all_heard:
                self._tell(heard)
            taken += len(readings)
        return taken

    def tick(self, now: datetime) -> None:
        """Does what is due: reports health, seals readings that have waited, sends. To be called about each second.

        Raises:
            sqlite3.DatabaseError: the disk is full or broken; the platform hears no heartbeat meanwhile.
        """
        self._true_time.check()
        alive = False
        try:
            self._keep_outbox(now)
            alive = True
        finally:
            self._uplink.tick(now, alive=alive)
            self.samples.tick(now)
            for work in self._ticks:
                self._guarded("tick_work_failed", work, now)

    def _keep_outbox(self, now: datetime) -> None:
        """Each second's housekeeping. Raises on a full disk, again each time: see `tick`."""
        self._uplink.recover()
        if self._health is None or abs(now - self._health) >= HEALTH_EVERY:
            self._outbox.append(self._health_readings(now))
            self._health = now
        waiting = self._outbox.depth().waiting_since
        # abs: a clock that was set back must not leave readings waiting for it to catch up
        if waiting is not None and abs(now - from_ms(waiting)) >= SEAL_AFTER:
            self._outbox.seal()

    def flush(self) -> None:
        """Seals and sends all that waits, without waiting for it to arrive."""
        self._outbox.seal()
        self._uplink.send()

    def unacknowledged(self) -> int:
        """How many readings were taken and are not yet known to be in the platform's database."""
        return self._outbox.depth().readings

    def depth(self) -> Depth:
        """How much waits for the platform, in more detail."""
        return self._outbox.depth()

    def urgent_since(self) -> datetime | None:
        """When the oldest urgent reading was received that the platform has not acknowledged; None when it has all."""
        since = self._outbox.oldest(Lane.URGENT)
        return None if since is None else from_ms(since)

    def last_values(self) -> dict[str, dict[str, float]]:
        """Device -> metric -> the last value taken."""
        return self._outbox.last_values()

    def ignored(self) -> dict[Nothing, int]:
        """How many messages gave no reading since the start, by reason."""
        with self._counts_lock:
            return dict(self._counts)

    def stop(self) -> None:
        """Seals what waits, says goodbye, disconnects and closes. What is not acknowledged stays in the outbox."""
        if self._stopped:
            return
        self._stopped = True
        self._outbox.seal()
        self._uplink.send()
        self._uplink.stop()
        self._outbox.close()
        self.samples.close()

    def _decode(self, topic: str, payload: bytes, received: datetime, retained: bool) -> Heard:
        decoded = Decoded([], Nothing.NOT_MINE)
        for driver in self.drivers:
            decoded = driver.decode(topic, payload, received, retained)
            if decoded.nothing is not Nothing.NOT_MINE:
                if why := decoded.puzzling:
                    self.samples.keep(topic, payload, why, received, driver.name)
                break
        if decoded.nothing is not None:
            self._count(decoded.nothing)
        return Heard(topic, payload, received, retained, decoded)

    def _count(self, reason: Nothing) -> None:
        with self._counts_lock:
            self._counts[reason] += 1

    def _sifted(self, heard: Heard) -> Heard:
        """The message with the readings that shall be stored of it."""
        readings = heard.decoded.readings
        if not readings:
            return heard
        for sieve in self._before_storing:
            try:
                readings = sieve(readings, heard.received)
            except Exception as error:  # noqa: BLE001  # the edge to a part that joined in: it must cost no reading
                self._log.error("sieve_failed", error=f"{type(error).__name__}: {error}")
        return msgspec.structs.replace(heard, decoded=msgspec.structs.replace(heard.decoded, readings=readings))

    def _tell(self, heard: Heard) -> None:
        for listener in self._listeners:
            self._guarded("listener_failed", listener, heard)

    def _order(self, name: str, payload: bytes, retained: bool) -> None:
        for order in self._orders:
            self._guarded("order_failed", order, name, payload, retained)

    def _connection(self) -> None:
        for work in self._at_connection:
            self._guarded("connection_work_failed", work)

    def _guarded(self, event: str, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001  # the edge to a part that joined in: it must cost no reading
            self._log.error(event, part=getattr(work, "__qualname__", "?"), error=f"{type(error).__name__}: {error}")

    def _health_readings(self, now: datetime) -> list[Reading]:
        offset = self.clock_offset()
        ahead_s = None if offset is None else offset.total_seconds()
        values = dict(self._health_of.figures(now, self._outbox.depth(), self._uplink.line, ahead_s))
        lost = float(self._outbox.lost())
        if lost != (self._outbox.last_value(SELF, "readings_lost") or 0.0):
            values["readings_lost"] = lost  # all that this outbox ever lost: a lost report loses nothing
        return [Reading(SELF, metric, now, value, now) for metric, value in values.items()]


def _mark(topic: str, payload: bytes, number: int) -> bytes:
    """Tells a message from others: two presses of a button are alike but for the broker's number."""
    message = b"%d\0%b\0%b" % (number, topic.encode(errors="replace"), payload)
    return blake2b(message, digest_size=MARK_BYTES).digest()


def _waited(heard: Heard, since: datetime) -> Heard:
    """What a message that waited at the home's broker says of when it was measured."""
    readings = [_as_old_as_it_can_be(reading, since) for reading in heard.decoded.readings]
    decoded = msgspec.structs.replace(heard.decoded, readings=readings)
    return msgspec.structs.replace(heard, decoded=decoded, waited=True)


def _as_old_as_it_can_be(reading: Reading, since: datetime) -> Reading:
    if reading.time != reading.received:
        return reading  # the device has said when
    cry = BY_NAME[reading.metric].urgent and reading.value > 0
    time = reading.time if cry else min(since, reading.received)
    return msgspec.structs.replace(reading, time=time, flags=reading.flags | Flag.RESTAMPED)


def _platform(settings: Settings) -> BrokerAddress:
    """The platform's broker; the gateway's key is its user name there, whatever the URL says."""
    address = parse_broker_url(settings.platform_url, "YIJU_PLATFORM_URL")
    return BrokerAddress(address.host, address.port, address.tls, settings.gateway_key, settings.gateway_password)
