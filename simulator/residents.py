"""Who lives in a simulated home: one person's habits, drawn once and kept for ever."""

import msgspec
import numpy as np
from numpy.random import Generator


class Persona(msgspec.Struct, frozen=True):
    """One resident's habits. Times of day are minutes after local midnight.

    Attributes:
        rise, bed: usual time of getting up and of going to bed.
        regularity_min: standard deviation of both from day to day.
        lunch, dinner: when cooking begins.
        market, stroll, evening_walk: chance of each outing on a weekday, 0 to 1.
        class_days: weekdays (0 = Monday) on which the person goes to the senior centre.
        outing_min: usual length of an outing in minutes.
        visitors: chance of a visitor on a weekday; weekends are likelier by `weekend_visitors`.
        meals_brought: chance that lunch is brought to the door instead of cooked.
        nap: chance of a nap after lunch.
        night_toilet: mean number of visits to the toilet in a night.
        tv: how much of the idle time is spent in front of the television, 0 to 1.
        tea: cups of tea (kettles) a day.
        standby_w, tv_w, hob_w: what the home's appliances draw, in watts.
    """

    rise: float
    bed: float
    regularity_min: float
    lunch: float
    dinner: float
    market: float
    stroll: float
    evening_walk: float
    class_days: frozenset[int]
    outing_min: float
    visitors: float
    weekend_visitors: float
    meals_brought: float
    nap: float
    night_toilet: float
    tv: float
    tea: float
    standby_w: float
    tv_w: float
    hob_w: float


def draw_persona(rng: Generator) -> Persona:
    """A random person. The spreads are chosen so that early risers, night owls, people who are out every
    day and people who hardly leave all occur among two dozen."""
    outgoing = rng.beta(1.6, 1.4)  # 0 hardly leaves, 1 is always about
    rise = float(np.clip(rng.normal(375, 50), 270, 510))
    return Persona(
        rise=rise,
        bed=float(np.clip(rng.normal(1290, 45), 1185, 1420)),
        regularity_min=float(rng.uniform(8, 28)),
        lunch=float(np.clip(rng.normal(675, 20), 630, 720)),
        dinner=float(np.clip(rng.normal(1040, 25), 980, 1100)),
        market=float(np.clip(outgoing * rng.uniform(0.6, 1.2), 0.05, 0.95)),
        stroll=float(np.clip(outgoing * rng.uniform(0.3, 1.0), 0.02, 0.9)),
        evening_walk=float(np.clip(outgoing * rng.uniform(0.1, 0.9), 0.0, 0.85)),
        class_days=frozenset(int(day) for day in rng.choice(5, size=rng.integers(0, 3), replace=False)),
        outing_min=float(rng.uniform(35, 85)),
        visitors=float(rng.uniform(0.05, 0.3)),
        weekend_visitors=float(rng.uniform(0.25, 0.8)),
        meals_brought=float(rng.choice([0.0, 0.0, 0.1, 0.8])),
        nap=float(rng.uniform(0.15, 0.95)),
        night_toilet=float(rng.uniform(0.4, 2.4)),
        tv=float(rng.uniform(0.25, 0.75)),
        tea=float(rng.uniform(1.0, 5.0)),
        standby_w=float(rng.uniform(15, 45)),
        tv_w=float(rng.uniform(60, 125)),
        hob_w=float(rng.uniform(900, 1700)),
    )
