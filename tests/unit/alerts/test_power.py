"""Power alone: a kettle is a person, a fridge is not, a value that stands still longer than is usual is no data."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.detect import power
from alerts.detect.arrays import Floats
from alerts.detect.power import Steps, Usual
from tests.oracles import power as oracle

MINUTE, DAY = 60.0, 86_400.0
START = 1_769_990_400.0


def household(days: int) -> tuple[Floats, Floats]:
    """A fridge of 80 W, on for 20 of every 47 minutes, and a kettle of 2 kW at 7, 12, 16 and 19 o'clock."""
    minutes = np.arange(days * 1440)
    watts = 60.0 + 80.0 * (minutes % 47 < 20) + np.where(minutes % 7 == 0, 1.0, 0.0)
    for hour in (7, 12, 16, 19):
        watts += 2000.0 * ((minutes % 1440) // 3 == hour * 20 + 3)
    return np.asarray(START + minutes * MINUTE, np.float64), np.asarray(watts, np.float64)


def test_a_kettle_is_a_person_and_a_fridge_is_not() -> None:
    time, watts = household(14)
    found = power.signs(power.steps(time, watts), 0.0)
    hours = ((found - START) % DAY) // 3600
    assert set(hours.tolist()) == {7.0, 12.0, 16.0, 19.0}
    assert len(found) == 14 * 4 * 2  # on and off


def test_the_future_teaches_nothing() -> None:
    time, watts = household(14)
    cut = time < START + 9 * DAY
    whole = power.signs(power.steps(time, watts), 0.0)
    prefix = power.signs(power.steps(time[cut], watts[cut]), 0.0)
    assert prefix.tolist() == whole[whole < START + 9 * DAY].tolist()


def test_a_value_that_stands_still_for_an_hour_is_an_outage_and_so_is_a_gap() -> None:
    time, watts = household(2)
    watts[600:700] = 0.0
    keep = np.ones(len(time), np.bool_)
    keep[1500:1600] = False
    found = power.outages(time[keep], watts[keep])
    assert found.tolist() == [[time[600], time[699]], [time[1499], time[1600]]]


GAPS = st.sampled_from([60.0, 120.0, 900.0, 1800.0, 1860.0, 3600.0, 8 * 3600.0])
USUAL = st.sampled_from([np.nan, 60.0, 900.0, 3000.0, 30_000.0])


@given(st.lists(st.tuples(GAPS, st.sampled_from([0.0, 30.0, 90.0, 500.0])), max_size=30), USUAL, USUAL)
def test_steps_and_outages_as_one_would_find_them(
    values: list[tuple[float, float]], gap_s: float, still_s: float
) -> None:
    time = START + np.cumsum([gap for gap, _ in values])
    watts = np.array([value for _, value in values], dtype=np.float64)
    rows, usual = list(zip(time.tolist(), watts.tolist(), strict=True)), Usual(gap_s, still_s)
    known = [0.0 if np.isnan(one) else one for one in (gap_s, still_s)]
    silent_s, flat_s = min(max(3 * known[0], 1800), 21_600), min(max(3 * known[1], 3600), 21_600)
    apart_s = min(max(1.5 * known[0], 300), silent_s)
    assert [tuple(one) for one in power.outages(time, watts, usual)] == oracle.outages(rows, silent_s, flat_s)
    seen = power.steps(time, watts, usual)
    assert list(zip(seen.time.tolist(), seen.size.tolist(), strict=True)) == oracle.steps(
        rows, apart_s, silent_s, flat_s
    )


@given(st.lists(st.tuples(st.sampled_from([900.0, 7200.0, 40_000.0, 200_000.0]), st.sampled_from([80.0, 90.0])),
                max_size=60))  # fmt: skip
def test_what_is_usual_of_a_meter_as_one_would_say_it_day_by_day(values: list[tuple[float, float]]) -> None:
    time = START + np.cumsum([gap for gap, _ in values])
    watts = np.array([value for _, value in values], dtype=np.float64)
    rows, found = list(zip(time.tolist(), watts.tolist(), strict=True)), power.usual_of_values(time, watts)
    for place, (moment, _) in enumerate(rows):
        known = oracle.usual(rows[:place], int(moment // DAY))
        gap_s, still_s = np.asarray(found.gap_s)[place], np.asarray(found.still_s)[place]
        assert [None if np.isnan(one) else one for one in (gap_s, still_s)] == list(known)


@given(st.floats(20, 100_000))
def test_a_height(height_w: float) -> None:
    assert power.height_of(np.array([height_w]))[0] == oracle.height_of(height_w)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.5, 2.0, 7.0, 11.0, 13.0]), st.sampled_from([2, 9, 11])), max_size=90),
    st.sampled_from([0.0, 8 * 3600.0]),
    st.integers(0, 23),
)
def test_whose_steps_they_are_as_one_would_count_them(
    gaps: list[tuple[float, int]], offset: float, machine: int
) -> None:
    """Steps of a few sizes some hours apart, and a machine's at one size each three hours for a week before."""
    steps = [(START + hour * 3600.0, machine) for hour in range(0, 168, 3)]
    at = START + 7 * DAY
    for hours, size in gaps:
        at += hours * 3600
        steps.append((at, size))
    seen = Steps(np.array([time for time, _ in steps]), np.array([size for _, size in steps], dtype=np.int64))
    assert power.signs(seen, offset).tolist() == oracle.signs(steps, offset)
