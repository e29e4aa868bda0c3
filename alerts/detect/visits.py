"""Carers' visits: whose signs are they, and how did the silence after a visit begin?

While a carer is there, and for `MARGIN_S` before and after (shoes, keys, the lift), what moves may be the carer. Such
signs teach nothing about the resident, and prove nothing of them. Whoever was **met** was seen by a person, indoors, at
the end of the visit: that is a sign of life in a room that nobody named. So the door that falls shut behind the carer
is no leaving, and a silence after it is judged as one indoors (docs/adr/0030). A visit of which nobody has said how the
resident was, or to somebody who was not met, leaves the silence to the sensors.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, Floats
from alerts.detect.quarters import QUARTER_S
from alerts.detect.spells import DOOR_GRACE_S, Spells

MARGIN_S: Final = 600.0  # a tap and the door are so far apart at most
# Whoever goes out with the carer, or right behind, uses the door when the carer does: nothing tells them from somebody
# who stayed in. They are waited for through an errand: this share of the rule (3 of 12 h), where the home's limit
# indoors is shorter.
ERRAND_SHARE: Final = 0.25


@dataclass(frozen=True)
class Visited:
    """The last visit to each home; several that overlap with their margins are one. Epoch seconds, NaN = none.

    Attributes:
        from_at: when it began. until_at: when it ended; inf = a carer is there.
        met_at: when a carer left who had met the resident; NaN = none had. well_at: likewise, and found them well.
        together: whether the resident left the home with that carer.
    """

    from_at: Floats
    until_at: Floats
    met_at: Floats
    well_at: Floats
    together: Bools

    @property
    def here(self) -> Bools:
        """bool [homes]: a carer is there."""
        return np.isposinf(self.until_at)


@dataclass(frozen=True)
class Past:
    """One home's visits, for learning.

    Attributes:
        from_at, until_at: float64 [visits], epoch seconds.
        met: bool [visits], whether the resident was met.
    """

    from_at: Floats
    until_at: Floats
    met: Bools


@dataclass(frozen=True)
class LastSigns:
    """The last signs of the resident, as far as they can be told from a carer's. float64 and bool, one row a home.

    Attributes:
        life_at: the last sign of life, being met by a carer included.
        door_at, inside_at: as spells.how_began takes them.
        roomless: whether nobody knows in which room it was.
        after: whether the silence began with a visit, and nobody was seen to stay.
    """

    life_at: Floats
    door_at: Floats
    inside_at: Floats
    roomless: Bools
    after: Bools


def nobody_came(homes: int) -> Visited:
    """No visit to any of so many homes."""
    never = np.full(homes, np.nan)
    return Visited(never, never, never, never, np.zeros(homes, dtype=np.bool_))


NO_VISITS: Final = Past(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.bool_))


def maybe_carers(visited: Visited, at: Floats) -> Bools:
    """bool [homes]: whether a sign at `at`, epoch seconds, may be the carer's of the last visit. NaN: no."""
    return np.asarray((at >= visited.from_at - MARGIN_S) & (at <= visited.until_at + MARGIN_S), dtype=np.bool_)


def unmet_carers(visited: Visited, at: Floats) -> Bools:
    """bool [homes]: the same of a carer who has not met the resident: the sign says nothing of them."""
    return np.asarray(maybe_carers(visited, at) & np.isnan(visited.met_at), dtype=np.bool_)


def last_signs(visited: Visited, life_at: Floats, door_at: Floats, inside_at: Floats) -> LastSigns:
    """What the sensors' last signs say once it is known who came.

    Args:
        life_at, door_at, inside_at: last sign of life, of an exterior door, of anything else; NaN = none.
    """
    met = ~np.isnan(visited.met_at)
    # Somebody moves indoors after the visit and after the door was last used: that is the resident, and says where.
    own = (inside_at > visited.until_at) & ~(inside_at <= door_at + DOOR_GRACE_S)
    after = met & ~own & ~(life_at > visited.until_at + MARGIN_S)  # NaN: nobody but the carer ever saw anybody
    seen_at = np.where(after, np.fmax(life_at, visited.met_at), life_at)
    stayed, went = after & ~visited.together, after & visited.together
    return LastSigns(
        life_at=seen_at,
        # Whoever went along used the door last, also where its contact said nothing.
        door_at=np.where(stayed, np.nan, np.where(went, seen_at, door_at)),
        inside_at=np.where(after, seen_at, np.where(visited.together, inside_at, np.fmax(inside_at, visited.met_at))),
        roomless=after,
        after=stayed,
    )


def errand_s(after: Bools, personal_s: Floats, rule_s: Floats) -> Floats:
    """float64 [homes]: personal limits, of silences that began with a visit long enough for an errand. NaN stays."""
    return np.where(after, np.maximum(personal_s, ERRAND_SHARE * rule_s), personal_s)


def carers_signs(past: Past, at: Floats) -> Bools:
    """bool [signs]: which of these moments, epoch seconds, lie in a visit or its margin."""
    inside = np.zeros(len(at), dtype=np.bool_)
    for from_at, until_at in zip(past.from_at, past.until_at, strict=True):
        inside |= (at >= from_at - MARGIN_S) & (at <= until_at + MARGIN_S)
    return inside


def untaught(past: Past, spells: Spells) -> Bools:
    """bool [spells]: which of them a visit has begun, ended or, to somebody who was met, interrupted: they say
    nothing of how long the resident is quiet."""
    end = spells.at + spells.length_s
    cut = carers_signs(past, spells.at) | carers_signs(past, end)
    for until_at in past.until_at[past.met]:
        cut |= (spells.at < until_at) & (end > until_at)
    return cut


def undisturbed_s(past: Past, spells: Spells) -> Floats:
    """float64 [spells]: how long each had lasted before a visit cut it off, or to its end; 0 = a visit began it."""
    lasted, end = spells.length_s.copy(), spells.at + spells.length_s
    for from_at, until_at, met in zip(past.from_at, past.until_at, past.met, strict=True):
        ended = (end >= from_at - MARGIN_S) & (end <= until_at + MARGIN_S)
        cut = ended | (met & (spells.at < until_at) & (end > until_at))
        lasted = np.where(cut, np.minimum(lasted, np.maximum(from_at - MARGIN_S - spells.at, 0)), lasted)
    return np.where(carers_signs(past, spells.at), 0.0, lasted)


def visited_quarters(past: Past, quarter: Floats) -> Bools:
    """bool [quarters]: which quarters of an hour (starts, epoch seconds) a visit or its margin touches."""
    inside = np.zeros(len(quarter), dtype=np.bool_)
    for from_at, until_at in zip(past.from_at, past.until_at, strict=True):
        inside |= (quarter + QUARTER_S > from_at - MARGIN_S) & (quarter <= until_at + MARGIN_S)
    return inside
