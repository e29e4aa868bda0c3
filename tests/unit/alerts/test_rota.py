"""Shifts, gaps and the nights on which clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.shifts.rota import Cover, Leave, Rotation, Shift, gaps, shifts, turns
from core.daytime import instant, next_instant, parse_time, within
from tests.oracles.rota import on_shift

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
# Half an hour of daylight saving, a day that never was, 45 minutes east, a jump at midnight.
ODD = ("Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "America/Santiago", "Europe/Berlin", "Asia/Shanghai")
CHANGES = (
    date(2026, 3, 28),
    date(2026, 10, 24),
    date(2026, 4, 4),
    date(2026, 9, 5),
    date(2011, 12, 29),
    date(2026, 6, 1),
)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

clock_times = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 59)))


def weekly(*members: int | None, zone: ZoneInfo = SHANGHAI) -> Rotation:
    return Rotation(zone, members, (time(8),), 7, date(2026, 3, 2))


@st.composite
def rotations(draw: st.DrawFn) -> Rotation:
    handovers = sorted(draw(st.sets(clock_times, min_size=1, max_size=3)))
    every = draw(st.integers(1, 3)) if len(handovers) == 1 else 1
    members = draw(st.lists(st.sampled_from((None, 1, 2, 3)), min_size=1, max_size=4))
    change = draw(st.sampled_from(CHANGES))
    ends = draw(st.sampled_from((None, change + timedelta(days=1), change + timedelta(days=2))))
    return Rotation(ZoneInfo(draw(st.sampled_from(ODD))), members, handovers, every, change - timedelta(days=4), ends)


@settings(deadline=None)
@given(rotation=rotations(), data=st.data())
def test_shifts_are_what_somebody_who_watches_the_clock_would_say(rotation: Rotation, data: st.DataObject) -> None:
    start = datetime.combine(rotation.starts_on + timedelta(days=3), time(12), UTC)
    spans = st.tuples(st.integers(1, 3), st.integers(0, 3000), st.integers(1, 1500))
    covers = [Cover(number, person, start + begin * MINUTE, start + (begin + length) * MINUTE)
              for number, (person, begin, length) in enumerate(data.draw(st.lists(spans, max_size=2)))]  # fmt: skip
    leave = [Leave(person, start + begin * MINUTE, start + (begin + length) * MINUTE)
             for person, begin, length in data.draw(st.lists(spans, max_size=1))]  # fmt: skip
    minutes = 48 * 60
    found = shifts(rotation, covers, leave, start, start + minutes * MINUTE)
    assert found[0].start == start
    assert found[-1].end == start + minutes * MINUTE
    assert all(one.end == other.start for one, other in pairwise(found))
    told = [shift.person for shift in found for _ in range(round((shift.end - shift.start) / MINUTE))]
    assert told == on_shift(rotation, covers, leave, start, minutes)


def test_a_week_belongs_to_each_in_turn() -> None:
    found = shifts(weekly(1, 2), [], [], datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC))
    assert [(shift.person, shift.end) for shift in found] == [
        (1, datetime(2026, 3, 9, tzinfo=UTC)),
        (2, datetime(2026, 3, 16, tzinfo=UTC)),
    ]


def test_a_night_shift_is_an_hour_short_in_spring_and_an_hour_long_in_autumn() -> None:
    nights = Rotation(BERLIN, (1, 2), (time(8), time(20)), 1, date(2026, 1, 1))
    for day, hours in ((date(2026, 3, 28), 11), (date(2026, 10, 24), 13), (date(2026, 6, 1), 12)):
        evening = instant(day, time(20), BERLIN)
        (night,) = turns(nights, evening, evening + HOUR)
        assert (night.end - night.start, night.person) == (hours * HOUR, 2)


def test_a_handover_that_the_clock_skips_comes_with_the_jump_and_one_that_it_shows_twice_comes_once() -> None:
    assert instant(date(2026, 3, 29), time(2, 30), BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert instant(date(2026, 10, 25), time(2, 30), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    now = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 02:45, and 02:30 will be shown again
    assert next_instant(now, time(2, 30), BERLIN) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_quiet_hours_go_over_midnight() -> None:
    def quiet(hour: int) -> bool:
        return within(datetime(2026, 3, 2, hour, tzinfo=UTC), time(22), time(7), ZoneInfo("UTC"))

    assert [hour for hour in range(24) if quiet(hour)] == [0, 1, 2, 3, 4, 5, 6, 22, 23]
    assert not within(datetime(2026, 3, 2, tzinfo=UTC), time(7), time(7), ZoneInfo("UTC"))


def test_a_time_that_no_clock_shows_is_refused() -> None:
    for text in ("24:00", "8:00", "08:60", "noon"):
        with pytest.raises(ValueError, match="HH:MM"):
            parse_time(text)


def test_of_two_covers_the_later_word_holds_and_leave_makes_a_gap() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    day = timedelta(days=1)
    covers = [Cover(1, 2, start, start + 2 * day), Cover(2, 3, start + day, start + 2 * day)]
    leave = [Leave(3, start + day, start + 3 * day), Leave(1, start + 4 * day, start + 5 * day)]
    found = shifts(weekly(1), covers, leave, start, start + 6 * day)
    assert found == [
        Shift(start, start + day, 2, cover=1),
        Shift(start + day, start + 2 * day, None, absent=3, cover=2),
        Shift(start + 2 * day, start + 4 * day, 1),
        Shift(start + 4 * day, start + 5 * day, None, absent=1),
        Shift(start + 5 * day, start + 6 * day, 1),
    ]
    assert gaps([found]) == [(start + day, start + 2 * day), (start + 4 * day, start + 5 * day)]
    assert gaps([found, shifts(weekly(4), [], [], start, start + 6 * day)]) == []


def test_a_rotation_that_has_not_begun_or_has_ended_is_a_gap() -> None:
    rotation = Rotation(SHANGHAI, (1,), (time(8),), 1, date(2026, 3, 2), date(2026, 3, 3))
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC)
    assert gaps([shifts(rotation, [], [], start, end)]) == [
        (start, datetime(2026, 3, 2, tzinfo=UTC)),
        (datetime(2026, 3, 3, tzinfo=UTC), end),
    ]
