"""The installer's page: a home's gateways, what they hear right now, and the code for a new one."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import enrolment
from api.access import StaffVisit, Visit
from api.house import house_of
from api.ids import HomeId
from api.reads import gateways as reads
from api.reads import homes as home_reads
from core.metrics import BY_NAME
from core.wire import from_ms

router = APIRouter(prefix="/homes", include_in_schema=False)


@router.get("/{home_id}/gateways")
def gateways(request: Request, visit: StaffVisit, home_id: HomeId) -> Response:
    """The whole page; the list keeps itself fresh."""
    return house_of(request).pages.show(visit, "gateways.html", here="/homes", code=None, **_page(visit, home_id))


@router.get("/{home_id}/gateways/now")
def gateways_fragment(request: Request, visit: StaffVisit, home_id: HomeId) -> Response:
    """The list alone, for live.js."""
    return house_of(request).pages.show(visit, "gateways_now.html", **_page(visit, home_id))


@router.post("/{home_id}/gateways/code")
def make_code(
    request: Request, visit: StaffVisit, home_id: HomeId, gateway: Annotated[str, Form(max_length=63)] = ""
) -> Response:
    """The page with a fresh code on it, which is shown this once."""
    code = enrolment.new_code(house_of(request), visit, home_id, gateway or None)
    pages = house_of(request).pages
    return pages.show(visit, "gateways.html", here="/homes", code=code, **_page(visit, home_id))


def _page(visit: Visit, home_id: int) -> dict[str, Any]:
    rows = reads.gateways(visit, home_id)
    return {
        "home": home_reads.one_home(visit, home_id),
        "gateways": [_gateway(row) for row in rows],
        "former": reads.former(visit, home_id),
        "buttons": reads.buttons(visit, home_id),
        "may_enroll": reads.manages(visit, home_id),
    }


def _gateway(row: dict[str, Any]) -> dict[str, Any]:
    found = [
        {
            **one,
            "at": from_ms(one["at"]) if one.get("at") else None,
            "metrics": [(name, value) for name, value in sorted(one.get("values", {}).items()) if name in BY_NAME],
        }
        for one in row["found"] or []
    ]
    samples = [{**one, "at": from_ms(one["at"])} for one in row["samples"] or []]
    return {**row, "found": found, "samples": samples}
