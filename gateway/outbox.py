"""The outbox: what the gateway has taken and the platform does not yet have, in one SQLite file.

A reading counts as taken once `append` has returned: it is then on the disk (WAL, synchronous = FULL). It leaves
only when the platform says that it has the batch. Two lanes: urgent readings are sealed into a batch at once, bulk
ones wait for company. Each lane numbers its batches 1, 2, 3 ... for ever.

One process holds the file; threads share the object.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID, uuid4

import msgspec
import structlog

from core.errors import SettingsError
from core.metrics import BY_NAME, Life
from core.model import Flag, Lane, Reading
from core.wire import VERSION, Batch, WireReading, encode, to_ms
from gateway.thinning import thin

BATCH_READINGS: Final = 200
DEFAULT_BUDGET_BYTES: Final = 512 * 1024 * 1024
_SCHEMA: Final = Path(__file__).with_name("outbox.sql")
_SCHEMA_VERSION: Final = 1

_readings = msgspec.json.Decoder(list[WireReading])
_encoder = msgspec.json.Encoder()
_log = structlog.get_logger()


class _Last(NamedTuple):
    """The last value of a device's metric, and whether it was ever 0."""

    value: float
    cleared: bool


class Sealed(NamedTuple):
    """A batch as it goes on the wire."""

    seq: int
    payload: bytes


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
        try:
            self._db = _open(path)
        except sqlite3.OperationalError as error:
            raise SettingsError(
                f"the outbox {path} cannot be opened ({error}): is another gateway running on it?"
            ) from error
        (session,) = self._db.execute("SELECT id FROM session").fetchone()
        self.session = UUID(session)
        self._last: dict[tuple[str, str], _Last] = {
            (device, metric): _Last(value, bool(cleared))
            for device, metric, value, cleared in self._db.execute("SELECT * FROM last_value")
        }

    def append(self, readings: Sequence[Reading]) -> int:
        """Takes readings, marks those that changed, and seals what is ready. Durable when it returns.

        Returns:
            How many batches were sealed: there is something new to send.

        Raises:
            sqlite3.OperationalError: nothing was taken, as the disk is full or broken.
        """
        if not readings:
            return 0
        with self._lock:
            fresh: dict[tuple[str, str], _Last] = {}
            lanes: dict[Lane, list[WireReading]] = {Lane.URGENT: [], Lane.BULK: []}
            for reading in readings:
                key = (reading.device, reading.metric)
                before = fresh.get(key, self._last.get(key))
                changed = before is not None and _changed(reading, before)
                if before is None or before.value != reading.value:
                    cleared = reading.value == 0 or (before is not None and before.cleared)
                    fresh[key] = _Last(reading.value, cleared)
                lanes[_lane(reading, changed)].append(_on_the_wire(reading, changed))
            with self._transaction():
                self._db.executemany(
                    "INSERT INTO last_value VALUES (?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET value = excluded.value, cleared = excluded.cleared",
                    [(*key, last.value, last.cleared) for key, last in fresh.items()],
                )
                sealed = self._seal(Lane.URGENT, lanes[Lane.URGENT]) + self._add_bulk(lanes[Lane.BULK])
                if sealed:
                    self._keep_budget()
            self._last.update(fresh)
            return sealed

    def seal(self) -> int:
        """Seals the bulk readings that wait. Returns the number of batches made: 0 or 1."""
        with self._lock, self._transaction():
            return self._seal(Lane.BULK, self._empty_waiting())

    def take(self, lane: Lane, after: int, limit: int) -> list[Sealed]:
        """The first `limit` batches of `lane` with a number above `after`, in order. They stay in the outbox."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, payload FROM batch WHERE lane = ? AND seq > ? ORDER BY seq LIMIT ?", (lane, after, limit)
            )
            return [Sealed(*row) for row in rows]

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
            return Depth(batches, readings + int(waiting), waiting_since, min(times, default=None))

    def oldest(self, lane: Lane) -> int | None:
        """When the oldest reading of the lane's sealed batches was received, in ms since 1970; None without any."""
        with self._lock:
            row = self._db.execute("SELECT since FROM batch WHERE lane = ? ORDER BY seq LIMIT 1", (lane,)).fetchone()
            return None if row is None else int(row[0])

    def last_values(self) -> dict[str, dict[str, float]]:
        """Device -> metric -> the last value taken."""
        with self._lock:
            values: dict[str, dict[str, float]] = {}
            for (device, metric), last in self._last.items():
                values.setdefault(device, {})[metric] = last.value
            return values

    def lost(self) -> int:
        """How many readings this outbox has ever thinned away."""
        with self._lock:
            (lost,) = self._db.execute("SELECT lost FROM session").fetchone()
            return int(lost)

    def last_value(self, device: str, metric: str) -> float | None:
        """The last value taken of this device's metric; None before the first."""
        with self._lock:
            last = self._last.get((device, metric))
            return None if last is None else last.value

    def close(self) -> None:
        with self._lock:
            self._db.close()

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
        rows = self._db.execute("SELECT readings FROM waiting ORDER BY id").fetchall()
        if rows:
            self._db.execute("DELETE FROM waiting")
        return [reading for (content,) in rows for reading in _readings.decode(content)]

    def _seal(self, lane: Lane, readings: list[WireReading]) -> int:
        """Makes batches of `readings` under the lane's next numbers."""
        if not readings:
            return 0
        (seq,) = self._db.execute("SELECT next_seq FROM lane WHERE name = ?", (lane,)).fetchone()
        starts = range(0, len(readings), BATCH_READINGS)
        for number, start in enumerate(starts, seq):
            part = readings[start : start + BATCH_READINGS]
            payload = encode(Batch(VERSION, self.session, number, part))
            self._db.execute(
                "INSERT INTO batch (lane, seq, since, readings, bytes, payload) VALUES (?, ?, ?, ?, ?, ?)",
                (lane, number, _since(part), len(part), len(payload), payload),
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


def _changed(reading: Reading, before: _Last) -> bool:
    """Whether it is another value; or a sensor that never says 0 speaks again, which is all that shows it move."""
    if before.value != reading.value:
        return True
    return reading.value == 1 and not before.cleared and BY_NAME[reading.metric].life is Life.TURNED_ON


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


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # busy, no right, no room: the file itself is whole
            raise
        aside = path.with_name(f"{path.name}.damaged-{uuid4().hex[:8]}")
        path.rename(aside)
        for tail in ("-wal", "-shm"):
            path.with_name(path.name + tail).unlink(missing_ok=True)
        _log.error("outbox_damaged", error=str(error), put_aside=aside.name)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=2, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")  # one process; also saves the shared-memory file
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 4194304")
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _statements(_SCHEMA.read_text(encoding="utf-8")):
                db.execute(statement)
            db.execute("INSERT INTO session (id) VALUES (?)", (str(uuid4()),))
        elif version != _SCHEMA_VERSION:
            raise SettingsError(
                f"the outbox {path} has version {version}, this gateway reads {_SCHEMA_VERSION}: update the gateway"
            )
        db.execute("SELECT count(*) FROM lane, session").fetchone()
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _statements(script: str) -> Iterator[str]:
    """The script's statements: `executescript` would commit, and the schema must come whole or not at all."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
