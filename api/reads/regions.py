"""The tree of regions, as far as one may see it."""

from typing import Any

from api.access import Visit
from api.reads import QUERIES


def list_regions(visit: Visit) -> list[dict[str, Any]]:
    """Regions of one's grants and all below, and those of homes that are shared with one."""
    return visit.connection.execute(QUERIES["regions"], {"person": visit.person.id}).fetchall()
