"""What a home's devices say about one day: the plan of routine.py, seen through sensors.

Chatter (meter, check-ins, movement) is drawn with numpy at once for the whole day. All offsets are in
seconds after the day's 03:00 until the very end, where they become milliseconds since 1970.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.random import Generator

from core.model import DeviceKind
from simulator.devices import CHECK_INS_A_DAY, HEARTBEATS_A_DAY, METER_PERIOD_S, SimDevice
from simulator.events import Events, Floats, What, in_order, make_events
from simulator.homes import DemoHome
from simulator.power import DAILY_KWH, STEP_S, PowerDay
from simulator.routine import DAY_S, OUTSIDE, Activity, Day, Stay

CLEARS_S: Final = (60.0, 89.0)  # a motion sensor says "clear" so long after the last movement
RADAR_CLEARS_S: Final = 25.0
_QUIET_END_S: Final = 100  # no movement is seen so shortly before 03:00, so that every day ends cleared
_MOVES_A_MINUTE: Final = {
    Activity.SLEEP: 0.008,
    Activity.NAP: 0.02,
    Activity.TOILET: 0.6,
    Activity.WASH: 1.5,
    Activity.DRESS: 1.5,
    Activity.COOK: 1.2,
    Activity.TEA: 1.0,
    Activity.EAT: 0.25,
    Activity.TV: 0.07,
    Activity.REST: 0.08,
    Activity.CHORES: 0.9,
    Activity.VISIT: 0.5,
    Activity.DOOR: 1.5,
    Activity.LEAVE: 1.5,
    Activity.OUT: 0.0,
}
_IN_BED: Final = frozenset({Activity.SLEEP, Activity.NAP})


def sense_day(home: DemoHome, day: Day, power: PowerDay, day_start: int, days_in_use: int, rng: Generator) -> Events:
    """All events of one day in time order.

    Args:
        day_start: the day's 03:00 in ms since 1970.
        days_in_use: how many days the meter and the batteries have run; the counter and the charge follow from it.
    """
    reports = reports_of_day(home, day, power, rng)
    parts = [_meter(home, power, days_in_use)]
    for index, (times, values) in reports.items():
        parts.append(make_events(times * 1000, index, What.REPORT, values))
        parts.append(_check_ins(home, index, times, values, rng))
    # The box restarts its services in the night; Zigbee2MQTT and Tasmota then say who is there.
    online = [make_events([(1800 + index) * 1000], index, What.ONLINE, 1) for index in range(len(home.devices))]
    events = in_order(parts + online)
    events["time"] += day_start
    links = np.array([device.link for device in home.devices])
    charges = np.array([_charge(device, days_in_use) for device in home.devices])
    events["link"] = np.clip(links[events["device"]] + rng.integers(-25, 26, len(events)), 5, 255)
    events["battery"] = charges[events["device"]]
    return events


def reports_of_day(home: DemoHome, day: Day, power: PowerDay, rng: Generator) -> dict[int, tuple[Floats, Floats]]:
    """Device index -> (times, values) of its changes of state on one day, seconds after the day's 03:00."""
    moves = _movements(day, rng)
    return {index: _states(home, index, day, power, moves, rng) for index in range(len(home.devices))}


def _charge(device: SimDevice, days_in_use: int) -> int:
    """Battery in percent: falls from 100 to 10, then somebody changes it."""
    life = device.battery_life_days
    return 100 - 90 * ((days_in_use + int(device.phase * life)) % life) // life


def state_at_dawn(home: DemoHome, index: int) -> float:
    """A device's state at every day's 03:00: the resident is in bed, all is shut and cleared."""
    device = home.devices[index]
    in_bedroom = device.kind is DeviceKind.RADAR and device.room == "bedroom"
    return float(device.kind is DeviceKind.BED or in_bedroom)


def _movements(day: Day, rng: Generator) -> dict[str, Floats]:
    """Room -> sorted instants at which somebody moves in it."""
    starts = np.array([stay.start for stay in day.stays])
    ends = np.array([stay.end for stay in day.stays])
    rates = np.array([_MOVES_A_MINUTE[stay.activity] for stay in day.stays])
    counts = rng.poisson(rates * (ends - starts) / 60)
    which = np.repeat(np.arange(len(starts)), counts)
    inside = np.flatnonzero(rates > 0)
    enters = starts[inside] + rng.uniform(0.5, 3.0, len(inside))
    leaves = ends[inside] - rng.uniform(0.5, 4.0, len(inside))
    times = np.concatenate([starts[which] + rng.random(len(which)) * (ends - starts)[which], enters, leaves])
    stays = np.concatenate([which, inside, inside])
    seen = (times > 5) & (times < DAY_S - _QUIET_END_S)  # at 03:00 nobody enters: the night just goes on
    rooms = np.array([stay.room for stay in day.stays])[stays]
    return {str(room): np.sort(times[seen & (rooms == room)]) for room in np.unique(rooms)}


