"""`yiju evaluate DIR --altered`: the same protocol on homes that were made different, so that nobody has tuned to them.

Every recorded home with one resident is altered in each of the ways of evaluation/alterations.py, and judged like
those that were recorded, beside the same rules to beat.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import RegisterError
from evaluation.alterations import ALTERATIONS, AS_RECORDED, Alteration
from evaluation.baselines import BASELINES
from evaluation.ours import Ours
from evaluation.protocol import Detector, Score, Trial, figures, prepare, score
from evaluation.recorded import DAY_S, TEACH_DAYS, Source, home_of, load_sources

GOAL_A_DAY: Final = 0.02
GOAL_MEDIAN_H: Final = 4.0
GOAL_P90_H: Final = 8.0
NEXT_A_DAY: Final = 0.01
NEXT_MEDIAN_H: Final = 3.0


@dataclass(frozen=True)
class Sitting:
    """One detector over the homes of one alteration.

    Attributes:
        scores: at its own setting, one a home.
        curve: the scores at each setting of its curve.
    """

    scores: list[Score]
    curve: dict[float, list[Score]]

    def then(self, other: "Sitting") -> "Sitting":
        """These homes and others."""
        curve = {setting: self.curve[setting] + other.curve[setting] for setting in self.curve}
        return Sitting(self.scores + other.scores, curve)


def evaluate(folder: Path, seed: int, advance: Callable[[float, float], None]) -> dict[str, Any]:
    """Judges the product and the rules to beat on every altered home.

    Args:
        advance: called with (alterations done, alterations in all).

    Raises:
        RegisterError: a file is missing or wrong, or no home can be scored.
    """
    loaded = load_sources(folder)
    sources = [source for source in loaded if source.recording.residents == 1]
    detectors: list[Detector] = [Ours(), *BASELINES]
    kinds = (AS_RECORDED, *ALTERATIONS)
    found: dict[str, Any] = {}
    every = [_nothing(detector) for detector in detectors]
    early_every: list[tuple[int, int]] = []
    for place, kind in enumerate(kinds):
        trials = [trial for source in sources for trial in altered(kind, place, source, seed)]
        advance(place, len(kinds))
        if not trials:
            continue
        sittings = [sit(detector, trials) for detector in detectors]
        early = _early(trials, sittings[0].scores)
        found[kind.name] = {"what": kind.what, "alarming": kind.alarming, "variants": len(trials)}
        found[kind.name] |= _document(detectors, sittings, early) | {"homes": _by_home(trials, sittings[0].scores)}
        if kind is not AS_RECORDED and not kind.alarming:
            every = [one.then(more) for one, more in zip(every, sittings, strict=True)]
            early_every.append(early)
    if not found:
        raise RegisterError(f"{folder}: no home has one resident and more than 7 days: nothing can be scored")
    advance(len(kinds), len(kinds))
    alarms, days = (sum(column) for column in zip(*early_every, strict=True)) if early_every else (0, 0)
    scored = {name for kind in found.values() for name in kind["homes"]}
    left_out = [source.recording.name for source in loaded if source.recording.name not in scored]
    every_document = _document(detectors, every, (alarms, days))
    return {"seed": seed, "left_out": left_out, "alterations": found, "all": every_document}


def altered(kind: Alteration, place: int, source: Source, seed: int) -> list[Trial]:
    """The homes that an alteration makes of one, with their collapses; those too short to be scored are left out."""
    rng = np.random.default_rng([seed, place, *source.recording.name.encode()])
    made = [home_of(one) for one in kind.change(source, rng) if len(one.recording.wall)]
    return [prepare(home, seed) for home in made if len(home.signs) and len(home.days)]


def sit(detector: Detector, trials: Sequence[Trial]) -> Sitting:
    """One detector over these homes."""
    known = [detector.follow(trial.home) for trial in trials]

    def at(setting: float) -> list[Score]:
        return [score(trial, days, setting) for trial, days in zip(trials, known, strict=True)]

    return Sitting(at(detector.setting), {setting: at(setting) for setting in detector.curve})


def _nothing(detector: Detector) -> Sitting:
    return Sitting([], {setting: [] for setting in detector.curve})


def _document(detectors: Sequence[Detector], sittings: Sequence[Sitting], early: tuple[int, int]) -> dict[str, Any]:
    ours = figures(sittings[0].scores)
    curve = [{"setting": setting} | figures(scores) for setting, scores in sittings[0].curve.items()]
    rules = {
        detector.name: _beside(figures(sitting.scores), curve)
        for detector, sitting in zip(detectors[1:], sittings[1:], strict=True)
    }
    return {
        "pooled": ours,
        "second_week": {"false_alarms": early[0], "home_days": early[1]},
        "goal": _met(ours, GOAL_A_DAY, GOAL_MEDIAN_H, GOAL_P90_H),
        "next_goal": any(_met(one, NEXT_A_DAY, NEXT_MEDIAN_H, GOAL_P90_H) for one in curve),
        "curve": curve,
        "baselines": rules,
    }


def _met(found: dict[str, Any], a_day: float, median_h: float, p90_h: float) -> bool:
    delay = found["delay_h"]
    if delay is None or found["false_alarms_per_home_day"] is None:
        return False
    enough = bool(delay["median"] <= median_h and delay["p90"] <= p90_h)
    return enough and bool(found["false_alarms_per_home_day"] <= a_day)


def _beside(rule: dict[str, Any], curve: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A rule's figures, and our median at no more false alarms than its own; null = we always have more."""
    rate = rule["false_alarms_per_home_day"]
    ours = [one["delay_h"]["median"] for one in curve if one["delay_h"] and one["false_alarms_per_home_day"] <= rate]
    return rule | {"our_median_h": min(ours, default=None)}


def _early(trials: Sequence[Trial], scores: Sequence[Score]) -> tuple[int, int]:
    """False alarms of the second week, the first that is scored, and its home-days."""
    alarms = days = 0
    for trial, one in zip(trials, scores, strict=True):
        end = trial.home.first_day + TEACH_DAYS * DAY_S
        alarms += int((one.false_alarms < end).sum())
        days += int((trial.home.days < end).sum())
    return alarms, days


def _by_home(trials: Sequence[Trial], scores: Sequence[Score]) -> dict[str, Any]:
    names = [trial.home.name for trial in trials]
    return {
        name: figures([one for trial, one in zip(trials, scores, strict=True) if trial.home.name == name])
        for name in dict.fromkeys(names)
    }
