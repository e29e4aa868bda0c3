"""Mains power of one day: fridge, standby and a water heater by themselves, the rest by what the person does."""

from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator

from simulator.events import Floats
from simulator.residents import Persona
from simulator.routine import DAY_S, DAY_STARTS_MIN, OUTSIDE, Activity, Day

STEP_S: Final = 10  # resolution of the curves
DAILY_KWH: Final = 6.5
_STEPS: Final = DAY_S // STEP_S
_HEATER_W: Final = 1200.0
_HEATER_FROM_S: Final = 20 * 3600  # 23:00, when the night tariff begins
_DARK_UNTIL_S: Final = (6 * 60 + 20 - DAY_STARTS_MIN) * 60
_DARK_FROM_S: Final = (18 * 60 - DAY_STARTS_MIN) * 60
_ASLEEP: Final = frozenset({Activity.SLEEP, Activity.NAP})


class PowerDay(NamedTuple):
    """One day's curves.

    Attributes:
        power: W, float64, one value each STEP_S seconds from 03:00.
        idle: W the home would draw if nobody did anything, same shape.
        energy: kWh used since 03:00 at each step's end, same shape; ends at DAILY_KWH at most.
        kettle: (start, end) in seconds after 03:00 of each time the kettle was on.
    """

    power: Floats
    idle: Floats
    energy: Floats
    kettle: list[tuple[float, float]]


def power_day(persona: Persona, day: Day, rng: Generator) -> PowerDay:
    """The day's power. So that the meter's counter can be told for any day without adding up all days before,
    a water heater on the night tariff takes what is missing to DAILY_KWH."""
    idle = persona.standby_w + _fridge(rng)
    used = np.zeros(_STEPS)
    kettle: list[tuple[float, float]] = []
    light_w = rng.uniform(12, 25)
    for stay in day.stays:
        low, high = int(stay.start) // STEP_S, int(stay.end) // STEP_S
        if stay.activity is Activity.TV:
            used[low:high] += persona.tv_w
        elif stay.activity is Activity.COOK:
            _cook(used, low, high, persona.hob_w, rng)
        elif stay.activity is Activity.TEA:
            boils = min(rng.uniform(150, 280), stay.end - stay.start)
            kettle.append((stay.start + 5, stay.start + 5 + boils))
            used[low : low + int(boils) // STEP_S] += 1750
        elif stay.activity is Activity.CHORES and rng.random() < 0.04:
            used[low : low + 2400 // STEP_S] += 280  # the washing machine
        if stay.room != OUTSIDE and stay.activity not in _ASLEEP:
            _light(used, stay.start, stay.end, light_w)
    missing = DAILY_KWH - float((idle + used).sum()) * STEP_S / 3.6e6
    start = _HEATER_FROM_S // STEP_S + int(rng.integers(0, 90))
    idle[start : start + max(0, round(missing / _HEATER_W * 3.6e6 / STEP_S))] += _HEATER_W
    idle *= rng.normal(1, 0.01, _STEPS)
    power = idle + used * rng.normal(1, 0.02, _STEPS)
    energy = np.minimum(np.cumsum(power) * (STEP_S / 3.6e6), DAILY_KWH)
    return PowerDay(power, idle, energy, kettle)


def _fridge(rng: Generator) -> Floats:
    """A compressor that runs about a third of each three quarters of an hour."""
    period, share = rng.uniform(2400, 3300), rng.uniform(0.28, 0.42)
    phase = (np.arange(_STEPS) * STEP_S / period + rng.random()) % 1
    watts: Floats = np.where(phase < share, rng.uniform(80, 115), 2.0)
    return watts


def _cook(used: Floats, low: int, high: int, hob_w: float, rng: Generator) -> None:
    """The hob, cycling, and for longer cooking a rice cooker that goes on a while."""
    cycle = (np.arange(high - low) % 9) < rng.integers(4, 8)
    used[low:high] += hob_w * cycle
    if high - low > 1000 // STEP_S:
        used[low : low + 1800 // STEP_S] += 480


def _light(used: Floats, start: float, end: float, watts: float) -> None:
    morning, evening = min(end, _DARK_UNTIL_S), max(start, _DARK_FROM_S)
    if morning > start:
        used[int(start) // STEP_S : int(morning) // STEP_S] += watts
    if end > evening:
        used[int(evening) // STEP_S : int(end) // STEP_S] += watts
