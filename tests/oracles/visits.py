"""Carers' visits, once more and slowly: one visit, one sign, one spell at a time."""

from collections.abc import Sequence
from typing import NamedTuple

from alerts.detect.spells import Began
from tests.oracles.silence import Sign, Spell, began

MARGIN = 600


class Visit(NamedTuple):
    home: int
    from_at: float
    until_at: float | None
    found: str | None
    together: bool
    known_at: float
    undone_at: float | None


class Last(NamedTuple):
    """The last visit, or several that run into each other."""

    from_at: float
    until_at: float | None  # None: a carer is there
    met_at: float | None
    well_at: float | None
    together: bool


def known(visits: Sequence[Visit], home: int, now: float, longest: float) -> list[Visit]:
    """As they looked at `now`: what had not ended by then has no end, and no word of how it ended."""
    found = []
    for one in visits:
        if one.home != home or one.known_at > now or one.from_at > now:
            continue
        if one.undone_at is not None and one.undone_at <= now:
            continue
        if one.until_at is not None and one.until_at <= now:
            found.append(one)
        elif one.from_at + longest <= now:
            found.append(one._replace(until_at=one.from_at + longest, found=None, together=False))
        else:
            found.append(one._replace(until_at=None, found=None, together=False))
    return sorted(found, key=lambda one: one.from_at)


def last(visits: Sequence[Visit], home: int, now: float, longest: float) -> Last | None:
    chain: list[Visit] = []
    for one in known(visits, home, now, longest):
        reached = max((now if before.until_at is None else before.until_at for before in chain), default=None)
        if reached is not None and one.from_at - MARGIN > reached + MARGIN:
            chain = []
        chain.append(one)
    if not chain:
        return None
    met = [one for one in chain if one.found in ("well", "needs_attention") and one.until_at is not None]
    met_at = max((one.until_at for one in met if one.until_at is not None), default=None)
    well = [one.until_at for one in met if one.found == "well" and one.until_at is not None]
    ends = [one.until_at for one in chain]
    until = None if None in ends else max(end for end in ends if end is not None)
    together = any(one.together for one in met if one.until_at == met_at)
    return Last(chain[0].from_at, until, met_at, max(well, default=None), together)


def silence(signs: Sequence[Sign], visit: Last | None) -> tuple[float, Began] | None:
    """Since when the resident is silent, and how that began; None: nobody was ever seen."""
    if visit is None or visit.met_at is None:
        return (signs[-1][0], began(signs)) if signs else None
    resting = bool(signs and signs[-1][3])
    nothing_since = not signs or visit.until_at is None or signs[-1][0] <= visit.until_at + MARGIN
    door = max((time for time, exterior, _, _ in signs if exterior), default=None)
    inside = max((time for time, exterior, _, _ in signs if not exterior), default=None)
    stays_in = (
        inside is not None
        and visit.until_at is not None
        and inside > visit.until_at
        and (door is None or inside > door + 60)
    )
    if nothing_since and not stays_in:
        at = max([visit.met_at, *(sign[0] for sign in signs)])
        if visit.together:
            return at, Began.DOOR_RESTING if resting else Began.LEFT
        return at, Began.RESTING if resting else Began.INDOORS
    if visit.together:
        return signs[-1][0], began(signs)
    # being met is a sign indoors like another
    return signs[-1][0], began(sorted([*signs, (visit.met_at, False, "", False)], key=lambda sign: sign[0]))


def is_carers(visits: Sequence[tuple[float, float, bool]], at: float) -> bool:
    return any(begin - MARGIN <= at <= end + MARGIN for begin, end, _ in visits)


def cut_off(spell: Spell, visits: Sequence[tuple[float, float, bool]]) -> float | None:
    """How long a spell that teaches not how it ends had lasted when the carer came; None: it says not even that."""
    begin, length, _ = spell
    if is_carers(visits, begin):
        return None
    ended = [one for one in visits if is_carers([one], begin + length) or (one[2] and begin < one[1] < begin + length)]
    lasted = max(min(start - MARGIN for start, _, _ in ended) - begin, 0)
    return lasted if lasted >= 1800 else None


def teaches(spell: Spell, visits: Sequence[tuple[float, float, bool]]) -> bool:
    """Whether a quiet spell says how long the resident is quiet."""
    begin, length, _ = spell
    if is_carers(visits, begin) or is_carers(visits, begin + length):
        return False
    return not any(met and begin < end < begin + length for _, end, met in visits)
