"""What is learned of routines and trends, once more and slowly: one quarter and one day at a time."""

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

HOUR, DAY, QUARTER = 3600, 86_400, 900
Quarter = Mapping[str, Any]  # a row of detect.quarters.Quarters; None = the meter said nothing
WORSE = {"nights": (1, 2), "outings": (-1, 0.35), "rising": (1, 2700), "meals": (-1, 0.7)}  # direction, least change
FEATURES = tuple(WORSE)


def routine(past: Sequence[Quarter], offset: float, appliance_w: float) -> dict[str, Any] | None:
    """None where fewer than seven days of life are known; None for each figure that is not."""
    alive = [row for row in past if row["life"]]
    if not alive or alive[-1]["quarter"] - alive[0]["quarter"] < 7 * DAY:
        return None
    known = sorted(row["power_low"] for row in past if row["power_low"] is not None)
    base = _percentile(known, 10)
    wet = [row for row in past if _ran(row)]
    gaps = sorted(_gaps([row for row in past if row["radio"]]))
    runs = [_runs(past, hour, offset, base, appliance_w) for hour in range(24)]
    rises = [rise for rise in rise_of_days(past, offset).values() if rise is not None]
    return {
        "rise_s": max(rises, default=None),
        "stay_s": max(_stays(past), default=None),
        "away_s": max((gap for row, gap in _pairs(alive) if row["door"]), default=None),
        "door_gap_s": max(_gaps([row for row in past if row["door"]]), default=None),
        "dry_s": max(_dry(past), default=None) if wet else None,
        "radio_s": gaps[-5] if len(gaps) > 4 else None,  # four may have been outages
        "base_w": base,
        "high_s": [max((QUARTER * len(run) for run in runs[hour]), default=None) for hour in range(24)],
        "high_w": [_most_of_the_longer(runs[hour]) for hour in range(24)],
        "night_out": [_usual_way_out(alive, hour, offset) for hour in range(24)],
    }


def rise_of_days(past: Sequence[Quarter], offset: float) -> dict[int, float | None]:
    """Local day -> seconds after midnight; of every day of which anything was received."""
    rises: dict[int, float | None] = {_day(row, offset): None for row in past}
    up = [row for row in past if row["day"]]
    for row, following in pairwise(up):
        clock = (row["quarter"] + offset) % DAY
        soon = following["quarter"] - row["quarter"] <= 6 * QUARTER
        if soon and 4 * HOUR <= clock < 14 * HOUR and rises[_day(row, offset)] is None:
            rises[_day(row, offset)] = clock + QUARTER
    return rises


def days(past: Sequence[Quarter], offset: float) -> dict[int, dict[str, float | None]]:
    """Local day -> its four features; None where it was seen for less than 20 h or hardly anybody moved."""
    rises = rise_of_days(past, offset)
    alive = [row for row in past if row["life"]]
    found: dict[int, dict[str, float | None]] = {}
    for day, rise in rises.items():
        mine = [row for row in past if _day(row, offset) == day]
        lively = [row for row in mine if row["life"]]
        if len(mine) < 80 or len(lively) < 12:
            found[day] = dict.fromkeys(FEATURES)
            continue
        hours = [_hour(row, offset) for row in lively]
        meals = 0
        for first, last in ((5, 10), (10, 14), (16, 21)):
            cooked = [row for row in mine if row["kitchen"] and first <= _hour(row, offset) < last]
            meals += len(cooked) >= 2
        found[day] = {
            "nights": sum(hour >= 23 or hour < 5 for hour in hours),
            "outings": sum(row["door"] > 0 and gap > 1800 for row, gap in _pairs(alive) if _day(row, offset) == day)
            if any(row["door"] for row in past)
            else None,
            "rising": rise,
            "meals": meals if any(row["kitchen"] for row in mine) else None,
        }
    return found


def trend(of_days: Mapping[int, Mapping[str, float | None]]) -> dict[str, tuple[float, float, float]]:
    """Feature -> (recent, earlier, standard errors of a change for the worse), of those that are known well enough."""
    found = {}
    today = max(of_days, default=0)
    for feature, (worse, least) in WORSE.items():
        recent = [one[feature] for day, one in of_days.items() if 1 <= today - day <= 14]
        earlier = [one[feature] for day, one in of_days.items() if 15 <= today - day <= 42]
        now, then = ([value for value in values if value is not None] for values in (recent, earlier))
        if len(now) < 0.7 * 14 or len(then) < 0.7 * 28:
            continue
        now, then = _without_odd_days(now), _without_odd_days(then)
        error = math.sqrt(statistics.pvariance(now) / len(now) + statistics.pvariance(then) / len(then))
        change = (statistics.fmean(now) - statistics.fmean(then)) * worse
        found[feature] = (statistics.fmean(now), statistics.fmean(then), change / max(error, least / 10))
    return found


