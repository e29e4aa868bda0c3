"""`yiju evaluate --simulated`: seasons of simulated homes through the product's own detection, against the truth.

In memory, in numpy: the simulator makes what arrives (simulator/season/), hindsight plays it with the detectors, the
learning, the inhibition and the dedup rules of production (alerts/hindsight/), and evaluation/score.py compares.
Homes with an even number have device faults. Groups of homes are played one after the other, so that memory is
bounded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from alerts.hindsight.alarms import Alarm, Answer
from alerts.hindsight.play import Hindsight
from alerts.hindsight.readings import READING, Readings, Status
from alerts.hindsight.register import Register, register_of
from alerts.policy import DEFAULTS, Policy
from core.model import Outcome, Severity
from evaluation.score import Score, by_home
from evaluation.truth import explained
from simulator.homes import ZONE
from simulator.season.faults import NONE, Chances
from simulator.season.play import Season, play_season

FIRST: Final = date(2026, 2, 2)
GROUP: Final = 100
TEACH_DAYS: Final = 7  # nothing that is raised before is scored
DEVICES_A_HOME: Final = 100  # device ids of home N begin at N x this
_COMES_AFTER_S: Final = {Severity.URGENT: 40 * 60.0, Severity.NORMAL: 3 * 3600.0}
Progress = Callable[[float, str], None]  # (share done, what is done)


@dataclass
class Result:
    """Scores of all homes, of those with faults and of those without."""

    every: Score
    with_faults: Score
    without_faults: Score

    def figures(self) -> dict[str, Any]:
        """As `--json` prints them."""
        return self.every.figures() | {
            "with_faults": self.with_faults.figures(),
            "without_faults": self.without_faults.figures(),
        }


def evaluate(
    homes: int, days: int, seed: int, progress: Progress = lambda share, what: None, *, policy: Policy = DEFAULTS,
    chances: Chances | None = None,
) -> Result:  # fmt: skip
    """Plays and scores. The same arguments give the same result."""
    result = Result(Score(), Score(), Score())
    for first in range(1, homes + 1, GROUP):
        numbers = range(first, min(first + GROUP, homes + 1))

        def done(share: float, what: str, first: int = first, count: int = len(numbers)) -> None:
            progress((first - 1 + share * count) / homes, what)

        seasons = []
        for place, number in enumerate(numbers):
            faulty = number % 2 == 0
            season = play_season(seed, number, FIRST, days, (chances or Chances()) if faulty else NONE, faulty=faulty)
            seasons.append(season)
            done(0.4 * place / len(numbers), "playing homes")
        _score_group(seasons, days, policy, result, lambda share: done(0.4 + 0.6 * share, "watching"))
    progress(1.0, "done")
    return result


def _score_group(
    seasons: Sequence[Season], days: int, policy: Policy, result: Result, progress: Callable[[float], None]
) -> None:
    truth = {season.home.number: season.truth for season in seasons}

    def judge(alarm: Alarm) -> Answer | None:
        """Who comes finds what really happened. A notice is nobody's errand: it ends by itself."""
        if alarm.severity is Severity.NOTICE:
            return None
        true = explained(alarm.kind, alarm.first_at.timestamp(), alarm.opened_at.timestamp(), truth[alarm.home_id])
        return Answer(_COMES_AFTER_S[alarm.severity], Outcome.HELPED if true else Outcome.FALSE_ALARM)

    start = min(season.arrival.said[0].at for season in seasons) - 1
    end = start + days * 86_400
    register = register_of_seasons(seasons, start, policy)
    readings, statuses = arrivals(seasons, register)
    hindsight = Hindsight(register, start, end + 86_400, judge)
    alarms = by_home(hindsight.run(readings, statuses, start, end, progress=progress))
    scored_from = start + TEACH_DAYS * 86_400
    for season in seasons:
        mine = [one for one in alarms.get(season.home.number, []) if one.opened_at.timestamp() >= scored_from]
        for score in (result.every, result.with_faults if season.faulty else result.without_faults):
            score.add_home(mine, season.truth, days - TEACH_DAYS)


def register_of_seasons(seasons: Sequence[Season], start: float, policy: Policy = DEFAULTS) -> Register:
    """The homes as the platform's register would have them; a home's id is its number."""
    devices = [
        {
            "id": season.home.number * DEVICES_A_HOME + index,
            "home_id": season.home.number,
            "gateway_id": season.home.number,
            "kind": str(device.kind),
            "room": device.room or "",
            "mains": season.home.mains(index),
            "exterior": device.exterior,
            "registered_at": start,
        }
        for season in seasons
        for index, device in enumerate(season.home.devices)
    ]
    homes = [{"id": season.home.number, "zone": ZONE} for season in seasons]
    gateways = [{"id": season.home.number, "home_id": season.home.number} for season in seasons]
    return register_of(homes, gateways, devices, [policy] * len(homes))


def arrivals(seasons: Sequence[Season], register: Register) -> tuple[Readings, list[Status]]:
    """What arrived of all these homes, in the order stored."""
    parts, statuses = [], []
    for row, season in enumerate(seasons):
        part = np.zeros(len(season.arrival.readings), READING)
        for name in READING.names or ():
            part[name] = season.arrival.readings[name]
        part["device"] += np.searchsorted(register.device_id, season.home.number * DEVICES_A_HOME)
        parts.append(part)
        statuses += [Status(said.at, row, said.online) for said in season.arrival.said]
    readings = np.concatenate(parts)
    return readings[np.argsort(readings["stored"], kind="stable")], statuses
