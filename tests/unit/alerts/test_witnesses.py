"""Which of a home's sensors can be believed, beside their naive twins."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerts.detect import witnesses
from alerts.detect.arrays import Floats
from tests.oracles import witnesses as oracle

QUARTER, DAY = 900.0, 86_400.0


def movers(*seen: Floats) -> witnesses.Witnesses:
    return witnesses.Witnesses(doors=[], movers=seen, mover_ids=range(len(seen)))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=120), st.integers(0, 80), st.integers(1, 30))
def test_a_sensor_is_blind_when_the_others_see_far_more_than_ever_between_its_signs(
    gaps: list[int], since: int, step: int
) -> None:
    lively = np.arange(sum(gaps) + since + 1, dtype=np.float64) * QUARTER * step
    seen = np.append(0.0, np.cumsum(gaps)) * QUARTER * step
    found = witnesses.blind(lively, movers(seen))
    assert found == ({0: seen[-1]} if oracle.blind(lively.tolist(), seen.tolist()) else {})
    assert witnesses.unlearned(lively, found.values()) == oracle.unlearned(lively.tolist(), seen.tolist())


def test_a_living_room_that_nobody_enters_while_others_see_somebody_all_day() -> None:
    lively = np.concatenate([day * DAY + np.arange(28, 88) * QUARTER for day in range(10)])
    seen = lively[::4]
    assert witnesses.blind(lively, movers(seen)) == {}
    assert witnesses.blind(lively, movers(seen[:-2], seen[:-6], seen)) == {1: seen[-7]}


@given(st.lists(st.lists(st.integers(0, 400), min_size=1, unique=True), max_size=3), st.integers(401, 600))
def test_a_door_is_watched_since_its_contact_was_heard_again(hours: list[list[int]], now: int) -> None:
    doors = [np.array(sorted(one), dtype=np.float64) * 3600 for one in hours]
    found = witnesses.door_from(now * 3600.0, doors)
    expected = oracle.door_from(now * 3600.0, [door.tolist() for door in doors])
    assert (None if np.isnan(found) else found) == expected
