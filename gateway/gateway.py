"""One gateway: device messages in, durable; batches up. All of it but the home's own broker, so that many of them
run in one process (the demo's homes) or take messages as fast as they come (a replay)."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from core.address import BrokerAddress, parse_broker_url
from core.clock import Clock
from core.errors import SettingsError
from core.model import Reading
from core.wire import GATEWAY_KEY as KEY_FORM
from core.wire import from_ms
from gateway.drivers.base import Decoded, Nothing
from gateway.drivers.set_up import set_up
from gateway.outbox import Depth, Outbox
from gateway.samples import Samples
from gateway.settings import Settings
from gateway.uplink import Uplink

SELF: Final = "gateway"  # the address under which a gateway reports about itself
SEAL_AFTER: Final = timedelta(seconds=5)
HEALTH_EVERY: Final = timedelta(minutes=1)
_CHUNK: Final = 2_000  # messages in one transaction of `receive_many`


class Gateway:
    """Takes device messages and brings their readings to the platform.

    Args:
        clock: gives the present where a caller does not.

    Raises:
        SettingsError: a setting is wrong, or another process holds the outbox.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if not KEY_FORM.fullmatch(settings.gateway_key):
            raise SettingsError(
                f"YIJU_GATEWAY_KEY is {settings.gateway_key!r}: write 1 to 63 of a-z, 0-9, - and _, no - or _ first"
            )
        self._clock = clock
        self._folder = Path(settings.gateway_folder)
        self.drivers = set_up(settings)
        address = _platform(settings)
        self._outbox = Outbox(self._folder / "outbox.sqlite", budget_bytes=settings.outbox_mb * 1024 * 1024)
        try:
            self._uplink = Uplink(address, settings.gateway_key, self._outbox, clock, ca=settings.platform_ca)
        except SettingsError:
            self._outbox.close()
            raise
        self.samples = Samples(self._folder / "samples.json")
        self._stopped = False
        self._counts: Counter[Nothing] = Counter()
        self._counts_lock = threading.Lock()
        self._started = clock.now()
        self._health: datetime | None = None

    @property
    def connected(self) -> bool:
        """Whether the connection to the platform's broker stands."""
        return self._uplink.connected

    def start(self) -> None:
        """Connects to the platform, in the background. Messages are taken before and without it too."""
        self._uplink.start()

    def receive(self, topic: str, payload: bytes, *, retained: bool = False, received: datetime | None = None) -> int:
        """Takes one device message. Its readings are on the disk when this returns; never waits for a network.

        Returns:
            How many readings it held; why there were none is counted in `ignored()`.

        Raises:
            sqlite3.OperationalError: nothing was taken, as the disk is full or broken.
        """
        readings = self._decode(topic, payload, received or self._clock.now(), retained)
        if self._outbox.append(readings):
            self._uplink.send()
        return len(readings)

    def receive_many(self, messages: Iterable[tuple[str, bytes, datetime]]) -> int:
        """Takes many live messages `(topic, payload, received)`, some thousands in each transaction.

        Returns:
            How many readings they held; all are on the disk.

        Raises:
            sqlite3.OperationalError: what was taken before the disk was full or broken stays taken.
        """
        taken = 0
        source = iter(messages)
        while chunk := list(islice(source, _CHUNK)):
            readings = [
                reading
                for topic, payload, received in chunk
                for reading in self._decode(topic, payload, received, retained=False)
            ]
            if self._outbox.append(readings):
                self._uplink.send()
            taken += len(readings)
        return taken

    def tick(self, now: datetime) -> None:
        """Does what is due: reports health, seals readings that have waited, sends. To be called about each second.

        Raises:
            sqlite3.OperationalError: the disk is full or broken; the platform hears no heartbeat meanwhile.
        """
        if self._health is None or abs(now - self._health) >= HEALTH_EVERY:
            # Raises on a full disk, again each time: a gateway that can take nothing must not say that it is there.
            self._outbox.append(self._health_readings(now))
            self._health = now
        waiting = self._outbox.depth().waiting_since
        # abs: a clock that was set back must not leave readings waiting for it to catch up
        if waiting is not None and abs(now - from_ms(waiting)) >= SEAL_AFTER:
            self._outbox.seal()
        self._uplink.tick(now)
        self.samples.tick(now)

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

    def _decode(self, topic: str, payload: bytes, received: datetime, retained: bool) -> list[Reading]:
        decoded = Decoded([], Nothing.NOT_MINE)
        for driver in self.drivers:
            decoded = driver.decode(topic, payload, received, retained)
            if decoded.nothing is not Nothing.NOT_MINE:
                if why := decoded.puzzling:
                    self.samples.keep(topic, payload, why, received, driver.name)
                break
        if decoded.nothing is not None:
            with self._counts_lock:
                self._counts[decoded.nothing] += 1
        return decoded.readings

    def _health_readings(self, now: datetime) -> list[Reading]:
        depth = self._outbox.depth()
        age = 0.0 if depth.since is None else max(0.0, (now - from_ms(depth.since)).total_seconds())
        values = {
            "uptime": max(0.0, (now - self._started).total_seconds()),
            "outbox_depth": float(depth.batches),
            "outbox_age": age,
            "disk_free": shutil.disk_usage(self._folder).free / 1e6,
        }
        lost = float(self._outbox.lost())
        if lost != (self._outbox.last_value(SELF, "readings_lost") or 0.0):
            values["readings_lost"] = lost  # all that this outbox ever lost: a lost report loses nothing
        return [Reading(SELF, metric, now, value, now) for metric, value in values.items()]


def _platform(settings: Settings) -> BrokerAddress:
    """The platform's broker; the gateway's key is its user name there, whatever the URL says."""
    address = parse_broker_url(settings.platform_url, "YIJU_PLATFORM_URL")
    return BrokerAddress(address.host, address.port, address.tls, settings.gateway_key, settings.gateway_password)
