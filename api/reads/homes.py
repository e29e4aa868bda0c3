"""Homes as people see them: the list, one home, its day and its weeks."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from api.access import Visit
from api.reads import QUERIES
from core.errors import NotAllowed, NotFound

SILENT_AFTER: Final = timedelta(minutes=15)  # a gateway speaks every minute; this is what the pages call "not seen"
DAY_LIMIT: Final = 50_000  # readings; a busy home sends about 3,500 a day
PAGE: Final = 50

Row = dict[str, Any]


class Watch(StrEnum):
    """Whether the platform can see a home."""

    WATCHED = "watched"
    UNSEEN = "unseen"
    NEVER = "never"
    ENDED = "ended"  # all its gateways were taken away


class Watched(NamedTuple):
    """Whether the home can be seen, and since when not (None: never was, or is seen)."""

    state: Watch
    since: datetime | None


def watch_of(home: Row, now: datetime) -> Watched:
    """Judges a row of `homes`."""
    if home["ended_at"] is not None:
        return Watched(Watch.ENDED, home["ended_at"])
    heard: datetime | None = home["heard_at"]
    if heard is None:
        return Watched(Watch.NEVER, None)
    troubles = [moment for moment in (home["down_since"], home["blind_since"]) if moment is not None]
    if heard < now - SILENT_AFTER:
        troubles.append(heard)
    return Watched(Watch.UNSEEN, min(troubles)) if troubles else Watched(Watch.WATCHED, None)


def list_homes(
    visit: Visit, *, region: int | None = None, staff: bool = False, family: bool = False, after: int = 0,
    limit: int = PAGE,
) -> list[Row]:  # fmt: skip
    """Homes that the person may see, by id, after a given one.

    Args:
        region: only in this region and below.
        staff: only those seen by a grant.
        family: only those shared by the resident's consent.
    """
    homes = _homes(visit, region=region, staff=staff, family=family, after=after, limit=limit)
    visit.audit("read.homes", (home["id"] for home in homes))
    return homes


def one_home(visit: Visit, home_id: int) -> Row:
    """One home of the list. Raises NotFound."""
    homes = _homes(visit, home=home_id, limit=1)
    if not homes:
        raise NotFound(f"there is no home {home_id} that you may see")
    visit.audit("read.home", [home_id])
    return homes[0]


def need_staff_of(visit: Visit, home_id: int) -> None:
    """Raises NotFound for a home that the person may not know of, NotAllowed for one that is only shared with them."""
    row = visit.connection.execute(QUERIES["is_staff_of"], {"person": visit.person.id, "home": home_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no home {home_id} that you may see")
    if not row["staff"]:
        raise NotAllowed("this is for the staff who look after this home")


def residents(visit: Visit, home_id: int) -> list[Row]:
    """Who lives there."""
    return visit.connection.execute(QUERIES["residents"], {"home": home_id}).fetchall()


def contacts(visit: Visit, home_id: int) -> list[Row]:
    """Family with the resident's consent."""
    return visit.connection.execute(QUERIES["contacts"], {"home": home_id}).fetchall()


def rooms(visit: Visit, home_id: int) -> list[Row]:
    return visit.connection.execute(QUERIES["rooms"], {"home": home_id}).fetchall()


def devices(visit: Visit, home_id: int) -> list[Row]:
    """Devices, each with `metrics`: its last measured values."""
    found: dict[int, Row] = {}
    for row in visit.connection.execute(QUERIES["devices"], {"home": home_id}).fetchall():
        metric = {name: row.pop(name) for name in ("metric", "value", "time", "received_at")}
        device = found.setdefault(row["id"], {**row, "metrics": []})
        if metric["metric"] is not None:
            device["metrics"].append(metric)
    return list(found.values())


def readings(visit: Visit, home: Row, day: date, metrics: list[int] | None = None) -> list[Row]:
    """One local day's readings of a home, oldest first, at most DAY_LIMIT. Audited."""
    start, end = day_bounds(day, home["zone"])
    visit.audit("read.timeline", [home["id"]])
    span = {"home": home["id"], "start": start, "end": end, "metrics": metrics, "limit": DAY_LIMIT}
    return visit.connection.execute(QUERIES["readings"], span).fetchall()


def quarter_hours(visit: Visit, home: Row, days: int, until: date | None = None) -> list[Row]:
    """Signs of life and coverage of `days` local days, the last of them `until` (by default today). Audited."""
    last = until or local_day(visit.now, home["zone"])
    start, _ = day_bounds(last - timedelta(days=days - 1), home["zone"])
    _, end = day_bounds(last, home["zone"])
    visit.audit("read.week", [home["id"]])
    span = {"home": home["id"], "start": start, "end": min(end, visit.now)}
    return visit.connection.execute(QUERIES["quarter_hours"], span).fetchall()


def watch_counts(visit: Visit) -> list[Row]:
    """By community of one's own: how many homes are `watched` and `not_watched`."""
    asked = {"person": visit.person.id, "silent_since": visit.now - SILENT_AFTER}
    return visit.connection.execute(QUERIES["watch_counts"], asked).fetchall()


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """Start and end of a day in the home's zone; 23 or 25 hours apart when the clocks change."""
    local = ZoneInfo(zone)
    return datetime.combine(day, time(), local), datetime.combine(day + timedelta(days=1), time(), local)


def local_day(moment: datetime, zone: str) -> date:
    """The calendar day there."""
    return moment.astimezone(ZoneInfo(zone)).date()


def _homes(
    visit: Visit, *, home: int | None = None, region: int | None = None, staff: bool = False, family: bool = False,
    after: int = 0, limit: int,
) -> list[Row]:  # fmt: skip
    asked = {"person": visit.person.id, "home": home, "region": region, "staff": staff, "family": family,
             "after": after, "limit": limit}  # fmt: skip
    return visit.connection.execute(QUERIES["homes"], asked).fetchall()
