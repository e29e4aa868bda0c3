"""The product's own detector on a recorded home: the same functions that run every night and in every sweep."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect import memory, personal
from alerts.detect.arrays import Floats
from alerts.detect.inactivity import allowed_s, longest_s
from alerts.detect.spells import Codes
from alerts.policy import DEFAULTS, Policy
from evaluation.protocol import Knowledge
from evaluation.recorded import RecordedHome

BUDGETS: Final = (3.0, 5.0, 8.0, 12.0, 20.0, 35.0, 60.0, 100.0, 200.0, 400.0, 1000.0, 3000.0)


@dataclass(frozen=True)
class Ours:
    """Personal limits under a policy. Its curve moves the budget: at most one false alarm in so many days."""

    policy: Policy = DEFAULTS
    curve: tuple[float, ...] = BUDGETS
    name: str = "yiju"

    @property
    def setting(self) -> float:
        return self.policy.false_alarm_days

    def follow(self, home: RecordedHome) -> list[Knowledge]:
        """What is known when each scored day begins, learned night by night as alerts/learn.py does."""
        kept = memory.EMPTY
        known: list[Knowledge] = []
        scored = set(home.days.tolist())
        for night in np.arange(home.first_day - DAYS_BEFORE * memory.DAY_S, home.last_day, memory.DAY_S):
            signs = home.signs.since(memory.read_from(kept, night))
            kept = memory.remember(kept, signs, float(night), home.holes)
            if night in scored:
                known.append(_Known(personal.fit(kept, 0.0), self.policy, home.has_door, {}))
        return known


DAYS_BEFORE: Final = 7


@dataclass(frozen=True)
class _Known:
    fit: personal.Fit | None
    policy: Policy
    has_door: bool
    worked_out: "dict[float, personal.Minutes | None]"

    def limit_s(self, at: Floats, began: Codes, unseen_s: Floats, setting: float) -> Floats:
        if setting not in self.worked_out:
            self.worked_out[setting] = None if self.fit is None else personal.limits(self.fit, setting)
        minutes = self.worked_out[setting]
        nothing = np.full(len(at), np.nan)
        usual = nothing if minutes is None else personal.limit_with_holes_s(minutes, at, began, unseen_s, 0.0)
        policy = self.policy
        floor, rule, absent = map(np.asarray, (policy.inactivity_floor_s, policy.inactivity_s, policy.not_returned_s))
        twice = np.asarray(np.nan if self.fit is None else self.fit.twice_s)
        return allowed_s(usual, began, floor, rule, longest_s(np.asarray(not self.has_door), twice, rule, absent))
