"""A season's homes say what their gateways would, and its people do not walk through shut doors."""

import numpy as np

from core.model import DeviceKind
from evaluation.simulated import FIRST
from simulator.routine import Activity
from simulator.season.faults import NONE
from simulator.season.homes import SeasonHome
from simulator.season.limits import LIMIT
from simulator.season.play import play_season
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
