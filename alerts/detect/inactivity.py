"""Inactivity: no sign of life for longer than is usual here, though the home could be seen.

How long a silence may last depends on how it began (alerts/detect/spells.py) and on the clock, by what the home's own
past says (alerts/detect/personal.py). Until a home is known the rule in use holds, 12 h (Shanghai, Longgang), and a
silence that began at the exterior door is left to not_returned. Afterwards nobody indoors may be silent for longer
than the rule, and no limit is shorter than the floor. Time in which nothing was received from the home is not silence
and is taken off.
"""

import numpy as np

from alerts.detect.arrays import Bools, Floats, Homes
from alerts.detect.cannot_watch import watched
from alerts.detect.findings import Findings
from alerts.detect.spells import DOOR, Began, Codes
from core.model import AlertKind, Severity


def allowed_s(personal_s: Floats, began: Codes, floor_s: Floats, rule_s: Floats) -> Floats:
    """float64 [silences]: how long a silence may last, seconds; inf = for ever.

    Args:
        personal_s: the personal limit; NaN = the home is not known yet, inf = for ever.
        began: how the silence began.
        floor_s, rule_s: the home's policy.
    """
    out = (began == Began.LEFT) | (began == Began.DOOR_RESTING)
    at_door = np.isin(began, DOOR)
    personal = np.where(out, np.maximum(personal_s, rule_s), np.maximum(personal_s, floor_s))  # keeps NaN
    unknown = np.where(at_door & ~(began == Began.DOOR_RESTING), np.inf, rule_s)
    known = np.where(at_door, personal, np.minimum(personal, rule_s))
    return np.asarray(np.where(np.isnan(personal_s), unknown, known), dtype=np.float64)
