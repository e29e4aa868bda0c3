"""The inactivity part of a home's profile (`profile.data["inactivity"]`), written and read.

Form 2. Spans in minutes, moments as epoch seconds, -1 = for ever; null = not known. docs/detection.md shows one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerts.detect import alike, personal
from alerts.detect.alike import HOURS, Alike
from alerts.detect.arrays import Bools, Floats, Ints
from alerts.detect.coverage import SPOKEN
from alerts.detect.hazard import HALVES, KINDS
from alerts.detect.memory import EMPTY, Memory
from alerts.detect.personal import UNKNOWN, Minutes
from alerts.detect.spells import Spells

FORM: Final = 2


@dataclass(frozen=True)
class Limits:
    """Personal limits of many homes, as the sweep looks them up.

    Attributes:
        version: int64 [homes], of the profile that they come from; 0 = none.
        minutes: int16 [homes, kinds, halves], see alerts/detect/personal.py; UNKNOWN throughout where not known.
        alike: int16 [homes, kinds, hours] each.
        speaks: bool [homes]: usually sends something in every quarter of an hour.
        twice_s: float64 [homes], see personal.Fit; NaN where not known.
    """

    version: Ints
    minutes: Minutes
    alike: Alike
    speaks: Bools
    twice_s: Floats


def write(memory: Memory, spoken: float, budget_days: float, zone_offset_s: float) -> dict[str, Any]:
    """What is known of a home, as JSON can hold it."""
    found = personal.fit(memory, zone_offset_s)
    part: dict[str, Any] = {
        "known": found is not None,
        "until": memory.until,
        "days": round(memory.days, 2),
        "spoken": round(spoken, 4),
    }
    if found is None:
        return part
    near = alike.alike(memory, zone_offset_s)
    return part | {
        "budget_days": budget_days,
        "threshold": {
            "indoors": round(found.indoors.threshold(2 * budget_days), 3),
            "door": round(found.door.threshold(2 * budget_days), 3),
        },
        "believed_a_day": round(found.believed_a_day(budget_days), 5),
        "limit_min": personal.limits(found, budget_days).tolist(),
        "twice_min": round(found.twice_s / 60),
        "alike": [near.count.tolist(), near.shorter.tolist(), near.usual_min.tolist()],
    }


def read(parts: Sequence[Mapping[str, Any] | None], versions: Sequence[int | None]) -> Limits:
    """The limits of many homes; None = nothing is known of one."""
    count = len(parts)
    minutes = np.full((count, KINDS, HALVES), UNKNOWN, dtype=np.int16)
    near = np.zeros((3, count, KINDS, HOURS), dtype=np.int16)
    twice_s = np.full(count, np.nan)
    for row, part in enumerate(parts):
        if part is not None and part["known"]:
            minutes[row] = part["limit_min"]
            near[:, row] = part["alike"]
            twice_s[row] = part.get("twice_min", np.nan) * 60  # a profile of an older night does not say
    return Limits(
        version=np.array([version or 0 for version in versions], dtype=np.int64),
        minutes=minutes,
        alike=Alike(*near),
        speaks=np.array([part is not None and part["spoken"] >= SPOKEN for part in parts], dtype=np.bool_),
        twice_s=twice_s,
    )


def part_of(data: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The part of `profile.data`; None for a form that this code does not read."""
    if data is None or data.get("form") != FORM:
        return None
    part: Mapping[str, Any] | None = data.get("inactivity")
    return part


def write_memory(memory: Memory) -> dict[str, Any]:
    """As `home_memory.data` holds it; moments in whole seconds, lengths in whole seconds."""
    return {
        "form": FORM,
        "until": memory.until,
        "first_at": _plain(memory.first_at),
        "last_at": _plain(memory.last_at),
        "spells": _columns(memory.spells),
        "cut": _columns(memory.cut),
        "activity": [_column(memory.half_at), _column(memory.half_began), _column(memory.bins)],
    }


def read_memory(data: Mapping[str, Any] | None) -> Memory:
    """The reverse; EMPTY for nothing, or for a form that this code does not read."""
    if data is None or data.get("form") != FORM:
        return EMPTY
    half_at, half_began, bins = data["activity"]
    return Memory(
        spells=_spells(data["spells"]),
        cut=_spells(data.get("cut", ([], [], []))),  # a memory of an older night has none
        half_at=np.array(half_at, np.float64),
        half_began=np.array(half_began, np.int8),
        bins=np.array(bins, np.int64),
        last_at=np.nan if data["last_at"] is None else float(data["last_at"]),
        first_at=np.nan if data["first_at"] is None else float(data["first_at"]),
        until=float(data["until"]),
    )


def _columns(spells: Spells) -> list[list[int]]:
    return [_column(spells.at), _column(spells.length_s), _column(spells.began)]


def _spells(columns: Sequence[Sequence[int]]) -> Spells:
    at, length_s, began = columns
    return Spells(np.array(at, np.float64), np.array(length_s, np.float64), np.array(began, np.int8))


def _plain(moment: float) -> float | None:
    return None if np.isnan(moment) else moment


def _column(values: "NDArray[Any]") -> list[int]:
    return np.round(values).astype(np.int64).tolist()  # type: ignore[no-any-return]
