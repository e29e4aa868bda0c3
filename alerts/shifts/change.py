"""Changes of who is on: a cover, a swap, a leave. The plan itself is the register's (api/rotations.py has its door).

These run on the api's connection: row-level security decides which rotations exist for it. Who may is the caller's to
know; the caller owns the transaction.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from alerts.shifts.roster import QUERIES, rotas_of
from alerts.shifts.rota import Shift
from core.errors import Conflict, NotFound, WrongTimes
from store.pool import Connection

LONGEST: Final = timedelta(days=92)
FARTHEST: Final = timedelta(days=366)  # that two shifts which change hands may lie from now


def find_rotation(connection: Connection, rotation_id: int) -> dict[str, Any]:
    """id, key, region_id, every_days, zone. Raises NotFound."""
    row = connection.execute(QUERIES["rotation"], {"id": rotation_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no rotation {rotation_id} that you may see")
    return row


def cover(
    connection: Connection, rotation_id: int, person_id: int, start: datetime, end: datetime, by: int, now: datetime,
    note: str = "", swap: UUID | None = None,
) -> int:  # fmt: skip
    """`person_id` is on from `start` to `end` instead of whoever would be. Returns the cover's id.

    Raises:
        NotFound: no such rotation.
        Conflict: the span cannot be, or the person is no staff there and could not see who needs help.
    """
    rotation = find_rotation(connection, rotation_id)
    _check_span(start, end, now)
    may = connection.execute(QUERIES["may_be_on"], {"person": person_id, "region": rotation["region_id"]}).fetchone()
    if may is None or not may["may"]:
        raise Conflict(f"person {person_id} is no staff of this region: grant them a role there first")
    row = connection.execute(
        QUERIES["add_cover"],
        {"rotation": rotation_id, "person": person_id, "start": start, "end": end, "swap": swap, "note": note,
         "by": by, "now": now},
    ).fetchone()  # fmt: skip
    assert row is not None  # RETURNING
    return int(row["id"])


def swap(
    connection: Connection, rotation_id: int, first_at: datetime, second_at: datetime, by: int, now: datetime,
    id: UUID, note: str = "",
) -> None:  # fmt: skip
    """The two shifts in which these instants lie change hands. `id` marks the two halves.

    Raises:
        NotFound: no such rotation.
        Conflict: one of the shifts has nobody, is over, or both are the same person's.
    """
    rotation = find_rotation(connection, rotation_id)
    for moment in (first_at, second_at):
        if abs(moment - now) > FARTHEST:
            raise WrongTimes(
                f"{moment.isoformat()} is more than {FARTHEST.days} days away: swap shifts that are nearer"
            )
    around = timedelta(days=rotation["every_days"] + 1)
    start, end = min(first_at, second_at) - around, max(first_at, second_at) + around
    if end - start > LONGEST + 2 * around:
        raise WrongTimes("the two shifts lie too far apart: swap within three months")
    rotas = rotas_of(connection, start, end, [rotation["region_id"]])[rotation["region_id"]]
    shifts = next(rota.shifts for rota in rotas if rota.row["id"] == rotation_id)
    one, other = (_at(shifts, moment, now) for moment in (first_at, second_at))
    if one.person == other.person:
        raise Conflict("both shifts are the same person's: choose another one")
    for shift, person in ((one, other.person), (other, one.person)):
        assert person is not None  # _at
        cover(connection, rotation_id, person, max(shift.start, now), shift.end, by, now, note, id)


def withdraw_cover(connection: Connection, cover_id: int, now: datetime) -> int:
    """It holds no longer; of a swap both halves. Returns the rotation's id. Raises NotFound."""
    rows = connection.execute(QUERIES["withdraw_cover"], {"id": cover_id, "now": now}).fetchall()
    if not rows:
        raise NotFound(f"there is no cover {cover_id} that holds")
    return int(rows[0]["rotation_id"])


def take_leave(
    connection: Connection, person_id: int, start: datetime, end: datetime, by: int, now: datetime, note: str = ""
) -> int:
    """`person_id` is not there. Returns the leave's id. Raises Conflict for a span that cannot be."""
    _check_span(start, end, now, timedelta(days=366))
    row = connection.execute(
        QUERIES["add_leave"], {"person": person_id, "start": start, "end": end, "note": note, "by": by, "now": now}
    ).fetchone()
    assert row is not None  # RETURNING
    return int(row["id"])


def withdraw_leave(connection: Connection, leave_id: int, now: datetime) -> None:
    """They are there after all. Raises NotFound."""
    if not connection.execute(QUERIES["withdraw_leave"], {"id": leave_id, "now": now}).rowcount:
        raise NotFound(f"there is no leave {leave_id} that holds")


def _at(shifts: Any, moment: datetime, now: datetime) -> Shift:
    found: Shift | None = next((shift for shift in shifts if shift.start <= moment < shift.end), None)
    if found is None or found.person is None:
        raise Conflict(f"nobody is on at {moment.isoformat()}: enter a cover instead")
    if found.end <= now:
        raise Conflict(f"the shift of {moment.isoformat()} is over")
    return found


def _check_span(start: datetime, end: datetime, now: datetime, longest: timedelta = LONGEST) -> None:
    for moment in (start, end):
        if moment.tzinfo is None:
            raise WrongTimes(f"{moment.isoformat()} has no zone: write e.g. {moment.isoformat()}+08:00")
    if end <= start or end <= now:
        raise WrongTimes(f"it ends at {end.isoformat()}: give a time that lies after its beginning and after now")
    if end - start > longest:
        raise WrongTimes(f"it lasts {end - start}: at most {longest.days} days, or change the rotation in the register")
