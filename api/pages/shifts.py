"""Shifts: who is on now and next, the coming days, gaps; rotations, covers, swaps and leave."""

import re
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from alerts.shifts.change import find_rotation
from alerts.shifts.roster import Rota
from api import rotations, shift_deeds
from api.access import StaffVisit, Visit
from api.house import house_of
from api.ids import RegionId
from api.pages.moments import read_moment, write_moment
from api.reads import shifts as reads
from api.reads.homes import local_day
from api.rotations import Turns
from core.errors import Conflict

router = APIRouter(prefix="/shifts", include_in_schema=False)
DAYS = 14
Text = Annotated[str, Form(max_length=500)]
Number = Annotated[int, Form(ge=1, le=2**31 - 1)]
SPARE = 2  # empty places in the form of a rotation, for more members


def entered_turns(
    starts: Annotated[date, Form()], member: Annotated[list[str], Form(max_length=100)], duty: Text, zone: Text,
    handovers: Text, every_days: Annotated[int, Form(ge=1, le=366)], name: Text = "", ends: Text = "",
) -> Turns:  # fmt: skip
    """What the form of a rotation says. A place left empty is none; `-` is a turn without anybody."""
    try:
        members = [None if one == rotations.NOBODY else int(one) for one in member if one]
        last = date.fromisoformat(ends) if ends else None
    except ValueError as error:
        raise Conflict(f"{error}: choose people from the list, and write the day as 2026-03-02") from error
    return Turns(
        name.strip(), duty, zone, members, re.split(r"[,，、\s]+", handovers.strip()), every_days, starts, last
    )


EnteredTurns = Annotated[Turns, Depends(entered_turns)]


@router.get("")
def shifts(request: Request, visit: StaffVisit) -> Response:
    """Each of one's regions, from now on."""
    places, names = reads.shifts(visit, DAYS)
    managed = reads.managed_regions(visit)
    return house_of(request).pages.show(
        visit,
        "shifts.html",
        here="/shifts",
        places=[_place(visit, one, names, manages=one.place["id"] in managed) for one in places],
        leave=reads.leave(visit),
        people=_people(visit, [one for one in places if one.place["id"] in managed]),
        today=local_day(visit.now, house_of(request).settings.zone).isoformat(),
        spare=SPARE,
        own_covers=reads.own_covers(visit),
        form_now=write_moment(visit.now, house_of(request).settings.zone),
        form_later=write_moment(visit.now + timedelta(days=1), house_of(request).settings.zone),
    )


@router.post("/regions/{region_id}/rotations")
def add_rotation(request: Request, visit: StaffVisit, region_id: RegionId, turns: EnteredTurns) -> Response:
    """A new rotation of a region."""
    rotations.add_rotation(visit, house_of(request).settings.database_url, region_id, turns)
    return RedirectResponse("/shifts", 303)


@router.post("/{rotation_id}/turns")
def change_rotation(request: Request, visit: StaffVisit, rotation_id: RegionId, turns: EnteredTurns) -> Response:
    """Other members, times or days; or it ends."""
    rotations.change_rotation(visit, house_of(request).settings.database_url, rotation_id, turns)
    return RedirectResponse("/shifts", 303)


@router.post("/{rotation_id}/cover")
def cover(visit: StaffVisit, rotation_id: RegionId, person: Number, from_at: Text, until_at: Text,
          note: Text = "") -> Response:  # fmt: skip
    """Somebody is on for a while."""
    zone = find_rotation(visit.connection, rotation_id)["zone"]
    start, end = read_moment(from_at, zone), read_moment(until_at, zone)
    shift_deeds.cover(visit, rotation_id, person, start, end, note.strip())
    return RedirectResponse("/shifts", 303)


@router.post("/{rotation_id}/swap")
def swap(visit: StaffVisit, rotation_id: RegionId, first_at: Text, second_at: Text) -> Response:
    """Two shifts change hands."""
    zone = find_rotation(visit.connection, rotation_id)["zone"]
    shift_deeds.swap(visit, rotation_id, read_moment(first_at, zone), read_moment(second_at, zone))
    return RedirectResponse("/shifts", 303)


@router.post("/covers/{cover_id}/withdraw")
def withdraw_cover(visit: StaffVisit, cover_id: RegionId) -> Response:
    """A cover or swap holds no longer."""
    shift_deeds.withdraw_cover(visit, cover_id)
    return RedirectResponse("/shifts", 303)


@router.post("/leave")
def take_leave(request: Request, visit: StaffVisit, person: Number, from_at: Text, until_at: Text,
               note: Text = "") -> Response:  # fmt: skip
    """Somebody is not there."""
    zone = house_of(request).settings.zone
    shift_deeds.take_leave(visit, person, read_moment(from_at, zone), read_moment(until_at, zone), note.strip())
    return RedirectResponse("/shifts", 303)


@router.post("/leave/{leave_id}/withdraw")
def withdraw_leave(visit: StaffVisit, leave_id: RegionId) -> Response:
    """They are there after all."""
    shift_deeds.withdraw_leave(visit, leave_id)
    return RedirectResponse("/shifts", 303)


def _place(visit: Visit, one: reads.PlaceShifts, names: dict[int, str], *, manages: bool) -> dict[str, Any]:
    return {
        **one.place,
        "rotas": [_rota(visit, rota, names) for rota in one.rotas],
        "gaps": one.gaps,
        "people": one.people,
        "manages": manages,
    }


def _rota(visit: Visit, rota: Rota, names: dict[int, str]) -> dict[str, Any]:
    shifts = [
        {"start": shift.start, "end": shift.end, "id": shift.person, "cover": shift.cover,
         "person": names.get(shift.person) if shift.person is not None else None,
         "absent": names.get(shift.absent) if shift.absent is not None else None,
         "at": write_moment(max(shift.start, visit.now), rota.row["zone"])}
        for shift in rota.shifts
    ]  # fmt: skip
    next_one = next((later for now, later in pairwise(shifts) if later["id"] != shifts[0]["id"]), None)
    return {**rota.row, "shifts": shifts, "now": shifts[0], "next": next_one}


def _people(visit: Visit, managed: list[reads.PlaceShifts]) -> list[dict[str, Any]]:
    """Whose leave this person may enter: everyone who works in the places that they manage, and themselves."""
    theirs = reads.managed_people(visit) if managed else set()
    found = {row["id"]: row["name"] for one in managed for row in one.people if row["id"] in theirs}
    found[visit.person.id] = visit.person.name
    return [{"id": id, "name": name} for id, name in sorted(found.items(), key=lambda item: item[1])]
