"""What is planned for a home, entered by its staff or family: forms of the home's page and of the family's page."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from api import plans
from api.access import AnyVisit, StaffVisit, Visit
from api.ids import HomeId, RegionId
from api.pages.moments import read_moment, write_moment
from api.pages.render import local_path
from api.reads import homes as home_reads
from api.reads import planned as reads
from core.model import AbsenceKind

router = APIRouter(include_in_schema=False)
PlanId = RegionId
Text = Annotated[str, Form(max_length=500)]


def plans_of(visit: Visit, home: dict[str, Any], *, staff: bool) -> dict[str, Any]:
    """What the templates show of a home's plans: absences, for staff maintenance and what is muted."""
    zone = home["zone"]
    return {
        "absences": [_state(visit, row) for row in reads.absences(visit, home["id"])],
        "maintenance": [_state(visit, row) for row in reads.maintenance(visit, home["id"])] if staff else [],
        "muted": [_cause(row) for row in reads.muted(visit, home["id"])] if staff else [],
        "absence_kinds": list(AbsenceKind),
        "form_now": write_moment(visit.now, zone),
    }


@router.post("/homes/{home_id}/absences")
def enter_absence(
    visit: AnyVisit, home_id: HomeId, kind: Annotated[AbsenceKind, Form()], from_at: Text, until_at: Text,
    note: Text = "", next: Text = "/",
) -> Response:  # fmt: skip
    """The resident is away, in hospital, or has a visitor."""
    zone = home_reads.one_home(visit, home_id)["zone"]
    start, end = read_moment(from_at, zone), read_moment(until_at, zone)
    plans.enter_absence(visit, home_id, kind, start, end, note.strip())
    return RedirectResponse(local_path(next), 303)


@router.post("/absences/{absence_id}/end")
def end_absence(visit: AnyVisit, absence_id: PlanId, next: Text = "/") -> Response:
    """It is over."""
    plans.end_absence(visit, absence_id)
    return RedirectResponse(local_path(next), 303)


@router.post("/homes/{home_id}/maintenance")
def enter_maintenance(
    visit: StaffVisit, home_id: HomeId, from_at: Text, until_at: Text, note: Text = "", next: Text = "/"
) -> Response:
    """Somebody works on the equipment."""
    zone = home_reads.one_home(visit, home_id)["zone"]
    start, end = read_moment(from_at, zone), read_moment(until_at, zone)
    plans.enter_maintenance(visit, start, end, note.strip(), home_id=home_id)
    return RedirectResponse(local_path(next), 303)


@router.post("/maintenance/{maintenance_id}/end")
def end_maintenance(visit: StaffVisit, maintenance_id: PlanId, next: Text = "/") -> Response:
    """The work is done."""
    plans.end_maintenance(visit, maintenance_id)
    return RedirectResponse(local_path(next), 303)


def _state(visit: Visit, row: dict[str, Any]) -> dict[str, Any]:
    ended = row["ended_at"] is not None or row["until_at"] <= visit.now
    state = "ended" if ended else "coming" if row["from_at"] > visit.now else "now"
    return {**row, "state": state}


def _cause(row: dict[str, Any]) -> dict[str, Any]:
    """`reason`: absence, maintenance, visit, on_site, or the kind of alert that mutes it."""
    first, _, rest = row["cause"].partition(":")
    return {**row, "reason": rest.partition(":")[0] if first == "v1" else first}
