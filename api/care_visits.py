"""What a carer says of their visits: who may, the audit, and the deed itself (care/visits/).

`asker` is the person's request (api.access.Visit), which has nothing to do with the visit to the home.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from api.access import Visit as Asker
from api.reads import QUERIES
from api.reads.gateways import need_manager_of
from api.reads.homes import day_bounds, local_day, need_staff_of
from care import visits
from care.visits import Past
from core.errors import NotFound
from core.model import Found

LATELY: Final = timedelta(days=31)


def arrive(asker: Asker, home_id: int) -> int:
    """ "I am here." Returns the visit. Raises NotFound, NotAllowed, VisitRefused."""
    need_staff_of(asker, home_id)
    visit = visits.arrive(asker.connection, home_id, asker.person.id, asker.now)
    asker.audit("visit.arrive", [home_id])
    return visit


def leave(asker: Asker, home_id: int, found: Found, *, together: bool = False, note: str = "") -> int:
    """ "I have left." Returns the visit. Raises NotFound, NotAllowed, VisitRefused."""
    need_staff_of(asker, home_id)
    visit = visits.leave(asker.connection, home_id, asker.person.id, asker.now, found, together=together, note=note)
    asker.audit("visit.leave", [home_id])
    return visit


def log(asker: Asker, home_id: int, past: Past, carer_id: int | None = None) -> int:
    """A visit that is over. Returns it.

    Args:
        carer_id: whose visit it was; another's is logged by the home's managers and admins. None: one's own.

    Raises:
        NotFound: also for somebody who does not look after the home.
        NotAllowed, VisitRefused.
    """
    need_staff_of(asker, home_id)
    own = carer_id is None or carer_id == asker.person.id
    if not own:
        need_manager_of(asker, home_id)
        if all(one["id"] != carer_id for one in carers_of(asker, home_id)):
            raise NotFound(f"there is no person {carer_id} who looks after this home")
    visit = visits.log(asker.connection, home_id, carer_id or asker.person.id, asker.now, past, asker.person.id)
    asker.audit("visit.log" if own else "visit.log_for_another", [home_id])
    return visit


def carers_of(asker: Asker, home_id: int) -> list[dict[str, Any]]:
    """Who looks after the home, id and name: staff of its region and of all above."""
    return asker.connection.execute(QUERIES["carers"], {"home": home_id}).fetchall()


def correct(asker: Asker, home_id: int, visit_id: int, past: Past) -> int:
    """Another visit takes its place. Returns that. Raises NotFound, NotAllowed, VisitRefused."""
    need_staff_of(asker, home_id)
    visit = visits.correct(asker.connection, home_id, visit_id, asker.person.id, asker.now, past)
    asker.audit("visit.correct", [home_id])
    return visit


def undo(asker: Asker, home_id: int, visit_id: int) -> None:
    """It never was. Raises NotFound, NotAllowed, VisitRefused."""
    need_staff_of(asker, home_id)
    visits.undo(asker.connection, home_id, visit_id, asker.person.id, asker.now)
    asker.audit("visit.undo", [home_id])


def lately(asker: Asker, home_id: int, limit: int = 50) -> list[dict[str, Any]]:
    """The last month's, the latest first. Staff only; audited. Raises NotFound, NotAllowed."""
    need_staff_of(asker, home_id)
    asker.audit("read.visits", [home_id])
    return visits.visits_to(asker.connection, home_id, asker.now - LATELY, limit)


def today_for_family(asker: Asker, home_id: int, zone: str) -> datetime | None:
    """When somebody last came today, in the home's zone; for family with the resident's consent. None: nobody did."""
    midnight, _ = day_bounds(local_day(asker.now, zone), zone)
    rows = visits.visits_for_family(asker.connection, home_id, midnight, asker.now)
    return rows[0]["began_at"] if rows else None
