"""A day of one person, as a gapless timeline of stays.

A simulated day runs from 03:00 to 03:00 local time: at 03:00 everybody is in bed, so every day can be
made alone, from its own seed, and still joins the next without a seam. The plan knows nothing of
sensors or detectors: what is seen of it is sensing.py's matter.
"""

from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator

from simulator.residents import Persona

DAY_STARTS_MIN: Final = 180  # 03:00, in minutes after local midnight
DAY_S: Final = 86_400
OUTSIDE: Final = "outside"
_UNUSUAL: Final = 0.05  # chance that a day is unlike the others


class Activity(StrEnum):
    SLEEP = "sleep"
    NAP = "nap"
    TOILET = "toilet"
    WASH = "wash"
    DRESS = "dress"
    COOK = "cook"
    TEA = "tea"
    EAT = "eat"
    TV = "tv"
    REST = "rest"
    CHORES = "chores"
    VISIT = "visit"  # somebody is with the resident
    DOOR = "door"  # opens the door to somebody
    LEAVE = "leave"  # shoes, keys: in the entry before going out or after coming home
    OUT = "out"


class DayKind(StrEnum):
    """What sort of day it is; all but USUAL are rare."""

    USUAL = "usual"
    ILL = "ill"
    TRIP = "trip"
    FEAST = "feast"
    SLEEPLESS = "sleepless"


class Stay(NamedTuple):
    """The person is in `room` doing `activity` from `start` to `end`, in seconds after the day's 03:00."""

    room: str
    activity: Activity
    start: float
    end: float


class Day(NamedTuple):
    """One day: its kind, and stays that follow each other without gap from 0 to DAY_S."""

    kind: DayKind
    stays: tuple[Stay, ...]


def plan_day(persona: Persona, weekday: int, rng: Generator) -> Day:
    """What `persona` does on a day that begins on `weekday` (0 = Monday)."""
    kind = _kind_of_day(rng)
    plan = _Plan(rng, persona)
    weekend = weekday >= 5
    rise = persona.rise + rng.normal(0, persona.regularity_min) + (20 if weekend else 0)
    if kind is DayKind.ILL:
        rise += rng.uniform(60, 150)
    plan.sleep(_clip(rise, 255, 600), persona.night_toilet + (3 if kind is DayKind.SLEEPLESS else 0))
    _morning(plan, kind, weekday)
    if kind is not DayKind.TRIP:
        _lunch(plan)
        if kind is DayKind.ILL or rng.random() < persona.nap:
            plan.add("bedroom", Activity.NAP, rng.uniform(30, 100) * (2 if kind is DayKind.ILL else 1))
            plan.toilet()
        _afternoon(plan, kind, weekday)
    _evening(plan, kind)
    bed = persona.bed + rng.normal(0, persona.regularity_min) + (15 if weekend else 0)
    if kind in (DayKind.FEAST, DayKind.SLEEPLESS):
        bed += rng.uniform(40, 100)
    plan.pass_time(_clip(bed, 1170, 1530))
    plan.toilet()
    plan.add("bathroom", Activity.WASH, rng.uniform(6, 15))
    plan.add("bedroom", Activity.DRESS, rng.uniform(3, 7))
    plan.sleep(DAY_STARTS_MIN + 1440, persona.night_toilet / 3)
    return Day(kind, tuple(plan.stays))


def _kind_of_day(rng: Generator) -> DayKind:
    if rng.random() >= _UNUSUAL:
        return DayKind.USUAL
    return (DayKind.ILL, DayKind.TRIP, DayKind.FEAST, DayKind.SLEEPLESS)[int(rng.integers(4))]


def _morning(plan: "_Plan", kind: DayKind, weekday: int) -> None:
    rng, persona = plan.rng, plan.persona
    plan.toilet()
    plan.add("bathroom", Activity.WASH, rng.uniform(6, 12))
    plan.add("bedroom", Activity.DRESS, rng.uniform(4, 8))
    plan.add("kitchen", Activity.TEA, rng.uniform(3, 5))
    plan.add("kitchen", Activity.COOK, rng.uniform(8, 18))
    plan.add("living", Activity.EAT, rng.uniform(12, 22))
    if kind is DayKind.TRIP:
        plan.pass_time(rng.uniform(500, 560))
        plan.go_out(rng.uniform(300, 520))
        return
    likely = persona.market * (0.6 if weekday >= 5 else 1.0)
    if kind is not DayKind.ILL and rng.random() < likely:
        plan.pass_time(rng.normal(530, 35))
        plan.go_out(persona.outing_min * rng.uniform(0.6, 1.4))
    plan.pass_time(persona.lunch + rng.normal(0, 12))


