"""The outbox: what the gateway has taken and the platform does not yet have, in one SQLite file.

A reading counts as taken once `append` has returned: it is then on the disk (WAL, synchronous = FULL; an urgent one
that no disk takes is in memory, gateway/spare.py). It leaves only when the platform says that it has the batch. Two
lanes: urgent readings are sealed into a batch at once, bulk ones wait for company. Each lane numbers its batches
1, 2, 3 ... for ever.

One process holds the file; threads share the object.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import structlog

from core.metrics import BY_NAME
from core.model import Flag, Lane, Reading
from core.wire import VERSION, Batch, WireReading, encode, to_ms
from gateway.eras import UNKNOWN, Eras
from gateway.last_values import LastValues, Values
from gateway.outbox_file import open_file
from gateway.reserve import Reserve
from gateway.source import Sealed, Source
from gateway.spare import Spare
from gateway.thinning import thin

BATCH_READINGS: Final = 200
DEFAULT_BUDGET_BYTES: Final = 512 * 1024 * 1024
MARK_BYTES: Final = 8
_MARKS: Final = 32  # a broker has given us no more than a few messages that it may give again

_readings = msgspec.json.Decoder(list[WireReading])
_encoder = msgspec.json.Encoder()
_log = structlog.get_logger()


class Depth(NamedTuple):
    """How much waits for the platform.

    Attributes:
        batches: sealed and not acknowledged, both lanes.
        readings: in these batches, and waiting to be sealed.
        waiting_since: when the oldest reading that is in no batch yet was received, in ms since 1970.
        since: the same of all readings in the outbox.
    """

    batches: int
    readings: int
    waiting_since: int | None
    since: int | None


class Outbox:
    """The outbox in the file `path`, made when it is not there.

    A file that is damaged is put aside and a new outbox begun: a home that can be watched again matters more
    than readings that nobody can read. The new one has a new session.

    Args:
        budget_bytes: how much the batches of the bulk lane may take before the oldest are thinned.

    Raises:
        SettingsError: another process holds the file, or the folder cannot be written.
    """

    def __init__(self, path: Path, *, budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        self._path = path
        self._budget = budget_bytes
        self._lock = threading.Lock()
        self._db = open_file(path)
        session, heard, marks = self._db.execute("SELECT id, heard, marks FROM session").fetchone()
        self._heard: int = heard
        self._marks: bytes = marks
        self.session = UUID(session)
        self._eras = Eras(self._db)
        self._reserve = Reserve(path.with_name("reserve"))
        self.spare = Spare()
        self._last = LastValues(self._db)

    def sources(self) -> tuple[Source, ...]:
        """What is to be sent, the most pressing first."""
        return self.spare, _LaneSource(self, Lane.URGENT), _LaneSource(self, Lane.BULK)

    def append(self, readings: Sequence[Reading], mark: bytes = b"", waited_since: datetime | None = None) -> int:
        """Takes readings, marks those that changed, and seals what is ready. Durable when it returns.

        Urgent ones are taken whatever the disk says: in the room of the reserve, or in memory.

        Args:
            mark: 8 bytes that tell the message they came with from others; for `has_taken`.
            waited_since: that message may be as old as this; for `heard`.

        Returns:
            How many batches were sealed: there is something new to send.

        Raises:
            sqlite3.DatabaseError: the disk is full or broken: the urgent readings were taken, the others not.
        """
        if not readings:
            return 0
        with self._lock:
            lanes: dict[Lane, list[WireReading]] = {Lane.URGENT: [], Lane.BULK: []}
            all_changed, fresh = self._last.compare(readings)
            for reading, changed in zip(readings, all_changed, strict=True):
                lanes[_lane(reading, changed)].append(_on_the_wire(reading, changed))
            marks = (self._marks + mark)[-_MARKS * MARK_BYTES :]
            heard = self._heard
            if mark:
                spoken = max(reading.received for reading in readings)
                heard = max(heard, to_ms(spoken if waited_since is None else min(waited_since, spoken)))
            try:
                sealed = self._put(lanes[Lane.URGENT], lanes[Lane.BULK], fresh, marks, heard)
            except sqlite3.DatabaseError as error:
                if not lanes[Lane.URGENT]:
                    raise
                fresh = {key: last for key, last in fresh.items() if BY_NAME[key[1]].urgent}
                sealed = self._rescue(lanes[Lane.URGENT], fresh, marks, heard, error)
                self._last.know(fresh)
                if lanes[Lane.BULK]:
                    raise
            self._last.know(fresh)
            return sealed

    def has_taken(self, mark: bytes) -> bool:
        """Whether a message with this mark is among the last ones taken."""
        with self._lock:
            return any(
                self._marks[start : start + MARK_BYTES] == mark for start in range(0, len(self._marks), MARK_BYTES)
            )

    def heard(self) -> int:
        """When the newest message with a mark was said, or may have been, in ms since 1970; 0 before the first."""
        with self._lock:
            return self._heard

    def begin_era(self, boot: str, base: int, true_base: int | None) -> None:
        """The home's clock runs at `base` from now on; see Eras.begin.

        Raises:
            sqlite3.OperationalError: the disk is full: to be called again.
        """
        with self._lock:
            try:
                with self._transaction():
                    if self._eras.differs(boot, base, true_base):
                        self._seal(Lane.BULK, self._empty_waiting())  # they are of the era before
                    self._eras.begin(boot, base, true_base)
            except sqlite3.DatabaseError:
                self._eras.current = UNKNOWN
                raise

    def trust_clock(self) -> None:
        """From now on the clock cannot be wrong: it is the platform's own."""
        with self._lock:
            if self._eras.current != 0:
                with self._transaction():
                    self._seal(Lane.BULK, self._empty_waiting())  # they are of the era before
                self._eras.current = 0

    def resolve_eras(self, boot: str, true_base: int, now: int) -> None:
        """The platform's time was heard; see Eras.resolve.

        Raises:
            sqlite3.OperationalError: the disk is full: to be called again.
        """
        with self._lock:
            try:
                with self._transaction():
                    self._eras.resolve(boot, true_base, now)
            finally:
                self._eras.reload()

    def true_base(self, boot: str) -> int | None:
        """What the platform's time was found to be since this start of the machine; see Eras.true_base."""
        with self._lock:
            return self._eras.true_base(boot)

    def recover(self, sent: int) -> None:
        """Brings the spare's batches to the disk when it takes them again, and makes the reserve again.

        Args:
            sent: the highest number of the spare's that was ever sent; these stay where they are, as the platform
                may have them.

        Raises:
            sqlite3.OperationalError: the disk still is full.
        """
        for seq, readings in self.spare.unsent(sent):
            with self._lock, self._transaction():
                self._seal(Lane.URGENT, readings, era=0)  # their times were mended when the spare took them
            self.spare.forget([seq])
        self._reserve.keep()

    def seal(self) -> int:
        """Seals the bulk readings that wait. Returns the number of batches made: 0 or 1."""
        with self._lock, self._transaction():
            return self._seal(Lane.BULK, self._empty_waiting())

    def take(self, lane: Lane, after: int, limit: int) -> list[Sealed]:
        """The first `limit` batches of `lane` with a number above `after`, in order. They stay in the outbox."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, era, payload FROM batch WHERE lane = ? AND seq > ? ORDER BY seq LIMIT ?",
                (lane, after, limit),
            )
            return [Sealed(seq, self._eras.mend(era, payload)) for seq, era, payload in rows]

    def forget(self, session: UUID, lane: Lane, seqs: Sequence[int]) -> int:
        """Removes batches that the platform has. Numbers of another session or of no batch are ignored.

        Returns:
            How many batches were removed.
        """
        if session != self.session or not seqs:
            return 0
        with self._lock, self._transaction():
            removed = 0
            for seq in seqs:
                if 0 < seq < 2**63:
                    cursor = self._db.execute("DELETE FROM batch WHERE lane = ? AND seq = ?", (lane, seq))
                    removed += cursor.rowcount
            return removed

    def depth(self) -> Depth:
        """How much waits for the platform."""
        with self._lock:
            batches, readings = self._db.execute("SELECT sum(batches), sum(readings) FROM lane").fetchone()
            waiting, waiting_since = self._db.execute("SELECT total(n), min(since) FROM waiting").fetchone()
            oldest = [
                self._db.execute("SELECT since FROM batch WHERE lane = ? ORDER BY seq LIMIT 1", (lane,)).fetchone()
                for lane in Lane
            ]
            times = [row[0] for row in (*oldest, (waiting_since,)) if row is not None and row[0] is not None]
            spare_batches, spare_readings = self.spare.depth()
            return Depth(
                batches + spare_batches,
                readings + int(waiting) + spare_readings,
                waiting_since,
                min(times, default=None),
            )

    def oldest(self, lane: Lane) -> int | None:
        """When the oldest reading of the lane's sealed batches was received, in ms since 1970; None without any."""
        with self._lock:
            row = self._db.execute("SELECT since FROM batch WHERE lane = ? ORDER BY seq LIMIT 1", (lane,)).fetchone()
            return None if row is None else int(row[0])

    def last_values(self) -> dict[str, dict[str, float]]:
        """Device -> metric -> the last value taken."""
        with self._lock:
            return self._last.by_device()

    def lost(self) -> int:
        """How many readings this outbox has ever thinned away."""
        with self._lock:
            (lost,) = self._db.execute("SELECT lost FROM session").fetchone()
            return int(lost)

    def last_value(self, device: str, metric: str) -> float | None:
        """The last value taken of this device's metric; None before the first."""
        with self._lock:
            return self._last.value(device, metric)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _put(self, urgent: list[WireReading], bulk: list[WireReading], fresh: Values, marks: bytes, heard: int) -> int:
        with self._transaction():
            self._last.write(fresh)
            self._db.execute("UPDATE session SET heard = ?, marks = ?", (heard, marks))
            sealed = self._seal(Lane.URGENT, urgent) + self._add_bulk(bulk)
            if sealed:
                self._keep_budget()
        self._heard, self._marks = heard, marks
        return sealed

    def _rescue(self, urgent: list[WireReading], fresh: Values, marks: bytes, heard: int, error: Exception) -> int:
        """Takes urgent readings that the disk has just refused."""
        if self._reserve.release():
            try:
                return self._put(urgent, [], fresh, marks, heard)
            except sqlite3.DatabaseError as still:
                error = still
        held = self.spare.add(self._eras.mend_readings(self._eras.current, urgent))
        _log.error("urgent_only_in_memory", error=str(error), held=held)
        if not held:
            raise error
        self._marks = marks
        return 1

    def _add_bulk(self, readings: list[WireReading]) -> int:
        """Lets readings wait, or seals as many full batches as they make with those that wait already."""
        if not readings:
            return 0
        (waiting,) = self._db.execute("SELECT total(n) FROM waiting").fetchone()
        sealed = 0
        if waiting + len(readings) >= BATCH_READINGS:
            readings = self._empty_waiting() + readings
            rest = len(readings) % BATCH_READINGS
            sealed = self._seal(Lane.BULK, readings[: len(readings) - rest])
            readings = readings[len(readings) - rest :]
        if readings:
            self._db.execute(
                "INSERT INTO waiting (since, n, readings) VALUES (?, ?, ?)",
                (_since(readings), len(readings), _encoder.encode(readings)),
            )
        return sealed

    def _empty_waiting(self) -> list[WireReading]:
        rows = self._db.execute("SELECT n, readings FROM waiting ORDER BY id").fetchall()
        if rows:
            self._db.execute("DELETE FROM waiting")
        readings: list[WireReading] = []
        for n, content in rows:
            try:
                readings += _readings.decode(content)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the disk has spoilt them
                _log.error("readings_spoilt", readings=n, error=str(error))
                self._db.execute("UPDATE session SET lost = lost + ?", (n,))
        return readings

    def _seal(self, lane: Lane, readings: list[WireReading], era: int | None = None) -> int:
        """Makes batches of `readings` under the lane's next numbers."""
        if not readings:
            return 0
        (seq,) = self._db.execute("SELECT next_seq FROM lane WHERE name = ?", (lane,)).fetchone()
        starts = range(0, len(readings), BATCH_READINGS)
        for number, start in enumerate(starts, seq):
            part = readings[start : start + BATCH_READINGS]
            payload = encode(Batch(VERSION, self.session, number, part))
            self._db.execute(
                "INSERT INTO batch (lane, seq, since, readings, bytes, era, payload) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    lane,
                    number,
                    _since(part),
                    len(part),
                    len(payload),
                    self._eras.current if era is None else era,
                    payload,
                ),
            )
        self._db.execute("UPDATE lane SET next_seq = ? WHERE name = ?", (seq + len(starts), lane))
        return len(starts)

    def _keep_budget(self) -> None:
        (used,) = self._db.execute("SELECT bytes FROM lane WHERE name = 'bulk'").fetchone()
        if used > self._budget:
            lost = thin(self._db, used - self._budget)
            self._db.execute("UPDATE session SET lost = lost + ?", (lost,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk may have ended it already
                self._db.execute("ROLLBACK")
            raise


class _LaneSource:
    """One lane of an outbox, as the uplink sees it."""

    def __init__(self, outbox: Outbox, lane: Lane) -> None:
        self._outbox = outbox
        self.lane = lane
        self.session = outbox.session

    def take(self, after: int, limit: int) -> list[Sealed]:
        return self._outbox.take(self.lane, after, limit)

    def forget(self, seqs: Sequence[int]) -> int:
        return self._outbox.forget(self.session, self.lane, seqs)


def _lane(reading: Reading, changed: bool) -> Lane:
    urgent = BY_NAME[reading.metric].urgent and (reading.value != 0 or changed)
    return Lane.URGENT if urgent else Lane.BULK


def _on_the_wire(reading: Reading, changed: bool) -> WireReading:
    flags = reading.flags | Flag.CHANGED if changed else reading.flags
    return WireReading(
        reading.device, reading.metric, to_ms(reading.time), reading.value, to_ms(reading.received), int(flags)
    )


def _since(readings: Sequence[WireReading]) -> int:
    return min(reading.received for reading in readings)
