"""Times of the day on a wall clock, and when they come, also on the nights on which clocks change.

A wall clock may skip times (spring) and show others twice (autumn). Something that is set for such a time happens
once: at the first instant at which the clock shows that time, or a later one.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

CLOCK_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def parse_time(text: str) -> time:
    """`08:30` -> time. Raises ValueError naming the text."""
    match = CLOCK_TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time of the day: write HH:MM, 00:00 to 23:59")
    return time(int(match[1]), int(match[2]))


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When the wall clock of `zone` first shows `at` on `day`, or has jumped over it; in UTC."""
    wanted = datetime.combine(day, at)
    early = wanted.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None) == wanted:
        return early
    # The clock never shows it: it jumps between these two instants, and `wanted` comes with the jump.
    before = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = early
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).replace(tzinfo=None) < wanted:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def next_instant(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The first instant after `now` at which the wall clock of `zone` comes to `at`; in UTC."""
    day = now.astimezone(zone).date() - timedelta(days=1)
    while (found := instant(day, at, zone)) <= now:
        day += timedelta(days=1)
    return found


def within(now: datetime, start: time, end: time, zone: ZoneInfo) -> bool:
    """Whether `now` lies in the part of the day from `start` to `end`, which may go over midnight; equal: never."""
    if start == end:
        return False
    return next_instant(now, end, zone) < next_instant(now, start, zone)
