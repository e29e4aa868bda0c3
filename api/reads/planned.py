"""What is known beforehand of a home: absences, maintenance, and what they and other causes mute."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from api.access import Visit
from api.reads.regions import list_regions
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "planned.sql")
LATELY: Final = timedelta(days=7)

Row = dict[str, Any]


def absences(visit: Visit, home_id: int) -> list[Row]:
    """Those that hold, come, or ended in the last days; the latest first."""
    return visit.connection.execute(QUERIES["absences"], _lately(visit, home_id)).fetchall()


def maintenance(visit: Visit, home_id: int) -> list[Row]:
    """The same for work on the equipment, the regions' above included."""
    return visit.connection.execute(QUERIES["maintenance_of_home"], _lately(visit, home_id)).fetchall()


def muted(visit: Visit, home_id: int) -> list[Row]:
    """What is muted now, then what was lately."""
    return visit.connection.execute(QUERIES["muted"], _lately(visit, home_id)).fetchall()


def is_family_of(visit: Visit, home_id: int) -> bool:
    """Whether the resident shares the home with this person."""
    row = visit.connection.execute(QUERIES["is_family_of"], {"home": home_id, "person": visit.person.id}).fetchone()
    return bool(row and row["family"])


def manages(visit: Visit, region_id: int) -> bool:
    """Whether this person is manager or admin of the region or of one above it."""
    row = visit.connection.execute(QUERIES["manages"], {"region": region_id, "person": visit.person.id}).fetchone()
    return bool(row and row["manages"])


def sees_region(visit: Visit, region_id: int) -> bool:
    """Whether the region is one of this person's grants or below."""
    return any(region["id"] == region_id for region in list_regions(visit))


def _lately(visit: Visit, home_id: int) -> Mapping[str, Any]:
    return {"home": home_id, "since": visit.now - LATELY}
