"""Alerts: the list, one whole story, and what a person does about one."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from alerts.explain import explain, explain_event
from api import deeds
from api.access import AnyVisit, Visit
from api.house import house_of
from api.ids import AlertId, HomeId
from api.reads import alerts as reads
from api.schemas.alerts import (
    Acknowledgement,
    Alert,
    AlertDetail,
    AlertEvent,
    Alerts,
    Delivery,
    HandOn,
    IncidentHome,
    KindPrecision,
    Precision,
    Reopening,
    Resolution,
)
from core.model import AlertKind, Source

router = APIRouter(prefix="/alerts", tags=["alerts"])


@router.get("")
def list_alerts(
    visit: AnyVisit,
    state: Annotated[str, Query(pattern="^(open|all)$", description="`open`: all that is not resolved")] = "open",
    home: HomeId | None = None,
    kind: AlertKind | None = None,
    before: Annotated[AlertId | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = reads.PAGE,
) -> Alerts:
    """Alerts of the homes that you may see, newest first."""
    rows = reads.list_alerts(visit, open_only=state == "open", home=home, kind=kind, before=before, limit=limit)
    more = rows[-1]["id"] if len(rows) == limit else None
    return Alerts(alerts=[Alert(**_alert(visit, row)) for row in rows], next=more)


@router.get("/precision")
def precision(request: Request, visit: AnyVisit, months: Annotated[int, Query(ge=1, le=24)] = 3) -> Precision:
    """How often each kind was right in the homes of your regions, by month, newest first."""
    return Precision(
        kinds=[KindPrecision(**row) for row in reads.precision(visit, months, house_of(request).settings.zone)]
    )


@router.get("/{alert_id}")
def one_alert(visit: AnyVisit, alert_id: AlertId) -> AlertDetail:
    """One alert; its staff also get its history and who was told, and of a regional incident the homes."""
    row = reads.one_alert(visit, alert_id)
    staff = row["staff"]
    homes = reads.incident_homes(visit, alert_id) if row["home_id"] is None else []
    return AlertDetail(
        **_alert(visit, row),
        events=[_event(visit, row["zone"], event) for event in reads.events(visit, alert_id)] if staff else [],
        deliveries=[_delivery(delivery) for delivery in reads.deliveries(visit, alert_id)] if staff else [],
        homes=[IncidentHome(**home) for home in homes],
    )


@router.post("/{alert_id}/acknowledge")
def acknowledge(visit: AnyVisit, alert_id: AlertId, body: Acknowledgement | None = None) -> AlertDetail:
    """You have it: nobody further up the ladder is called until it expires. 409 when it is resolved."""
    deeds.acknowledge(visit, alert_id, Source.API, body.until if body else None)
    return one_alert(visit, alert_id)


@router.post("/{alert_id}/on-site")
def on_site(visit: AnyVisit, alert_id: AlertId) -> AlertDetail:
    """You are at the home. 409 when it is resolved."""
    deeds.on_site(visit, alert_id, Source.API)
    return one_alert(visit, alert_id)


@router.post("/{alert_id}/resolve")
def resolve(visit: AnyVisit, alert_id: AlertId, body: Resolution) -> AlertDetail:
    """It is over. 409 when it was over before."""
    deeds.resolve(visit, alert_id, Source.API, body.outcome, body.note, body.false_reason)
    return one_alert(visit, alert_id)


@router.post("/{alert_id}/hand-on")
def hand_on(visit: AnyVisit, alert_id: AlertId, body: HandOn) -> AlertDetail:
    """You ask somebody by name to take it over. It is open until they answer; without an answer the ladder goes on."""
    deeds.hand_on(visit, alert_id, Source.API, body.to, body.why)
    return one_alert(visit, alert_id)


@router.post("/{alert_id}/reopen")
def reopen(visit: AnyVisit, alert_id: AlertId, body: Reopening | None = None) -> AlertDetail:
    """It is not over after all. 409 later than a day after it was resolved."""
    deeds.reopen(visit, alert_id, Source.API, body.why if body else "")
    return one_alert(visit, alert_id)


def _alert(visit: Visit, row: dict[str, Any]) -> dict[str, Any]:
    why = explain(visit.words, row["message"], row["parameters"], row["zone"], visit.now)
    note = row["note"] if row["staff"] else ""  # what a worker wrote down for colleagues
    return {**{name: value for name, value in row.items() if name in Alert.model_fields}, "why": why, "note": note}


def _event(visit: Visit, zone: str, row: dict[str, Any]) -> AlertEvent:
    who, whom = row["person_name"], row["asked_name"]
    text = explain_event(visit.words, row["what"], row["details"], zone, visit.now, who, whom)
    kept = {name: row[name] for name in ("id", "at", "what", "details", "source", "why")}
    return AlertEvent(**kept, text=text, person=who)


def _delivery(row: dict[str, Any]) -> Delivery:
    kept = {name: value for name, value in row.items() if name in Delivery.model_fields}
    return Delivery(**kept, person=row["person_name"])
