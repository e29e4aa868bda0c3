"""No detector looks ahead: what is found about a past is the same whether or not the future is there already."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.detect.findings import Finding
from alerts.hindsight.play import Hindsight
from alerts.hindsight.readings import Readings, Status
from alerts.hindsight.register import Register
from evaluation.simulated import FIRST, arrivals, register_of_seasons
from simulator.season.faults import Chances
from simulator.season.play import play_season

DAYS, HOMES, STEP_S = 16, 6, 3600.0
Verdict = tuple[float, str, str]


@cache
def past() -> tuple[Register, Readings, list[Status], float]:
    seasons = [play_season(5, number, FIRST, DAYS, Chances(), faulty=True) for number in range(1, HOMES + 1)]
    start = seasons[0].arrival.said[0].at - 1
    register = register_of_seasons(seasons, start)
    return register, *arrivals(seasons, register), start


def verdicts(readings: Readings, statuses: Sequence[Status], until: float) -> list[Verdict]:
    """Everything that all detectors found up to `until`, muted or not, with its figures and its coverage."""
    register, _, _, start = past()
    found: list[Verdict] = []

    def spy(now: float, findings: Sequence[Finding]) -> None:
        found.extend((now, one.dedup_key, f"{one.parameters} {one.coverage}") for one in findings if now <= until)

    Hindsight(register, start, start + DAYS * 86_400, spy=spy).run(readings, statuses, start, until, STEP_S)
    return found


@settings(max_examples=4, deadline=None)
@given(st.integers(9 * 24, DAYS * 24 - 1), st.integers(0, 2**16))
def test_the_verdicts_about_a_prefix_are_those_about_the_whole(hours: int, seed: int) -> None:
    _, readings, statuses, start = past()
    until = start + hours * STEP_S
    known = readings["stored"] <= until
    future = readings[~known].copy()  # another future, not only none
    np.random.default_rng(seed).shuffle(future["value"])
    other = np.concatenate([readings[known], future])
    prefix = verdicts(readings[known], [one for one in statuses if one.at <= until], until)
    assert prefix == verdicts(other, statuses, until)
    assert prefix
