"""What happens to devices and messages on their way: named probabilities, and what of the season arrives when.

each message   late, reordered, doubled, and in every home an urgent one overtakes the rest
each home      the clock of its gateway is wrong by some minutes
each day       a dead battery, an outage of the network (kept and sent later) or of the power (lost), a sensor that
               is stuck or blind, a meter that fills in, a radio that hangs, a broker that replays what it retained
"""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from core.metrics import BY_NAME, METRICS
from core.model import DeviceKind
from simulator.season.homes import SeasonHome
from simulator.season.limits import LIMIT, limits
from simulator.season.mishaps import Happening
from simulator.season.track import FALL, LIFE, MOTION, POWER

Delivered: TypeAlias = npt.NDArray[Any]  # structured, dtype DELIVERED
DELIVERED: Final = np.dtype(
    [
        ("stored", "f8"),  # when the platform stored it; epoch seconds, as the others
        ("time", "f8"),
        ("received", "f8"),
        ("value", "f8"),
        ("device", "i4"),  # index into home.devices
        ("metric", "u1"),
        ("changed", "?"),
    ]
)
URGENT: Final = [metric.id for metric in METRICS if metric.urgent]
HOUR: Final = 3600.0
DAY: Final = 86_400.0
FIRST_DAY: Final = 9
LAST_DAYS: Final = 4  # what begins later could not be found in time
BLIND_DAYS: Final = 20
BATTERY: Final = (DeviceKind.MOTION, DeviceKind.CONTACT, DeviceKind.BED, DeviceKind.SOS, DeviceKind.SMOKE)


@dataclass(frozen=True)
class Chances:
    """Probabilities: of a message, of a home, or of a home on a day."""

    late: float = 0.02
    doubled: float = 0.01
    skewed: float = 0.2
    dead_battery: float = 1 / 120
    network_outage: float = 1 / 30
    power_outage: float = 1 / 90
    stuck: float = 1 / 150
    blind: float = 1 / 200
    flat_meter: float = 1 / 120
    radio_hangs: float = 1 / 150
    replay: float = 1 / 20


