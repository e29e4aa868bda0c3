"""Quiet spells, how surprising they are, and the limits that follow: against an oracle, and without looking ahead."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import profile
from alerts.detect import alike, calibrate, coverage, hazard, inactivity, memory, personal
from alerts.detect.calibrate import Tail
from alerts.detect.memory import DAY_S, EMPTY, HALF_S, Memory
from alerts.detect.spells import ROOMS, Began, Signs, beginnings, room_codes, spells_of
from tests.oracles import silence as oracle

START = 1_769_990_400.0  # a midnight, UTC
gaps = st.sampled_from([5.0, 40.0, 200.0, 900.0, 1800.0, 2700.0, 5000.0, 12_000.0, 40_000.0, 190_000.0])
rows = st.lists(
    st.tuples(gaps, st.booleans(), st.sampled_from(["entry", "kitchen", "bedroom", "toilet", ""]), st.booleans()),
    max_size=40,
)


def signs(rows: list[tuple[float, bool, str, bool]]) -> list[oracle.Sign]:
    at, made = START, []
    for gap, exterior, room, resting in rows:
        at += gap
        made.append((at, exterior, room, resting))
    return made


def arrays(signs: list[oracle.Sign]) -> Signs:
    return Signs(
        np.array([sign[0] for sign in signs], dtype=np.float64),
        np.array([sign[1] for sign in signs], dtype=np.bool_),
        room_codes(np.array([sign[2] for sign in signs], dtype=np.object_)),
        np.array([sign[3] for sign in signs], dtype=np.bool_),
    )


def usual_life(days: int, seed: int = 1, nap: float = 0.0) -> Signs:
    """Somebody who moves every few minutes from 7 to 22 and sleeps in the bedroom; `nap`: share of days with one."""
    rng = np.random.default_rng(seed)
    times: list[float] = []
    for day in range(days):
        morning, evening = START + day * DAY_S + 7 * 3600, START + day * DAY_S + 22 * 3600
        moves = morning + np.cumsum(rng.exponential(400.0, 200))
        moves = moves[moves < evening]
        if rng.random() < nap:
            moves = moves[(moves < morning + 6 * 3600) | (moves > morning + 8 * 3600)]
        times += moves.tolist()
    count = len(times)
    bedroom = np.array(times) % DAY_S >= 21.8 * 3600
    room = np.where(bedroom, ROOMS.index("bedroom"), ROOMS.index("kitchen")).astype(np.int8)
    return Signs(np.array(times), np.zeros(count, np.bool_), room, np.zeros(count, np.bool_))


def remembered(life: Signs, until: float, holes: Sequence[tuple[float, float]] = ()) -> Memory:
    return memory.remember(EMPTY, life.since(memory.read_from(EMPTY, until)), until, np.array(holes).reshape(-1, 2))


@st.composite
def unheard(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Holes in what was received, in order and apart."""
    edges = START + np.cumsum(draw(st.lists(gaps, max_size=6)), dtype=np.float64)
    return list(zip(edges[:-1:2].tolist(), edges[1::2].tolist(), strict=False))


@given(rows)
def test_spells_and_how_they_began(rows: list[tuple[float, bool, str, bool]]) -> None:
    made = signs(rows)
    found = spells_of(arrays(made), HALF_S)
    assert list(zip(found.at, found.length_s, found.began, strict=True)) == oracle.spells(made)
    assert beginnings(arrays(made)).tolist() == [oracle.began(made[: place + 1]) for place in range(len(made))]


