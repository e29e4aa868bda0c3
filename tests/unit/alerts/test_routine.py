"""What is learned of a home's routine and of its slow drift is what the naive twin in tests/oracles says."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.detect import drift, routine
from alerts.detect.quarters import DAY_S, QUARTER_S, Quarters
from tests.oracles import routine as oracle

START = 1_769_990_400.0  # a midnight, UTC
INTS = ("life", "day", "bath", "kitchen", "door", "radio")
offsets = st.sampled_from([0.0, 8 * 3600.0, -3.5 * 3600.0])
watts = st.sampled_from([None, 50.0, 60.0, 900.0, 1000.0])
litres = st.sampled_from([None, 0.0, 0.0005, 0.004])
heard = st.fixed_dictionaries(
    {"skip": st.sampled_from([0, 0, 0, 0, 1, 3, 90]), "life": st.integers(0, 2), "bath": st.integers(0, 1),
     "day": st.integers(0, 1), "kitchen": st.integers(0, 1), "door": st.sampled_from([0, 0, 1]),
     "radio": st.integers(0, 1), "power_low": watts, "water_m3": litres}
)  # fmt: skip


def rows_of(made: Sequence[dict[str, Any]], first: int) -> list[dict[str, Any]]:
    """Quarters one after the other, some left out; more than `life` of no room."""
    rows, place = [], first
    for row in made:
        place += 1 + row["skip"]
        life = row["life"]
        rows.append(row | {"quarter": START + place * QUARTER_S} | {name: min(row[name], life) for name in INTS[1:5]})
    return rows


def arrays(rows: Sequence[dict[str, Any]]) -> Quarters:
    columns: dict[str, Any] = {
        part.name: np.array([row[part.name] for row in rows], dtype=np.int64 if part.name in INTS else np.float64)
        for part in fields(Quarters)
    }
    return Quarters(**columns)


def plain(value: Any) -> Any:
    """NaN as None, arrays as lists."""
    if isinstance(value, np.ndarray):
        return [plain(one) for one in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return None if np.isnan(value) else pytest.approx(float(value))


def weeks(seed: int, days: int, changes: int) -> list[dict[str, Any]]:
    """Whole days of somebody with habits, who from `changes` days before the end on lives otherwise; some unseen."""
    rng = np.random.default_rng(seed)
    usual, changed = rng.uniform(0.05, 0.9, (2, 8))
    rows = []
    for day in range(days):
        sleeps, door, cooks, bath, radio, heard, wakes, moves = usual if day < days - changes else changed
        for quarter in range(96):
            if rng.random() < (0.4 if day % 11 == 7 else 0.002):
                continue
            asleep = quarter < 24 + 12 * wakes or quarter >= 90
            life = int(rng.random() < (0.1 * sleeps if asleep else moves))
            rows.append({
                "quarter": START + (day * 96 + quarter) * QUARTER_S, "life": life,
                "day": life * int(rng.random() < 0.7), "bath": life * int(rng.random() < 0.2 * bath),
                "kitchen": life * int(rng.random() < 0.5 * cooks), "door": life * int(rng.random() < 0.1 * door),
                "radio": int(rng.random() < radio),
                "power_low": None if rng.random() > heard else rng.integers(50, 900),
                "water_m3": None if rng.random() > heard else rng.choice([0.0, 0.003]),
            })  # fmt: skip
    return rows


def same_routine(rows: Sequence[dict[str, Any]], offset: float) -> None:
    found = routine.learn(arrays(rows), offset, 500.0)
    slowly = oracle.routine(rows, offset, 500.0)
    assert (found is None) == (slowly is None)
    if found is not None and slowly is not None:
        assert slowly == {name: plain(getattr(found, name)) for name in slowly}


@settings(deadline=None)
@given(st.lists(heard, max_size=60), st.integers(0, 95), offsets)
def test_a_routine(made: list[dict[str, Any]], first: int, offset: float) -> None:
    same_routine(rows_of(made, first), offset)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(6, 12), offsets)
def test_a_routine_of_whole_days(seed: int, days: int, offset: float) -> None:
    same_routine(weeks(seed, days, days // 2), offset)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 46), st.integers(0, 20), offsets)
def test_days_and_their_trend(seed: int, days: int, changes: int, offset: float) -> None:
    rows = weeks(seed, days, changes)
    number, table = drift.days_of(arrays(rows), offset)
    slowly = oracle.days(rows, offset)
    assert number.tolist() == sorted(slowly)
    assert [[slowly[day][name] for name in drift.FEATURES] for day in sorted(slowly)] == [plain(row) for row in table]
    recent, earlier, sigmas = drift.trend(number, table)
    known = oracle.trend(slowly)
    assert [known.get(name) for name in drift.FEATURES] == [
        None if np.isnan(sigma) else tuple(plain(one) for one in (recent[at], earlier[at], sigma))
        for at, sigma in enumerate(sigmas)
    ]


changes = st.tuples(
    st.sampled_from([0.0, 1.0, 3.0, 30_000.0]), st.sampled_from([0.0, 1.0, 1.5, 27_300.0]),
    st.sampled_from([-1.0, 0.0, 3.0, 4.2, 4.25, 6.0, 8.5]),
)  # fmt: skip


@given(st.lists(st.lists(st.none() | changes, min_size=4, max_size=4), max_size=5))
def test_a_drift(rows: list[list[tuple[float, float, float] | None]]) -> None:
    blank = (np.nan, np.nan, np.nan)
    table = np.array([[one or blank for one in row] for row in rows], dtype=np.float64).reshape(len(rows), 4, 3)
    fitted = np.full(len(rows), START)
    trends = drift.Trends(np.arange(len(rows)), fitted, table[:, :, 0], table[:, :, 1], table[:, :, 2])
    found = drift.find(START + DAY_S, trends)
    said = [(at, oracle.drift(row)) for at, row in enumerate(rows)]
    assert [(one.home_id, one.parameters["trend"]) for one in found.each()] == [one for one in said if one[1]]


def test_two_ways_out_in_one_night_are_not_usual_and_on_two_nights_they_are() -> None:
    """Who wanders comes back and leaves again: that is no habit, and the next night must be told of."""
    for hour, ways_out, usual in (
        (1, {(0, 1), (0, 1.75)}, False), (0, {(0, 23.75), (1, 0.5)}, False), (1, {(0, 1), (3, 1.75)}, True),
    ):  # fmt: skip
        rows = []
        for day in range(9):
            for quarter in range(96):
                out = (day, quarter / 4) in ways_out
                rows.append({"quarter": START + (day * 96 + quarter) * QUARTER_S, "life": int(quarter >= 28 or out),
                             "door": int(out)} | dict.fromkeys(("day", "bath", "kitchen", "radio"), 0)
                            | dict.fromkeys(("power_low", "water_m3")))  # fmt: skip
        found = routine.learn(arrays(rows), 0.0, 500.0)
        assert found is not None
        assert bool(found.night_out[hour]) is usual
