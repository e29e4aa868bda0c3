"""`yiju evaluate DIR`: every recorded home, every detector, one document."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.errors import RegisterError
from evaluation.baselines import BASELINES
from evaluation.ours import Ours
from evaluation.protocol import Detector, Trial, figures, prepare, score
from evaluation.recorded import home_of, load_sources
from evaluation.report import Judged, document

SEED = 1


def evaluate(folder: Path, seed: int, advance: Callable[[float, float], None]) -> dict[str, Any]:
    """Judges the product and the rules to beat on every home of the folder with one resident.

    Args:
        advance: called with (detectors done, detectors in all).

    Raises:
        RegisterError: a file is missing or wrong, or no home can be scored.
    """
    homes = [home_of(source) for source in load_sources(folder)]
    trials = [prepare(home, seed) for home in homes if home.residents == 1 and len(home.days) and len(home.signs)]
    if not trials:
        raise RegisterError(f"{folder}: no home has one resident and more than 7 days: nothing can be scored")
    detectors: list[Detector] = [Ours(), *BASELINES]
    judged = []
    for place, detector in enumerate(detectors):
        judged.append(judge(detector, trials))
        advance(place + 1, len(detectors))
    scored = {trial.home.name for trial in trials}
    return document(judged[0], judged[1:], trials, [home.name for home in homes if home.name not in scored], seed)


def judge(detector: Detector, trials: Sequence[Trial]) -> Judged:
    """One detector over all homes, at its own setting and along its curve."""
    known = [detector.follow(trial.home) for trial in trials]

    def at(setting: float) -> dict[str, Any]:
        return {trial.home.name: score(trial, days, setting) for trial, days in zip(trials, known, strict=True)}

    curve = [(setting, figures(list(at(setting).values()))) for setting in detector.curve]
    return Judged(detector.name, detector.setting, at(detector.setting), curve)
