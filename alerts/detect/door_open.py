"""Door open: an exterior door stands open for longer than it should."""

import numpy as np

from alerts.detect.findings import Findings
from alerts.detect.whereabouts import Whereabouts
from alerts.detect.whole_home import of_homes
from core.model import AlertKind, Severity


def find(now: float, homes: Whereabouts, slack_s: float = 0.0) -> Findings:
    """Homes whose door stands open. Arguments as in not_risen.find."""
    open_s = now - homes.open_since
    rows = np.flatnonzero(homes.watched & (open_s >= homes.door_open_s + slack_s))
    return of_homes(
        AlertKind.DOOR_OPEN,
        Severity.NORMAL,
        now,
        homes,
        rows,
        homes.open_since[rows],
        {"open_at": homes.open_since[rows], "silence_s": open_s[rows], "limit_s": homes.door_open_s[rows]},
    )
