"""A home's undisturbed days: plans, power, water and warmth; guests, nights away, and the slow drift of a person."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
import numpy as np
from numpy.random import Generator

from core.model import DeviceKind
from simulator.devices import METER_PERIOD_S
from simulator.events import Floats
from simulator.power import STEP_S, power_day
from simulator.residents import Persona
from simulator.routine import DAY_S, DAY_STARTS_MIN, OUTSIDE, Activity, Day, DayKind, plan_day
from simulator.season.homes import SeasonHome
from simulator.season.track import MOTION, OCCUPIED, OPEN, POWER, ROW, TEMPERATURE, Rows, Track
from simulator.sensing import reports_of_day, state_at_dawn

_LITRES: Final = {
    Activity.TOILET: (4, 9), Activity.WASH: (8, 45), Activity.COOK: (2, 9), Activity.TEA: (0.3, 1),
    Activity.CHORES: (0, 6),
}  # fmt: skip
_CLIMATE_S: Final = 1800
_METRIC: Final = {DeviceKind.CONTACT: OPEN, DeviceKind.BED: OCCUPIED, DeviceKind.PLUG: POWER}


class Weeks:
    """The plans of one home, day by day from `first` on, and the track that sensors would make of them.

    Args:
        personas: day number -> the person as they are on that day, where it is not the usual one.
        rng: of this home.
    """

    def __init__(
        self, home: SeasonHome, first: date, days: int, personas: Mapping[int, Persona], rng: Generator
    ) -> None:
        self.home = home
        self.first = first
        self.days = days
        self.plans: list[Day] = []
        self.start = self.dawn(0)
        rows: list[Rows] = [_states_at_dawn(home, self.start)]
        uses: list[tuple[float, float]] = []
        for number in range(days):
            day = first + timedelta(days=number)
            persona = personas.get(number, home.persona)
            plan = _plan(persona, day.weekday(), rng)
            power = power_day(persona, plan, rng)
            dawn = self.dawn(number)
            self.plans.append(plan)
            for index, (times, values) in reports_of_day(home, plan, power, rng).items():
                rows.append(_rows(times + dawn, index, _METRIC.get(home.devices[index].kind, MOTION), values))
            meter = np.arange(DAY_S // METER_PERIOD_S) * METER_PERIOD_S + int(home.devices[home.meter].phase * 300)
            step = meter // STEP_S
            rows.append(_rows(meter + dawn, home.meter, POWER, np.round(power.power[step]), power.idle[step]))
            uses += _uses(plan, dawn, rng)
        rows += _warmth(home, self.start, days, first.timetuple().tm_yday, rng)
        self.track = Track(home, np.concatenate(rows), np.array(uses, dtype=np.float64).reshape(-1, 2))
        _receive_guests(self, rng)

    def dawn(self, number: int) -> float:
        """That day's 03:00, epoch seconds."""
        day = self.first + timedelta(days=number)
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.home.zone)
        return midnight.timestamp() + DAY_STARTS_MIN * 60

    def stays(self, number: int, *activities: Activity) -> list[tuple[float, float, str]]:
        """(start, end, room) of those stays of that day, epoch seconds."""
        dawn = self.dawn(number)
        return [(dawn + stay.start, dawn + stay.end, stay.room) for stay in self.plans[number].stays
                if stay.activity in activities]  # fmt: skip

    def at_home(self, moment: float) -> bool:
        """Whether the plan has the person at home then."""
        number = int((moment - self.start) // 86_400)
        return not any(start - 120 <= moment <= end + 120 for start, end, room in self.stays(number, Activity.OUT)
                       if room == OUTSIDE)  # fmt: skip


def drifting(persona: Persona, share: float, what: frozenset[str]) -> Persona:
    """The person when `share` (0 to 1) of a decline has come about."""
    changed: dict[str, object] = {}
    if "rising" in what:
        changed["rise"] = persona.rise + 100 * share
    if "outings" in what:
        for name in ("market", "stroll", "evening_walk"):
            changed[name] = getattr(persona, name) * (1 - 0.9 * share)
        changed["class_days"] = persona.class_days if share < 0.5 else frozenset()
    if "nights" in what:
        changed["night_toilet"] = persona.night_toilet + 5 * share
    if "meals" in what:
        changed["meals_brought"] = max(persona.meals_brought, share)
    return msgspec.structs.replace(persona, **changed)


def shut_in(persona: Persona) -> Persona:
    """The person in days in which nobody comes or goes."""
    return msgspec.structs.replace(
        persona, market=0.0, stroll=0.0, evening_walk=0.0, class_days=frozenset(), visitors=0.0, weekend_visitors=0.0,
        meals_brought=0.0,
    )  # fmt: skip


def _plan(persona: Persona, weekday: int, rng: Generator) -> Day:
    """The plan of a day. Trips and feasts come to anybody, but not to who is shut in."""
    inside = persona.market == persona.visitors == 0
    while True:
        plan = plan_day(persona, weekday, rng)
        if not inside or plan.kind not in (DayKind.TRIP, DayKind.FEAST):
            return plan


def _rows(times: Any, device: int, metric: int, values: Floats, idle: Any = 0.0) -> Rows:
    rows = np.zeros(len(times), ROW)
    rows["time"], rows["device"], rows["metric"], rows["value"], rows["idle"] = times, device, metric, values, idle
    return rows


def _states_at_dawn(home: SeasonHome, start: float) -> Rows:
    parts = []
    for index, device in enumerate(home.devices):
        metric = _METRIC.get(device.kind, MOTION if device.kind in (DeviceKind.MOTION, DeviceKind.RADAR) else 0)
        if metric:
            parts.append(_rows(np.array([start]), index, metric, np.array([state_at_dawn(home, index)])))
    return np.concatenate(parts)


def _uses(plan: Day, dawn: float, rng: Generator) -> list[tuple[float, float]]:
    """Water: the toilet is flushed, hands and dishes are washed; a washing machine now and then."""
    uses = []
    for stay in plan.stays:
        low, high = _LITRES.get(stay.activity, (0, 0))
        if high:
            uses.append((dawn + stay.start + 0.8 * (stay.end - stay.start), float(rng.uniform(low, high)) / 1000))
    if rng.random() < 0.25:
        uses.append((dawn + float(rng.uniform(6, 14)) * 3600, 0.055))
    return uses


def _warmth(home: SeasonHome, start: float, days: int, day_of_year: int, rng: Generator) -> list[Rows]:
    """Degrees of the living room and the bedroom: the season, the day, the home, and a slow wandering."""
    parts = []
    own = rng.normal(0, 1.0)
    for index in home.of_kind(DeviceKind.CLIMATE):
        times = np.arange(0, days * DAY_S, _CLIMATE_S) + home.devices[index].phase * _CLIMATE_S
        season = 21.5 - 4.0 * np.cos(2 * np.pi * (day_of_year + times / DAY_S - 20) / 365)
        daily = 1.2 * np.sin(2 * np.pi * (times / DAY_S - 0.25))
        wander = np.cumsum(rng.normal(0, 0.12, len(times)))
        wander -= np.convolve(np.pad(wander, 100, "edge"), np.ones(201) / 201, "valid")
        celsius = np.round(season + daily + own + wander + rng.normal(0, 0.05, len(times)), 1)
        parts.append(_rows(times + start, index, TEMPERATURE, celsius))
    return parts


def _receive_guests(weeks: Weeks, rng: Generator) -> None:
    """Now and then a child stays for a night or three, and walks about at hours at which the person would not."""
    for number in np.flatnonzero(rng.random(weeks.days) < 0.012).tolist():
        nights = int(rng.integers(1, 4))
        start, end = weeks.dawn(number) + 13 * 3600, weeks.dawn(number) + (13 + 24 * nights) * 3600
        for moment in (start - 40, end):  # they come and go through the door
            weeks.track.add((moment, weeks.home.named("front_door"), OPEN, 1.0))
            weeks.track.add((moment + 9, weeks.home.named("front_door"), OPEN, 0.0))
            weeks.track.moves(weeks.home.named("entry_motion"), np.array([moment + 12.0]))
        for name in ("living_motion", "kitchen_motion", "bathroom_motion", "entry_motion"):
            moments = np.sort(rng.uniform(start, end, rng.poisson(0.9 * (end - start) / 3600)))
            night = ((moments - weeks.start) % DAY_S < 3.5 * 3600) & (rng.random(len(moments)) < 0.8)
            weeks.track.moves(weeks.home.named(name), moments[~night])
