"""Changing who is on: who may. What can be stands in alerts.shifts.change.

Managers and admins change their regions' shifts. A worker may take over a shift, and give it back, and enter their own
leave.
"""

from datetime import datetime
from uuid import uuid4

from alerts.shifts import change
from api.access import Visit
from api.reads import planned, shifts
from api.reads.shifts import QUERIES
from core.errors import NotAllowed, NotFound


def cover(visit: Visit, rotation_id: int, person_id: int, start: datetime, end: datetime, note: str = "") -> int:
    """Somebody is on for a while. Raises NotFound, NotAllowed, Conflict."""
    rotation = change.find_rotation(visit.connection, rotation_id)
    if person_id != visit.person.id:
        _need_manager(visit, rotation["region_id"])
    return change.cover(visit.connection, rotation_id, person_id, start, end, visit.person.id, visit.now, note)


def swap(visit: Visit, rotation_id: int, first_at: datetime, second_at: datetime, note: str = "") -> None:
    """Two shifts change hands. Raises NotFound, NotAllowed, Conflict."""
    _need_manager(visit, change.find_rotation(visit.connection, rotation_id)["region_id"])
    change.swap(visit.connection, rotation_id, first_at, second_at, visit.person.id, visit.now, uuid4(), note)


def withdraw_cover(visit: Visit, cover_id: int) -> None:
    """A cover or a swap holds no longer. Raises NotFound, NotAllowed."""
    row = visit.connection.execute(QUERIES["cover_of"], {"id": cover_id, "person": visit.person.id}).fetchone()
    if row is None:
        raise NotFound(f"there is no cover {cover_id} that you may see")
    if not row["own"]:
        _need_manager(visit, row["region_id"])
    change.withdraw_cover(visit.connection, cover_id, visit.now)


def take_leave(visit: Visit, person_id: int, start: datetime, end: datetime, note: str = "") -> int:
    """Somebody is not there. Raises NotAllowed, Conflict."""
    _need_oneself_or_manager(visit, person_id)
    return change.take_leave(visit.connection, person_id, start, end, visit.person.id, visit.now, note)


def withdraw_leave(visit: Visit, leave_id: int) -> None:
    """They are there after all. Raises NotFound, NotAllowed."""
    row = visit.connection.execute(QUERIES["leave_of"], {"id": leave_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no leave {leave_id} that you may see")
    _need_oneself_or_manager(visit, row["person_id"])
    change.withdraw_leave(visit.connection, leave_id, visit.now)


def _need_manager(visit: Visit, region_id: int) -> None:
    if not planned.manages(visit, region_id):
        raise NotAllowed("shifts are changed by the managers of the region; a worker may take one over")


def _need_oneself_or_manager(visit: Visit, person_id: int) -> None:
    if person_id != visit.person.id and not shifts.manages_person(visit, person_id):
        raise NotAllowed("leave is entered by oneself or by a manager")
