"""The steward: all that a gateway does besides carrying readings. It joins a `Gateway` by its hooks.

before a message is stored   prompt (is it an answer?), rules (must the home be warned on the spot?)
after                        watchdog (who has been heard), found (who is not registered)
each tick                    orders of the platform, watchdog, prompt, rules; report, status, Home Assistant
"""

import queue
import sqlite3
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import structlog

from core.configuration import Publication
from core.errors import WireError
from core.model import DeviceKind, Reading
from core.wire import VERSION, Found, Report, Sample, decode_command, encode, from_ms, to_ms
from gateway import self_discovery
from gateway.configured import ConfigurationFile
from gateway.gateway import SELF, Gateway
from gateway.heard import Heard
from gateway.prompt import Prompt, Said
from gateway.rules import Deed, Rules
from gateway.status_file import DeviceStatus, GatewayStatus, write_status
from gateway.watchdog import Watchdog

SOFTWARE: Final = "0.1.0"
REPORT_EVERY: Final = timedelta(seconds=2)  # at most: an installer on a ladder waits for it
REPORT_AGAIN: Final = timedelta(hours=1)  # values that change are worth this much of the line
STATUS_EVERY: Final = timedelta(seconds=10)
STATE_EVERY: Final = timedelta(minutes=1)
TRY_FOR: Final = timedelta(minutes=2)  # a siren whose broker is away is tried again for so long
NEW_FOR: Final = timedelta(minutes=30)  # so long after its first word a device that is not registered is followed
FOLLOWED_EVERY_MS: Final = 10_000
MOST_HEARD: Final = 500
MOST_FOUND: Final = 60
MOST_SAMPLES: Final = 20
MOST_REFUSED: Final = 20
MOST_WAITING: Final = 1_000  # readings that could not be stored, for a full disk


class Home(Protocol):
    """The home's own broker."""

    @property
    def connected(self) -> bool: ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool: ...


class _Order(NamedTuple):
    name: str
    payload: bytes


class _Unsaid(NamedTuple):
    publication: Publication
    until: datetime


class _Voice(NamedTuple):
    """A device as it was heard since the start."""

    first: datetime
    last: datetime
    values: dict[str, float]