@settings(max_examples=40, deadline=None)
@given(rows, unheard(), st.sampled_from([0.0, 8 * 3600.0]), st.sampled_from(Began), st.integers(0, 47), gaps)
def test_surprise(
    rows: list[tuple[float, bool, str, bool]],
    holes: list[tuple[float, float]],
    offset: float,
    how: Began,
    half: int,
    length: float,
) -> None:
    made = signs(rows)
    until = (made[-1][0] if made else START) + 1.0
    kept = remembered(arrays(made), until, holes)
    whole, cut = oracle.seen(oracle.spells(made), holes)
    for spells, slow in ((kept.spells, whole), (kept.cut, cut)):
        assert list(zip(spells.at, spells.length_s, spells.began, strict=True)) == slow
    assert list(zip(kept.half_at, kept.half_began, kept.bins, strict=True)) == oracle.activity(made)
    known = hazard.learn(hazard.count(kept, offset))
    grown = hazard.grown(known, None, np.array([how], np.int8), np.array([half]))
    length = min(length, 2 * DAY_S - 1)
    slowly = oracle.Surprise(whole, oracle.activity(made), offset, cut=cut).of(how, half, length)
    assert hazard.surprise_at(grown, np.array([length]))[0] == pytest.approx(slowly, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(rows.filter(bool), st.sampled_from([0.0, 8 * 3600.0]))
def test_each_day_is_judged_by_the_others_and_the_tails_follow(
    rows: list[tuple[float, bool, str, bool]], offset: float
) -> None:
    made = signs(rows)
    kept = remembered(arrays(made), made[-1][0] + 1.0)
    past, active = oracle.spells(made), oracle.activity(made)
    counts = hazard.count(kept, offset)
    found = calibrate.surprises(kept, counts, offset)
    assert found.tolist() == pytest.approx(oracle.surprises(past, active, offset), rel=1e-6)
    for at_door, tail in zip((False, True), calibrate.tails(kept, counts, offset), strict=True):
        slowly = oracle.tail(past, active, offset, at_door)
        assert (tail.a_day, tail.shape, tail.scale, tail.days) == pytest.approx(slowly, rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 1000), st.sampled_from([3.0, 50.0]), st.data())
def test_a_limit_is_the_first_minute_that_is_surprising_enough(seed: int, budget: float, data: st.DataObject) -> None:
    """A silence of the limit is as surprising as the threshold asks, one of a minute less is not yet."""
    life = usual_life(8, seed, nap=0.3)
    kept = remembered(life, START + 8 * DAY_S)
    known = personal.fit(kept, 0.0)
    assert known is not None
    table = personal.limits(known, budget)
    past = list(zip(kept.spells.at, kept.spells.length_s, map(Began, kept.spells.began), strict=True))
    active = list(zip(kept.half_at, map(Began, kept.half_began), kept.bins.tolist(), strict=True))
    slowly = oracle.Surprise(past, active, 0.0)
    for _ in range(3):
        how = data.draw(st.sampled_from([kind for kind in Began if kind is not Began.LEFT]))
        half = data.draw(st.integers(0, 47))
        threshold = float(known.threshold(np.array([how], np.int8), budget)[0])
        minutes = int(table[how, half])
        if minutes == personal.NEVER:
            assert slowly.of(how, half, 2 * DAY_S - 1) < threshold
        else:
            assert slowly.of(how, half, minutes * 60.0) >= threshold - 1e-6
            assert slowly.of(how, half, (minutes - 1) * 60.0) < threshold + 1e-6


@given(rows, st.sampled_from([0.0, 8 * 3600.0]))
def test_spells_alike(rows: list[tuple[float, bool, str, bool]], offset: float) -> None:
    made = signs(rows * 3)
    kept = remembered(arrays(made), (made[-1][0] if made else START) + 1.0)
    found = alike.alike(kept, offset)
    past = oracle.spells(made)
    for how in Began:
        for hour in range(24):
            said = tuple(int(part[how, hour]) for part in (found.count, found.shorter, found.usual_min))
            assert said == oracle.alike(past, offset, how, hour)


@given(st.lists(st.sampled_from([1] * 30 + [2, 3, 4, 20]), max_size=80))
def test_holes_in_what_was_received(steps: list[int]) -> None:
    quarters = START + np.cumsum(steps, dtype=np.float64) * 900
    assert [tuple(hole) for hole in coverage.holes(quarters)] == oracle.holes(quarters.tolist())


@settings(max_examples=40, deadline=None)
@given(rows, st.lists(st.floats(0.1, 3.0), min_size=1, max_size=6))
def test_night_by_night_remembers_what_one_look_back_does(
    rows: list[tuple[float, bool, str, bool]], nights: list[float]
) -> None:
    life = arrays(signs(rows))
    kept, until = EMPTY, START
    for night in nights:
        until += night * DAY_S
        kept = memory.remember(kept, life.since(memory.read_from(kept, until)), until, np.zeros((0, 2)))
    whole = remembered(life, until)
    assert kept.spells.at.tolist() == whole.spells.at.tolist()
    assert kept.spells.length_s.tolist() == whole.spells.length_s.tolist()
    assert kept.last_at == whole.last_at or (np.isnan(kept.last_at) and np.isnan(whole.last_at))
    assert kept.days == whole.days
    assert int(kept.bins.sum()) == int(whole.bins.sum())


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 1000), st.floats(7.0, 13.0))
def test_no_limit_looks_ahead(seed: int, days: float) -> None:
    """What was learned before an instant is the same whether life stops there or goes on."""
    life, until = usual_life(14, seed), START + days * DAY_S
    prefix = remembered(life.before(until), until)
    whole = remembered(life, until)
    budget = 50.0
    one, other = personal.fit(prefix, 0.0), personal.fit(whole, 0.0)
    assert one is not None
    assert other is not None
    assert personal.limits(one, budget).tolist() == personal.limits(other, budget).tolist()
    at = life.time
    began = beginnings(life)
    seen = int(np.searchsorted(at, until))
    assert beginnings(life.before(until)).tolist() == began[:seen].tolist()


