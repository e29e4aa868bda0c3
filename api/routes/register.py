"""The register by the API: the same document as `yiju import`, as JSON, for admins."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from alerts.policy import check_policy
from api.access import AnyVisit
from api.house import house_of
from api.schemas.register import RegisterCounts
from care.register import apply_register, read_document
from core.errors import NotAllowed
from core.model import Role
from store.pool import DatabaseRole, connect

router = APIRouter(tags=["register"])
SOURCE = "request"


@router.post("/register")
def import_register(
    visit: AnyVisit,
    request: Request,
    document: Annotated[dict[str, Any], Body(description="Shaped as docs/register.md shows; times are ISO 8601.")],
) -> RegisterCounts:
    """Brings regions, homes, devices and people in: whole or not at all; the same document twice changes nothing.

    Admins only, and only what lies below the regions that they administer.
    """
    if Role.ADMIN not in visit.person.roles:
        raise NotAllowed("this is for admins")
    house = house_of(request)
    # A connection of its own: the api's may read the register, not write it.
    with connect(house.settings.database_url, DatabaseRole.REGISTER, autocommit=True) as connection:
        read = read_document(document, SOURCE, check_policy)
        report = apply_register(connection, read, SOURCE, visit.now, visit.person.id)
    return RegisterCounts(
        created=dict(report.created),
        updated=dict(report.updated),
        unchanged=dict(report.unchanged),
        missing=[f"{one.home}: {one.gateway} {one.address}".rstrip() for one in report.missing],
    )
