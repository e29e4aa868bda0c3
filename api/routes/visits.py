"""Carers' visits to a home: who was there when, and how the resident was."""

from fastapi import APIRouter

from api import care_visits
from api.access import AnyVisit
from api.ids import HomeId, VisitId
from api.schemas.base import Made
from api.schemas.visits import CareVisit, LoggedCareVisit, NewCareVisit, VisitEnd
from care.visits import Past

router = APIRouter(prefix="/homes/{home_id}/visits", tags=["visits"])


@router.get("")
def list_visits(visit: AnyVisit, home_id: HomeId) -> list[CareVisit]:
    """The last month's, those under way and then the latest first. For the home's staff."""
    return [CareVisit(**row) for row in care_visits.lately(visit, home_id)]


@router.post("", status_code=201)
def log_visit(visit: AnyVisit, home_id: HomeId, body: LoggedCareVisit) -> Made:
    """A visit that is over and was not said at the time: your own, or by the home's managers that of a carer."""
    return Made(id=care_visits.log(visit, home_id, _past(body), body.carer_id))


@router.post("/arrive", status_code=201)
def arrive(visit: AnyVisit, home_id: HomeId) -> Made:
    """ "I am here." From now on a silence rings nobody and what moves may be the carer; a call for help always rings. A
    visit that nobody ends is over by itself after `visit_s` of the home's policy."""
    return Made(id=care_visits.arrive(visit, home_id))


@router.post("/leave")
def leave(visit: AnyVisit, home_id: HomeId, body: VisitEnd) -> Made:
    """ "I have left", and how the resident was. A resident who was met is at home from then on, whatever the
    door says."""
    return Made(id=care_visits.leave(visit, home_id, body.found, together=body.together, note=body.note))


@router.put("/{visit_id}")
def correct_visit(visit: AnyVisit, home_id: HomeId, visit_id: VisitId, body: NewCareVisit) -> Made:
    """By the carer, or who logged it for them: it is undone, and this one takes its place under a number of its own."""
    return Made(id=care_visits.correct(visit, home_id, visit_id, _past(body)))


@router.post("/{visit_id}/undo", status_code=204)
def undo_visit(visit: AnyVisit, home_id: HomeId, visit_id: VisitId) -> None:
    """By the carer, or who logged it for them: it never was."""
    care_visits.undo(visit, home_id, visit_id)


def _past(body: NewCareVisit) -> Past:
    return Past(body.began_at, body.ended_at, body.found, body.together, body.note)
