"""Findings about a home as a whole, of the rows that a detector has chosen."""

import numpy as np

from alerts.detect.arrays import Floats, Ints
from alerts.detect.findings import Figures, Findings
from alerts.detect.whereabouts import Whereabouts
from core.model import AlertKind, Severity


def of_homes(
    kind: AlertKind, severity: Severity, now: float, homes: Whereabouts, rows: Ints, began: Floats, figures: Figures
) -> Findings:
    """One finding a row, with the coverage since it began.

    Args:
        rows: int64 [findings], rows of `homes`. began: float64 [findings]. figures: columns of that length.
    """
    return Findings(
        kind=kind,
        severity=severity,
        home_id=homes.home_id[rows],
        subject_id=np.full(len(rows), -1),
        by_subject=False,
        began=began,
        figures=figures,
        coverage={
            "from_at": began,
            "to_at": np.full(len(rows), now),
            "sensors": homes.sensors[rows],
            "sensors_seen": homes.sensors_seen[rows],
        },
    )
