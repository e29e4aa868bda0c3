"""Times that a person writes into a form, in the zone of the thing that they write about."""

from datetime import datetime
from zoneinfo import ZoneInfo

from core.daytime import instant
from core.errors import WrongTimes


def read_moment(text: str, zone: str) -> datetime:
    """What `<input type="datetime-local">` sends (`2026-03-02T09:00`), in UTC. Raises WrongTimes naming the text."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongTimes(f"{text!r} is not a time: write e.g. 2026-03-02T09:00") from error
    if local.tzinfo is not None:
        return local
    try:
        return instant(local.date(), local.time(), ZoneInfo(zone))
    except OverflowError as error:  # in UTC it lies in the year 0, or 10000
        raise WrongTimes(f"{text!r} is beyond the calendar: write the year in full, e.g. 2026-03-02T09:00") from error


def write_moment(moment: datetime, zone: str) -> str:
    """The same the other way round, for a form's first value."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