NONE: Final = Chances(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


class Said(NamedTuple):
    """The gateway's birth or will."""

    at: float
    online: bool


@dataclass
class Arrival:
    """What arrived of one home's season: readings in the order stored, births and wills, and the faults behind them."""

    readings: Delivered
    said: list[Said] = field(default_factory=list)
    truth: list[Happening] = field(default_factory=list)


def deliver(home: SeasonHome, rows: Delivered, start: float, days: int, chances: Chances, rng: Generator) -> Arrival:
    """Lets `rows` (as measured and flagged by the gateway, `stored` a moment later) arrive, with faults.

    Args:
        rows: sorted by time. start: epoch seconds of the first day. days: how many.
    """
    arrival = Arrival(rows, [Said(start + 1, True)])
    scenes = {
        "dead_battery": _dead_battery, "network_outage": _network_outage, "power_outage": _power_outage,
        "stuck": _stuck, "blind": _blind, "flat_meter": _flat_meter, "radio_hangs": _radio_hangs,
    }  # fmt: skip
    busy: list[tuple[float, float]] = []
    for name, scene in scenes.items():
        for number in np.flatnonzero(rng.random(days) < getattr(chances, name)).tolist():
            begin = start + number * DAY + float(rng.uniform(0, DAY))
            if not FIRST_DAY <= number < days - (BLIND_DAYS if name == "blind" else LAST_DAYS) or any(
                low - DAY <= begin <= high + DAY for low, high in busy
            ):
                continue
            begun = len(arrival.truth)
            scene(home, arrival, begin, rng)
            busy += [(one.start, one.end) for one in arrival.truth[begun:]]
    arrival.readings["changed"] = changed(arrival.readings)  # the gateway compares with what it has heard
    _learned_limits(home, arrival, start)
    _replays(arrival, start, days, chances.replay, rng)
    _lateness(arrival, chances, rng)
    if rng.random() < chances.skewed:
        skew = float(rng.choice([-240.0, -90.0, 60.0, 300.0]))
        arrival.readings["time"] += skew
        arrival.readings["received"] += skew
    arrival.readings = arrival.readings[np.argsort(arrival.readings["stored"], kind="stable")]
    arrival.said.sort()
    return arrival


def changed(rows: Delivered) -> npt.NDArray[np.bool_]:
    """bool [rows]: which differ from the one before of their series; the first is compared with nothing.

    Args:
        rows: in time order, as the gateway hears them.
    """
    series = rows["device"].astype(np.int64) * 256 + rows["metric"]
    order = np.argsort(series, kind="stable")
    values, of = rows["value"][order], series[order]
    marked = np.concatenate([[False], (np.diff(values) != 0) & (np.diff(of) == 0)])
    sos = rows["metric"][order] == BY_NAME["sos"].id
    found = np.zeros(len(rows), dtype=np.bool_)
    found[order] = marked | sos  # a button that never says 0: each press is one
    return found


def _one_of(home: SeasonHome, rng: Generator, *kinds: DeviceKind) -> int:
    options = [index for kind in kinds for index in home.of_kind(kind)]
    return options[int(rng.integers(len(options)))]


def _tell(home: SeasonHome, arrival: Arrival, what: str, begin: float, end: float, device: int | None = None) -> None:
    arrival.truth.append(Happening(home.number, what, begin, end, device))


def _keep(arrival: Arrival, gone: npt.NDArray[np.bool_]) -> None:
    arrival.readings = arrival.readings[~gone]


def _between(arrival: Arrival, begin: float, end: float) -> npt.NDArray[np.bool_]:
    time = arrival.readings["time"]
    return np.asarray((time >= begin) & (time < end), dtype=np.bool_)


def _dead_battery(home: SeasonHome, arrival: Arrival, begin: float, rng: Generator) -> None:
    """Somebody changes it days later."""
    device, end = _one_of(home, rng, *BATTERY), begin + float(rng.uniform(3, 12)) * DAY
    _keep(arrival, _between(arrival, begin, end) & (arrival.readings["device"] == device))
    _tell(home, arrival, "dead_battery", begin, end, device)


def _network_outage(home: SeasonHome, arrival: Arrival, begin: float, rng: Generator) -> None:
    """The gateway keeps everything and sends it when the line is back, urgent first."""
    end = begin + float(np.exp(rng.uniform(np.log(60), np.log(8 * HOUR))))
    kept = np.flatnonzero(_between(arrival, begin, end))
    urgent = np.isin(arrival.readings["metric"][kept], URGENT)
    arrival.readings["stored"][kept] = end + np.where(
        urgent, 2, 5 + 60 * np.linspace(0, 1, max(len(kept), 1))[: len(kept)]
    )
    arrival.said += [Said(begin + 75, False)] * (end > begin + 75) + [Said(end + 1, True)]
    _tell(home, arrival, "network_outage", begin, end)


def _power_outage(home: SeasonHome, arrival: Arrival, begin: float, rng: Generator) -> None:
    """The radar starts anew with it: it knows a fall by the falling, so of who lies there already it says nothing."""
    end = begin + float(rng.uniform(0.3, 10)) * HOUR
    _keep(arrival, _between(arrival, begin, end))
    rows = arrival.readings
    after = np.flatnonzero((rows["device"] == home.radar) & (rows["metric"] == FALL) & (rows["time"] >= end))
    next_told = np.flatnonzero(rows["changed"][after])
    rows["value"][after[: next_told[0] if len(next_told) else len(after)]] = 0.0
    arrival.said += [Said(begin + 75, False), Said(end + 20, True)]
    _tell(home, arrival, "power_outage", begin, end)


def _stuck(home: SeasonHome, arrival: Arrival, begin: float, rng: Generator) -> None:
    """From its next "somebody" on it says nothing else."""
    device, end = _one_of(home, rng, DeviceKind.MOTION), begin + float(rng.uniform(2, 8)) * DAY
    rows = arrival.readings
    mine = _between(arrival, begin, end) & (rows["device"] == device) & (rows["metric"] == MOTION)
    first = np.flatnonzero(mine & rows["changed"] & (rows["value"] > 0))
    if not len(first):
        return
    after = mine & (np.arange(len(rows)) > first[0])
    rows["value"][after & ~rows["changed"]] = 1.0
    _keep(arrival, after & rows["changed"])
    _tell(home, arrival, "stuck", float(rows["time"][first[0]]), end)


def _blind(home: SeasonHome, arrival: Arrival, begin: float, rng: Generator) -> None:
    """Something was put in front of it: it checks in and sees nobody."""
    device, end = _one_of(home, rng, DeviceKind.MOTION), begin + float(rng.uniform(14, 30)) * DAY
    rows = arrival.readings
    mine = _between(arrival, begin, end) & (rows["device"] == device) & (rows["metric"] == MOTION)
    rows["value"][mine & ~rows["changed"]] = 0.0
    _keep(arrival, mine & rows["changed"])
    _tell(home, arrival, "blind", begin, end)


def _flat_meter(home: SeasonHome, arrival: Arrival, begin: float, rng: Generator) -> None:
    """The meter is dead and its hub goes on sending the last value."""
    end = begin + float(rng.uniform(12, 72)) * HOUR
    rows = arrival.readings
    mine = np.flatnonzero(_between(arrival, begin, end) & (rows["device"] == home.meter) & (rows["metric"] == POWER))
    if len(mine):
        rows["value"][mine] = rows["value"][mine[0]]
        rows["changed"][mine[1:]] = False
        _tell(home, arrival, "flat_meter", begin, end, home.meter)


def _radio_hangs(home: SeasonHome, arrival: Arrival, begin: float, rng: Generator) -> None:
    """The gateway lives and hears no Zigbee device any more; its meter comes by another way."""
    end = begin + float(rng.uniform(34, 72)) * HOUR
    others = [home.meter, home.only(DeviceKind.GATEWAY)]
    _keep(arrival, _between(arrival, begin, end) & ~np.isin(arrival.readings["device"], others))
    _tell(home, arrival, "radio_hangs", begin, end)


def _learned_limits(home: SeasonHome, arrival: Arrival, start: float) -> None:
    """What the gateway says of its devices is a message like the others."""
    rows = arrival.readings
    told = limits(home, rows["time"], rows["device"], start)
    more = np.zeros(len(told), DELIVERED)
    more["metric"] = LIMIT
    if told:
        more["time"], more["device"], more["value"] = zip(*told, strict=True)
    more["received"], more["stored"] = more["time"], more["time"] + 1
    arrival.readings = np.concatenate([rows, more])


def _replays(arrival: Arrival, start: float, days: int, chance: float, rng: Generator) -> None:
    """A home's broker gives the last state of each device once more. No change, so no sign of life."""
    rows = arrival.readings
    parts = [rows]
    for number in np.flatnonzero(rng.random(days) < chance).tolist():
        at = start + number * DAY + float(rng.uniform(0, DAY))
        before = rows[: int(np.searchsorted(rows["time"], at))]
        series = before["device"].astype(np.int64) * 256 + before["metric"]
        _, last = np.unique(series[::-1], return_index=True)
        again = before[len(before) - 1 - last].copy()
        again = again[~np.isin(again["metric"], URGENT) & np.isin(again["metric"], LIFE)]
        again["time"] = again["received"] = at
        again["stored"], again["changed"] = at + 2, False
        parts.append(again)
    arrival.readings = np.concatenate(parts)


def _lateness(arrival: Arrival, chances: Chances, rng: Generator) -> None:
    """Some messages take a minute or three, and so come after later ones; some come twice."""
    rows = arrival.readings
    late = (rng.random(len(rows)) < chances.late) & ~np.isin(rows["metric"], URGENT)
    rows["stored"][late] += rng.uniform(20, 200, int(late.sum()))
    twice = rows[(rng.random(len(rows)) < chances.doubled) & ~np.isin(rows["metric"], URGENT)].copy()
    twice["stored"] += rng.uniform(1, 20, len(twice))
    twice["changed"] = False
    arrival.readings = np.concatenate([rows, twice])
