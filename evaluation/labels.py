"""When the person of a recorded home was out: as its labels say, or else as its exterior door shows.

Labels are `start,end,activity`, in the words of whoever annotated: Leave_Home, leave-house, Leaving, out, 外出.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from alerts.detect.arrays import Floats
from alerts.detect.spells import Signs
from core.errors import RegisterError

# Without labels: out = nothing between two uses of the exterior door that are at least so far apart.
OUT_S: Final = 300.0
COLUMNS: Final = ("start", "end", "activity")
_REMEDY: Final = "write local wall time such as 2011-06-15T01:03:39"
_ENTERS: Final = re.compile(
    r"\b(enter(s|ed|ing)?|(return|arriv|com)(s|e|es|ed|ing)? (home|back|in)|came (home|back|in)|back home)\b"
    r"|回家|到家|返家|归来|进门|回来"
)
_LEAVES: Final = re.compile(
    r"\b(leav(e|es|ing)|left|outings?|outside|outdoors|away|go(es|ing)? out|went out|absent)\b|^out$|^out of\b"
    r"|外出|出门|离家|离开|出去|不在家"
)


def labelled_out(path: Path) -> Floats:
    """float64 [outings, 2], epoch seconds, wall time as UTC.

    An activity that is called leaving lasts until it ends; where another is called entering, until that begins.
    Published labels have slips of the pen: one that ends before it begins lasts until the next activity begins.

    Raises:
        RegisterError: the file is none of labels; names it, the line, the value and the remedy.
    """
    spans: list[tuple[float, float]] = []
    left: float | None = None
    rows = sorted(_rows(path))
    entered = any(_ENTERS.search(activity) for _, _, activity in rows)
    for place, (start, end, activity) in enumerate(rows):
        if end < start:
            end = rows[place + 1][0] if place + 1 < len(rows) else start
        if _ENTERS.search(activity):
            if left is not None:
                spans.append((left, start))
            left = None
        elif _LEAVES.search(activity) and entered:
            left = end
        elif _LEAVES.search(activity):
            spans.append((start, end))
    return np.array(spans, dtype=np.float64).reshape(-1, 2)


def seen_out(signs: Signs) -> Floats:
    """float64 [outings, 2]: nothing but the exterior door at both ends."""
    door = signs.exterior
    alone = np.flatnonzero(door[:-1] & door[1:] & (np.diff(signs.time) >= OUT_S))
    return np.column_stack([signs.time[alone], signs.time[alone + 1]])


def _rows(path: Path) -> Iterator[tuple[float, float, str]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, zlib.error, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise RegisterError(
            f"{path} is no whole gzip file of text ({error}): fetch it again, or take it away"
        ) from error
    if not lines or not set(COLUMNS) <= set(lines[0]):
        raise RegisterError(f"{path}, line 1: the header must be `start,end,activity`. Are these labels?")
    places = [lines[0].index(name) for name in COLUMNS]
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        if len(line) <= max(places):
            raise RegisterError(f"{path}, line {number}: {','.join(line)!r} is too short: write start,end,activity")
        start, end, activity = (line[place] for place in places)
        words = re.sub(r"[\W_]+", " ", activity.lower()).strip()
        yield _seconds(start, path, number), _seconds(end, path, number), words


def _seconds(stamp: str, path: Path, number: int) -> float:
    try:
        time = datetime.fromisoformat(stamp.strip())
    except ValueError as error:
        raise RegisterError(f"{path}, line {number}: {stamp!r} is no time: {_REMEDY}") from error
    if time.tzinfo is not None:  # taken for wall time it would be hours off
        raise RegisterError(f"{path}, line {number}: {stamp!r} has a zone: {_REMEDY}")
    return time.replace(tzinfo=UTC).timestamp()
