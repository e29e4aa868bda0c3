"""A home's past in quarters of an hour: what routines are learned from."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from alerts.detect.arrays import Floats, Ints

QUARTER_S: Final = 900
DAY_S: Final = 86_400


@dataclass(frozen=True)
class Quarters:
    """Quarters in which anything was received, oldest first. All columns have the same length.

    Attributes:
        quarter: start of each, epoch seconds, rising.
        life: signs of life; day: of them those from rooms of the day (no bedroom, no bathroom); bath: from the bathroom
            or toilet; kitchen: from the kitchen; door: from an exterior door.
        radio: readings of any kind from sensors that show life.
        power_low: the meter's lowest value, W; NaN = it said nothing.
        water_m3: water run since the quarter before in which the meter was heard; NaN = it said nothing.
    """

    quarter: Floats
    life: Ints
    day: Ints
    bath: Ints
    kitchen: Ints
    door: Ints
    radio: Ints
    power_low: Floats
    water_m3: Floats

    def since(self, moment: float) -> "Quarters":
        """The part that begins at `moment` or later."""
        first = int(np.searchsorted(self.quarter, moment))
        return Quarters(**{part.name: getattr(self, part.name)[first:] for part in fields(self)})


def empty() -> Quarters:
    """Nothing known."""
    floats, ints = np.zeros(0), np.zeros(0, dtype=np.int64)
    return Quarters(floats, ints, ints, ints, ints, ints, ints, floats, floats)
