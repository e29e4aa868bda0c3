"""Who is on, the slow way: the wall clock is watched minute by minute, and every time that it shows is counted."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.shifts.rota import Cover, Leave, Rotation

MINUTE = timedelta(minutes=1)


def on_shift(
    rotation: Rotation, covers: Sequence[Cover], leave: Sequence[Leave], start: datetime, minutes: int
) -> list[int | None]:
    """Who is on in each minute from `start` on; `start` lies after the first handover.

    A handover is over once the wall clock has shown its time or a later one, and is not undone by a clock that is
    set back: hence the latest time that was ever shown.
    """
    boundaries = []
    day = rotation.starts_on
    while day <= (start + minutes * MINUTE).astimezone(rotation.zone).date() + timedelta(days=1):
        boundaries += [datetime.combine(day, handover) for handover in rotation.handovers]
        day += timedelta(days=rotation.every_days)
    over = None if rotation.ends_on is None else datetime.combine(rotation.ends_on, rotation.handovers[0])
    shown = max((start - ago * 30 * MINUTE).astimezone(rotation.zone).replace(tzinfo=None) for ago in range(60))
    found = []
    for minute in range(minutes):
        now = start + minute * MINUTE
        shown = max(shown, now.astimezone(rotation.zone).replace(tzinfo=None))
        passed = sum(boundary <= shown for boundary in boundaries)
        planned = passed and not (over is not None and over <= shown)
        person = rotation.members[(passed - 1) % len(rotation.members)] if planned else None
        for cover in sorted(covers, key=lambda cover: cover.id):
            if cover.start <= now < cover.end:
                person = cover.person
        if any(one.person == person and one.start <= now < one.end for one in leave):
            person = None
        found.append(person)
    return found
