"""The card "Visit" of a home's page: one tap when a carer comes, one when they have left, and the last few visits."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import care_visits
from api.access import StaffVisit, Visit
from api.house import house_of
from api.ids import HomeId, VisitId
from api.pages.homes import home_context
from api.pages.moments import read_moment
from api.reads import homes as home_reads
from care.visits import Past, VisitRefused
from core.model import Found

router = APIRouter(prefix="/homes/{home_id}/visits", include_in_schema=False)
Text = Annotated[str, Form(max_length=500)]
Flag = Annotated[bool, Form()]
CONFLICT: Final = 409


@router.post("/arrive")
def arrive(request: Request, visit: StaffVisit, home_id: HomeId) -> Response:
    """ "I am here." """
    return _done(request, visit, home_id, lambda: care_visits.arrive(visit, home_id), {})


@router.post("/leave")
def leave(
    request: Request, visit: StaffVisit, home_id: HomeId, found: Annotated[Found, Form()], together: Flag = False,
    note: Text = "",
) -> Response:  # fmt: skip
    """ "I have left." """
    # Whoever was not met did not go along either, whatever is still ticked.
    together = together and found is not Found.NOT_MET
    return _done(
        request, visit, home_id,
        lambda: care_visits.leave(visit, home_id, found, together=together, note=note.strip()),
        {"form": "log", "found": found, "together": together, "note": note},  # what is logged now, as it has ended
    )  # fmt: skip


@router.post("/log")
def log(
    request: Request, visit: StaffVisit, home_id: HomeId, began_at: Text, ended_at: Text,
    found: Annotated[Found, Form()], together: Flag = False, note: Text = "",
    carer: Annotated[str, Form(pattern=r"^[0-9]{0,9}$")] = "",
) -> Response:  # fmt: skip
    """A visit that is over and was not tapped; `carer`: whose it was, empty: one's own."""
    past = _past(visit, home_id, began_at, ended_at, found, together, note)
    whose = int(carer) if carer else None
    said = {"form": "log", "began_at": began_at, "ended_at": ended_at, "found": found, "together": together,
            "note": note, "carer": whose}  # fmt: skip
    return _done(request, visit, home_id, lambda: care_visits.log(visit, home_id, past, whose), said)


@router.post("/{visit_id}/correct")
def correct(
    request: Request, visit: StaffVisit, home_id: HomeId, visit_id: VisitId, began_at: Text, ended_at: Text,
    found: Annotated[Found, Form()], together: Flag = False, note: Text = "",
) -> Response:  # fmt: skip
    """It was otherwise."""
    past = _past(visit, home_id, began_at, ended_at, found, together, note)
    said = {"form": visit_id, "began_at": began_at, "ended_at": ended_at, "found": found, "together": together,
            "note": note}  # fmt: skip
    return _done(request, visit, home_id, lambda: care_visits.correct(visit, home_id, visit_id, past), said)


@router.post("/{visit_id}/undo")
def undo(request: Request, visit: StaffVisit, home_id: HomeId, visit_id: VisitId) -> Response:
    """It never was."""
    return _done(request, visit, home_id, lambda: care_visits.undo(visit, home_id, visit_id), {})


def _done(
    request: Request, visit: Visit, home_id: int, deed: Callable[[], int | None], said: dict[str, Any]
) -> Response:
    """Does it and shows the card anew; what cannot be is said on the card, in the reader's language, with what was
    `said` in its form still."""
    try:
        with visit.connection.transaction():
            deed()
    except VisitRefused as refused:
        home = home_reads.one_home(visit, home_id)
        wrong = {"visit_wrong": refused.why.value, "visit_said": said}
        context: dict[str, Any] = home_context(visit, home) | wrong
        page = house_of(request).pages.show(visit, "home.html", here="/homes", **context)
        page.status_code = CONFLICT
        return page
    return RedirectResponse(f"/homes/{home_id}#visit", 303)


def _past(
    visit: Visit, home_id: int, began_at: str, ended_at: str, found: Found, together: bool, note: str
) -> Past:  # fmt: skip
    home_reads.need_staff_of(visit, home_id)
    zone = home_reads.one_home(visit, home_id)["zone"]
    together = together and found is not Found.NOT_MET
    return Past(read_moment(began_at, zone), read_moment(ended_at, zone), found, together, note.strip())
