"""Which steps in power are a person's, and what a meter did not show, once more and slowly."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

DAY, HOUR = 86_400, 3600
Step = tuple[float, int]  # time, class: 0 .. 23 up, 24 .. 47 down
Counts = Mapping[tuple[int, int], float]  # (class, local hour) -> steps
Value = tuple[float, float]  # time, watts


def height_of(height_w: float) -> int:
    """Half octaves from 20 W on, 24 of them."""
    return min(max(math.floor(2 * math.log2(height_w / 20)), 0), 23)


def steps(values: Sequence[Value], apart_s: float = 300, silent_s: float = 1800, flat_s: float = 3600) -> list[Step]:
    """Every rise and fall of at least 20 W, of neighbours at most `apart_s` apart, not after an outage."""
    flat = {end for begin, end in stands(values, silent_s) if end - begin >= flat_s}
    found = []
    for sign, first_class in ((1, 0), (-1, 24)):
        low = None
        for place in range(1, len(values)):
            (before, from_w), (time, to_w) = values[place - 1 : place + 1]
            rises = sign * (to_w - from_w) > 0 and time - before <= apart_s and before not in flat
            if rises and low is None:
                low = from_w
            if low is not None and not rises:
                found.append((before, from_w, low, sign, first_class))
                low = None
        if low is not None:
            found.append((*values[-1], low, sign, first_class))
    high = [(time, first_class + height_of(sign * (to_w - low)))
            for time, to_w, low, sign, first_class in found if sign * (to_w - low) >= 20]  # fmt: skip
    return sorted(high)


def is_persons(counts: Counts, step: int) -> bool:
    """A class that is much rarer in its quietest eight hours than on average; before it is known, from 1 kW on."""
    hours = [counts.get((step, hour), 0.0) for hour in range(24)]
    if sum(hours) < 20:
        return step % 24 >= height_of(1000)
    quietest = min(sum(hours[(first + more) % 24] for more in range(8)) for first in range(24))
    return quietest * 3 < 0.35 * sum(hours)


def signs(steps: Sequence[Step], offset: float) -> list[float]:
    """The moments at which a person switched something, each day judged by the days with steps before it."""
    found = []
    past: dict[tuple[int, int], float] = {}
    today: dict[tuple[int, int], float] = {}
    day = None
    for time, size in steps:
        if (time + offset) // DAY != day:
            past = {key: 0.965 * past.get(key, 0.0) + today.get(key, 0.0) for key in past | today}
            today, day = {}, (time + offset) // DAY
        if is_persons(past, size):
            found.append(time)
        key = (size, int((time + offset) % DAY // HOUR))
        today[key] = today.get(key, 0.0) + 1
    return found


def stands(values: Sequence[Value], silent_s: float) -> list[tuple[float, float]]:
    """From the first to the last value of each run of the same value with no outage in it."""
    found: list[tuple[float, float]] = []
    for place, (time, watts) in enumerate(values):
        before = values[place - 1] if place else None
        if before is not None and before[1] == watts and time - before[0] <= silent_s:
            found[-1] = (found[-1][0], time)
        else:
            found.append((time, time))
    return found


def outages(values: Sequence[Value], silent_s: float = 1800, flat_s: float = 3600) -> list[tuple[float, float]]:
    """Where nothing came for more than `silent_s`, and where the value stood still for `flat_s`."""
    gaps = [(before, now) for (before, _), (now, _) in pairwise(values) if now - before > silent_s]
    return sorted(gaps + [(begin, end) for begin, end in stands(values, silent_s) if end - begin >= flat_s])


def usual(values: Sequence[Value], day: int) -> tuple[float | None, float | None]:
    """The longest gap, and the longest time between two changes, on a usual day of the 28 before `day` that had one."""
    moved = [now for place, now in enumerate(values) if not place or now[1] != values[place - 1][1]]
    of_days: list[dict[int, float]] = [{}, {}]
    for longest, points in zip(of_days, (values, moved), strict=True):
        for before, now in pairwise(points):
            ended = int(now[0] // DAY)
            longest[ended] = max(longest.get(ended, 0.0), now[0] - before[0])
    days = [one for one in sorted(of_days[0].keys() | of_days[1].keys()) if one < day][-28:]
    found = [sorted(longest[one] for one in days if one in longest) for longest in of_days]
    gap, still = (longest[(len(longest) - 1) // 2] if longest else None for longest in found)
    return gap, still
