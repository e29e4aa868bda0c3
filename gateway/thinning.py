"""What goes first when the disk budget is full: measured numbers before signs of life, old before new.

Only the bulk lane is thinned. A batch keeps its number: if the platform already has it whole, the thinned copy is
a batch seen before and changes nothing.
"""

import sqlite3

from core.metrics import BY_NAME, is_sign_of_life
from core.model import Flag
from core.wire import Batch, WireReading, encode
from gateway.source import read_batch


def thin(db: sqlite3.Connection, surplus: int) -> int:
    """Frees at least `surplus` bytes of the bulk lane's batches, inside the caller's transaction.

    First the oldest batches lose what tells nothing about a person; when every batch has, the oldest go whole.

    Returns:
        How many readings were lost.
    """
    lost = 0
    while surplus > 0:
        row = db.execute(
            "SELECT id, bytes, readings, payload FROM batch WHERE lane = 'bulk' AND thinned = 0 ORDER BY seq LIMIT 1"
        ).fetchone()
        if row is None:
            break
        number, size, readings, payload = row
        batch = read_batch(payload)
        kept = [] if batch is None else [reading for reading in batch.readings if _matters(reading)]
        lost += readings - len(kept)
        if batch is None or not kept:
            db.execute("DELETE FROM batch WHERE id = ?", (number,))
            surplus -= size
            continue
        smaller = encode(Batch(batch.v, batch.session, batch.seq, kept))
        db.execute(
            "UPDATE batch SET thinned = 1, readings = ?, bytes = ?, payload = ? WHERE id = ?",
            (len(kept), len(smaller), smaller, number),
        )
        surplus -= size - len(smaller)
    while surplus > 0:
        row = db.execute("SELECT id, bytes, readings FROM batch WHERE lane = 'bulk' ORDER BY seq LIMIT 1").fetchone()
        if row is None:
            break
        db.execute("DELETE FROM batch WHERE id = ?", (row[0],))
        surplus -= row[1]
        lost += row[2]
    return lost


def _matters(reading: WireReading) -> bool:
    """Whether it shows a person, the end of a danger, a state that changed, or an earlier loss."""
    metric = BY_NAME[reading.metric]
    changed = bool(reading.flags & Flag.CHANGED)
    return (
        is_sign_of_life(metric, reading.value, changed)
        or metric.urgent
        or metric.name == "readings_lost"
        or (changed and metric.high == 1)
    )