def test_a_home_without_a_sign_of_life_is_not_known_however_long_it_was_silent() -> None:
    kept = memory.remember(EMPTY, arrays([]), START + 60 * DAY_S, np.zeros((0, 2)))
    assert kept.days == 0
    assert personal.fit(kept, 0.0) is None


def test_a_silence_that_still_runs_teaches_nothing() -> None:
    life = usual_life(10)
    last = float(life.time[-1])
    one = personal.fit(remembered(life, last + 60), 0.0)
    other = personal.fit(remembered(life, last + 3 * 3600), 0.0)
    assert one is not None
    assert other is not None
    assert personal.limits(one, 50.0).tolist() == personal.limits(other, 50.0).tolist()


def test_who_never_rests_by_day_is_missed_sooner_by_day_than_by_night() -> None:
    found = personal.fit(remembered(usual_life(20), START + 20 * DAY_S), 0.0)
    assert found is not None
    limits = personal.limits(found, 50.0)
    assert limits[Began.INDOORS, 20] < 4 * 60  # 10:00
    assert limits[Began.BEDROOM, 44] > 9 * 60  # 22:00


def test_naps_make_limits_longer_and_a_tighter_budget_too() -> None:
    plain = personal.fit(remembered(usual_life(20), START + 20 * DAY_S), 0.0)
    naps = personal.fit(remembered(usual_life(20, nap=0.4), START + 20 * DAY_S), 0.0)
    assert plain is not None
    assert naps is not None
    at_noon = (Began.INDOORS, 26)
    assert personal.limits(naps, 50.0)[at_noon] > personal.limits(plain, 50.0)[at_noon]
    assert (personal.limits(plain, 200.0)[:3] >= personal.limits(plain, 20.0)[:3]).all()


def test_a_spell_that_a_hole_cut_off_counts_as_not_ended() -> None:
    """Who sleeps all night is not livelier because the gateway fails each night at three."""
    life = usual_life(20)
    nights = [(START + day * DAY_S + 27 * 3600, START + day * DAY_S + 29 * 3600) for day in range(0, 19, 2)]
    whole, holed = (personal.fit(remembered(life, START + 20 * DAY_S, holes), 0.0) for holes in ((), nights))
    assert whole is not None
    assert holed is not None
    bed = (Began.BEDROOM, 0, 46)  # of half an hour, at eleven
    assert holed.surprise.hazard[bed] <= whole.surprise.hazard[bed]
    assert holed.surprise.share[Began.BEDROOM, 44] == pytest.approx(whole.surprise.share[Began.BEDROOM, 44])


def test_the_rule_yields_where_it_was_broken_twice() -> None:
    life = usual_life(20)
    rule, absent = np.array(12 * 3600.0), np.array(24 * 3600.0)
    seen = np.array(False)
    for quiet, twice_h in ((0, 9), (1, 9), (2, 16)):  # days on which nothing moves until two in the afternoon
        late = np.isin((life.time - START) // DAY_S, 9 + 3 * np.arange(quiet)) & (
            (life.time - START) % DAY_S < 14 * 3600
        )
        kept = Signs(life.time[~late], life.exterior[~late], life.room[~late], life.resting[~late])
        fit = personal.fit(remembered(kept, START + 20 * DAY_S), 0.0)
        assert fit is not None
        assert fit.twice_s / 3600 == pytest.approx(twice_h, abs=1)
        allowed = inactivity.longest_s(seen, np.array(fit.twice_s), rule, absent)
        assert allowed == (1.1 * fit.twice_s if quiet == 2 else rule)
    assert inactivity.longest_s(seen, 2 * absent, rule, absent) == absent
    assert inactivity.longest_s(~seen, np.array(np.nan), rule, absent) == absent
    assert inactivity.longest_s(seen, np.array(np.nan), rule, absent) == rule


