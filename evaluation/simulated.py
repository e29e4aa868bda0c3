"""`yiju evaluate --simulated`: seasons of simulated homes through the product's own detection, against the truth.

In memory, in numpy: the simulator makes what arrives (simulator/season/), hindsight plays it with the detectors, the
learning, the inhibition and the dedup rules of production (alerts/hindsight/), and evaluation/score.py compares.
Homes with an even number have device faults. Groups of homes are played in processes of their own, as many at a time
as there are cores.
"""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from alerts.hindsight.alarms import Alarm, Answer
from alerts.hindsight.play import Hindsight
from alerts.hindsight.readings import READING, Readings, Status
from alerts.hindsight.register import Register, register_of
from alerts.policy import DEFAULTS, Policy
from alerts.visits import NOBODY, VisitLog
from core.model import Outcome, Severity
from evaluation.carers import Carers
from evaluation.score import Score, by_home
from evaluation.truth import DEVICES_A_HOME, explained
from simulator.homes import ZONE
from simulator.season.faults import NONE, Chances
from simulator.season.play import Season, play_season

FIRST: Final = date(2026, 2, 2)
GROUP: Final = 100  # homes at most, so that memory is bounded
PLAYING_SHARE: Final = 0.25  # of the time a group takes
PROGRESS_S: Final = 0.5
TEACH_DAYS: Final = 7  # nothing that is raised before is scored
_COMES_AFTER_S: Final = {Severity.URGENT: 40 * 60.0, Severity.NORMAL: 3 * 3600.0}
Progress = Callable[[float, str], None]  # (share done, what is done)


@dataclass
class Result:
    """Scores of all homes, of those with faults and of those without."""

    every: Score
    with_faults: Score
    without_faults: Score

    def add(self, other: "Result") -> None:
        """Adds other homes' scores to these."""
        self.every.add(other.every)
        self.with_faults.add(other.with_faults)
        self.without_faults.add(other.without_faults)

    def figures(self) -> dict[str, Any]:
        """As `--json` prints them."""
        return self.every.figures() | {
            "with_faults": self.with_faults.figures(),
            "without_faults": self.without_faults.figures(),
        }


def evaluate(
    homes: int, days: int, seed: int, progress: Progress = lambda share, what: None, *, policy: Policy = DEFAULTS,
    chances: Chances | None = None, carers: Carers = Carers.NONE,
) -> Result:  # fmt: skip
    """Plays and scores, on every core. The same arguments give the same result, on however many cores.

    Spawned workers import the program that calls: it needs its `if __name__ == "__main__"`.
    """
    size = min(GROUP, -(-homes // 2))
    groups = [range(first, min(first + size, homes + 1)) for first in range(1, homes + 1, size)]
    spawn = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    shares = spawn.Array("d", len(groups))
    result = Result(Score(), Score(), Score())
    workers = min(len(groups), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, spawn, initializer=_report_to, initargs=(shares,)) as pool:
        jobs = [
            pool.submit(_play_group, place, numbers, days, seed, policy, chances or Chances(), carers)
            for place, numbers in enumerate(groups)
        ]
        waiting = set(jobs)
        while waiting:
            _, waiting = wait(waiting, timeout=PROGRESS_S)
            done = sum(share * len(numbers) for share, numbers in zip(shares[:], groups, strict=True))
            progress(done / homes, "watching homes")
        for job in jobs:
            result.add(job.result())
    progress(1.0, "done")
    return result


_shares: Any = None  # of a worker process: where it says how far each group is


def _report_to(shares: Any) -> None:
    global _shares
    _shares = shares


def _play_group(
    place: int, numbers: range, days: int, seed: int, policy: Policy, chances: Chances, carers: Carers
) -> Result:
    seasons = []
    for number in numbers:
        faulty = number % 2 == 0
        seasons.append(
            play_season(
                seed, number, FIRST, days, chances if faulty else NONE, faulty=faulty, carers=carers is not Carers.NONE
            )
        )
        _shares[place] = PLAYING_SHARE * len(seasons) / len(numbers)
    result = Result(Score(), Score(), Score())

    def watched(share: float) -> None:
        _shares[place] = PLAYING_SHARE + (1 - PLAYING_SHARE) * share

    log = log_of(seasons) if carers is Carers.LOGGED else NOBODY
    _score_group(seasons, days, policy, log, result, watched)
    _shares[place] = 1.0
    return result


def _score_group(
    seasons: Sequence[Season],
    days: int,
    policy: Policy,
    log: VisitLog,
    result: Result,
    progress: Callable[[float], None],
) -> None:
    truth = {season.home.number: season.truth for season in seasons}

    def judge(alarm: Alarm) -> Answer | None:
        """Who comes finds what really happened. A notice is nobody's errand: it ends by itself."""
        if alarm.severity is Severity.NOTICE:
            return None
        began, opened = alarm.first_at.timestamp(), alarm.opened_at.timestamp()
        true = explained(alarm.kind, alarm.subject_id, began, opened, truth[alarm.home_id])
        return Answer(_COMES_AFTER_S[alarm.severity], Outcome.HELPED if true else Outcome.FALSE_ALARM)

    start = min(season.arrival.said[0].at for season in seasons) - 1
    end = start + days * 86_400
    register = register_of_seasons(seasons, start, policy)
    readings, statuses = arrivals(seasons, register)
    hindsight = Hindsight(register, start, end + 86_400, judge, visits=log)
    alarms = by_home(hindsight.run(readings, statuses, start, end, progress=progress))
    scored_from = start + TEACH_DAYS * 86_400
    for season in seasons:
        mine = [one for one in alarms.get(season.home.number, []) if one.opened_at.timestamp() >= scored_from]
        for score in (result.every, result.with_faults if season.faulty else result.without_faults):
            score.add_home(mine, season.truth, days - TEACH_DAYS)


def log_of(seasons: Sequence[Season]) -> VisitLog:
    """What the carers of these homes said of their visits."""
    rows = [
        {
            "cause": f"visit:{number}", "home_id": one.home, "from_at": one.tapped_at, "until_at": one.left_at,
            "found": one.found, "together": one.together, "known_at": one.tapped_at, "undone_at": None,
        }
        for season in seasons for number, one in enumerate(season.visits) if one.tapped_at is not None
    ]  # fmt: skip
    return VisitLog.of(rows)


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
