"""Regions, and what an import of the register did."""

from pydantic import Field

from api.schemas.base import Shape
from core.model import RegionLevel


class RegisterCounts(Shape):
    """How many entries of each kind (region, home, device ...) an import created, updated and left as they were."""

    created: dict[str, int]
    updated: dict[str, int]
    unchanged: dict[str, int]
    missing: list[str] = Field(description="gateways and devices in use that the document about their home left out")


class Region(Shape):
    id: int
    key: str
    parent_id: int | None
    level: RegionLevel
    name: str
