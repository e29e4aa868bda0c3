"""Shifts: who is on, the coming days, gaps; rotations, covers, swaps and leave."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from alerts.shifts.rota import Shift as Span
from api import rotations, shift_deeds
from api.access import AnyVisit, StaffVisit
from api.house import house_of
from api.ids import RegionId
from api.reads import shifts as reads
from api.rotations import Turns
from api.schemas.base import Made
from api.schemas.shifts import Gap, Leave, NewCover, NewLeave, NewSwap, NewTurns, RegionShifts, Rota, Shift

router = APIRouter(tags=["shifts"])
RotationId = RegionId
LeaveId = RegionId


@router.get("/shifts")
def list_shifts(
    visit: StaffVisit,
    days: Annotated[int, Query(ge=1, le=92)] = 14,
    region: RegionId | None = None,
) -> list[RegionShifts]:
    """Each of your regions from now on: who is on, and when nobody is."""
    places, names = reads.shifts(visit, days, region)
    return [
        RegionShifts(
            region_id=one.place["id"],
            region_name=one.place["name"],
            rotas=[
                Rota(
                    **{name: value for name, value in rota.row.items() if name in Rota.model_fields},
                    shifts=[_shift(shift, names) for shift in rota.shifts],
                )
                for rota in one.rotas
            ],
            gaps=[Gap(from_at=start, until_at=end) for start, end in one.gaps],
        )
        for one in places
    ]


@router.post("/regions/{region_id}/rotations", status_code=204)
def add_rotation(visit: AnyVisit, request: Request, region_id: RegionId, body: NewTurns) -> None:
    """A new rotation of a region. By its managers; its members are staff there. `GET /shifts` shows it."""
    rotations.add_rotation(visit, house_of(request).settings.database_url, region_id, Turns(**dict(body)))


@router.put("/rotations/{rotation_id}", status_code=204)
def change_rotation(visit: AnyVisit, request: Request, rotation_id: RotationId, body: NewTurns) -> None:
    """Other members, times or days; with `ends` it ends. By managers."""
    rotations.change_rotation(visit, house_of(request).settings.database_url, rotation_id, Turns(**dict(body)))


@router.post("/rotations/{rotation_id}/covers", status_code=201)
def cover(visit: AnyVisit, rotation_id: RotationId, body: NewCover) -> Made:
    """Somebody is on for a while instead of whoever would be. By managers; by a worker for themselves."""
    made = shift_deeds.cover(visit, rotation_id, body.person_id, body.from_at, body.until_at, body.note)
    return Made(id=made)


@router.post("/rotations/{rotation_id}/swaps", status_code=204)
def swap(visit: AnyVisit, rotation_id: RotationId, body: NewSwap) -> None:
    """Two shifts change hands. By managers."""
    shift_deeds.swap(visit, rotation_id, body.first_at, body.second_at, body.note)


@router.delete("/covers/{cover_id}", status_code=204)
def withdraw_cover(visit: AnyVisit, cover_id: LeaveId) -> None:
    """A cover holds no longer; of a swap both halves. By managers; by a worker who took the shift over themselves."""
    shift_deeds.withdraw_cover(visit, cover_id)


@router.get("/leave")
def list_leave(visit: StaffVisit) -> list[Leave]:
    """Who is or will be on leave."""
    return [Leave(**row) for row in reads.leave(visit)]


@router.post("/leave", status_code=201)
def take_leave(visit: StaffVisit, body: NewLeave) -> Made:
    """Somebody is not there: told of nothing, and a shift of theirs is a gap until it is covered. By managers; your own
    by yourself."""
    made = shift_deeds.take_leave(visit, body.person_id, body.from_at, body.until_at, body.note)
    return Made(id=made)


@router.delete("/leave/{leave_id}", status_code=204)
def withdraw_leave(visit: AnyVisit, leave_id: LeaveId) -> None:
    """They are there after all."""
    shift_deeds.withdraw_leave(visit, leave_id)


def _shift(shift: Span, names: dict[int, str]) -> Shift:
    return Shift(
        from_at=shift.start,
        until_at=shift.end,
        person_id=shift.person,
        person=names.get(shift.person) if shift.person is not None else None,
        absent=names.get(shift.absent) if shift.absent is not None else None,
        cover_id=shift.cover,
    )
