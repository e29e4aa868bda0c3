"""No detector looks ahead: what is found about a past is the same whether or not the future is there already."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from alerts.detect.findings import Finding
from alerts.hindsight.play import Hindsight
from alerts.hindsight.readings import Readings, Status
from alerts.hindsight.register import Register
from alerts.policy import Policy
from evaluation.simulated import FIRST, arrivals, register_of_seasons
from simulator.season.faults import Chances
from simulator.season.play import play_season

DAYS, HOMES, STEP_S = 13, 5, 5400.0
# so touchy that every detector has something to say
TOUCHY = Policy(
    false_alarm_days=1, inactivity_s=7200, inactivity_floor_s=1800, not_risen_margin_s=1, long_stay_s=1200,
    long_stay_floor_s=600, not_returned_s=1800, not_returned_most_s=1800, night_from_s=64_800, left_at_night_s=60,
    door_open_s=5, no_door_s=7200, appliance_w=20, appliance_s=300, water_low_s=3600, water_day_m3=0.05, cold_c=19,
    heat_c=25, climate_s=60, stuck_s=600, mute_s=86_400, silent_mains_s=300, silent_battery_s=3600,
)  # fmt: skip
Verdict = tuple[float, str, str]


@cache
def past() -> tuple[Register, Readings, list[Status], float]:
    seasons = [play_season(5, number, FIRST, DAYS, Chances(), faulty=True) for number in range(1, HOMES + 1)]
    start = seasons[0].arrival.said[0].at - 1
    register = register_of_seasons(seasons, start, TOUCHY)
    return register, *arrivals(seasons, register), start


def verdicts(readings: Readings, statuses: Sequence[Status], until: float) -> list[Verdict]:
    """Everything that all detectors found up to `until`, muted or not, with its figures and its coverage."""
    register, _, _, start = past()
    found: list[Verdict] = []

    def spy(now: float, findings: Sequence[Finding]) -> None:
        found.extend((now, one.dedup_key, f"{one.parameters} {one.coverage}") for one in findings if now <= until)

    Hindsight(register, start, start + DAYS * 86_400, spy=spy).run(readings, statuses, start, until, STEP_S)
    return found


@settings(max_examples=3, deadline=None, phases=[Phase.generate])
@given(st.integers(9 * 16, DAYS * 16 - 1), st.integers(0, 2**16))
def test_the_verdicts_about_a_prefix_are_those_about_the_whole(steps: int, seed: int) -> None:
    _, readings, statuses, start = past()
    until = start + steps * STEP_S
    known = readings["stored"] <= until
    future = readings[~known].copy()  # another future, not only none
    np.random.default_rng(seed).shuffle(future["value"])
    other = np.concatenate([readings[known], future])
    prefix = verdicts(readings[known], [one for one in statuses if one.at <= until], until)
    assert prefix == verdicts(other, statuses, until)
    assert len({key.split(":")[1] for _, key, _ in prefix}) >= 9