def _without_odd_days(values: Sequence[float]) -> list[float]:
    """One day of each two weeks is taken as the next lower, and one as the next higher."""
    odd, ordered = math.ceil(len(values) / 14), sorted(values)
    return [min(max(value, ordered[odd]), ordered[-1 - odd]) for value in values]


def drift(of_features: Sequence[tuple[float, float, float] | None]) -> str | None:
    """The feature that changed most for the worse, of those that changed much, if all together did; of two the first.

    Args:
        of_features: (recent, earlier, sigmas) of each; None = not known.
    """
    known = {name: one for name, one in zip(FEATURES, of_features, strict=True) if one is not None}
    much = {
        name: sigmas for name, (recent, earlier, sigmas) in known.items()
        if (recent - earlier) * WORSE[name][0] >= WORSE[name][1]
    }  # fmt: skip
    together = sum(max(sigmas, 0) for _, _, sigmas in known.values())
    if not much or together / math.sqrt(len(known)) < 4.25:
        return None
    return max(much, key=lambda name: much[name])


def _stays(past: Sequence[Quarter]) -> list[float]:
    """Times between two signs elsewhere with the bathroom between them, or in a quarter of theirs when it was short."""
    stays, elsewhere, washed = [], None, False
    for row in past:
        if row["life"] > row["bath"]:
            if elsewhere is not None:
                gap = row["quarter"] - elsewhere["quarter"]
                if washed or (gap <= 2 * QUARTER and (row["bath"] or elsewhere["bath"])):
                    stays.append(gap)
            elsewhere, washed = row, False
        elif row["bath"]:
            washed = True
    return stays


def _dry(past: Sequence[Quarter]) -> list[float]:
    """Times from water or the door to the quarter by which 10 litres have run since, or the door was used."""
    found = []
    for place, row in enumerate(past):
        if not (_ran(row) or row["door"]):
            continue
        drawn = 0.0
        for later in past[place + 1 :]:
            drawn += later["water_m3"] or 0.0
            if later["door"] or drawn >= 0.01 - 1e-9:
                found.append(later["quarter"] - row["quarter"])
                break
    return found


def _most_of_the_longer(runs: Sequence[Sequence[Quarter]]) -> float | None:
    longest = max((len(run) for run in runs), default=0)
    return max((row["power_low"] for run in runs if 2 * len(run) >= longest for row in run), default=None)


def _runs(
    past: Sequence[Quarter], hour: int, offset: float, base: float | None, appliance_w: float
) -> list[list[Quarter]]:
    """Of high power that began within an hour of this one."""
    runs: list[list[Quarter]] = []
    for row in past:
        if base is None or row["power_low"] is None or row["power_low"] < base + appliance_w:
            continue
        if runs and row["quarter"] - runs[-1][-1]["quarter"] == QUARTER:
            runs[-1].append(row)
        else:
            runs.append([row])
    near = ((hour - 1) % 24, hour, (hour + 1) % 24)
    return [run for run in runs if int((run[0]["quarter"] + offset) % DAY // HOUR) in near]


def _usual_way_out(alive: Sequence[Quarter], hour: int, offset: float) -> bool:
    """Whether on two nights (from noon to noon) the door was the last sign for a while within an hour of this one."""
    near = ((hour - 1) % 24, hour, (hour + 1) % 24)
    nights = {
        (row["quarter"] + offset - DAY / 2) // DAY
        for row, gap in _pairs(alive)
        if row["door"] and gap > 1200 and int(_hour(row, offset)) in near
    }
    return len(nights) >= 2


def _pairs(rows: Sequence[Quarter]) -> list[tuple[Quarter, float]]:
    """Each row but the last with the time to the next."""
    return [(one, other["quarter"] - one["quarter"]) for one, other in pairwise(rows)]


def _gaps(rows: Sequence[Quarter]) -> list[float]:
    return [gap for _, gap in _pairs(rows)]


def _ran(row: Quarter) -> bool:
    return row["water_m3"] is not None and row["water_m3"] > 0.0005


def _day(row: Quarter, offset: float) -> int:
    return int((row["quarter"] + offset) // DAY)


def _hour(row: Quarter, offset: float) -> float:
    return float((row["quarter"] + offset) % DAY / HOUR)


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    if not ordered:
        return None
    place = (len(ordered) - 1) * share / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
