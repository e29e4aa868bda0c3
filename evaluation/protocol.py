"""The protocol for inactivity: false alarms on recorded life, delays after collapses that are put into it.

Recorded homes hold no known emergency, so every alarm in them is false. A collapse is an instant from which on
nothing the person does is seen; its delay runs from there to the alarm. Everything is seeded.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from alerts.detect.arrays import Floats, Ints
from alerts.detect.spells import Codes, beginnings
from evaluation.recorded import DAY_S, RecordedHome

COLLAPSES_A_DAY: Final = 20
BIN_S: Final = 300.0
CAP_S: Final = 48 * 3600.0
MISSED_S: Final = 12 * 3600.0


class Knowledge(Protocol):
    """What a detector knew of a home before a day began."""

    def limit_s(self, at: Floats, began: Codes, unseen_s: Floats, setting: float) -> Floats:
        """float64 [silences]: how long each may last, seconds; inf = for ever.

        Args:
            at: when each silence begins, epoch seconds.
            began: how it begins.
            unseen_s: how much of it was not received.
            setting: what moves the detector along its curve.
        """


class Detector(Protocol):
    """Something that raises inactivity alarms.

    Attributes:
        setting: where on its curve it stands.
        curve: the other settings to show.
    """

    @property
    def name(self) -> str: ...
    @property
    def setting(self) -> float: ...
    @property
    def curve(self) -> tuple[float, ...]: ...

    def follow(self, home: RecordedHome) -> list[Knowledge]:
        """What is known when each scored day begins, from what happened before it alone."""


@dataclass(frozen=True)
class Score:
    """One home's score.

    Attributes:
        days: how many days were scored.
        false_alarms: epoch seconds of each.
        delay_s: float64 [collapses], capped at 48 h.
    """

    days: int
    false_alarms: Floats
    delay_s: Floats


@dataclass(frozen=True)
class Trial:
    """What a detector is tried on in one home: the silences of its life and the collapses.

    Attributes:
        at, until: float64 [silences], from each sign of life to the next; the last is cut off by the recording.
        began: int8 [silences].
        collapse: float64 [days, 20], instants; NaN where a day has no sign of life.
    """

    home: RecordedHome
    at: Floats
    until: Floats
    began: Codes
    collapse: Floats


def prepare(home: RecordedHome, seed: int) -> Trial:
    """Draws the collapses."""
    rng = np.random.default_rng([seed, *home.name.encode()])
    until = np.append(home.signs.time[1:], home.last_day)
    return Trial(
        home=home,
        at=home.signs.time,
        until=until,
        began=beginnings(home.signs),
        collapse=np.array([_draw(home, day, rng) for day in home.days]).reshape(-1, COLLAPSES_A_DAY),
    )


def _draw(home: RecordedHome, day: float, rng: np.random.Generator) -> Floats:
    """Instants at home, within the five-minute bins in which a sensor fired; a bin may be drawn again."""
    today = home.signs.time[(home.signs.time >= day) & (home.signs.time < day + DAY_S)]
    bins = np.unique(today // BIN_S) * BIN_S
    if not len(bins):
        return np.full(COLLAPSES_A_DAY, np.nan)
    instants = rng.choice(bins, 50 * COLLAPSES_A_DAY) + rng.uniform(0, BIN_S, 50 * COLLAPSES_A_DAY)
    at_home = instants[~home.is_out(instants)][:COLLAPSES_A_DAY]
    return np.append(at_home, np.full(COLLAPSES_A_DAY - len(at_home), np.nan))


def score(trial: Trial, known: list[Knowledge], setting: float) -> Score:
    """The score of a detector that knew `known[n]` when scored day n began."""
    raised: list[float] = []
    delays: list[Floats] = []
    alarmed = np.full(len(trial.at), False)
    for day, knowledge, collapses in zip(trial.home.days, known, trial.collapse, strict=True):
        today = np.flatnonzero((trial.until > day) & (trial.at < day + DAY_S) & ~alarmed)
        alarm = np.maximum(_told_at(trial, knowledge, today, setting), day)
        hit = (alarm < trial.until[today]) & (alarm < day + DAY_S)
        alarmed[today[hit]] = True
        raised += alarm[hit].tolist()
        fallen = collapses[~np.isnan(collapses)]
        last = np.searchsorted(trial.at, fallen, side="right") - 1
        alarm = _told_at(trial, knowledge, last, setting)
        delays.append(np.clip(alarm - fallen, 0, CAP_S))
    return Score(len(known), np.array(raised), np.concatenate(delays) if delays else np.zeros(0))


def _told_at(trial: Trial, knowledge: Knowledge, which: Ints, setting: float) -> Floats:
    """float64 [which]: when each of these silences is too long; the holes that it has until then change its limit."""
    at, began = trial.at[which], trial.began[which]
    told = trial.home.seen_for(at, knowledge.limit_s(at, began, np.zeros(len(at)), setting))
    unseen_s = trial.home.unseen_s(at, told)
    return trial.home.seen_for(at, knowledge.limit_s(at, began, unseen_s, setting)) if unseen_s.any() else told


def figures(scores: list[Score]) -> dict[str, object]:
    """The figures of one home, or of several pooled."""
    days = sum(one.days for one in scores)
    alarms = sum(len(one.false_alarms) for one in scores)
    delay_h = np.concatenate([one.delay_s for one in scores]) / 3600
    homes = [float(np.median(one.delay_s)) / 3600 for one in scores if len(one.delay_s)]
    return {
        "home_days": days,
        "false_alarms": alarms,
        "false_alarms_per_home_day": round(alarms / days, 4) if days else None,
        "collapses": len(delay_h),
        "delay_h": {
            "median": _round(np.median(delay_h)),
            "p90": _round(np.quantile(delay_h, 0.9)),
            "max": _round(delay_h.max()),
            "median_of_medians": _round(np.median(homes)),
        }
        if len(delay_h)
        else None,
        "within_8h_share": _round((delay_h <= 8).mean()) if len(delay_h) else None,
        "missed_12h_share": _round((delay_h > MISSED_S / 3600).mean()) if len(delay_h) else None,
    }


def _round(value: float) -> float:
    return round(float(value), 3)
