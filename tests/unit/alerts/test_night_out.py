"""When leaving at night is usual in a home."""

import numpy as np

from alerts.detect.quarters import Quarters
from alerts.detect.routine import learn

QUARTER, HOUR, DAY = 900.0, 3600.0, 86_400.0


def night_out(*doors: float) -> list[int]:
    """The usual hours of a home that is lively by day for nine days; `doors`: when the door was used at night."""
    lively = [day * DAY + clock * HOUR for day in range(9) for clock in np.arange(7, 22, 0.25)]
    quarter = np.array(sorted([*lively, *doors]))
    none, some = np.zeros(len(quarter), dtype=np.int64), np.ones(len(quarter), dtype=np.int64)
    nothing = np.full(len(quarter), np.nan)
    past = Quarters(quarter, some, some, none, none, np.isin(quarter, doors).astype(np.int64), some, nothing, nothing)
    found = learn(past, 0.0, 500.0)
    assert found is not None
    return np.flatnonzero(found.night_out).tolist()


def test_one_night_outside_is_no_habit_however_often_the_door_was_used() -> None:
    assert night_out(4 * DAY + 3 * HOUR, 4 * DAY + 4 * HOUR, 4 * DAY + 5.5 * HOUR) == []
    assert night_out(4 * DAY + 23.5 * HOUR, 5 * DAY + 0.5 * HOUR) == []


def test_two_nights_within_an_hour_of_each_other_are() -> None:
    assert night_out(3 * DAY + 4 * HOUR, 6 * DAY + 5 * HOUR) == [4, 5]
