"""Recorded homes on other calendars: later hours, other orders of days, fewer days, days that are missing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.detect.arrays import Floats
from evaluation.recorded import DAY_S, TEACH_DAYS, Source

HOUR_S: Final = 3600.0
CUT_S: Final = 4 * HOUR_S  # days are cut and put together at 04:00, when least happens
TURNS: Final = 4
SHIFT_DAYS: Final = 4
HOLE_DAYS, HALF_HOLE_DAYS = 8, 4
NAP_SHARE: Final = 0.7
Ints = NDArray[np.int64]


def later(hours: float, source: Source, rng: np.random.Generator) -> Sequence[Source]:
    return [_moved(source, -np.inf, hours)]


def clock_changed(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    """The past is read with the zone of today, so that clocks put forward show the person an hour earlier."""
    return [_moved(source, _middle(source), hours) for hours in (-1.0, 1.0)]


def habits_moved(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    return [_moved(source, _middle(source), hours) for hours in (-3.0, 3.0)]


def turned(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    """The recording begins at another day, and what came before follows at its end."""
    days = np.arange(_days(source))
    return [in_order(source, np.roll(days, -len(days) * turn // (TURNS + 1))) for turn in range(1, TURNS + 1)]


def odd_first_week(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    start = _start(source)
    busy = np.bincount(((_time(source) - start) // DAY_S).astype(np.int64).clip(-1) + 1)[1 : _days(source) + 1]
    ranked = np.argsort(np.pad(busy, (0, _days(source) - len(busy))), kind="stable")
    return [
        in_order(source, np.append(first, np.setdiff1d(ranked, first)))
        for first in (np.sort(ranked[:TEACH_DAYS]), np.sort(ranked[-TEACH_DAYS:]))
    ]


def short(length: int, source: Source, rng: np.random.Generator) -> Sequence[Source]:
    """Parts of so many days: the first and the last; of ten days from each fifth day on."""
    last = _days(source) - length
    if last < 0:
        return []
    first = range(0, last + 1, 5) if length < 2 * TEACH_DAYS else sorted({0, last})
    return [in_order(source, np.arange(day, day + length)) for day in first]


def drawn(length: int, source: Source, rng: np.random.Generator) -> Sequence[Source]:
    """So many days, each drawn from the recorded ones of its weekday."""
    days = np.arange(_days(source))
    if len(days) < 2 * TEACH_DAYS:
        return []
    return [in_order(source, np.array([rng.choice(days[days % 7 == day % 7]) for day in range(length)]))]


def three_shifts(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    """Each day turned round in itself by 0, 8 or 16 hours, four days each."""
    start, time = _start(source), _time(source)

    def turn(moments: Floats, day: Floats) -> Floats:
        shift = (np.floor(day / SHIFT_DAYS) % 3) * 8 * HOUR_S
        return np.asarray(start + day * DAY_S + (moments - start - day * DAY_S + shift) % DAY_S)

    moved = turn(time, np.floor((time - start) / DAY_S))
    order = np.argsort(moved, kind="stable")
    out = source.out
    if out is not None:
        # At each eight hours, as a turned day ends at one of them; also of the day before the first.
        out = _cut(out, start, np.arange(-3.0, (_days(source) + 2) * 3), 8 * HOUR_S)
        day = np.floor((out[:, 0] - start) / DAY_S)
        begins = turn(out[:, 0], day)
        out = np.column_stack([begins, begins + out[:, 1] - out[:, 0]])
    return [_with(source, moved[order], order, out)]


def holes(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    """Whole days and half afternoons that never came, known as such: the gateway was heard before and after."""
    first = _start(source)
    whole = first + DAY_S * np.arange(HOLE_DAYS, _days(source), HOLE_DAYS)
    half = first + DAY_S * np.arange(2, _days(source), HALF_HOLE_DAYS) + rng.uniform(6, 10) * HOUR_S
    gone = np.concatenate([np.column_stack([whole, whole + DAY_S]), np.column_stack([half, half + 3 * HOUR_S])])
    gone = gone[np.argsort(gone[:, 0])]
    return [replace(_without(source, gone), holes=gone)]


def naps(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    days = np.flatnonzero(rng.random(_days(source)) < NAP_SHARE)
    begins = _start(source) - CUT_S + days * DAY_S + rng.uniform(12, 14, len(days)) * HOUR_S
    return [_without(source, np.column_stack([begins, begins + rng.uniform(1.5, 3.5, len(days)) * HOUR_S]))]


def quiet_nights(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    begins = _start(source) - CUT_S + np.arange(-1, _days(source) + 1) * DAY_S + 23.5 * HOUR_S
    return [_without(source, np.column_stack([begins, begins + 6.5 * HOUR_S]))]


def away(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    begins = _start(source) + (TEACH_DAYS + 3) * DAY_S + 6 * HOUR_S
    span = np.array([[begins, begins + 2 * DAY_S]])
    changed = _without(source, span)
    return [changed if source.out is None else replace(changed, out=np.concatenate([source.out, span]))]


def in_order(source: Source, order: Ints) -> Source:
    """A home whose day n is the source's day order[n], counted from its first 04:00; its parts of days are left out."""
    start, time = _start(source), _time(source)
    edges = np.searchsorted(time, start + DAY_S * np.arange(_days(source) + 1))
    rows = np.concatenate([np.arange(edges[day], edges[day + 1]) for day in order])
    shift = np.repeat((np.arange(len(order)) - order) * DAY_S, edges[order + 1] - edges[order])
    out = source.out
    if out is not None:
        cut = _cut(out, start, np.arange(_days(source) + 1, dtype=np.float64), DAY_S)
        day = np.floor((cut[:, 0] - start) / DAY_S).astype(np.int64)
        parts = [cut[day == one] + (place - one) * DAY_S for place, one in enumerate(order)]
        out = np.concatenate(parts) if parts else cut
    return _with(source, time[rows] + shift, rows, out)


