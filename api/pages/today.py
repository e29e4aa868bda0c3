"""Whether today is as usual, in one honest word. Pure: figures in, verdict out.

Compared are only two things that a family would ask too: was the person up by about the usual time, and is
the present silence longer than silences at this time of day have been. What the platform could not see counts neither
as quiet nor as usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

DAYS: Final = 14  # that are looked back on
ENOUGH: Final = 5  # days with a known rise, below which the home is still being learned
MORNING: Final = (time(4), time(14))  # a rise lies in between, in the home's zone
QUARTER: Final = timedelta(minutes=15)
LATE: Final = timedelta(minutes=90)  # after the usual rise, or twice the usual spread if that is more
QUIET: Final = timedelta(hours=2)  # beyond the longest silence seen at about this time of day
ABOUT: Final = tuple(timedelta(minutes=minutes) for minutes in (0, 30, 60, 90))  # earlier is about this time too
GAP: Final = timedelta(hours=1)  # of a morning not seen, after which no rise can be missed


class Verdict(StrEnum):
    """The four things that the family page can say."""

    USUAL = "usual"
    UNUSUAL = "unusual"
    UNSEEN = "unseen"
    LEARNING = "learning"


class Because(StrEnum):
    """Why a day is not as usual."""

    ALERT = "alert"  # an alert about the person is open
    LATE = "late"  # not up by the usual time
    SILENT = "silent"  # longer without a sign of life than usual at this time


@dataclass(frozen=True)
class Quarter:
    """A quarter of an hour in which anything was measured: when it began (aware), and its signs of life."""

    start: datetime
    life: int


@dataclass(frozen=True)
class Today:
    """The verdict with its figures.

    Attributes:
        rise: start of the quarter in which today's activity began, None before it or when it was not seen.
        usual_rise: the median of the days before, today in the home's zone; None while learning.
        silence: time without a sign of life in which the home could be seen, None without any sign yet.
        usual_silence: the longest at this time of day on the days before; None while learning.
        not_seen: how much of today since 04:00 could not be seen.
    """

    verdict: Verdict
    because: Because | None
    rise: datetime | None
    usual_rise: datetime | None
    silence: timedelta | None
    usual_silence: timedelta | None
    not_seen: timedelta


def judge_today(
    now: datetime,
    zone: str,
    quarters: Sequence[Quarter],
    life_at: datetime | None,
    *,
    unseen: bool,
    alert: bool,
) -> Today:
    """Judges the home's day as it stands `now`.

    Args:
        quarters: of the last DAYS days and today, oldest first, only those with readings.
        life_at: the last sign of life, as measured.
        unseen: the home cannot be seen at present.
        alert: an alert about the person (not about a device) is open.
    """
    local = ZoneInfo(zone)
    today = now.astimezone(local).date()
    past = [today - timedelta(days=back) for back in range(DAYS, 0, -1)]
    rises = [found for day in past if (found := rise_of(day, zone, quarters, now)) is not None]
    usual_rise, late_after = _usual_rise(rises, today, local)
    rise = rise_of(today, zone, quarters, now)
    silences = [length for day in past if (length := _silence_about(day, now, local, quarters)) is not None]
    usual_silence = max(silences) if len(silences) >= ENOUGH else None
    not_seen = _not_seen(_local(today, MORNING[0], local), now, quarters)
    silence = None if life_at is None else max(timedelta(0), now - life_at - _not_seen(life_at, now, quarters))

    not_up = rise is None and MORNING[0] <= now.astimezone(local).time() < MORNING[1]
    verdict, because = Verdict.USUAL, None
    if alert:
        verdict, because = Verdict.UNUSUAL, Because.ALERT
    elif unseen:
        verdict = Verdict.UNSEEN
    elif usual_rise is None or late_after is None or usual_silence is None:
        verdict = Verdict.LEARNING
    elif not_up and now <= late_after:
        pass  # until then somebody sleeps longer today
    elif not_up and not_seen < GAP:
        verdict, because = Verdict.UNUSUAL, Because.LATE
    elif silence is not None and silence > usual_silence + QUIET:
        verdict, because = Verdict.UNUSUAL, Because.SILENT
    return Today(verdict, because, rise, usual_rise, silence, usual_silence, not_seen)


def rise_of(day: date, zone: str, quarters: Sequence[Quarter], now: datetime) -> datetime | None:
    """Start of the first quarter of the morning after which life goes on: three of its four next quarters have
    some (of those that are over, when the hour still runs). One walk to the toilet at five is no rise."""
    local = ZoneInfo(zone)
    begin, end = _local(day, MORNING[0], local), _local(day, MORNING[1], local)
    lively = {quarter.start for quarter in quarters if quarter.life > 0 and begin <= quarter.start < end + 4 * QUARTER}
    for start in sorted(lively):
        hour = [start + step * QUARTER for step in range(4) if start + step * QUARTER <= now]
        needed = min(3, max(2, len(hour) - 1))
        if start < end and sum(moment in lively for moment in hour) >= needed:
            return start
    return None


def _usual_rise(rises: Sequence[datetime], today: date, local: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The median rise, put on today, and the moment after which not being up is late."""
    if len(rises) < ENOUGH:
        return None, None
    minutes = [at.hour * 60 + at.minute for at in (rise.astimezone(local) for rise in rises)]
    middle = median(minutes)
    spread = median(abs(one - middle) for one in minutes)
    usual = _local(today, MORNING[0], local) + timedelta(minutes=middle - MORNING[0].hour * 60)
    return usual, usual + max(LATE, timedelta(minutes=2 * spread * 1.4826))  # MAD -> standard deviation


def _silence_about(day: date, now: datetime, local: ZoneInfo, quarters: Sequence[Quarter]) -> timedelta | None:
    """The longest silence of `day` at about this time; None when none could be seen."""
    moment = _local(day, now.astimezone(local).time(), local)
    lengths = [_silence_at(moment - earlier, quarters) for earlier in ABOUT]
    return max((length for length in lengths if length is not None), default=None)


def _silence_at(moment: datetime, quarters: Sequence[Quarter]) -> timedelta | None:
    """How long it had been silent then; None when there was no sign of life in the day before."""
    before = [quarter for quarter in quarters if moment - timedelta(days=1) <= quarter.start < moment]
    lively = [quarter.start for quarter in before if quarter.life > 0]
    if not lively:
        return None
    since = min(lively[-1] + QUARTER, moment)
    return moment - since - _not_seen(since, moment, quarters)


def _not_seen(since: datetime, until: datetime, quarters: Sequence[Quarter]) -> timedelta:
    """Time in whole quarters between two moments in which nothing at all was measured."""
    if until <= since:
        return timedelta(0)
    seen = {quarter.start for quarter in quarters}
    step = timedelta(seconds=since.timestamp() % QUARTER.total_seconds())
    start = (since - step) + (QUARTER if step else timedelta(0))
    missing = 0
    while start + QUARTER <= until:
        missing += start not in seen
        start += QUARTER
    return missing * QUARTER


def _local(day: date, at: time, local: ZoneInfo) -> datetime:
    """A clock time of a day there, in UTC, so that differences are real time."""
    return datetime.fromtimestamp(datetime.combine(day, at.replace(tzinfo=None), local).timestamp(), ZoneInfo("UTC"))
