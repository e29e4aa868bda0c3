"""A worker's pages: what is open, live, and one alert's whole story."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from alerts.explain import explain
from alerts.lifecycle import REOPEN_WITHIN
from api import deeds
from api.access import AnyVisit, StaffVisit, Visit
from api.house import house_of
from api.ids import AlertId
from api.pages.render import local_path
from api.pages.story import story
from api.reads import alerts as reads
from api.reads import homes as home_reads
from core.errors import NotAllowed
from core.model import FalseReason, Outcome, Source

router = APIRouter(prefix="/alerts", include_in_schema=False)
BY_PERSON = [outcome for outcome in Outcome if outcome is not Outcome.ENDED_ITSELF]


def card(visit: Visit, alert: dict[str, Any]) -> dict[str, Any]:
    """An alert with its sentence, as the templates show it."""
    why = explain(visit.words, alert["message"], alert["parameters"], alert["zone"], visit.now)
    return {**alert, "why": why}


@router.get("")
def open_alerts(request: Request, visit: StaffVisit) -> Response:
    """What is open in one's homes; the list keeps itself fresh."""
    return house_of(request).pages.show(visit, "alerts.html", here="/alerts", **_open(visit))


@router.get("/open")
def open_fragment(request: Request, visit: StaffVisit) -> Response:
    """The list alone, for live.js."""
    return house_of(request).pages.show(visit, "alerts_open.html", **_open(visit))


@router.get("/{alert_id}")
def one_alert(request: Request, visit: AnyVisit, alert_id: AlertId) -> Response:
    """The whole story."""
    told = _story(visit, alert_id)
    here = "/alerts" if told["staff"] else told["next"]  # the list is the staff's
    return house_of(request).pages.show(visit, "alert.html", here=here, **told)


@router.get("/{alert_id}/story")
def one_alert_fragment(request: Request, visit: AnyVisit, alert_id: AlertId) -> Response:
    """The story alone, for live.js."""
    return house_of(request).pages.show(visit, "alert_story.html", **_story(visit, alert_id))


@router.post("/{alert_id}/acknowledge")
def acknowledge(visit: AnyVisit, alert_id: AlertId, next: Annotated[str, Form()] = "/alerts") -> Response:
    """ "I have it." """
    deeds.acknowledge(visit, alert_id, Source.PAGE)
    return RedirectResponse(local_path(next), 303)


@router.post("/{alert_id}/on-site")
def on_site(visit: AnyVisit, alert_id: AlertId, next: Annotated[str, Form()] = "/alerts") -> Response:
    """ "I am there." """
    deeds.on_site(visit, alert_id, Source.PAGE)
    return RedirectResponse(local_path(next), 303)


@router.post("/{alert_id}/resolve")
def resolve(
    visit: AnyVisit,
    alert_id: AlertId,
    outcome: Annotated[Outcome, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
    reason: Annotated[str, Form(pattern="^(|visitor|away|sensor|pet|other)$")] = "",
    next: Annotated[str, Form()] = "/alerts",
) -> Response:
    """ "It is over." """
    why = FalseReason(reason) if reason and outcome is Outcome.FALSE_ALARM else None
    deeds.resolve(visit, alert_id, Source.PAGE, outcome, note.strip(), why)
    return RedirectResponse(local_path(next), 303)


@router.post("/{alert_id}/hand-on")
def hand_on(
    visit: AnyVisit,
    alert_id: AlertId,
    to: Annotated[int, Form(ge=1, le=2**31 - 1)],
    why: Annotated[str, Form(max_length=500)] = "",
    next: Annotated[str, Form()] = "/alerts",
) -> Response:
    """ "Please take it over." """
    deeds.hand_on(visit, alert_id, Source.PAGE, to, why.strip())
    return RedirectResponse(local_path(next), 303)


@router.post("/{alert_id}/reopen")
def reopen(
    visit: AnyVisit,
    alert_id: AlertId,
    why: Annotated[str, Form(max_length=500)] = "",
    next: Annotated[str, Form()] = "/alerts",
) -> Response:
    """ "It is not over after all." """
    deeds.reopen(visit, alert_id, Source.PAGE, why.strip())
    return RedirectResponse(local_path(next), 303)


def _open(visit: Visit) -> dict[str, Any]:
    counts = home_reads.watch_counts(visit)
    alerts = [card(visit, alert) for alert in reads.open_alerts_of_staff(visit)]
    return {
        "alerts": alerts,
        "signs": reads.signs_by_home(alerts),
        "watched": sum(row["watched"] for row in counts),
        "not_watched": sum(row["not_watched"] for row in counts),
        "outcomes": BY_PERSON,
        "reasons": list(FalseReason),
        "next": "/alerts",
    }


def _story(visit: Visit, alert_id: int) -> dict[str, Any]:
    """What the page tells. Whoever was told and is no staff sees what is wrong and may answer, nothing more."""
    alert = reads.one_alert(visit, alert_id)
    if not (alert["staff"] or reads.was_told(visit, alert_id)):
        raise NotAllowed("this is for the staff who look after this home, and for those who were told")
    staff, home = alert["staff"], alert["home_id"]
    events = reads.events(visit, alert_id) if staff else []
    return {
        "alert": card(visit, alert),
        "staff": staff,
        "contacts": home_reads.contacts(visit, home) if staff and home else [],
        "residents": home_reads.residents(visit, home) if staff and home else [],
        "homes": reads.incident_homes(visit, alert_id) if home is None else [],
        "events": story(visit.words, events, alert["zone"], visit.now),
        "emergency": any(event["what"] == "emergency" for event in events),
        "deliveries": reads.deliveries(visit, alert_id) if staff else [],
        "people": reads.who_could_take_it(visit, alert),
        "may_reopen": staff and alert["resolved_at"] is not None and visit.now - alert["resolved_at"] <= REOPEN_WITHIN,
        "outcomes": BY_PERSON,
        "reasons": list(FalseReason),
        "next": f"/alerts/{alert_id}",
    }
