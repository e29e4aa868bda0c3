"""A worker's pages: what is open, live, and one alert's whole story."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from alerts.explain import explain, explain_event
from api import deeds
from api.access import AnyVisit, StaffVisit, Visit
from api.house import house_of
from api.ids import AlertId
from api.pages.render import local_path
from api.reads import alerts as reads
from api.reads import homes as home_reads
from core.model import FalseReason, Outcome

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
    return house_of(request).pages.show(visit, "alert.html", here="/alerts", **_story(visit, alert_id))


@router.get("/{alert_id}/story")
def one_alert_fragment(request: Request, visit: AnyVisit, alert_id: AlertId) -> Response:
    """The story alone, for live.js."""
    return house_of(request).pages.show(visit, "alert_story.html", **_story(visit, alert_id))


@router.post("/{alert_id}/acknowledge")
def acknowledge(visit: AnyVisit, alert_id: AlertId, next: Annotated[str, Form()] = "/alerts") -> Response:
    """ "I have it." """
    deeds.acknowledge(visit, alert_id)
    return RedirectResponse(local_path(next), 303)


@router.post("/{alert_id}/on-site")
def on_site(visit: AnyVisit, alert_id: AlertId, next: Annotated[str, Form()] = "/alerts") -> Response:
    """ "I am there." """
    deeds.on_site(visit, alert_id)
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
    deeds.resolve(visit, alert_id, outcome, note.strip(), why)
    return RedirectResponse(local_path(next), 303)


def _open(visit: Visit) -> dict[str, Any]:
    counts = home_reads.watch_counts(visit)
    return {
        "alerts": [card(visit, alert) for alert in reads.open_alerts_of_staff(visit)],
        "watched": sum(row["watched"] for row in counts),
        "not_watched": sum(row["not_watched"] for row in counts),
        "outcomes": BY_PERSON,
        "reasons": list(FalseReason),
        "next": "/alerts",
    }


def _story(visit: Visit, alert_id: int) -> dict[str, Any]:
    alert = reads.one_alert(visit, alert_id)
    home_reads.need_staff_of(visit, alert["home_id"])
    return {
        "alert": card(visit, alert),
        "contacts": home_reads.contacts(visit, alert["home_id"]),
        "residents": home_reads.residents(visit, alert["home_id"]),
        "events": [
            {
                **event,
                "text": explain_event(
                    visit.words, event["what"], event["details"], alert["zone"], visit.now, event["person_name"]
                ),
            }
            for event in reads.events(visit, alert_id)
        ],
        "deliveries": reads.deliveries(visit, alert_id),
        "outcomes": BY_PERSON,
        "reasons": list(FalseReason),
        "next": f"/alerts/{alert_id}",
    }
