"""Carers' visits: whose signs they are, and how the silence after them began."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerts.detect import inactivity, memory, visits
from alerts.detect.memory import EMPTY
from alerts.detect.quarters import Quarters
from alerts.detect.routine import learn
from alerts.detect.spells import Began, Signs, how_began, room_codes, spells_of
from alerts.visits import VisitLog
from core.model import Found
from tests.oracles import silence as slow_silence
from tests.oracles import visits as slow
from tests.oracles.visits import Visit

NOW, HOUR, DAY, LONGEST = 200_000.0, 3600.0, 86_400.0, 4 * 3600.0
moments = st.integers(0, 220_000).map(float)
visit = st.builds(
    lambda home, start, length, ended, found, together, late, undone: Visit(
        home, start, start + length if ended else None, found if ended else None,
        together and ended and found not in (None, Found.NOT_MET), start + late, undone,
    ),
    st.integers(1, 3), moments, st.integers(0, 20_000), st.booleans(), st.sampled_from([None, *Found]), st.booleans(),
    st.sampled_from([0.0, 30_000.0]), st.sampled_from([None, 150_000.0, 250_000.0]),
)  # fmt: skip
sign = st.tuples(moments.filter(lambda at: at < NOW), st.booleans(), st.sampled_from(["kitchen", "bedroom", "toilet"]))


def log_of(said: list[Visit]) -> VisitLog:
    return VisitLog.of([{**one._asdict(), "home_id": one.home, "cause": f"visit:{n}"} for n, one in enumerate(said)])


def arrays(signs: list[slow_silence.Sign]) -> Signs:
    rooms = np.array([room for _, _, room, _ in signs], dtype=np.object_)
    return Signs(
        np.array([one[0] for one in signs], dtype=np.float64), np.array([one[1] for one in signs], dtype=np.bool_),
        room_codes(rooms), np.array([one[3] for one in signs], dtype=np.bool_),
    )  # fmt: skip


@given(st.lists(visit, max_size=8))
def test_the_last_visit_to_each_home_is_what_one_finds_by_looking_at_each(said: list[Visit]) -> None:
    home_id = np.array([1, 2, 3, 5])
    found = log_of(said).visited(home_id, NOW, np.full(4, LONGEST))
    for row, home in enumerate(home_id.tolist()):
        expected = slow.last(said, home, NOW, LONGEST)
        if expected is None:
            assert np.isnan(found.from_at[row])
            assert not found.here[row]
            continue
        until = np.inf if expected.until_at is None else expected.until_at
        assert (found.from_at[row], found.until_at[row], found.together[row]) == (
            expected.from_at, until, expected.together
        )  # fmt: skip
        for values, one in ((found.met_at, expected.met_at), (found.well_at, expected.well_at)):
            assert np.isnan(values[row]) if one is None else values[row] == one
    there = log_of(said).there(home_id, NOW, np.full(4, LONGEST))
    assert set(there) == set(home_id[found.here].tolist())


@given(st.lists(visit, max_size=5), st.lists(sign, max_size=5, unique_by=lambda one: one[0]), st.booleans())
def test_a_silence_after_a_visit_begins_as_one_finds_by_going_through_the_signs(
    said: list[Visit], seen: list[tuple[float, bool, str]], resting: bool
) -> None:
    signs = [(*one, resting) for one in sorted(seen)]
    home_id = np.array([1])
    visited = log_of(said).visited(home_id, NOW, np.array([LONGEST]))

    def latest(which: bool) -> float:
        return max((one[0] for one in signs if one[1] is which), default=np.nan)

    door_at, inside_at = latest(True), latest(False)
    life_at = np.fmax(door_at, inside_at)
    last = visits.last_signs(visited, np.array([life_at]), np.array([door_at]), np.array([inside_at]))
    room = "" if not signs or last.roomless[0] else signs[-1][2]
    began = how_began(
        last.life_at, last.door_at, last.inside_at, np.array([resting and bool(signs)]),
        room_codes(np.array([room], dtype=np.object_)),
    )  # fmt: skip
    expected = slow.silence(signs, slow.last(said, 1, NOW, LONGEST))
    if expected is None:
        assert np.isnan(last.life_at[0])
    else:
        assert (last.life_at[0], Began(began[0])) == expected


@given(st.lists(visit, max_size=4), st.lists(sign, min_size=2, max_size=30, unique_by=lambda one: one[0]))
def test_what_a_carer_may_have_done_teaches_nothing(said: list[Visit], seen: list[tuple[float, bool, str]]) -> None:
    signs = [(*one, False) for one in sorted(seen)]
    past = log_of(said).past(1, NOW, LONGEST)
    known = [
        (one.from_at, NOW if one.until_at is None else one.until_at, one.found in ("well", "needs_attention"))
        for one in slow.known(said, 1, NOW, LONGEST)
    ]
    kept = memory.remember(EMPTY, arrays(signs), NOW, np.zeros((0, 2)), past)
    expected = [one for one in slow_silence.spells(signs) if slow.teaches(one, known)]
    assert [(at, length) for at, length in zip(kept.spells.at, kept.spells.length_s, strict=True)] == [
        (at, length) for at, length, _ in expected
    ]
    untold = [one for one in slow_silence.spells(signs) if not slow.teaches(one, known)]
    off = [(one[0], lasted) for one in untold if (lasted := slow.cut_off(one, known)) is not None]
    assert list(zip(kept.cut.at, kept.cut.length_s, strict=True)) == off
    last = {int(one[0] // 300): one[0] for one in signs}
    own = [at for at in last.values() if not slow.is_carers(known, at)]
    assert kept.bins.sum() == len(own)
    everything = spells_of(arrays(signs), memory.HALF_S)
    taught = ~visits.untaught(past, everything)
    assert everything.take(taught).at.tolist() == kept.spells.at.tolist()


def carers(*days: int) -> visits.Past:
    """From seven to eight on each day of that range."""
    came = np.array([day * DAY + 7 * HOUR for day in range(*days)])
    return visits.Past(came, np.array([at + HOUR for at in came]), np.ones(len(came), dtype=np.bool_))


def test_a_carer_who_comes_early_teaches_no_early_rising() -> None:
    """The resident rises at ten; a carer comes at seven on every other day."""
    quarter = np.linspace(0, 14 * DAY, 14 * 96, endpoint=False)
    clock = quarter % DAY
    every_other = (quarter // DAY) % 2 == 0
    up = (clock >= 10 * HOUR) & (clock < 22 * HOUR)
    carer = every_other & (clock >= 7 * HOUR) & (clock < 8 * HOUR)
    counts = (up | carer).astype(np.int64)
    nothing, blank = np.zeros(len(quarter), dtype=np.int64), np.full(len(quarter), np.nan)
    quarters = Quarters(quarter, counts, counts, nothing, nothing, nothing, counts, blank, blank)
    past = carers(0, 14, 2)
    early = up & every_other & (clock < 11 * HOUR)  # the resident rises at eleven on the carer's days
    counts[early] = 0
    both, one = learn(quarters, 0.0, 500.0, past), learn(quarters, 0.0, 500.0)
    assert both is not None
    assert one is not None
    assert both.rise_s == one.rise_s == 10.25 * HOUR
    counts[(clock >= 7 * HOUR) & (clock < 8 * HOUR)] = 1
    assert learn(quarters, 0.0, 500.0).rise_s == 7.25 * HOUR  # type: ignore[union-attr]
    told = learn(quarters, 0.0, 500.0, carers(0, 14))
    assert told is not None
    assert np.isnan(told.rise_s)  # nothing is known of when she rises: the rule in use holds


def test_an_errand_with_the_carer_is_waited_for_and_a_longer_limit_stays_as_it_is() -> None:
    personal = np.array([2 * HOUR, 5 * HOUR, np.nan, 2 * HOUR])
    after = np.array([True, True, True, False])
    found = visits.errand_s(after, personal, np.full(4, 12 * HOUR))
    assert found[[0, 1, 3]].tolist() == [3 * HOUR, 5 * HOUR, 2 * HOUR]
    assert np.isnan(found[2])
    indoors = np.full(4, Began.INDOORS, dtype=np.int8)
    rule, floor = np.full(4, 12 * HOUR), np.full(4, 1.5 * HOUR)
    limits = inactivity.allowed_s(found, indoors, floor, rule, rule)
    assert limits.tolist() == [3 * HOUR, 5 * HOUR, 12 * HOUR, 2 * HOUR]
