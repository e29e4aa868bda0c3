"""The rules to beat: no activity for 12 h or 24 h, and 1.1 times the longest silence so far."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect.arrays import Floats
from alerts.detect.spells import Codes
from evaluation.protocol import Knowledge
from evaluation.recorded import RecordedHome

HOURS: Final = (4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0, 24.0, 30.0, 36.0, 48.0)
FACTORS: Final = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)


@dataclass(frozen=True)
class FixedRule:
    """No activity for so many hours, whatever the home. Its curve moves the hours."""

    setting: float
    curve: tuple[float, ...] = HOURS

    @property
    def name(self) -> str:
        return f"no_activity_{self.setting:g}h"

    def follow(self, home: RecordedHome) -> list[Knowledge]:
        return [_Hours()] * len(home.days)


class _Hours:
    def limit_s(self, at: Floats, began: Codes, unseen_s: Floats, setting: float) -> Floats:
        return np.full(len(at), setting * 3600)


@dataclass(frozen=True)
class LongestSoFar:
    """1.1 x the longest silence that the home has had so far, outings too. Its curve moves the factor."""

    setting: float = 1.1
    curve: tuple[float, ...] = FACTORS
    name: str = "longest_so_far"

    def follow(self, home: RecordedHome) -> list[Knowledge]:
        return [_Longest(home)] * len(home.days)


@dataclass(frozen=True)
class _Longest:
    """Looks at each silence's own past, so it learns through the day too."""

    home: RecordedHome

    def limit_s(self, at: Floats, began: Codes, unseen_s: Floats, setting: float) -> Floats:
        signs = self.home.signs.time
        longest = np.maximum.accumulate(np.diff(signs, prepend=signs[0]))
        return np.asarray(setting * longest[np.searchsorted(signs, at, side="right") - 1], dtype=np.float64)


BASELINES: Final = (FixedRule(12.0), FixedRule(24.0), LongestSoFar())
