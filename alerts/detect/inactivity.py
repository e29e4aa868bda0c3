"""Inactivity: no sign of life for longer than is usual here, though the home could be seen.

How long a silence may last depends on how it began (alerts/detect/spells.py) and on the clock, by what the home's own
past says (alerts/detect/personal.py). Until a home is known the rule in use holds, 12 h (Shanghai, Longgang), and a
silence that began at the exterior door is left to not_returned. Afterwards nobody indoors may be silent for longer
than the rule (`longest_s` says where it yields), nobody who seems to have left is missed before half of it or before
a day out is over (personal.py), and no limit is shorter than the floor. Time in which nothing was received from the
home is not silence and is taken off; a planned absence silences it.
"""

from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, Floats, Homes
from alerts.detect.cannot_watch import watched
from alerts.detect.findings import Findings
from alerts.detect.spells import DOOR, Began, Codes
from core.model import AlertKind, Severity

TWICE_TIMES: Final = 1.1  # x what a home has lived through twice is no longer usual


def find(now: float, homes: Homes, slack_s: float = 0.0) -> Findings:
    """Homes that are silent for too long.

    Args:
        now: epoch seconds.
        slack_s: how long a reading may be under way; added to every limit.
    """
    limit = limit_s(homes)
    silence = now - homes.life_at - homes.unseen_s
    rows = np.flatnonzero((silence >= limit + slack_s) & ~planned_away(now, homes) & watched(now, homes, slack_s))
    return Findings(
        kind=AlertKind.INACTIVITY,
        severity=Severity.URGENT,
        home_id=homes.home_id[rows],
        subject_id=np.full(len(rows), -1),
        by_subject=False,
        began=homes.life_at[rows],
        figures={
            "last_at": homes.life_at[rows],
            "room": homes.life_room[rows],
            "silence_s": silence[rows],
            "limit_s": limit[rows],
            "usual_s": homes.usual_s[rows],
            "alike": homes.alike[rows],
            "shorter": homes.alike_shorter[rows],
            "profile": homes.profile[rows],
        },
        coverage={
            "from_at": homes.life_at[rows],
            "to_at": np.full(len(rows), now),
            "unseen_s": homes.unseen_s[rows],
            "sensors": homes.life_devices[rows],
            "sensors_seen": homes.life_devices_seen[rows],
        },
    )


def limit_s(homes: Homes) -> Floats:
    """float64 [homes]: how long the present silence may last, seconds; inf = for ever."""
    longest = longest_s(np.isnan(homes.door_at), homes.twice_s, homes.rule_s, homes.not_returned_s)
    return allowed_s(homes.personal_s, homes.began, homes.floor_s, homes.rule_s, longest)


def longest_s(no_door: Bools, twice_s: Floats, rule_s: Floats, not_returned_s: Floats) -> Floats:
    """float64 [homes]: the longest that a personal limit indoors may be.

    It is the rule, but that of an absence where no exterior door is watched, as a silence may always be an outing.
    Where the home's own life has broken the rule twice, it yields by as much, up to an absence: a rule that is broken
    every other night calls nobody.

    Args:
        twice_s: see arrays.Homes.
    """
    most = np.fmax(rule_s, not_returned_s)
    lived = np.fmin(TWICE_TIMES * twice_s, most)
    return np.where(no_door, most, np.where(twice_s > rule_s, lived, rule_s))  # NaN compares false


def went_out(homes: Homes) -> Bools:
    """bool [homes]: whether the silence began at the exterior door, with nobody on a bed or seat."""
    return np.asarray((homes.began == Began.LEFT) | (homes.began == Began.CAME), dtype=np.bool_)


def planned_away(now: float, homes: Homes) -> Bools:
    """bool [homes]: whether somebody has said that the person is away now. NaN compares false."""
    return np.asarray(now < homes.away_until, dtype=np.bool_)


def allowed_s(personal_s: Floats, began: Codes, floor_s: Floats, rule_s: Floats, longest_s: Floats) -> Floats:
    """float64 [silences]: how long a silence may last, seconds; inf = for ever.

    Args:
        personal_s: the personal limit; NaN = the home is not known yet, inf = for ever.
        began: how the silence began.
        floor_s, rule_s: the home's policy.
        longest_s: the longest that a personal limit indoors may be.
    """
    out = (began == Began.LEFT) | (began == Began.DOOR_RESTING)
    at_door = np.isin(began, DOOR)
    personal = np.where(out, np.maximum(personal_s, rule_s / 2), np.maximum(personal_s, floor_s))  # keeps NaN
    unknown = np.where(at_door & ~(began == Began.DOOR_RESTING), np.inf, rule_s)
    known = np.where(at_door, personal, np.minimum(personal, longest_s))
    return np.asarray(np.where(np.isnan(personal_s), unknown, known), dtype=np.float64)
