"""A manager's page: each community's homes, alerts and answers, who is on shift, and what is wrong with the ladder."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from alerts.explain import word_line
from alerts.shifts.morning import Place, morning_lines
from alerts.shifts.roster import FIRST
from api.access import StaffVisit, Visit
from api.house import house_of
from api.reads import alerts as alert_reads
from api.reads import homes as home_reads
from api.reads import shifts as shift_reads
from api.reads.regions import list_regions

router = APIRouter(include_in_schema=False)
DAYS = 14
MONTHS = 3  # of the table of what was right
COUNTED = ("watched", "not_watched", "open_alerts", "urgent_alerts", "opened", "answered", "false_alarms")


@router.get("/overview")
def overview(request: Request, visit: StaffVisit) -> Response:
    """Counts by community, and the answers of the last 30 days."""
    communities = _communities(visit)
    total = {name: sum(one[name] for one in communities) for name in COUNTED}
    places, names = shift_reads.shifts(visit, DAYS)
    return house_of(request).pages.show(
        visit,
        "overview.html",
        here="/overview",
        communities=communities,
        total=total,
        duty=[_duty(one, names) for one in places if one.rotas],
        lines=_lines(visit, places),
        months=_by_month(alert_reads.precision(visit, MONTHS, house_of(request).settings.zone)),
    )


def _by_month(rows: Sequence[dict[str, Any]]) -> list[tuple[date, list[dict[str, Any]]]]:
    """(first day of a month, its kinds of which somebody said how they ended), newest first."""
    judged = [row for row in rows if row["judged"]]
    return [(month, list(kinds)) for month, kinds in groupby(judged, key=lambda row: row["month"])]


def _duty(one: shift_reads.PlaceShifts, names: dict[int, str]) -> dict[str, Any]:
    """Who is on first duty in a region now and next."""
    first = next((rota for rota in one.rotas if rota.duty == FIRST), one.rotas[0])
    now = first.shifts[0]
    later = next((shift for shift in first.shifts if shift.person != now.person), None)
    return {**one.place, "now": names.get(now.person or 0), "until": now.end,
            "next": names.get(later.person or 0) if later else None, "later": later is not None}  # fmt: skip


def _lines(visit: Visit, places: list[shift_reads.PlaceShifts]) -> list[str]:
    """The same lines that the morning message has, as of now."""
    found = [Place(one.place["id"], one.place["name"], one.place["zone"]) for one in places]
    return [word_line(visit.words, line, visit.now) for line in morning_lines(visit.connection, visit.now, found)]


def _communities(visit: Visit) -> list[dict[str, Any]]:
    """Only those with homes, in the tree's order, each with its path of names."""
    regions = {region["id"]: region for region in list_regions(visit)}
    watched = {row["region_id"]: row for row in home_reads.watch_counts(visit)}
    alerts = {row["region_id"]: row for row in alert_reads.alert_counts(visit)}
    nothing = dict.fromkeys(COUNTED, 0) | {"answer_median_s": None, "answer_p90_s": None}
    return [
        {**nothing, **watched[region_id], **alerts.get(region_id, {}), "name": region["name"],
         "above": regions[region["parent_id"]]["name"] if region["parent_id"] in regions else ""}
        for region_id, region in regions.items()
        if region_id in watched
    ]  # fmt: skip