def test_time_in_which_nothing_was_received_teaches_nothing() -> None:
    life = usual_life(10)
    hole = np.array([[START + 5 * DAY_S + 8 * 3600, START + 5 * DAY_S + 15 * 3600]])
    unseen = ~((life.time >= hole[0, 0]) & (life.time < hole[0, 1]))
    cut = Signs(life.time[unseen], life.exterior[unseen], life.room[unseen], life.resting[unseen])
    until = START + 10 * DAY_S
    kept = memory.remember(EMPTY, cut, until, hole)
    assert kept.spells.length_s[kept.spells.at % DAY_S < 20 * 3600].max(initial=0) < 2 * 3600


@given(st.floats(0.01, 5), st.floats(0, 40), st.floats(1, 5), st.floats(1, 10_000))
def test_a_threshold_is_met_once_in_the_budget(a_day: float, more: float, mean: float, budget: float) -> None:
    tail = Tail(a_day, 10 + more, (10 + more) * mean, 20)
    threshold = tail.threshold(budget)
    assert threshold >= calibrate.BEYOND
    assert tail.rate(threshold) == pytest.approx(min(1 / budget, a_day), rel=1e-6)


@pytest.mark.parametrize(
    ("began", "personal_s", "allowed"),
    [
        (Began.INDOORS, np.nan, 12.0), (Began.LEFT, np.nan, np.inf), (Began.CAME, np.nan, np.inf),
        (Began.DOOR_RESTING, np.nan, 12.0), (Began.INDOORS, 600.0, 1.5), (Began.INDOORS, np.inf, 12.0),
        (Began.RESTING, 5 * 3600.0, 5.0), (Began.LEFT, 5 * 3600.0, 6.0), (Began.LEFT, np.inf, np.inf),
        (Began.CAME, 3 * 3600.0, 3.0), (Began.DOOR_RESTING, 3 * 3600.0, 6.0),
    ],
)  # fmt: skip
def test_what_is_allowed(began: Began, personal_s: float, allowed: float) -> None:
    found = inactivity.allowed_s(
        np.array([personal_s]),
        np.array([began], np.int8),
        np.array([5400.0]),
        np.array([43_200.0]),
        np.array([43_200.0]),
    )
    assert found[0] / 3600 == allowed


def test_who_leaves_in_the_morning_is_waited_for_until_the_evening_and_nobody_else() -> None:
    fit = personal.fit(remembered(usual_life(12), START + 12 * DAY_S), 0.0)
    assert fit is not None
    table = personal.limits(fit, 3.0)
    left = table[Began.LEFT].astype(np.int64)
    waited = np.where(left == personal.NEVER, np.inf, left)
    assert (waited[[12, 18, 24, 34]] >= [540, 540, 360, 60]).all()  # from 06:00, 09:00, 12:00, 17:00
    surprise = fit.threshold(np.array([Began.LEFT], np.int8), 3.0)[0]
    plain = hazard.length_at(
        hazard.grown(fit.surprise, None, np.full(48, Began.LEFT, np.int8), np.arange(48)), surprise
    )
    night = [*range(10), *range(36, 48)]
    known = np.ceil(plain[night] / 60)
    assert left[night].tolist() == np.where(np.isinf(known), personal.NEVER, known).tolist()


def test_memory_and_limits_survive_being_stored() -> None:
    hole = (START + 5 * DAY_S + 3 * 3600, START + 5 * DAY_S + 5 * 3600)
    kept = remembered(usual_life(12), START + 12 * DAY_S, [hole])
    again = profile.read_memory(profile.write_memory(kept))
    assert np.abs(again.spells.at - kept.spells.at).max() <= 0.5
    assert np.abs(again.cut.length_s - kept.cut.length_s).max() <= 0.5
    assert len(again.cut) == 1
    assert again.bins.tolist() == kept.bins.tolist()
    part: dict[str, Any] = profile.write(kept, 1.0, 50.0, 0.0)
    table = profile.read([part, None], [3, None])
    found = personal.fit(kept, 0.0)
    assert found is not None
    assert table.minutes[0].tolist() == personal.limits(found, 50.0).tolist()
    assert table.twice_s[0] == pytest.approx(found.twice_s, abs=30)
    assert np.isnan(table.twice_s[1])
    assert (table.minutes[1] == personal.UNKNOWN).all()
    assert table.version.tolist() == [3, 0]
    assert part["believed_a_day"] <= 1 / 50 + 1e-9
