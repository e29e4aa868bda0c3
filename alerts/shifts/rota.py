"""Who is on when: members take turns at handovers, others cover for them, leave makes gaps. Pure.

A rotation's handovers are times on a wall clock, so a shift lasts 23 or 25 hours in the nights on which clocks change
(core/daytime.py). All results are in UTC. Spans are half open: whoever hands over at 08:00 is not on at 08:00.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from core.daytime import instant

NOBODY: Final = None


@dataclass(frozen=True)
class Rotation:
    """The plan.

    Attributes:
        members: person ids in the order of their turns; None = nobody is on in this turn. Not empty.
        handovers: times of the day, ascending, not empty. A turn begins at each of them, on every `every_days`-th day;
            more than one only where `every_days` is 1.
        starts_on: the local day of the first turn.
        ends_on: the local day on which, at the first handover, it ends; None = it does not.
    """

    zone: ZoneInfo
    members: Sequence[int | None]
    handovers: Sequence[time]
    every_days: int
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True)
class Cover:
    """Somebody is on instead of whoever would be. Of two that overlap the one that was entered later holds."""

    id: int
    person: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Leave:
    """A person who is not there."""

    person: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Shift:
    """A span with one person, or with nobody.

    Attributes:
        person: who is on; None = nobody.
        absent: who would be on and is on leave.
        cover: id of the cover that it comes from.
    """

    start: datetime
    end: datetime
    person: int | None
    absent: int | None = None
    cover: int | None = None


def turns(rotation: Rotation, start: datetime, end: datetime) -> Iterator[Shift]:
    """The planned turns that overlap `start` to `end`, whole ones, in order. Before the first there are none."""
    over = None if rotation.ends_on is None else instant(rotation.ends_on, rotation.handovers[0], rotation.zone)
    day = start.astimezone(rotation.zone).date() - timedelta(days=2 * rotation.every_days)
    turn = max(0, (day - rotation.starts_on).days // rotation.every_days) * len(rotation.handovers)
    begin = _boundary(rotation, turn)
    while begin < end and (over is None or begin < over):
        finish = _boundary(rotation, turn + 1)
        if over is not None:
            finish = min(finish, over)
        if finish > start and finish > begin:
            yield Shift(begin, finish, rotation.members[turn % len(rotation.members)])
        begin, turn = _boundary(rotation, turn + 1), turn + 1


def shifts(
    rotation: Rotation, covers: Iterable[Cover], leave: Iterable[Leave], start: datetime, end: datetime
) -> list[Shift]:
    """What really holds from `start` to `end`, without a hole: adjoining spans, the first and last cut to fit."""
    planned = list(turns(rotation, start, end))
    covers = sorted(covers, key=lambda cover: cover.id)
    leave = list(leave)
    edges = {start, end}
    spans = [(one.start, one.end) for kind in (planned, covers, leave) for one in kind]
    edges |= {edge for span in spans for edge in span if start < edge < end}
    times = sorted(edges)
    found: list[Shift] = []
    for begin, finish in pairwise(times):
        one = _who(begin, finish, planned, covers, leave)
        last = found[-1] if found else None
        same_turn = not any(begin == turn.start for turn in planned) or one.cover is not None
        if last and same_turn and replace(last, end=finish, start=begin) == one:
            found[-1] = replace(last, end=finish)
        else:
            found.append(one)
    return found


def gaps(rotas: Iterable[Sequence[Shift]]) -> list[tuple[datetime, datetime]]:
    """Spans in which nobody of any of these rotas is on; all of them cover the same span."""
    rotas = [list(rota) for rota in rotas]
    if not rotas or not rotas[0]:
        return []
    edges = sorted({edge for rota in rotas for shift in rota for edge in (shift.start, shift.end)})
    found: list[tuple[datetime, datetime]] = []
    for begin, finish in pairwise(edges):
        if any(shift.person is not None and shift.start <= begin < shift.end for rota in rotas for shift in rota):
            continue
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], finish)
        else:
            found.append((begin, finish))
    return found


def _who(
    begin: datetime, finish: datetime, planned: Sequence[Shift], covers: Sequence[Cover], leave: Sequence[Leave]
) -> Shift:
    person = next((turn.person for turn in planned if turn.start <= begin < turn.end), NOBODY)
    cover = None
    for one in covers:
        if one.start <= begin < one.end:
            person, cover = one.person, one.id
    if any(one.person == person and one.start <= begin < one.end for one in leave):
        return Shift(begin, finish, NOBODY, absent=person, cover=cover)
    return Shift(begin, finish, person, cover=cover)


def _boundary(rotation: Rotation, turn: int) -> datetime:
    """When turn number `turn` begins (0 = the first)."""
    round_, place = divmod(turn, len(rotation.handovers))
    day = rotation.starts_on + timedelta(days=round_ * rotation.every_days)
    return instant(day, rotation.handovers[place], rotation.zone).astimezone(UTC)
