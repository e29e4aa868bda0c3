"""Which of a home's sensors can be believed, once more, slowly: quarters are sets of numbers."""

from collections.abc import Sequence

DAY = 86_400.0


def unlearned(lively: Sequence[float], seen: Sequence[float]) -> bool:
    """Whether what is usual in the home was learned with this sensor, which now is blind."""
    return blind(lively, seen) and max(lively) - max(seen) <= 14 * DAY


def blind(lively: Sequence[float], seen: Sequence[float]) -> bool:
    """Whether the others have seen somebody for far longer than ever passes between two signs of this sensor."""
    if len(seen) < 50:
        return False
    missed, runs = 0, []
    for quarter in sorted(lively):
        if quarter < min(seen):
            continue
        if quarter in seen:
            runs.append(missed + 1)
            missed = 0
        else:
            missed += 1
    usual = sorted(runs[1:])[-2]
    return missed > max(1.5 * usual, 12)


def door_from(now: float, doors: Sequence[Sequence[float]]) -> float | None:
    """Since when every door has been heard at least once in 26 hours; None = it is not, or there is none."""
    since = None
    for heard in doors:
        start, before = heard[0], heard[0]
        for quarter in [*heard[1:], now]:
            if quarter - before > 26 * 3600:
                if quarter == now:
                    return None
                start = quarter
            before = quarter
        since = start if since is None else max(since, start)
    return since
