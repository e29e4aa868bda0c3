"""Homes: the list, one home, its day and its week."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.access import AnyVisit
from api.ids import Day, HomeId, RegionId
from api.reads import homes as reads
from api.schemas.homes import (
    Device,
    Home,
    HomeDetail,
    Homes,
    LastValue,
    QuarterHour,
    Reading,
    Resident,
    Room,
    Timeline,
    Week,
)
from core.errors import NotFound
from core.metrics import BY_ID, BY_NAME
from core.model import Flag

router = APIRouter(prefix="/homes", tags=["homes"])


@router.get("")
def list_homes(
    visit: AnyVisit,
    region: Annotated[RegionId | None, Query(description="only homes of this region and below")] = None,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="`next` of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = reads.PAGE,
) -> Homes:
    """Homes that you may see, by id."""
    rows = reads.list_homes(visit, region=region, after=after, limit=limit)
    return Homes(
        homes=[Home(**_home(row, visit.now)) for row in rows], next=rows[-1]["id"] if len(rows) == limit else None
    )


@router.get("/{home_id}")
def one_home(visit: AnyVisit, home_id: HomeId) -> HomeDetail:
    """One home with its residents; its staff also get rooms and devices."""
    home = reads.one_home(visit, home_id)
    staff = home["staff"]
    return HomeDetail(
        **_home(home, visit.now),
        residents=[Resident(**row) for row in reads.residents(visit, home_id)],
        rooms=[Room(**row) for row in reads.rooms(visit, home_id)] if staff else [],
        devices=[_device(row) for row in reads.devices(visit, home_id)] if staff else [],
    )


@router.get("/{home_id}/timeline")
def timeline(
    visit: AnyVisit,
    home_id: HomeId,
    day: Annotated[Day | None, Query(description="a day in the home's zone; by default today")] = None,
    metric: Annotated[list[str] | None, Query(description="only these metrics")] = None,
) -> Timeline:
    """One day's readings, oldest first. For staff: family is not shown a home room by room."""
    reads.need_staff_of(visit, home_id)
    home = reads.one_home(visit, home_id)
    wanted = day or reads.local_day(visit.now, home["zone"])
    rows = reads.readings(visit, home, wanted, _metric_ids(metric))
    start, end = reads.day_bounds(wanted, home["zone"])
    return Timeline(
        home_id=home_id,
        day=wanted,
        start=start,
        end=end,
        readings=[_reading(row) for row in rows],
        complete=len(rows) < reads.DAY_LIMIT,
    )


@router.get("/{home_id}/week")
def week(visit: AnyVisit, home_id: HomeId, days: Annotated[int, Query(ge=1, le=31)] = 7) -> Week:
    """How lively each quarter of an hour was, over all rooms."""
    home = reads.one_home(visit, home_id)
    quarters = reads.quarter_hours(visit, home, days)
    return Week(
        home_id=home_id,
        quarter_hours=[
            QuarterHour(start=row["bucket"], life=row["life"], readings=row["readings"]) for row in quarters
        ],
    )


def _home(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    watched = reads.watch_of(row, now)
    kept = {name: value for name, value in row.items() if name in Home.model_fields}
    return {**kept, "watch": watched.state, "unseen_since": watched.since}


def _device(row: dict[str, Any]) -> Device:
    last = [
        LastValue(metric=metric.name, unit=metric.unit, value=one["value"], time=one["time"])
        for one in row["metrics"]
        if (metric := BY_ID.get(one["metric"])) is not None
    ]
    kept = {name: value for name, value in row.items() if name in Device.model_fields}
    return Device(**kept, last=last)


def _reading(row: dict[str, Any]) -> Reading:
    metric = BY_ID.get(row["metric"])
    return Reading(
        time=row["time"],
        device_id=row["device_id"],
        device=row["device"],
        room_id=row["room_id"],
        metric=metric.name if metric else str(row["metric"]),
        value=row["value"],
        changed=bool(row["flags"] & Flag.CHANGED),
    )


def _metric_ids(names: list[str] | None) -> list[int] | None:
    if not names:
        return None
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise NotFound(f"there is no metric {', '.join(unknown)}; there are {', '.join(BY_NAME)}")
    return [BY_NAME[name].id for name in names]