def _lunch(plan: "_Plan") -> None:
    rng = plan.rng
    if rng.random() < plan.persona.meals_brought:
        plan.add("entry", Activity.DOOR, rng.uniform(1, 3))
    else:
        plan.add("kitchen", Activity.COOK, rng.uniform(25, 45))
    plan.add("living", Activity.EAT, rng.uniform(15, 30))
    plan.add("kitchen", Activity.CHORES, rng.uniform(5, 12))


def _afternoon(plan: "_Plan", kind: DayKind, weekday: int) -> None:
    rng, persona = plan.rng, plan.persona
    visit = persona.weekend_visitors if weekday >= 5 else persona.visitors
    if kind is DayKind.ILL:
        pass  # stays in and sees nobody
    elif kind is DayKind.FEAST or rng.random() < visit:
        plan.pass_time(rng.normal(870, 30))
        plan.receive(rng.uniform(40, 110) * (2 if kind is DayKind.FEAST else 1))
    elif weekday in persona.class_days:
        plan.pass_time(rng.normal(840, 8))
        plan.go_out(rng.uniform(110, 140))
    elif rng.random() < persona.stroll:
        plan.pass_time(rng.normal(900, 40))
        plan.go_out(persona.outing_min * rng.uniform(0.6, 1.5))
    plan.pass_time(persona.dinner + rng.normal(0, 12))


def _evening(plan: "_Plan", kind: DayKind) -> None:
    rng, persona = plan.rng, plan.persona
    plan.add("kitchen", Activity.COOK, rng.uniform(20, 40))
    plan.add("living", Activity.EAT, rng.uniform(15, 30))
    plan.add("kitchen", Activity.CHORES, rng.uniform(5, 12))
    if kind is DayKind.USUAL and rng.random() < persona.evening_walk:
        plan.pass_time(rng.normal(1125, 12))
        plan.go_out(rng.uniform(25, 60))


class _Plan:
    """Appends stays one after the other. Times of day in minutes after local midnight (1440 = the next one)."""

    def __init__(self, rng: Generator, persona: Persona) -> None:
        self.rng = rng
        self.persona = persona
        self.stays: list[Stay] = []
        self._end = 0.0
        self._toilet_due = 0.0  # minutes after local midnight

    @property
    def now(self) -> float:
        return DAY_STARTS_MIN + self._end / 60

    def add(self, room: str, activity: Activity, minutes: float) -> None:
        end = min(self._end + minutes * 60, DAY_S)
        if end > self._end:
            self.stays.append(Stay(room, activity, self._end, end))
            self._end = end

    def toilet(self) -> None:
        self.add("bathroom", Activity.TOILET, self.rng.uniform(3, 8))
        self._toilet_due = self.now + self.rng.uniform(110, 220)

    def sleep(self, until: float, trips: float) -> None:
        """Sleeps until that time of day; of about `trips` visits to the toilet none is near either end."""
        first, last = self.now + 40, until - 40
        times = np.sort(self.rng.uniform(first, last, self.rng.poisson(trips))) if last > first else np.empty(0)
        for moment in times:
            if moment >= self.now + 20:
                self.add("bedroom", Activity.SLEEP, moment - self.now)
                self.toilet()
        self.add("bedroom", Activity.SLEEP, until - self.now)

    def go_out(self, minutes: float) -> None:
        self.add("entry", Activity.LEAVE, self.rng.uniform(1.5, 4))
        self.add(OUTSIDE, Activity.OUT, max(minutes, 8))
        self.add("entry", Activity.LEAVE, self.rng.uniform(1, 3))
        self.toilet()

    def receive(self, minutes: float) -> None:
        """A visitor comes and, after so many minutes, goes."""
        self.add("entry", Activity.DOOR, self.rng.uniform(1, 3))
        self.add("kitchen", Activity.TEA, self.rng.uniform(4, 7))
        self.add("living", Activity.VISIT, minutes)
        self.add("entry", Activity.DOOR, self.rng.uniform(1, 3))

    def pass_time(self, until: float) -> None:
        """Fills the time until then with what people do at home."""
        rng, persona = self.rng, self.persona
        while until - self.now > 3:
            left = until - self.now
            if self.now >= self._toilet_due:
                self.toilet()
                continue
            draw = rng.random()
            if draw < persona.tv:
                self.add("living", Activity.TV, min(rng.uniform(25, 75), left))
            elif draw < persona.tv + 0.03 * persona.tea:
                self.add("kitchen", Activity.TEA, min(rng.uniform(4, 8), left))
            elif draw < 0.85:
                room = ("living", "bedroom", "kitchen", "bathroom")[int(rng.integers(4))]
                self.add(room, Activity.CHORES, min(rng.uniform(6, 25), left))
            else:
                self.add("living", Activity.REST, min(rng.uniform(15, 50), left))


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