class Steward:
    """Looks after one gateway and the home it stands in.

    Args:
        key: the gateway's.
        folder: its folder; `configuration.json`, `watchdog.json`, `commands.json` and `status.json` are ours there.
        home: the home's broker.
    """

    def __init__(self, gateway: Gateway, key: str, folder: Path, home: Home) -> None:
        self._gateway = gateway
        self._key = key
        self._folder = folder
        self._home = home
        self._log = structlog.get_logger().bind(gateway=key)
        self._lock = threading.RLock()
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._file = ConfigurationFile(folder / "configuration.json")
        self._watchdog = Watchdog(folder / "watchdog.json")
        self._prompt = Prompt(folder / "commands.json")
        self._rules = Rules()
        self._heard: dict[str, _Voice] = {}
        self._refused: dict[str, str] = {}
        self._unsaid: list[_Unsaid] = []
        self._unstored: list[Reading] = []
        self._last_contact: datetime | None = None
        self._reported: tuple[datetime, object] | None = None
        self._status_at: datetime | None = None
        self._told_home: tuple[datetime, tuple[bool, int, bool]] | None = None
        self._configure()

    def join(self) -> None:
        """Takes up its work; before the gateway starts."""
        self._gateway.before_storing(self.sift)
        self._gateway.listen(self.heard)
        self._gateway.each_tick(self.tick)
        self._gateway.obey(self.order)
        self._gateway.at_connection(self._connected)

    def stop(self, now: datetime) -> None:
        """Remembers what was learned, and tells the home that the gateway goes."""
        with self._lock:
            self._watchdog.save()
            self._status_at = None
            self._write_status(now)
            if self._home.connected:
                farewell = self_discovery.will(self._key)
                self._home.publish(farewell.topic, farewell.payload.encode(), retain=True)

    def sift(self, readings: list[Reading], received: datetime) -> list[Reading]:
        """What shall be stored of a message: a press that answers a question is not a call for help."""
        with self._lock:
            kept, said = self._prompt.take(readings, received)
            deed = self._rules.happened(kept, received, self._gateway.connected)
            self._publish([*said.publish, *deed.publish], received)
            return [*kept, *said.readings, *deed.readings]

    def heard(self, heard: Heard) -> None:
        """A device has spoken."""
        with self._lock:
            self._watchdog.heard(heard.decoded.readings)
            for reading in heard.decoded.readings:
                self._hear(reading, heard.received)

    def order(self, name: str, payload: bytes, retained: bool) -> None:
        """The platform says something; done at the next tick, as it may take a disk."""
        if name in ("config", "command") and not (name == "command" and retained):
            self._orders.put(_Order(name, payload))

    def tick(self, now: datetime) -> None:
        """To be called about each second."""
        with self._lock:
            if self._gateway.connected:
                self._last_contact = now
            self._obey(now)
            self._look_at_hubs(now)
            said = self._prompt.tick(now, self._gateway.true_time(now))
            deed = self._rules.tick(now, self._gateway.connected, self._gateway.urgent_since())
            self._carry_out(said, deed, now)
            self._store(self._watchdog.tick(now))
            self._publish([], now)
            self._tell_platform(now)
            self._tell_home(now)
            self._write_status(now)

    # Orders -----------------------------------------------------------------------------------------

    def _obey(self, now: datetime) -> None:
        while not self._orders.empty():
            order = self._orders.get()
            if order.name == "config":
                if self._file.take(order.payload):
                    self._configure()
                continue
            try:
                command = decode_command(order.payload)
            except WireError as error:
                self._log.warning("command_ignored", reason=error.reason)
                continue
            said = self._prompt.obey(command, now, (self._gateway.true_time(now) or now) - now)
            refused = {**self._refused, **{str(number): why for number, why in said.refused.items()}}
            self._refused = dict(list(refused.items())[-MOST_REFUSED:])
            self._carry_out(said, Deed([], []), now)

    def _hear(self, reading: Reading, received: datetime) -> None:
        if "/" not in reading.device:
            return  # about the gateway itself
        voice = self._heard.pop(reading.device, None)  # put back at the end: the order is that of the last word
        first, values = (received, {}) if voice is None else (voice.first, voice.values)
        self._heard[reading.device] = _Voice(first, received, {**values, reading.metric: reading.value})
        if len(self._heard) > MOST_HEARD:
            del self._heard[next(iter(self._heard))]

    def _configure(self) -> None:
        configuration = self._file.configuration
        for part in (self._watchdog, self._prompt, self._rules):
            part.configure(configuration)

    def _carry_out(self, said: Said, deed: Deed, now: datetime) -> None:
        self._publish([*said.publish, *deed.publish], now)
        self._store([*said.readings, *deed.readings])

    def _publish(self, publications: Sequence[Publication], now: datetime) -> None:
        """Says things to the home; what its broker does not take now is tried again for two minutes."""
        self._unsaid = [one for one in self._unsaid if one.until > now]
        self._unsaid += [_Unsaid(one, now + TRY_FOR) for one in publications]
        while self._unsaid:
            one = self._unsaid[0].publication
            if not self._home.publish(one.topic, one.payload.encode()):
                return
            self._unsaid.pop(0)

    def _store(self, readings: Sequence[Reading]) -> None:
        """Into the outbox; a full disk costs time, not the answer."""
        self._unstored = [*self._unstored, *readings][-MOST_WAITING:]
        if not self._unstored:
            return
        try:
            self._gateway.report(self._unstored)
        except sqlite3.DatabaseError as error:
            self._log.error("own_readings_not_taken", error=str(error))
        else:
            self._unstored = []

    def _look_at_hubs(self, now: datetime) -> None:
        self._watchdog.broker(self._home.connected, now)
        for driver in self._gateway.drivers:
            self._watchdog.hub(driver.name, driver.hub_online is not False, now)

    # Telling others ---------------------------------------------------------------------------------

    def _connected(self) -> None:
        self._reported = None  # the broker may have lost what it kept

    def _tell_platform(self, now: datetime) -> None:
        """Reports when something has changed that somebody may wait for, and each hour."""
        at, known = self._reported or (None, None)
        if at is not None and abs(now - at) < REPORT_EVERY:
            return
        found, samples = self._found(), self._samples()
        what = (
            self._file.configured,
            tuple((one.address, one.model, self._news_of(one, now), tuple(sorted(one.values))) for one in found),
            tuple((one.topic, one.why) for one in samples),
            tuple(self._refused),
        )
        if what == known and at is not None and abs(now - at) < REPORT_AGAIN:
            return
        report = Report(VERSION, to_ms(now), SOFTWARE, self._file.configured, found, samples, self._refused)
        if self._gateway.say("report", encode(report), retain=True):
            self._reported = (now, what)

    def _found(self) -> list[Found]:
        """The devices that are there and not registered, the last that spoke first."""
        registered = {device.address for device in self._file.configuration.devices}
        found: dict[str, Found] = {}
        for driver in self._gateway.drivers:
            for one in driver.discovered():
                found[one.address] = Found(one.address, one.model[:200], one.mains)
        for address, voice in self._heard.items():
            known = found.get(address, Found(address))
            found[address] = Found(address, known.model, known.mains, voice.values, to_ms(voice.last))
        strangers = [one for address, one in found.items() if address not in registered]
        strangers.sort(key=lambda one: -(one.at or 0))
        return strangers[:MOST_FOUND]

    def _news_of(self, found: Found, now: datetime) -> int | None:
        """What has to change for a device to be reported again: its first word, and while it is new each word."""
        voice = self._heard.get(found.address)
        if voice is None or found.at is None:
            return None
        return found.at // FOLLOWED_EVERY_MS if now - voice.first < NEW_FOR else 0

    def _samples(self) -> list[Sample]:
        return [
            Sample(one.topic[:500], one.payload[:1000], one.reason[:100], to_ms(one.last_at))
            for one in self._gateway.samples.each()[:MOST_SAMPLES]
        ]

    def _tell_home(self, now: datetime) -> None:
        """Home Assistant's view; said anew whenever the home's broker was away, as it may have forgotten."""
        if not self._home.connected:
            self._told_home = None
            return
        if self._told_home is None:
            for one in self_discovery.announcements(self._key, SOFTWARE):
                self._home.publish(one.topic, one.payload.encode(), retain=True)
        what = (self._gateway.connected, self._gateway.depth().batches, self._problem(now))
        at, known = self._told_home or (None, None)
        if at is not None and abs(now - at) < (REPORT_EVERY if what != known else STATE_EVERY):
            return
        connected, outbox, problem = what
        state = self_discovery.state(
            self._key, connected=connected, outbox=outbox, last_contact=self._last_contact, problem=problem
        )
        if self._home.publish(state.topic, state.payload.encode(), retain=True):
            self._told_home = (now, what)

    def _problem(self, now: datetime) -> bool:
        refused = self._file.configured is not None and self._file.configured.reason != ""
        return refused or bool(self._unstored) or bool(self._watchdog.hubs_down(now))

    def _write_status(self, now: datetime) -> None:
        if self._status_at is not None and abs(now - self._status_at) < STATUS_EVERY:
            return
        self._status_at = now
        try:
            write_status(self._folder, self.status(now))
        except OSError as error:
            self._log.warning("status_not_written", error=str(error))

    def status(self, now: datetime) -> GatewayStatus:
        """How the gateway is."""
        depth = self._gateway.depth()
        return GatewayStatus(
            gateway=self._key,
            at=now,
            running=True,
            connected=self._gateway.connected,
            last_contact=self._last_contact,
            home_broker_connected=self._home.connected,
            outbox_batches=depth.batches,
            outbox_readings=depth.readings,
            outbox_since=None if depth.since is None else from_ms(depth.since),
            configured=self._file.configured,
            hubs_down=sorted(self._watchdog.hubs_down(now)),
            samples=len(self._gateway.samples.each()),
            devices=self._devices(),
        )

    def _devices(self) -> list[DeviceStatus]:
        values = self._gateway.last_values()
        registered = {
            device.address: device.kind
            for device in self._file.configuration.devices
            if device.kind != DeviceKind.GATEWAY
        }
        silent = self._watchdog.silent()
        names = sorted({*registered, *(address for address in values if address != SELF)})
        return [
            DeviceStatus(
                address=address,
                kind=registered.get(address, ""),
                registered=address in registered,
                silent=int(silent.get(address, 0)),
                heard_at=self._heard[address].last if address in self._heard else None,
                values=values.get(address, {}),
            )
            for address in names
        ]
