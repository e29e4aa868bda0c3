"""What of a home's past could be seen: an empty quarter of a home that always speaks is a hole, not silence."""

from typing import Final

import numpy as np

from alerts.detect.arrays import Floats
from alerts.detect.memory import HOLE_S

QUARTER_S: Final = 900
SPOKEN: Final = 0.95  # share of quarters with any reading from which on an empty quarter is a hole


def spoken(quarters: Floats) -> float:
    """The share of quarters in which anything was received, between the first and the last of them; 0 = of too few.

    Args:
        quarters: starts of the quarter-hours in which anything was received, epoch seconds, rising.
    """
    if len(quarters) < 2:
        return 0.0
    return float(len(quarters) / ((quarters[-1] - quarters[0]) / QUARTER_S + 1))


def holes(quarters: Floats) -> Floats:
    """float64 [holes, 2]: from and to; none where the home does not usually speak in every quarter."""
    if spoken(quarters) < SPOKEN:
        return np.zeros((0, 2))
    gap = np.flatnonzero(np.diff(quarters) - QUARTER_S > HOLE_S)
    return np.column_stack([quarters[gap] + QUARTER_S, quarters[gap + 1]])
