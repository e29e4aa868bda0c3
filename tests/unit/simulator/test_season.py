"""A season's homes say what their gateways would, and its people do not walk through shut doors."""

import numpy as np

from core.model import DeviceKind, Found
from evaluation.simulated import FIRST
from simulator.routine import Activity
from simulator.season.faults import NONE
from simulator.season.homes import SeasonHome
from simulator.season.limits import LIMIT
from simulator.season.mishaps import Mishap
from simulator.season.play import play_season
from simulator.season.visits import has_carers
from simulator.season.weeks import Weeks, shut_in


def test_a_gateway_tells_how_long_each_device_may_be_silent() -> None:
    season = play_season(1, 1, FIRST, 8, NONE, faulty=False)
    readings = season.arrival.readings
    told = readings[readings["metric"] == LIMIT]
    battery = {index for kind in (DeviceKind.CONTACT, DeviceKind.BED, DeviceKind.SMOKE)
               for index in season.home.of_kind(kind)}  # fmt: skip
    assert battery <= set(told["device"].tolist())
    of_battery = told["value"][np.isin(told["device"], list(battery))]
    assert (of_battery >= 3 * 3600).all()
    assert (of_battery <= 5 * 3600).all()


def test_who_is_shut_in_goes_nowhere_and_has_no_guests() -> None:
    home = SeasonHome(1, 1)
    days = 120
    weeks = Weeks(home, FIRST, days, dict.fromkeys(range(days), shut_in(home.persona)), np.random.default_rng(5))
    out = {Activity.OUT, Activity.VISIT, Activity.DOOR}
    assert not any(stay.activity in out for plan in weeks.plans for stay in plan.stays)


def test_carers_come_to_each_third_home_and_nothing_else_of_a_seed_changes() -> None:
    for number in (1, 2, 3):
        with_them, without = (
            play_season(4, number, FIRST, 20, NONE, faulty=False, carers=carers) for carers in (True, False)
        )
        assert bool(with_them.visits) is has_carers(number) is (number == 3)
        if not has_carers(number):
            assert with_them.arrival.readings.tobytes() == without.arrival.readings.tobytes()
            assert with_them.truth == without.truth
        else:
            assert with_them.truth[: len(without.truth)] == without.truth
    assert {visit.home for visit in with_them.visits} == {3}


def test_carers_are_seen_at_the_door_log_most_visits_and_meet_nobody_who_is_out() -> None:
    seasons = [play_season(4, number, FIRST, 30, NONE, faulty=False, carers=True) for number in (3, 6, 9, 12)]
    visits = [(season, visit) for season in seasons for visit in season.visits]
    assert sum(visit.tapped_at is not None for _, visit in visits) > 0.7 * len(visits)
    assert any(visit.tapped_at is not None and visit.left_at is None for _, visit in visits)
    for season, visit in visits:
        door = season.home.named("front_door")
        readings = season.arrival.readings
        at_door = readings["time"][(readings["device"] == door) & readings["changed"]]
        near = np.abs(at_door - visit.start) < 15
        assert near.any() or visit.found in (None, Found.NOT_MET), visit
        if visit.fell:
            falls = [one for one in season.truth if one.what == Mishap.COLLAPSE and 0 < one.start - visit.end <= 900]
            assert len(falls) == 1
