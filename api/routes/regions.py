"""The tree of regions."""

from fastapi import APIRouter

from api.access import AnyVisit
from api.reads import regions
from api.schemas.register import Region

router = APIRouter(tags=["regions"])


@router.get("/regions")
def list_regions(visit: AnyVisit) -> list[Region]:
    """District, streets and communities, as far as you may see them."""
    return [Region(**row) for row in regions.list_regions(visit)]
