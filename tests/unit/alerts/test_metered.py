"""A home with nothing but a meter, followed minute by minute and learned night by night."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import metered
from alerts.detect import power
from alerts.detect.arrays import Floats
from alerts.detect.power import SIZES, Usual
from alerts.metered import NEVER, Habits

DAY = 86_400.0
START = 1_769_990_400.0
EVERYTHING = np.ones(SIZES, np.bool_)


def meter(days: float, every_s: float = 60.0) -> tuple[Floats, Floats]:
    """A fridge, noise of a watt, and a kettle at 7, 12, 16 and 19 o'clock, as means of each `every_s`."""
    minutes = np.arange(days * 1440)
    watts = 60.0 + 80.0 * (minutes % 47 < 20) + np.random.default_rng(1).integers(0, 3, len(minutes))
    for hour in (7, 12, 16, 19):
        watts += 2000.0 * ((minutes % 1440) // 3 == hour * 20 + 3)
    of = int(every_s // 60)
    means = np.round(watts[: len(watts) // of * of].reshape(-1, of).mean(axis=1))
    return np.asarray(START + np.arange(1, len(means) + 1) * every_s, np.float64), np.asarray(means, np.float64)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([60.0, 240.0, 2400.0, 9000.0]), st.sampled_from([60.0, 61.0, 500.0, 3000.0])),
        min_size=1, max_size=40,
    ),
    st.lists(st.integers(1, 40), max_size=12),
    st.sampled_from([np.nan, 200.0, 2000.0]),
)  # fmt: skip
def test_however_often_one_looks_the_same_is_seen(
    values: list[tuple[float, float]], cuts: list[int], usual_s: float
) -> None:
    """The last change, the last sign and what was not shown since; outages that are longer than what overlaps too."""
    time = START + np.cumsum([gap for gap, _ in values])
    watts = np.array([value for _, value in values])
    usual = Usual(usual_s, usual_s)
    at_once = metered.looked(NEVER, time, watts, EVERYTHING, usual)
    followed = NEVER
    for cut in sorted({min(one, len(time)) for one in cuts} | {len(time)}):
        since = metered.look_from(followed, usual, float(time[cut - 1])) if followed is not NEVER else -np.inf
        new = (time > since) & (np.arange(len(time)) < cut)
        followed = metered.looked(followed, time[new], watts[new], EVERYTHING, usual)
    assert followed.until == at_once.until
    assert followed.changed_at == at_once.changed_at
    assert followed.outages.tolist() == at_once.outages.tolist()
    assert followed.life_at == at_once.life_at or np.isnan([followed.life_at, at_once.life_at]).all()


def test_an_outage_of_which_every_value_was_looked_at_as_it_came_is_kept_when_it_is_over() -> None:
    time = START + np.asarray(np.arange(300), np.float64) * 300
    watts = np.where(np.arange(300) % 7 < 3, 60.0, 61.0).astype(np.float64)
    watts[50] = 2000.0  # the last sign
    watts[100:200] = 62.0
    followed = NEVER
    for now in range(300):
        since = metered.look_from(followed, power.UNKNOWN, float(time[now]))
        new = (time > since) & (np.arange(300) <= now)
        followed = metered.looked(followed, time[new], watts[new], power.persons(np.zeros((SIZES, 24))), power.UNKNOWN)
        if now >= 200:
            assert followed.outages.tolist() == [[time[100], time[199]]]
    assert followed.life_at == time[51]


def test_what_is_usual_of_a_meter_is_learned_night_by_night_as_from_all_at_once() -> None:
    time, watts = meter(20, 900.0)
    watts[500:560] = 77.0  # an outage of 15 h that was filled
    habits, until = Habits(), None
    for night in START + np.arange(1, 20) * DAY + 8000:
        since = night - 3 * DAY
        span = (time >= since) & (time < night)
        _, outages, habits = metered.learned(time[span], watts[span], habits, until, since, night, 0.0)
        until = float(night)
    past = time < START + 19 * DAY + 8000
    whole = power.days_of(time[past], watts[past])
    assert habits.days.day.tolist() == whole.day.tolist()
    assert habits.days.gap_s.tolist() == whole.gap_s.tolist()
    assert habits.days.still_s[1:].tolist() == whole.still_s[1:].tolist()
    assert habits.usual.gap_s == 900.0
    assert not len(outages)


def test_a_meter_that_speaks_each_quarter_of_an_hour_shows_who_boils_water() -> None:
    """Two values are 15 min apart: with steps of at most 5 min nothing would ever be seen."""
    time, watts = meter(20, 900.0)
    signs, outages, _ = metered.learned(time, watts, Habits(), None, START, START + 20 * DAY, 0.0)
    late = signs.time[signs.time > START + 16 * DAY]
    hours = set(((late - START) % DAY // 3600).astype(int).tolist())
    assert hours >= {7, 12, 16, 19}
    assert hours <= {7, 12, 16, 19} | {8, 13, 17, 20}  # a fall over some quarters of an hour is one step, at its end
    assert not len(outages)


def test_outages_are_given_to_the_memory_and_what_comes_after_one_is_no_step() -> None:
    time, watts = meter(3)
    watts[1500:2340] = 100.0  # 14 h, ends in the middle of a fridge's pause
    _, outages, _ = metered.learned(time, watts, Habits(), None, START, START + 3 * DAY, 0.0)
    assert outages.tolist() == [[time[1500], time[2339]]]
    seen = power.steps(time, watts)
    assert not ((seen.time >= time[1501]) & (seen.time <= time[2340])).any()


def test_a_home_without_a_sign_yet_has_no_silence_that_could_have_holes() -> None:
    time = np.asarray(START + np.arange(200) * 60.0, np.float64)
    watts = np.where(np.arange(200) < 90, 60.0, 61.0).astype(np.float64)
    assert metered.looked(NEVER, time, watts, EVERYTHING, power.UNKNOWN).outages.tolist() == []


def test_what_a_counter_shows_is_the_mean_power_between_its_values() -> None:
    time, counted = np.array([0.0, 900.0, 900.0, 2700.0]), np.array([5.0, 5.1, 5.1, 5.2])
    assert [one.tolist() for one in metered.shown(time, counted, counted=True)] == [[900.0, 2700.0], [400.0, 200.0]]
    again = np.array([900.0, 1800.0]), np.array([0.1, 0.2])  # the counter has begun anew: nothing is known of that span
    time, counted = np.append(time, again[0] + 2700.0), np.append(counted, again[1])
    assert [one.tolist() for one in metered.shown(time, counted, counted=True)] == [
        [900.0, 2700.0, 4500.0], [400.0, 200.0, 400.0],
    ]  # fmt: skip
    assert [len(one) for one in metered.shown(time[:0], counted[:0], counted=True)] == [0, 0]
