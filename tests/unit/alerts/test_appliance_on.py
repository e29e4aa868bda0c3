"""A stove that is left on beside the water heater of the night tariff is not taken for it."""

import numpy as np
import pytest

from alerts.detect import appliance_on, routine
from alerts.detect.arrays import Bools, Floats
from alerts.detect.quarters import Quarters
from alerts.observe import supplies
from alerts.observe.supplies import POWER_QUARTERS, QUARTER_S, Grid

HOUR, DAY = 3600.0, 86_400.0
MIDNIGHT = 1_769_990_400.0
BASE_W, HEATER_W, STOVE_W = 35.0, 1200.0, 900.0


def heating(quarter: Floats) -> Bools:
    """From 23:00 to 01:00."""
    return np.asarray((quarter + HOUR) % DAY < 2 * HOUR, dtype=np.bool_)


def learned() -> routine.Routine:
    """Of ten such nights, on one of them with a television on."""
    quarter = np.arange(MIDNIGHT - 10 * DAY, MIDNIGHT, QUARTER_S)
    power = BASE_W + HEATER_W * heating(quarter) + 100.0 * (np.arange(len(quarter)) < 100)
    one, none = np.ones(len(quarter), np.int64), np.zeros(len(quarter), np.int64)
    past = Quarters(quarter, one, one, none, none, none, one, power, np.full(len(quarter), np.nan))
    found = routine.learn(past, 0.0, 500.0)
    assert found is not None
    return found


@pytest.mark.parametrize(("stove_from", "hours"), [(22.5, 1.5), (23.5, 1.0), (20.0, 1.0), (None, None)])
def test_what_is_on_beside_the_water_heater_is_found_and_the_heater_is_not(
    stove_from: float | None, hours: float | None
) -> None:
    home, first = learned(), MIDNIGHT - 4.5 * HOUR
    found_at = None
    for now in np.arange(first, MIDNIGHT + 4.5 * HOUR, 300.0):
        end = supplies.grid_end(now)
        quarter = np.asarray(end - QUARTER_S * np.arange(POWER_QUARTERS, 0, -1), np.float64)
        watts = np.asarray(BASE_W + HEATER_W * heating(quarter), np.float64)
        if stove_from is not None:
            watts += STOVE_W * (quarter >= MIDNIGHT - DAY + stove_from * HOUR)
        watts[quarter > now] = np.nan
        of = {"home_id": np.array([1]), "base_w": np.array([home.base_w]), "still_since": np.array([first]),
              "out": np.array([False]), "watched": np.array([True]), "known": np.array([True]),
              "margin": np.array([1.5]), "appliance_s": np.array([HOUR])}  # fmt: skip
        power = supplies.power(
            Grid(np.array([7]), end, watts[None], watts[None]), of, watts[~np.isnan(watts)][-1:],
            np.array([home.base_w + 500.0]), np.zeros(1), home.high_s[None], home.high_w[None],
        )  # fmt: skip
        if len(appliance_on.find(float(now), power)):
            found_at = now
            break
    if stove_from is None or hours is None:
        assert found_at is None
    else:
        assert found_at == MIDNIGHT - DAY + (stove_from + hours) * HOUR