def _cut(spans: Floats, start: float, edges: Floats, width_s: float) -> Floats:
    """The spans cut at each edge, start + n x width_s."""
    moments = start + edges * width_s
    begins = np.maximum(spans[:, :1], np.append(-np.inf, moments)[None, :])
    ends = np.minimum(spans[:, 1:], np.append(moments, np.inf)[None, :])
    return np.column_stack([begins[begins < ends], ends[begins < ends]])


def _moved(source: Source, since: float, hours: float) -> Source:
    """Everything from `since` on happens so many hours later; what would then be told twice is told once."""
    time, shift = _time(source), hours * HOUR_S
    keep = np.flatnonzero((time >= since) | (time < since + min(shift, 0.0)))
    out = None if source.out is None else source.out + shift * (source.out >= since)
    return _with(source, time[keep] + shift * (time[keep] >= since), keep, out)


def _without(source: Source, spans: Floats) -> Source:
    """Nothing was seen in these spans, which are in order and apart."""
    time = _time(source)
    place = np.searchsorted(spans[:, 0], time, side="right") - 1
    keep = (
        np.flatnonzero((place < 0) | (time >= spans[np.maximum(place, 0), 1])) if len(spans) else np.arange(len(time))
    )
    return _with(source, time[keep], keep, source.out)


def _with(source: Source, time: Floats, rows: Ints, out: "Floats | None") -> Source:
    recording = source.recording
    wall = np.round(time * 1000).astype(np.int64).astype("datetime64[ms]")
    part = recording._replace(wall=wall, sensor=recording.sensor[rows], value=recording.value[rows])
    return replace(source, recording=part, out=out)


def _time(source: Source) -> Floats:
    return np.asarray(source.recording.wall.astype(np.int64) / 1000, dtype=np.float64)


def _start(source: Source) -> float:
    """The first 04:00."""
    return float(np.ceil((_time(source)[0] - CUT_S) / DAY_S) * DAY_S + CUT_S)


def _days(source: Source) -> int:
    return max(int((_time(source)[-1] - _start(source)) // DAY_S), 0)


def _middle(source: Source) -> float:
    return _start(source) + (_days(source) // 2) * DAY_S
