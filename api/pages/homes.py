"""Homes for staff: the list, and one home's day and week."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api import care_visits
from api.access import StaffVisit, Visit
from api.house import house_of
from api.ids import Day, HomeId
from api.pages.alerts import card
from api.pages.day_chart import Coverage, draw_day
from api.pages.moments import write_moment
from api.pages.planned import plans_of
from api.pages.week_chart import draw_week
from api.reads import alerts as alert_reads
from api.reads import gateways as gateway_reads
from api.reads import homes as reads
from core.metrics import BY_ID, BY_NAME, Life
from core.model import AlertState, Found

router = APIRouter(prefix="/homes", include_in_schema=False)
VISITS_SHOWN = 4
PAST_SHOWN = 10
DRAWN = [metric.id for metric in BY_NAME.values() if metric.life is not Life.NEVER]
# What a device is mostly for; its other values (battery, link) stand behind it.
ASIDE = frozenset(
    BY_NAME[name].id
    for name in ("battery", "battery_voltage", "link_quality", "signal", "online", "battery_low", "uptime",
                 "acted_locally", "reconnects", "line_loss")
)  # fmt: skip
SILENT = BY_NAME["silent"].id
# Said about a device by its gateway, and answers, whose values are numbers of commands: no word of the device's own.
TOLD = frozenset(
    BY_NAME[name].id
    for name in ("silence_limit", "test_asked", "answer_ok", "answer_help", "answer_none", "command_refused")
)


@router.get("")
def home_list(request: Request, visit: StaffVisit, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0) -> Response:
    """The homes of one's regions."""
    homes = reads.list_homes(visit, staff=True, after=after)
    more = homes[-1]["id"] if len(homes) == reads.PAGE else None
    shown = [{**home, "watch": reads.watch_of(home, visit.now)} for home in homes]
    overdue = gateway_reads.buttons(visit, overdue=True)
    pages = house_of(request).pages
    return pages.show(visit, "homes.html", here="/homes", homes=shown, more=more, overdue=overdue)


@router.get("/{home_id}")
def one_home(request: Request, visit: StaffVisit, home_id: HomeId, day: Day | None = None) -> Response:
    """One home: is it seen, what is open, its day room by room, its week, its devices, whom to call."""
    reads.need_staff_of(visit, home_id)
    home = reads.one_home(visit, home_id)
    return house_of(request).pages.show(visit, "home.html", here="/homes", **home_context(visit, home, day))


def home_context(visit: Visit, home: dict[str, Any], day: date | None = None) -> dict[str, Any]:
    """What home.html shows; `day`: by default today in the home's zone."""
    today = reads.local_day(visit.now, home["zone"])
    shown = min(day or today, today)
    start, end = reads.day_bounds(shown, home["zone"])
    readings = reads.readings(visit, home, shown, DRAWN)
    coverage = Coverage.of(reads.quarter_hours(visit, home, 1, shown), start, end, visit.now)
    weeks = reads.quarter_hours(visit, home, 7)
    alerts = alert_reads.list_alerts(visit, open_only=True, home=home["id"])
    latest = alert_reads.list_alerts(visit, open_only=False, home=home["id"], limit=PAST_SHOWN)
    alerts += [alert for alert in latest if alert["state"] == AlertState.RESOLVED]
    return {
        "home": home,
        "watch": reads.watch_of(home, visit.now),
        "day": shown,
        "today": today,
        "day_before": shown - timedelta(days=1),
        "day_after": shown + timedelta(days=1) if shown < today else None,
        "chart": draw_day(readings, reads.rooms(visit, home["id"]), coverage),
        "week": draw_week(weeks, home["zone"], visit.now, 7),
        "residents": reads.residents(visit, home["id"]),
        "contacts": reads.contacts(visit, home["id"]),
        "devices": [_device(device) for device in reads.devices(visit, home["id"])],
        "gateways": gateway_reads.gateways(visit, home["id"]),
        "former": gateway_reads.former(visit, home["id"]),
        "may_enroll": gateway_reads.manages(visit, home["id"]),
        "buttons": gateway_reads.buttons(visit, home["id"]),
        "alerts": [card(visit, alert) for alert in alerts],
        "plans": plans_of(visit, home, staff=True),
        "visits": _visits(visit, home),
        "visit_wrong": "",  # api/pages/visits.py: why what was just said of a visit cannot be ...
        "visit_said": {},  # ... and what was said, by the name of its field; `form`: which form said it
    }


def _visits(visit: Visit, home: dict[str, Any]) -> dict[str, Any]:
    """The card's: `mine`, the visit that whoever asks is on; `shown`, the last few others."""
    zone = home["zone"]
    rows = care_visits.lately(visit, home["id"], VISITS_SHOWN + 1)
    own = visit.person.id
    mine = next((row for row in rows if row["carer_id"] == own and row["ended_at"] is None), None)
    shown = [
        {
            **row,
            "own": own in (row["carer_id"], row["logged_by"]),
            "form_began": write_moment(row["began_at"], zone),
            "form_ended": write_moment(row["ended_at"] or visit.now, zone),
        }
        for row in rows
        if row is not mine
    ]
    return {
        "mine": mine,
        "shown": shown[:VISITS_SHOWN],
        "found": list(Found),
        # The office logs what a carer says on the telephone.
        "carers": care_visits.carers_of(visit, home["id"]) if gateway_reads.manages(visit, home["id"]) else [],
        "form_now": write_moment(visit.now, zone),
    }


def _device(device: dict[str, Any]) -> dict[str, Any]:
    values = []
    for one in device["metrics"]:
        metric = BY_ID.get(one["metric"])
        if metric is not None and metric.id not in TOLD:
            values.append({**one, "name": metric.name, "unit": metric.unit, "is_state": metric.unit == ""})
    heard = max((value["received_at"] for value in values if value["metric"] != SILENT), default=None)
    shown = [value for value in values if value["metric"] != SILENT or value["value"] > 0]
    shown.sort(key=lambda value: (value["metric"] != SILENT, value["metric"] in ASIDE))
    return {**device, "values": shown[:3], "heard_at": heard}
