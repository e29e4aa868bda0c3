import numpy as np
import pytest

from simulator.residents import Persona
from simulator.routine import DAY_S, OUTSIDE, Activity, Day, DayKind, plan_day
from tests.unit.simulator.support import home

DAYS = 300


def days(persona: Persona, weekday: int, count: int = DAYS) -> list[Day]:
    rng = np.random.default_rng(11)
    return [plan_day(persona, weekday, rng) for _ in range(count)]


def minutes(day: Day, *activities: Activity) -> float:
    return sum(stay.end - stay.start for stay in day.stays if stay.activity in activities) / 60


@pytest.mark.parametrize("number", range(1, 25))
def test_the_person_is_always_in_exactly_one_room(number: int) -> None:
    for weekday in range(7):
        for day in days(home(number).persona, weekday, 10):
            assert day.stays[0].start == 0
            assert day.stays[-1].end == DAY_S
            assert all(one.end == other.start for one, other in zip(day.stays, day.stays[1:], strict=False))
            assert all(stay.end > stay.start for stay in day.stays)


def test_every_day_begins_and_ends_asleep_in_bed() -> None:
    for day in days(home().persona, 2):
        for stay in (day.stays[0], day.stays[-1]):
            assert (stay.room, stay.activity) == ("bedroom", Activity.SLEEP)


def test_people_sleep_eat_and_use_the_toilet_every_day() -> None:
    for number in (1, 8, 15, 22):
        for day in days(home(number).persona, 1, 60):
            assert 4 * 60 < minutes(day, Activity.SLEEP, Activity.NAP) < 15 * 60
            assert sum(stay.activity is Activity.EAT for stay in day.stays) >= 2 - (day.kind is DayKind.TRIP)
            assert sum(stay.activity is Activity.TOILET for stay in day.stays) >= 3


def test_people_sleep_at_night() -> None:
    three_hours = 3 * 3600
    for day in days(home().persona, 3):
        awake = sum(
            min(stay.end, three_hours * 0.25) - stay.start
            for stay in day.stays
            if stay.start < three_hours * 0.25 and stay.activity not in (Activity.SLEEP, Activity.TOILET)
        )
        assert awake == 0  # nobody is up before 03:45


def test_persons_differ() -> None:
    personas = [home(number).persona for number in range(1, 25)]
    rises = [persona.rise for persona in personas]
    assert max(rises) - min(rises) > 90
    outings = [np.mean([sum(s.room == OUTSIDE for s in day.stays) for day in days(p, 1, 60)]) for p in personas]
    assert min(outings) < 0.6
    assert max(outings) > 1.4


def test_weekends_bring_more_visitors_than_weekdays() -> None:
    persona = home().persona
    visits = [sum(any(s.activity is Activity.VISIT for s in day.stays) for day in days(persona, d)) for d in (1, 6)]
    assert visits[1] > visits[0] * 1.3


def test_a_class_is_on_its_weekdays_only() -> None:
    persona = next(p for p in (home(number).persona for number in range(1, 25)) if len(p.class_days) in (1, 2))
    (class_day, *_) = persona.class_days
    free_day = next(day for day in range(5) if day not in persona.class_days)

    def long_afternoons(weekday: int) -> int:
        return sum(
            any(s.room == OUTSIDE and 105 * 60 < s.end - s.start < 145 * 60 for s in day.stays)
            for day in days(persona, weekday, 100)
        )

    assert long_afternoons(class_day) > long_afternoons(free_day) + 20


def test_now_and_then_a_day_is_unusual() -> None:
    kinds = [day.kind for day in days(home().persona, 2, 1000)]
    assert 0.02 < sum(kind is not DayKind.USUAL for kind in kinds) / len(kinds) < 0.09
    assert set(kinds) == set(DayKind)
