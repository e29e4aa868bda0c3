"""A manager's page: each community's homes, alerts and answers."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.access import StaffVisit, Visit
from api.house import house_of
from api.reads import alerts as alert_reads
from api.reads import homes as home_reads
from api.reads.regions import list_regions

router = APIRouter(include_in_schema=False)
MONTHS = 3  # of the table of what was right
COUNTED = ("watched", "not_watched", "open_alerts", "urgent_alerts", "opened", "answered", "false_alarms")


@router.get("/overview")
def overview(request: Request, visit: StaffVisit) -> Response:
    """Counts by community, and the answers of the last 30 days."""
    communities = _communities(visit)
    total = {name: sum(one[name] for one in communities) for name in COUNTED}
    return house_of(request).pages.show(
        visit,
        "overview.html",
        here="/overview",
        communities=communities,
        total=total,
        precision=alert_reads.precision(visit, MONTHS),
    )


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
