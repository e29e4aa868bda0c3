"""A season's homes say what their gateways would, and its people do not walk through shut doors."""

from typing import Any

import numpy as np
import pytest

from core.metrics import BY_NAME
from core.model import DeviceKind, Found
from evaluation.simulated import FIRST
from simulator.routine import Activity
from simulator.season.faults import NONE, Arrival, Chances, Delivered, _power_outage, deliver
from simulator.season.homes import SeasonHome
from simulator.season.limits import LIMIT
from simulator.season.mishaps import REPEAT_S, Happening, Mishap, happen
from simulator.season.play import measured, play_season
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


@pytest.mark.parametrize("mishap", [Mishap.SMOKE, Mishap.GAS])
def test_smoke_and_gas_are_said_again_each_minute_while_they_last(mishap: Mishap) -> None:
    """So a radio or a power that comes back meanwhile lets them be heard."""
    _, rows, one = it_happens(mishap)
    said = rows[rows["metric"] == BY_NAME[mishap.value].id]
    alarming = said["time"][said["value"] > 0]
    gaps = np.diff(np.append(alarming, one.end))
    assert alarming[0] == one.start
    assert gaps.max() <= REPEAT_S
    assert said["changed"].sum() == 2


def test_a_radar_says_with_each_message_that_somebody_lies_there_but_not_when_it_had_no_power() -> None:
    home, rows, fall = it_happens(Mishap.FALL)
    metric = BY_NAME["fall"].id

    def lies(readings: Delivered) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return np.asarray(readings["time"][(readings["metric"] == metric) & (readings["value"] > 0)])

    assert np.diff(np.append(lies(rows), fall.end)).max() < 660
    short = next(seed for seed in range(1000) if np.random.default_rng(seed).uniform(0.3, 10) < 0.5)
    arrival = Arrival(rows.copy())
    _power_outage(home, arrival, fall.start - 600, np.random.default_rng(short))
    assert arrival.truth[0].end < fall.end - 300
    assert not len(lies(arrival.readings))
    told = arrival.readings[(arrival.readings["metric"] == metric) & (arrival.readings["time"] > arrival.truth[0].end)]
    assert len(told) > 10


def test_after_an_outage_a_gateway_compares_with_what_it_heard_before() -> None:
    season = play_season(3, 1, FIRST, 30, NONE, faulty=False)
    rows = season.arrival.readings[season.arrival.readings["metric"] != LIMIT]
    rows = rows[np.argsort(rows["time"], kind="stable")]
    broken = Chances(**dict.fromkeys(vars(NONE), 0.0) | {"power_outage": 0.5, "radio_hangs": 0.5})
    start = float(season.arrival.said[0].at - 1)
    arrived = deliver(season.home, rows.copy(), start, 30, broken, np.random.default_rng(1))
    heard = arrived.readings[np.argsort(arrived.readings["time"], kind="stable")]
    last: dict[tuple[int, int], float] = {}
    compared = 0
    for row in heard[heard["metric"] != LIMIT]:
        series = (int(row["device"]), int(row["metric"]))
        if series[1] != BY_NAME["sos"].id:
            assert row["changed"] == (series in last and last[series] != row["value"]), row
            compared += 1
        last[series] = row["value"]
    assert len(arrived.truth) > 2
    assert compared > 40_000


def test_a_season_is_the_same_each_time() -> None:
    one, other = (play_season(5, 2, FIRST, 20, Chances(), faulty=True, carers=True) for _ in range(2))
    assert one.arrival.readings.tobytes() == other.arrival.readings.tobytes()
    assert (one.truth, one.arrival.said, one.visits) == (other.truth, other.arrival.said, other.visits)


def it_happens(mishap: Mishap) -> tuple[SeasonHome, Delivered, Happening]:
    """A home of twelve days, what its gateway would send, and what happened on the tenth."""
    home, rng = SeasonHome(1, 1), np.random.default_rng(5)
    weeks = Weeks(home, FIRST, 12, {}, rng)
    (one,) = happen(mishap, weeks, 10, rng)
    rows: Any = measured(weeks.track, weeks.start, 12, rng)
    return home, rows, one
