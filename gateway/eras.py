"""Eras: which times of the outbox are wrong, and by how much.

A cheap box has no clock that lives through a power cut: it starts hours or years behind and jumps when it finds a time
server, or never. So the outbox remembers for each batch in which era it was taken: a stretch in which the home's clock
ran in step with the machine's count from its start, which never jumps. When the platform's time is heard, every era of
this start of the machine can be set right to the second. An earlier start's cannot: it keeps its times where they are
possible, and otherwise lies as late as it can have been, right before the next start.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final

from core.model import Flag
from core.wire import Batch, WireReading, encode
from gateway.source import read_batch

TOLERANCE_MS: Final = 30_000  # a clock that is less wrong than this is left alone: the way down takes time too
UNKNOWN: Final = -1
JUMP_MS: Final = 5_000  # a clock that is set by less has not jumped


class Eras:
    """The eras in an outbox's database. Methods run inside the caller's lock, those that write in its transaction.

    Attributes:
        current: the era that new batches belong to; 0 where the clock is known to be right, UNKNOWN where the disk did
            not take the beginning of one.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.current = 0
        self._shifts: dict[int, int | None] = {0: 0}
        self.reload()
        self.current = max(self._shifts)

    def begin(self, boot: str, base: int, true_base: int | None) -> None:
        """From now on the clock runs at `base`; goes on with the newest era when that is much the same.

        Args:
            boot: which start of the machine this is.
            base: the clock less the machine's count since its start, in ms.
            true_base: the same of the platform's clock, when it was heard since that start.
        """
        if not self.differs(boot, base, true_base):
            (self.current,) = self._db.execute("SELECT max(id) FROM era").fetchone()
            return
        (used,) = self._db.execute("SELECT ifnull(max(era), 0) FROM batch").fetchone()
        self.current = max(used, *self._shifts) + 1
        shift = None if true_base is None else _shift(base, true_base)
        self._db.execute(
            "INSERT INTO era (id, boot, base, shift) VALUES (?, ?, ?, ?)", (self.current, boot, base, shift)
        )
        self._shifts[self.current] = shift

    def differs(self, boot: str, base: int, true_base: int | None) -> bool:
        """Whether these make another era than the newest."""
        newest = self._db.execute("SELECT boot, base, shift FROM era ORDER BY id DESC LIMIT 1").fetchone()
        if newest is None or newest[0] != boot or abs(newest[1] - base) > JUMP_MS:
            return True
        if true_base is None or newest[2] is None:
            return False
        return bool(abs(newest[2] - _shift(base, true_base)) > TOLERANCE_MS)

    def resolve(self, boot: str, true_base: int, now: int) -> None:
        """The platform's time was heard: sets right what can be, for good.

        Args:
            boot: this start of the machine.
            true_base: the platform's clock less the machine's count since its start, in ms.
            now: the platform's time, in ms since 1970.
        """
        self._db.execute("DELETE FROM era WHERE id <> ? AND id NOT IN (SELECT era FROM batch)", (self.current,))
        (known,) = self._db.execute("SELECT known FROM session").fetchone()
        next_start = true_base
        rows = self._db.execute("SELECT id, boot, base FROM era WHERE shift IS NULL ORDER BY id DESC").fetchall()
        for era, of, base in rows:
            if of == boot:
                shift = _shift(base, true_base)
            else:
                first, last = self._span(era)
                possible = known - TOLERANCE_MS <= first and last <= next_start + TOLERANCE_MS
                shift = 0 if possible else next_start - last
                next_start = min(next_start, first + shift)
            self._db.execute("UPDATE era SET shift = ? WHERE id = ?", (shift, era))
        self._db.execute("UPDATE session SET known = ?", (now,))
        self.reload()

    def true_base(self, boot: str) -> int | None:
        """What `resolve` was told for this start of the machine, to within the tolerance."""
        row = self._db.execute(
            "SELECT base + shift FROM era WHERE boot = ? AND shift IS NOT NULL ORDER BY id DESC LIMIT 1", (boot,)
        ).fetchone()
        return None if row is None else int(row[0])

    def mend(self, era: int, payload: bytes) -> bytes:
        """The batch `payload` of this era as it is to be sent; as it is where it cannot be read."""
        batch = None if self._shifts.get(era) == 0 else read_batch(payload)
        if batch is None:
            return payload
        return encode(Batch(batch.v, batch.session, batch.seq, self.mend_readings(era, batch.readings)))

    def mend_readings(self, era: int, readings: Sequence[WireReading]) -> list[WireReading]:
        """Readings of this era as they are to be sent."""
        shift = self._shifts.get(era)
        if shift == 0:
            return list(readings)
        flag = Flag.UNSURE if shift is None else Flag.RESTAMPED
        return [_moved(reading, shift or 0, flag) for reading in readings]

    def _span(self, era: int) -> tuple[int, int]:
        """When the first and the last reading of this era were received, by its clock."""
        (first,) = self._db.execute("SELECT min(since) FROM batch WHERE era = ?", (era,)).fetchone()
        lasts = self._db.execute(
            "SELECT payload FROM batch WHERE id IN (SELECT max(id) FROM batch WHERE era = ? GROUP BY lane)", (era,)
        )
        batches = [batch for (payload,) in lasts if (batch := read_batch(payload)) is not None]
        return first, max((reading.received for batch in batches for reading in batch.readings), default=first)

    def reload(self) -> None:
        """Reads the table (again, after a transaction that was given up)."""
        for era, shift in self._db.execute("SELECT id, shift FROM era ORDER BY id"):
            self._shifts[era] = shift


def _shift(base: int, true_base: int) -> int:
    return true_base - base if abs(true_base - base) > TOLERANCE_MS else 0


def _moved(reading: WireReading, shift: int, flag: Flag) -> WireReading:
    flags = int(reading.flags | flag)
    return WireReading(
        reading.device, reading.metric, reading.time + shift, reading.value, reading.received + shift, flags
    )
