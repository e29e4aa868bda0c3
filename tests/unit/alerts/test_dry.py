"""How long a home is usually dry: what limits of water_low are learned from, beside its naive twin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerts.detect.quarters import Quarters
from alerts.detect.routine import learn
from tests.oracles import dry as oracle

QUARTER, DAY = 900.0, 86_400.0
rows = st.tuples(st.sampled_from([None, 0.0, 0.0, 0.0, 0.0004, 0.004, 0.006, 0.02]), st.sampled_from([0, 0, 0, 0, 1]))


def past_of(water_m3: "list[float | None]", doors: list[int]) -> Quarters:
    """Quarters over eight days, as many as there are values."""
    count = len(water_m3)
    none, some = np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.int64)
    return Quarters(
        quarter=np.floor(np.linspace(0, 8 * DAY, count) / QUARTER) * QUARTER, life=some, day=some, bath=none,
        kitchen=none, door=np.array(doors, dtype=np.int64), radio=some, power_low=np.full(count, np.nan),
        water_m3=np.array([np.nan if one is None else one for one in water_m3]),
    )  # fmt: skip


@given(st.lists(rows, min_size=2, max_size=60))
def test_a_dry_time_ends_with_ten_litres_or_the_door(drawn: "list[tuple[float | None, int]]") -> None:
    past = past_of([water for water, _ in drawn], [door for _, door in drawn])
    found = learn(past, 0.0, 500.0)
    assert found is not None
    expected = oracle.longest_dry_s(past.quarter.tolist(), [water for water, _ in drawn], past.door.tolist())
    assert (None if np.isnan(found.dry_s) else found.dry_s) == expected


def test_a_flush_in_the_night_ends_no_dry_time() -> None:
    water: list[float | None] = [0.0] * (8 * 96)
    for day in range(8):
        for clock, m3 in ((7, 0.03), (20, 0.02), (26, 0.006)):  # hours; the last is the night after
            if day * 96 + clock * 4 < len(water):
                water[day * 96 + clock * 4] = m3
    found = learn(past_of(water, [0] * len(water)), 0.0, 500.0)
    assert found is not None
    assert 12 * 3600 <= found.dry_s <= 13.5 * 3600
