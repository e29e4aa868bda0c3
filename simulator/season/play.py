"""A home's whole season: its weeks, the mishaps, what the gateway makes of them, and what of that arrives."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.random import Generator

from core.metrics import BY_NAME
from core.model import DeviceKind
from simulator.events import Floats
from simulator.residents import Persona
from simulator.season.faults import DELIVERED, Arrival, Chances, Delivered, changed, deliver
from simulator.season.homes import SeasonHome
from simulator.season.mishaps import Happening, Mishap, happen
from simulator.season.track import FALL, WATER, Track
from simulator.season.visits import CareVisit, has_carers, receive_carers
from simulator.season.weeks import Weeks, drifting, shut_in

FIRST_DAY: Final = 10  # before it nothing happens: detectors may learn
APART_DAYS: Final = 4
HEARTBEAT_S: Final = {True: 600.0, False: 7200.0}  # mains, battery
UPTIME_S: Final = 300.0
WATER_S: Final = 1800.0
UPTIME: Final = BY_NAME["uptime"].id
_SPEAKS: Final = {  # the metric that a device repeats with its heartbeat
    DeviceKind.CONTACT: "open", DeviceKind.MOTION: "motion", DeviceKind.RADAR: "motion", DeviceKind.BED: "occupied",
    DeviceKind.PLUG: "power", DeviceKind.SMOKE: "smoke", DeviceKind.GAS: "gas", DeviceKind.LEAK: "leak",
    DeviceKind.SOS: "battery", DeviceKind.GATEWAY: "uptime",
}  # fmt: skip
_LASTS_DAYS: Final = {Mishap.SHUT_IN: 11, Mishap.NOT_COMING_BACK: 5, Mishap.PIPE: 4, Mishap.NO_WATER: 4,
                      Mishap.FREEZING: 4, Mishap.SWELTERING: 4}  # fmt: skip


@dataclass(frozen=True)
class Season:
    """What arrived of one home, what really happened there, and the carers who came."""

    home: SeasonHome
    arrival: Arrival
    truth: list[Happening]
    faulty: bool
    visits: list[CareVisit] = field(default_factory=list)


def play_season(
    seed: int, number: int, first: date, days: int, chances: Chances, *, faulty: bool, carers: bool = False
) -> Season:
    """Home `number` (1, 2, 3 ...) from `first` on. Kinds of mishap go round by home, so that each occurs as often.

    Args:
        chances: of faults; `faulty` only says so in the result.
        carers: whether carers come to the homes that have some (simulator/season/visits.py).
    """
    home = SeasonHome(seed, number)
    rng = np.random.default_rng([seed, number, 1])
    mishaps = _agenda(number, days, rng)
    weeks = Weeks(home, first, days, _personas(home.persona, mishaps, days, rng), rng)
    truth = [event for mishap, day in mishaps for event in happen(mishap, weeks, day, rng)]
    visits: list[CareVisit] = []
    if carers and has_carers(number):
        visits, falls = receive_carers(weeks, truth, np.random.default_rng([seed, number, 3]))
        truth += falls
    rows = measured(weeks.track, weeks.start, days, rng)
    arrival = deliver(home, rows, weeks.start, days, chances, np.random.default_rng([seed, number, 2]))
    return Season(home, arrival, truth + arrival.truth, faulty, visits)


def _agenda(number: int, days: int, rng: Generator) -> list[tuple[Mishap, int]]:
    """(what, day) of one home, in order and days apart; a decline takes the home for itself."""
    kinds = [kind for kind in Mishap if kind is not Mishap.DECLINE]
    if number % len(Mishap) == 0 and days >= 75:
        return [(Mishap.DECLINE, int(rng.integers(34, days - 38)))]
    agenda: list[tuple[Mishap, int]] = []
    day, place = FIRST_DAY + int(rng.integers(0, 5)), number * 5
    while day < days - 4:
        kind = kinds[place % len(kinds)]
        if day + _LASTS_DAYS.get(kind, 3) < days:
            agenda.append((kind, day))
        day += _LASTS_DAYS.get(kind, 2) + APART_DAYS + int(rng.integers(0, 8))
        place += 1
    return agenda


def _personas(persona: Persona, mishaps: list[tuple[Mishap, int]], days: int, rng: Generator) -> dict[int, Persona]:
    changed: dict[int, Persona] = {}
    for mishap, day in mishaps:
        if mishap is Mishap.SHUT_IN:
            changed |= dict.fromkeys(range(day, day + 10), shut_in(persona))
        elif mishap is Mishap.DECLINE:
            what = frozenset(rng.choice(["rising", "outings", "nights", "meals"], size=3, replace=False).tolist())
            changed |= {number: drifting(persona, min((number - day) / 28, 1), what) for number in range(day, days)}
    return changed


def measured(track: Track, start: float, days: int, rng: Generator) -> Delivered:
    """The track as its gateway would send it: with heartbeats and the water counter, flagged, in time order."""
    home, end = track.home, start + days * 86_400
    parts = [_as_delivered(track.rows["time"], track.rows["device"], track.rows["metric"], track.rows["value"])]
    for index, device in enumerate(home.devices):
        if device.kind not in _SPEAKS:
            continue
        metric = BY_NAME[_SPEAKS[device.kind]].id
        period = UPTIME_S if metric == UPTIME else HEARTBEAT_S[home.mains(index)]
        beats = np.arange(start + device.phase * period, end, period)
        beats = beats + rng.uniform(-20, 20, len(beats))
        if metric == UPTIME:
            parts.append(_as_delivered(beats, index, metric, beats - start + 100))
            continue
        parts.append(_as_delivered(beats, index, metric, _last_said(track, index, metric, beats)))
        if device.kind is DeviceKind.RADAR:
            parts.append(_as_delivered(beats + 0.2, index, FALL, _last_said(track, index, FALL, beats)))
    water = home.only(DeviceKind.WATER_METER)
    ticks = np.arange(start + home.devices[water].phase * WATER_S, end, WATER_S)
    uses = track.uses[np.argsort(track.uses[:, 0], kind="stable")]
    run = np.concatenate([[0.0], np.cumsum(uses[:, 1])])[np.searchsorted(uses[:, 0], ticks)]
    parts.append(_as_delivered(ticks, water, WATER, np.round(120 + run, 4)))
    rows = np.concatenate(parts)
    rows = rows[np.argsort(rows["time"], kind="stable")]
    rows["changed"] = changed(rows)
    rows["received"] = rows["time"]
    rows["stored"] = rows["time"] + rng.uniform(0.3, 4.0, len(rows))
    return rows


def _as_delivered(time: Floats, device: Any, metric: Any, value: Any) -> Delivered:
    """Rows of that many moments; the other columns are one value or one a moment."""
    rows = np.zeros(len(time), DELIVERED)
    rows["time"], rows["device"], rows["metric"], rows["value"] = time, device, metric, value
    return rows


def _last_said(track: Track, device: int, metric: int, moments: Floats) -> Floats:
    """What the device last said of that before each moment; 0 when nothing, a battery is always full."""
    rows = track.rows[(track.rows["device"] == device) & (track.rows["metric"] == metric)]
    at = np.searchsorted(rows["time"], moments) - 1
    return np.where(at >= 0, rows["value"][np.maximum(at, 0)] if len(rows) else 0.0, 0.0)
