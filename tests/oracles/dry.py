"""The longest time in which hardly any water ran, once more, slowly."""

from collections.abc import Sequence


def longest_dry_s(quarters: Sequence[float], water_m3: Sequence[float | None], doors: Sequence[int]) -> float | None:
    """From each use of water or the door to the next use of the door, or until 10 l have run since; None = never."""
    ran = [amount or 0.0 for amount in water_m3]
    longest = None
    if not any(amount > 0.0005 for amount in ran):
        return None
    for begin, start in enumerate(quarters):
        if ran[begin] <= 0.0005 and not doors[begin]:
            continue
        drawn = 0.0
        for later in range(begin + 1, len(quarters)):
            drawn += ran[later]
            if doors[later] or drawn > 0.01 - 1e-6:
                longest = max(longest or 0.0, quarters[later] - start)
                break
    return longest
