"""Planned absences: a stay with a child, in hospital. They silence what an empty home would raise, and nothing else."""

from fastapi import APIRouter

from api.access import AnyVisit
from api.ids import HomeId
from api.reads import QUERIES
from api.reads.homes import one_home
from api.schemas import Absence, Absences, NewAbsence
from core.errors import Conflict, NotFound

router = APIRouter(prefix="/homes/{home_id}/absences", tags=["homes"])


@router.get("")
def list_absences(visit: AnyVisit, home_id: HomeId) -> Absences:
    """Those that have not ended, soonest first."""
    one_home(visit, home_id)
    rows = visit.connection.execute(QUERIES["absences"], {"home_id": home_id, "now": visit.now}).fetchall()
    return Absences(absences=[Absence(**row) for row in rows])


@router.post("")
def plan_absence(visit: AnyVisit, home_id: HomeId, body: NewAbsence) -> Absence:
    """The person will be away, as staff or family know. It ends by itself when somebody moves in the home again."""
    one_home(visit, home_id)
    if body.until_at <= max(body.from_at, visit.now):
        raise Conflict(f"the absence would end at {body.until_at.isoformat()}: name an end after its beginning and now")
    visit.audit("absence.plan", [home_id])
    row = visit.connection.execute(
        QUERIES["plan_absence"],
        {"home_id": home_id, "from_at": body.from_at, "until_at": body.until_at, "reason": body.reason,
         "person": visit.person.id, "now": visit.now},
    ).fetchone()  # fmt: skip
    return Absence(**(row or {}))


@router.post("/{absence_id}/cancel")
def cancel_absence(visit: AnyVisit, home_id: HomeId, absence_id: HomeId) -> Absences:
    """It does not hold any longer: the home is watched as always."""
    one_home(visit, home_id)
    asked = {"home_id": home_id, "id": absence_id, "now": visit.now}
    if visit.connection.execute(QUERIES["cancel_absence"], asked).rowcount == 0:
        raise NotFound(f"the home has no absence {absence_id} that holds")
    visit.audit("absence.cancel", [home_id])
    return list_absences(visit, home_id)
