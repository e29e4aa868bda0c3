"""What is planned for a home (absence, maintenance), what is muted there, and the policy that holds."""

from typing import Any

import msgspec
from fastapi import APIRouter

from alerts.lifecycle import home_policy
from alerts.rungs import DEFAULT_LADDERS, ladder_of
from api import plans
from api.access import AnyVisit
from api.ids import HomeId, RegionId
from api.reads import planned as reads
from api.reads.homes import need_staff_of, one_home
from api.schemas.base import Made
from api.schemas.planned import Absence, Maintenance, Muted, NewAbsence, NewPlan, PolicyAnswer
from core.model import AlertKind, Severity

router = APIRouter(tags=["planned"])
PlanId = RegionId


@router.get("/homes/{home_id}/absences")
def list_absences(visit: AnyVisit, home_id: HomeId) -> list[Absence]:
    """When the resident is away, in hospital or has a visitor; those of the last week too."""
    one_home(visit, home_id)
    return [Absence(**_fields(Absence.model_fields, row)) for row in reads.absences(visit, home_id)]


@router.post("/homes/{home_id}/absences", status_code=201)
def enter_absence(visit: AnyVisit, home_id: HomeId, body: NewAbsence) -> Made:
    """Away and hospital mute "she does not move" and "she has not come back" until it ends, never a call for help. By
    staff or by family with the resident's consent."""
    return Made(id=plans.enter_absence(visit, home_id, body.kind, body.from_at, body.until_at, body.note))


@router.post("/absences/{absence_id}/end", status_code=204)
def end_absence(visit: AnyVisit, absence_id: PlanId) -> None:
    """The resident is home again, or it was a mistake."""
    plans.end_absence(visit, absence_id)


@router.get("/homes/{home_id}/maintenance")
def list_maintenance(visit: AnyVisit, home_id: HomeId) -> list[Maintenance]:
    """Work on the equipment of the home or of a region that it lies in."""
    need_staff_of(visit, home_id)
    return [Maintenance(**_fields(Maintenance.model_fields, row)) for row in reads.maintenance(visit, home_id)]


@router.post("/homes/{home_id}/maintenance", status_code=201)
def enter_maintenance(visit: AnyVisit, home_id: HomeId, body: NewPlan) -> Made:
    """Mutes what the home's equipment says of itself."""
    return Made(id=plans.enter_maintenance(visit, body.from_at, body.until_at, body.note, home_id=home_id))


@router.post("/regions/{region_id}/maintenance", status_code=201)
def enter_regional_maintenance(visit: AnyVisit, region_id: RegionId, body: NewPlan) -> Made:
    """The same for all homes of a region. By its managers."""
    return Made(id=plans.enter_maintenance(visit, body.from_at, body.until_at, body.note, region_id=region_id))


@router.post("/maintenance/{maintenance_id}/end", status_code=204)
def end_maintenance(visit: AnyVisit, maintenance_id: PlanId) -> None:
    """The work is done."""
    plans.end_maintenance(visit, maintenance_id)


@router.get("/homes/{home_id}/muted")
def list_muted(visit: AnyVisit, home_id: HomeId) -> list[Muted]:
    """Findings that something mutes now or did in the last week."""
    need_staff_of(visit, home_id)
    return [Muted(**row) for row in reads.muted(visit, home_id)]


@router.get("/homes/{home_id}/policy")
def policy(visit: AnyVisit, home_id: HomeId) -> PolicyAnswer:
    """Every threshold and ladder that holds for the home, and who set it."""
    need_staff_of(visit, home_id)
    resolved = home_policy(visit.connection, home_id)
    values = msgspec.to_builtins(resolved.policy)
    own = values.pop("ladder")
    names = [*AlertKind, *Severity]
    ladders = {name.value: msgspec.to_builtins(ladder_of(resolved.policy.ladder, name.value, Severity.NORMAL.value)[1])
               for name in names if name.value in own or name.value in DEFAULT_LADDERS}  # fmt: skip
    return PolicyAnswer(values=values, sources=dict(resolved.sources), ladders=ladders)


def _fields(names: Any, row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in names}
