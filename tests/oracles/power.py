"""Which steps in power are a person's, once more and slowly."""

import math
from collections.abc import Mapping, Sequence

DAY, HOUR = 86_400, 3600
Step = tuple[float, int]  # time, class of size
Counts = Mapping[tuple[int, int], float]  # (size, local hour) -> steps


def size_of(height_w: float) -> int:
    """Half octaves from 40 W on, 24 of them."""
    return min(max(math.floor(2 * math.log2(height_w / 40)), 0), 23)


def is_persons(counts: Counts, size: int) -> bool:
    """A size that is much rarer in its quietest eight hours than on average; before it is known, from 1 kW on."""
    hours = [counts.get((size, hour), 0.0) for hour in range(24)]
    if sum(hours) < 20:
        return size >= size_of(1000)
    quietest = min(sum(hours[(first + more) % 24] for more in range(8)) for first in range(24))
    return quietest * 3 < 0.35 * sum(hours)


def signs(steps: Sequence[Step], offset: float) -> list[float]:
    """The moments at which a person switched something on, each day judged by the days with steps before it."""
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


def outages(values: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Where nothing came for half an hour, and where the value stood still for an hour."""
    found, first = [], 0
    for place in range(1, len(values)):
        if values[place][0] - values[place - 1][0] > 1800:
            found.append((values[place - 1][0], values[place][0]))
        if values[place][1] != values[first][1]:
            first = place
        elif (place + 1 == len(values) or values[place + 1][1] != values[place][1]) and (
            values[place][0] - values[first][0] >= 3600
        ):
            found.append((values[first][0], values[place][0]))
    return sorted(found)
