"""What happens to the person or the home, laid over the weeks, with its truth.

Each mishap changes what is done and what sensors say of it. Some are no emergencies and look like one: a fall from
which the person rises, a radar that blinks, a night at the daughter's. They are in the truth too, with no kind.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator

from core.metrics import BY_NAME
from core.model import DeviceKind
from simulator.routine import Activity
from simulator.season.track import FALL, MOTION, OPEN, TEMPERATURE
from simulator.season.weeks import Weeks

HOUR: Final = 3600.0
DAY: Final = 86_400.0
_AWAKE: Final = (Activity.WASH, Activity.COOK, Activity.TEA, Activity.EAT, Activity.TV, Activity.REST, Activity.CHORES,
                 Activity.TOILET, Activity.DRESS)  # fmt: skip


class Mishap(StrEnum):
    SOS = "sos"
    FALL = "fall"  # lies still until found
    SMOKE = "smoke"
    GAS = "gas"
    LEAK = "leak"
    TAMPER = "tamper"
    COLLAPSE = "collapse"  # while awake, where no radar looks
    STROKE_AT_NIGHT = "stroke_at_night"  # stays in bed
    STUCK_IN_BATHROOM = "stuck_in_bathroom"  # moves a little, cannot get out
    NOT_COMING_BACK = "not_coming_back"
    WANDER = "wander"  # leaves at night
    DOOR_LEFT_OPEN = "door_left_open"
    SHUT_IN = "shut_in"  # lives on, and nobody comes or goes
    STOVE = "stove"  # left on while out or asleep in the chair
    NO_WATER = "no_water"
    PIPE = "pipe"  # runs a little, for days
    TAP = "tap"  # runs much, for hours
    FREEZING = "freezing"
    SWELTERING = "sweltering"
    DECLINE = "decline"  # over weeks
    # no emergencies
    FALL_AND_UP = "fall_and_up"
    RADAR_BLINK = "radar_blink"
    NIGHT_AWAY = "night_away"


class Happening(NamedTuple):
    """What really happened, from `start` to `end` (epoch seconds), in a home (1, 2, 3 ...).

    `device`: the one that says so, or that has the fault; an index into home.devices, None = not one alone.
    """

    home: int
    what: str
    start: float
    end: float
    device: int | None = None


Truth = list[Happening]
_SENSED: Final = {
    Mishap.SOS: DeviceKind.SOS, Mishap.SMOKE: DeviceKind.SMOKE, Mishap.GAS: DeviceKind.GAS,
    Mishap.LEAK: DeviceKind.LEAK, Mishap.TAMPER: DeviceKind.MOTION,
}  # fmt: skip
_REPEATED: Final = (Mishap.SMOKE, Mishap.GAS)
REPEAT_S: Final = 60.0  # real detectors: each 3 s, or four times a second


def happen(mishap: Mishap, weeks: Weeks, number: int, rng: Generator) -> Truth:
    """Lets it happen on day `number` (0, 1, 2 ...). Empty when that day gives no occasion for it."""
    scene = _SCENES.get(mishap)
    return scene(weeks, number, rng) if scene else _sensed(mishap, weeks, number, rng)


def _truth(weeks: Weeks, what: Mishap, start: float, end: float, device: int | None = None) -> Truth:
    return [Happening(weeks.home.number, what.value, start, min(end, weeks.dawn(weeks.days)), device)]


def _pick(options: list[tuple[float, float, str]], rng: Generator) -> tuple[float, float, str] | None:
    return options[int(rng.integers(len(options)))] if options else None


def _sensed(mishap: Mishap, weeks: Weeks, number: int, rng: Generator) -> Truth:
    """A device says so by itself, smoke and gas again and again; it is over within the hour."""
    devices = weeks.home.of_kind(_SENSED[mishap])
    device = devices[int(rng.integers(len(devices)))]
    start = weeks.dawn(number) + float(rng.uniform(0, DAY))
    metric = BY_NAME[mishap.value].id
    end = start + float(rng.uniform(300, 2400))
    moments = np.arange(start, end, REPEAT_S) if mishap in _REPEATED else [start]
    weeks.track.add(*((float(moment), device, metric, 1.0) for moment in moments))
    if mishap is not Mishap.SOS:  # a button that never says that it was let go
        weeks.track.add((end, device, metric, 0.0))
    return _truth(weeks, mishap, start, end, device)


def _in_radar_room(weeks: Weeks, number: int, rng: Generator) -> float | None:
    room = weeks.home.devices[weeks.home.radar].room
    stay = _pick([stay for stay in weeks.stays(number, *_AWAKE) if stay[2] == room and stay[1] - stay[0] > 60], rng)
    return None if stay is None else stay[0] + float(rng.uniform(0.2, 0.8)) * (stay[1] - stay[0])


def _fall(weeks: Weeks, number: int, rng: Generator) -> Truth:
    start = _in_radar_room(weeks, number, rng)
    if start is None:
        return []
    radar, end = weeks.home.radar, start + float(rng.uniform(0.5, 7)) * HOUR
    weeks.track.unseen(start, end, keep=(radar,))
    weeks.track.drop(start, end, (MOTION, FALL), (radar,))
    level = 1.0 if rng.random() < 0.4 else 2.0  # some radars never say more than "maybe"
    weeks.track.add((start + 2, radar, MOTION, 1.0), (start + 2.1, radar, FALL, 1.0), (end, radar, FALL, 0.0))
    weeks.track.add((end + 30, radar, MOTION, 0.0))
    if level > 1:
        weeks.track.add((start + float(rng.uniform(4, 20)), radar, FALL, 2.0))
    _somebody_comes(weeks, end)
    return _truth(weeks, Mishap.FALL, start, end, radar)


def _fall_and_up(weeks: Weeks, number: int, rng: Generator) -> Truth:
    start = _in_radar_room(weeks, number, rng)
    if start is None:
        return []
    radar, up = weeks.home.radar, start + float(rng.uniform(15, 70))
    weeks.track.drop(start, up, (MOTION,))
    weeks.track.add((start + 1, radar, FALL, 1.0), (start + 3, radar, FALL, 2.0), (up, radar, FALL, 0.0))
    room = weeks.home.devices[radar].room
    weeks.track.moves(weeks.home.named(f"{room}_motion"), np.array([up + 1.5]))
    return _truth(weeks, Mishap.FALL_AND_UP, start, up + 60)


def _radar_blink(weeks: Weeks, number: int, rng: Generator) -> Truth:
    start = weeks.dawn(number) + float(rng.uniform(0, DAY))
    up = start + float(rng.uniform(3, 45))
    weeks.track.add((start, weeks.home.radar, FALL, 1.0), (up, weeks.home.radar, FALL, 0.0))
    return _truth(weeks, Mishap.RADAR_BLINK, start, up)


def _collapse(weeks: Weeks, number: int, rng: Generator) -> Truth:
    stay = _pick(weeks.stays(number, *_AWAKE), rng)
    if stay is None:
        return []
    start, end = float(rng.uniform(stay[0], stay[1])), stay[0] + float(rng.uniform(16, 40)) * HOUR
    weeks.track.unseen(start, end)
    _somebody_comes(weeks, end)
    return _truth(weeks, Mishap.COLLAPSE, start, end)


def _stroke_at_night(weeks: Weeks, number: int, rng: Generator) -> Truth:
    nights = [stay for stay in weeks.stays(number, Activity.SLEEP) if stay[0] > weeks.dawn(number) + 17 * HOUR]
    if not nights:
        return []
    bedtime = nights[0][0]
    start = float(rng.uniform(bedtime + HOUR, weeks.dawn(number) + 26.5 * HOUR))
    end = weeks.dawn(number + 1) + float(rng.uniform(11, 20)) * HOUR
    weeks.track.unseen(start, end, bed=True)
    _somebody_comes(weeks, end)
    return _truth(weeks, Mishap.STROKE_AT_NIGHT, start, end)


def _stuck_in_bathroom(weeks: Weeks, number: int, rng: Generator) -> Truth:
    stays = [stay for stay in weeks.stays(number, Activity.TOILET, Activity.WASH) if stay[2] == "bathroom"]
    stay = _pick(stays, rng)
    if stay is None:
        return []
    start, end = (stay[0] + stay[1]) / 2, stay[0] + float(rng.uniform(4.5, 10)) * HOUR
    weeks.track.unseen(start, end, bed=False)
    moments = np.sort(rng.uniform(start + 60, end - 60, rng.poisson(rng.uniform(0.3, 6) * (end - start) / HOUR)))
    weeks.track.moves(weeks.home.named("bathroom_motion"), moments)
    _somebody_comes(weeks, end)
    return _truth(weeks, Mishap.STUCK_IN_BATHROOM, start, end)


def _away(what: Mishap, low_h: float, high_h: float) -> Callable[[Weeks, int, Generator], Truth]:
    def scene(weeks: Weeks, number: int, rng: Generator) -> Truth:
        outing = _pick(weeks.stays(number, Activity.OUT), rng)
        if outing is None:
            return []
        start, end = outing[0], outing[0] + float(rng.uniform(low_h, high_h)) * HOUR
        weeks.track.unseen(start + 30, end, bed=False)
        _through_the_door(weeks, end - 20)
        return _truth(weeks, what, start, end)

    return scene


def _wander(weeks: Weeks, number: int, rng: Generator) -> Truth:
    home, start = weeks.home, weeks.dawn(number) + float(rng.uniform(20.2, 25.4)) * HOUR
    if any(stay[0] <= start <= stay[1] for stay in weeks.stays(number, Activity.OUT)):
        return []
    end = start + float(rng.uniform(1, 4)) * HOUR
    weeks.track.unseen(start, end, bed=False)
    weeks.track.moves(home.named("bedroom_motion"), np.array([start + 5]))
    weeks.track.moves(home.named("entry_motion"), np.array([start + 30]))
    door = home.named("front_door")
    weeks.track.add((start + 45, door, OPEN, 1.0))
    shut = rng.random() < 0.6
    weeks.track.add(((start + 55) if shut else end, door, OPEN, 0.0))
    truth = _truth(weeks, Mishap.WANDER, start, end)
    if not shut and end - start > HOUR:
        truth += _truth(weeks, Mishap.DOOR_LEFT_OPEN, start + 45, end, door)
    if shut:
        _through_the_door(weeks, end - 20)
    return truth


def _door_left_open(weeks: Weeks, number: int, rng: Generator) -> Truth:
    outing = _pick([stay for stay in weeks.stays(number, Activity.OUT) if stay[2] == "outside"], rng)
    if outing is None:
        return []
    door = weeks.home.named("front_door")
    start = outing[1] - 4 if rng.random() < 0.7 else outing[0] - 8
    end = start + float(rng.uniform(1.5, 7)) * HOUR
    weeks.track.drop(start - 2, end, (OPEN,), (door,))
    weeks.track.add((start, door, OPEN, 1.0), (end, door, OPEN, 0.0))
    return _truth(weeks, Mishap.DOOR_LEFT_OPEN, start, end, door)


def _shut_in(weeks: Weeks, number: int, rng: Generator) -> Truth:
    """The plans of those days are of somebody who stays in (weeks.shut_in); the door is not used at all."""
    door = weeks.home.named("front_door")
    start, end = weeks.dawn(number), weeks.dawn(number) + 10 * DAY
    weeks.track.drop(start, end, (OPEN,), (door,))
    rows = weeks.track.rows
    used = rows["time"][(rows["device"] == door) & (rows["time"] < start)]
    return _truth(weeks, Mishap.SHUT_IN, float(used[-1]), end)


def _stove(weeks: Weeks, number: int, rng: Generator) -> Truth:
    out = rng.random() < 0.5
    stay = _pick(weeks.stays(number, *((Activity.OUT,) if out else (Activity.TV, Activity.REST))), rng)
    if stay is None:
        return []
    start, end = stay[0], stay[0] + float(rng.uniform(2.2, 6)) * HOUR
    weeks.track.unseen(start + 30, end)
    weeks.track.idle(start, end, float(rng.uniform(800, 2200)))
    if out:
        _through_the_door(weeks, end - 20)
    return _truth(weeks, Mishap.STOVE, start, end)


def _no_water(weeks: Weeks, number: int, rng: Generator) -> Truth:
    start = weeks.dawn(number) + float(rng.uniform(3, 20)) * HOUR
    end = start + float(rng.uniform(26, 60)) * HOUR
    uses = weeks.track.uses
    weeks.track.uses = uses[(uses[:, 0] < start) | (uses[:, 0] >= end)]
    return _truth(weeks, Mishap.NO_WATER, start, end)


def _runs(what: Mishap, low_l: float, high_l: float, low_h: float, high_h: float
          ) -> Callable[[Weeks, int, Generator], Truth]:  # fmt: skip
    """So many litres each quarter of an hour, for so many hours."""

    def scene(weeks: Weeks, number: int, rng: Generator) -> Truth:
        start = weeks.dawn(number) + float(rng.uniform(0, DAY))
        end = start + float(rng.uniform(low_h, high_h)) * HOUR
        moments = np.arange(start, end, 900)
        litres = float(rng.uniform(low_l, high_l)) * rng.uniform(0.8, 1.2, len(moments))
        weeks.track.uses = np.concatenate([weeks.track.uses, np.stack([moments, litres / 1000], axis=1)])
        return _truth(weeks, what, start, end)

    return scene


def _weather(what: Mishap, low_c: float, high_c: float) -> Callable[[Weeks, int, Generator], Truth]:
    """Over hours the home goes to that temperature, stays, and comes back."""

    def scene(weeks: Weeks, number: int, rng: Generator) -> Truth:
        start = weeks.dawn(number) + float(rng.uniform(0, DAY))
        goal, ramp, stay = float(rng.uniform(low_c, high_c)), rng.uniform(3, 8) * HOUR, rng.uniform(8, 48) * HOUR
        end = start + 2 * ramp + stay
        rows = weeks.track.rows
        at = np.flatnonzero((rows["metric"] == TEMPERATURE) & (rows["time"] >= start) & (rows["time"] < end))
        share = np.clip(np.minimum(rows["time"][at] - start, end - rows["time"][at]) / ramp, 0, 1)
        rows["value"][at] = np.round(rows["value"][at] * (1 - share) + (goal + rng.normal(0, 0.2, len(at))) * share, 1)
        return _truth(weeks, what, start, end)

    return scene


def _decline(weeks: Weeks, number: int, rng: Generator) -> Truth:
    """The plans hold it (weeks.drifting); it does not end."""
    return _truth(weeks, Mishap.DECLINE, weeks.dawn(number), weeks.dawn(weeks.days))


def _somebody_comes(weeks: Weeks, moment: float) -> None:
    """Who helps comes through the door, and is seen in the living room."""
    _through_the_door(weeks, moment - 25)
    weeks.track.moves(weeks.home.named("living_motion"), np.array([moment - 2]))


def _through_the_door(weeks: Weeks, moment: float) -> None:
    home = weeks.home
    door = home.named("front_door")
    weeks.track.add((moment, door, OPEN, 1.0), (moment + 9, door, OPEN, 0.0))
    weeks.track.moves(home.named("entry_motion"), np.array([moment + 12]))


_SCENES: Final[dict[Mishap, Callable[[Weeks, int, Generator], Truth]]] = {
    Mishap.FALL: _fall,
    Mishap.FALL_AND_UP: _fall_and_up,
    Mishap.RADAR_BLINK: _radar_blink,
    Mishap.COLLAPSE: _collapse,
    Mishap.STROKE_AT_NIGHT: _stroke_at_night,
    Mishap.STUCK_IN_BATHROOM: _stuck_in_bathroom,
    Mishap.NOT_COMING_BACK: _away(Mishap.NOT_COMING_BACK, 50, 96),
    Mishap.NIGHT_AWAY: _away(Mishap.NIGHT_AWAY, 15, 22.5),
    Mishap.WANDER: _wander,
    Mishap.DOOR_LEFT_OPEN: _door_left_open,
    Mishap.SHUT_IN: _shut_in,
    Mishap.STOVE: _stove,
    Mishap.NO_WATER: _no_water,
    Mishap.PIPE: _runs(Mishap.PIPE, 1.5, 12, 40, 80),
    Mishap.TAP: _runs(Mishap.TAP, 100, 250, 7, 14),
    Mishap.FREEZING: _weather(Mishap.FREEZING, 3, 10.5),
    Mishap.SWELTERING: _weather(Mishap.SWELTERING, 35.5, 39),
    Mishap.DECLINE: _decline,
}
