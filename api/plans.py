"""What a person plans: an absence, work on the equipment. Who may, what can be, and the audit."""

from datetime import datetime, timedelta
from typing import Final

from api.access import Visit
from api.reads import planned as reads
from api.reads.homes import need_staff_of
from api.reads.planned import QUERIES
from core.errors import Conflict, NotAllowed, NotFound, WrongTimes
from core.model import AbsenceKind

LONGEST: Final = timedelta(days=366)
EARLIEST: Final = timedelta(days=31)  # somebody may enter today what began last week


def enter_absence(
    visit: Visit, home_id: int, kind: AbsenceKind, from_at: datetime | None, until_at: datetime, note: str = ""
) -> int:
    """The resident is away, in hospital or has a visitor. By staff or family. Raises NotFound, NotAllowed, Conflict."""
    _need_staff_or_family(visit, home_id)
    start = _check_span(visit, from_at, until_at)
    row = visit.connection.execute(
        QUERIES["add_absence"],
        {"home": home_id, "kind": kind.value, "from_at": start, "until_at": until_at, "note": note,
         "person": visit.person.id, "now": visit.now},
    ).fetchone()  # fmt: skip
    assert row is not None  # RETURNING
    visit.audit("absence.enter", [home_id])
    return int(row["id"])


def end_absence(visit: Visit, absence_id: int) -> int:
    """It is over, or was entered by mistake. Returns the home. Raises NotFound, NotAllowed, Conflict."""
    row = visit.connection.execute(QUERIES["absence"], {"id": absence_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no absence {absence_id} that you may see")
    _need_staff_or_family(visit, row["home_id"])
    if row["ended_at"] is not None:
        raise Conflict(f"absence {absence_id} has ended already")
    visit.connection.execute(QUERIES["end_absence"], {"id": absence_id, "person": visit.person.id, "now": visit.now})
    visit.audit("absence.end", [row["home_id"]])
    return int(row["home_id"])


def enter_maintenance(
    visit: Visit, from_at: datetime | None, until_at: datetime, note: str = "", *, home_id: int | None = None,
    region_id: int | None = None,
) -> int:  # fmt: skip
    """Work on the equipment of a home (by its staff) or of a region (by its managers).

    Raises:
        NotFound, NotAllowed, Conflict.
    """
    if home_id is not None:
        need_staff_of(visit, home_id)
    elif region_id is None or not reads.sees_region(visit, region_id):
        raise NotFound(f"there is no region {region_id} that you may see")
    elif not reads.manages(visit, region_id):
        raise NotAllowed("maintenance of a region is entered by its managers")
    start = _check_span(visit, from_at, until_at)
    row = visit.connection.execute(
        QUERIES["add_maintenance"],
        {"home": home_id, "region": region_id, "from_at": start, "until_at": until_at, "note": note,
         "person": visit.person.id, "now": visit.now},
    ).fetchone()  # fmt: skip
    assert row is not None  # RETURNING
    if home_id is not None:
        visit.audit("maintenance.enter", [home_id])
    return int(row["id"])


def end_maintenance(visit: Visit, maintenance_id: int) -> int | None:
    """The work is done. Returns the home, None for a region's. Raises NotFound, NotAllowed, Conflict."""
    row = visit.connection.execute(QUERIES["maintenance"], {"id": maintenance_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no maintenance {maintenance_id} that you may see")
    if row["home_id"] is not None:
        need_staff_of(visit, row["home_id"])
    elif not reads.manages(visit, row["region_id"]):
        raise NotAllowed("maintenance of a region is ended by its managers")
    if row["ended_at"] is not None:
        raise Conflict(f"maintenance {maintenance_id} has ended already")
    visit.connection.execute(
        QUERIES["end_maintenance"], {"id": maintenance_id, "person": visit.person.id, "now": visit.now}
    )
    if row["home_id"] is not None:
        visit.audit("maintenance.end", [row["home_id"]])
        return int(row["home_id"])
    return None


def _need_staff_or_family(visit: Visit, home_id: int) -> None:
    if not reads.is_family_of(visit, home_id):
        need_staff_of(visit, home_id)


def _check_span(visit: Visit, from_at: datetime | None, until_at: datetime) -> datetime:
    """When it begins. Raises Conflict for a span that cannot be meant."""
    start = from_at or visit.now
    for moment in (start, until_at):
        if moment.tzinfo is None:
            raise WrongTimes(f"{moment.isoformat()} has no zone: write e.g. {moment.isoformat()}+08:00")
    if until_at <= start or until_at <= visit.now:
        raise WrongTimes(f"it ends at {until_at.isoformat()}: give a time that lies after its beginning and after now")
    if start < visit.now - EARLIEST or until_at > visit.now + LONGEST:
        raise WrongTimes("give a beginning within the last month and an end within a year: it can be entered again")
    return start