def _states(
    home: DemoHome, index: int, day: Day, power: PowerDay, moves: dict[str, Floats], rng: Generator
) -> tuple[Floats, Floats]:
    """(times, values) of a device's changes of state."""
    device = home.devices[index]
    match device.kind:
        case DeviceKind.MOTION:
            return _motion(moves.get(device.room or "", np.empty(0)), rng)
        case DeviceKind.BED:
            return _lying(day, rng)
        case DeviceKind.RADAR:
            return _stays(day, lambda stay: stay.room == device.room, 2.0, RADAR_CLEARS_S)
        case DeviceKind.CONTACT:
            return _openings(_door(day) if device.exterior else _kitchen_door(day, rng), rng)
        case DeviceKind.PLUG if device.name == "tv_plug":
            times, on = _stays(day, lambda stay: stay.activity is Activity.TV, 3.0, 0.5)
            return times, on * round(home.persona.tv_w, 1)
        case DeviceKind.PLUG:
            times = np.array([edge for pair in power.kettle for edge in pair])
            return times, np.tile([1750.0, 0.0], len(power.kettle))
        case _:
            return np.empty(0), np.empty(0)


def _motion(moves: Floats, rng: Generator) -> tuple[Floats, Floats]:
    """On at the first movement, off when none has been seen for 60 to 90 s."""
    if len(moves) == 0:
        return np.empty(0), np.empty(0)
    breaks = np.flatnonzero(np.diff(moves) > CLEARS_S[1] + 1)
    on = moves[np.concatenate([[0], breaks + 1])]
    off = moves[np.concatenate([breaks, [len(moves) - 1]])] + rng.uniform(*CLEARS_S, len(on))
    return _alternate(on, off)


def _lying(day: Day, rng: Generator) -> tuple[Floats, Floats]:
    """The bed: occupied a moment after the person comes to it, free a moment before they go."""
    nights = [stay for stay in day.stays if stay.activity in _IN_BED]
    on = np.array([stay.start for stay in nights]) + rng.uniform(8, 25, len(nights))
    off = np.array([stay.end for stay in nights]) - rng.uniform(4, 12, len(nights))
    return _alternate(on[1:], off[:-1], first_off=True)  # the first begins and the last ends beyond this day


def _stays(day: Day, wanted: Callable[[Stay], bool], on_after: float, off_after: float) -> tuple[Floats, Floats]:
    """On while the wanted stays last; stays that follow each other closely are one."""
    spans: list[list[float]] = []
    for stay in filter(wanted, day.stays):
        if spans and stay.start + on_after <= spans[-1][1] + off_after:
            spans[-1][1] = stay.end
        else:
            spans.append([stay.start, stay.end])
    edges = [(start + on_after, 1.0) for start, _ in spans if start > 0]
    edges += [(end + off_after, 0.0) for _, end in spans if end < DAY_S]
    edges.sort()
    return np.array([time for time, _ in edges]), np.array([value for _, value in edges])


def _door(day: Day) -> list[float]:
    """When the exterior door opens: on leaving, on coming home, and to let somebody in or out."""
    opens: list[float] = []
    for stay in day.stays:
        if stay.room == OUTSIDE:
            opens += [stay.start - 8, stay.end - 4]
        elif stay.activity is Activity.DOOR:
            opens.append(stay.start + 20)
    return opens


def _kitchen_door(day: Day, rng: Generator) -> list[float]:
    """When a fridge or cupboard opens: now and then while somebody works in the kitchen."""
    opens: list[float] = []
    for stay in day.stays:
        if stay.room == "kitchen" and stay.end - stay.start > 120:
            count = rng.poisson(0.12 * (stay.end - stay.start) / 60)
            opens += [float(moment) for moment in rng.uniform(stay.start + 5, stay.end - 40, count)]
    return sorted(opens)


def _openings(opens: list[float], rng: Generator) -> tuple[Floats, Floats]:
    """Each opening is shut again within half a minute, and before the next."""
    kept: list[float] = []
    for moment in opens:
        if not kept or moment > kept[-1] + 35:
            kept.append(moment)
    on = np.array(kept)
    return _alternate(on, on + rng.uniform(4, 30, len(on)))


def _alternate(on: Floats, off: Floats, *, first_off: bool = False) -> tuple[Floats, Floats]:
    """on[0], off[0], on[1], ... or off[0], on[0], ... as (times, values)."""
    first, second = (off, on) if first_off else (on, off)
    times = np.stack([first, second], axis=1).ravel() if len(on) else np.empty(0)
    values = np.tile([0.0, 1.0] if first_off else [1.0, 0.0], len(on))
    return times, values


def _meter(home: DemoHome, power: PowerDay, days_in_use: int) -> Events:
    """Whole seconds, as Tasmota writes no fractions."""
    phase = int(home.devices[home.meter].phase * METER_PERIOD_S)
    times = np.arange(DAY_S // METER_PERIOD_S) * METER_PERIOD_S + phase
    step = times // STEP_S
    energy = np.round(days_in_use * DAILY_KWH + power.energy[step], 3)
    events = make_events(times * 1000, home.meter, What.ENERGY, np.round(power.power[step]), energy)
    events["idle"] = np.round(power.idle[step])
    return events


def _check_ins(home: DemoHome, index: int, times: Floats, values: Floats, rng: Generator) -> Events:
    """The device repeats its state through the day; phase and period carry over from day to day."""
    device = home.devices[index]
    if index == home.meter:
        return make_events([], index, What.CHECK_IN, 0)
    count = HEARTBEATS_A_DAY if device.mains else CHECK_INS_A_DAY
    steps = np.arange(count) + 0.05 + 0.85 * device.phase + rng.uniform(-0.04, 0.04, count)
    moments = np.floor(steps * (DAY_S * 1000 / count)) / 1000
    states = np.concatenate([[state_at_dawn(home, index)], values])
    return make_events(moments * 1000, index, What.CHECK_IN, states[np.searchsorted(times, moments, side="right")])
