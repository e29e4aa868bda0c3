"""Rotations as a region's managers enter them: through the register's door, with all that it checks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from secrets import token_hex
from typing import Any

from alerts.shifts.change import find_rotation
from api.access import Visit
from api.reads import planned
from api.reads.shifts import QUERIES
from care.register import apply_register, read_document
from core.errors import NotAllowed, NotFound
from store.pool import DatabaseRole, connect

SOURCE = "shifts"
NOBODY = "-"


@dataclass(frozen=True)
class Turns:
    """What a rotation is made of.

    Attributes:
        members: ids of people in their order; None = nobody is on in that turn.
        handovers: `HH:MM`, the earliest first, on a wall clock of `zone` (IANA).
        ends: the first day without it.
    """

    name: str
    duty: str
    zone: str
    members: Sequence[int | None]
    handovers: Sequence[str]
    every_days: int
    starts: date
    ends: date | None = None


def add_rotation(visit: Visit, database_url: str, region_id: int, turns: Turns) -> None:
    """A new rotation of the region. Raises NotFound, NotAllowed, RegisterError."""
    _put(visit, database_url, f"rotation-{token_hex(6)}", region_id, turns)


def change_rotation(visit: Visit, database_url: str, rotation_id: int, turns: Turns) -> None:
    """Other members, times or days; with `ends` it ends. Covers stay. Raises NotFound, NotAllowed, RegisterError."""
    rotation = find_rotation(visit.connection, rotation_id)
    _put(visit, database_url, rotation["key"], rotation["region_id"], turns)


def _put(visit: Visit, database_url: str, key: str, region_id: int, turns: Turns) -> None:
    row = visit.connection.execute(QUERIES["region_key"], {"id": region_id}).fetchone()
    if row is None or not planned.sees_region(visit, region_id):
        raise NotFound(f"there is no region {region_id} that you may see")
    if not planned.manages(visit, region_id):
        raise NotAllowed("rotations are entered by the managers of the region")
    entry: dict[str, Any] = {
        "key": key, "region": row["key"], "name": turns.name, "duty": turns.duty, "zone": turns.zone,
        "members": _keys(visit, turns.members), "handovers": list(turns.handovers), "every_days": turns.every_days,
        "starts": turns.starts.isoformat(), "ends": turns.ends.isoformat() if turns.ends else None,
    }  # fmt: skip
    # A connection of its own: the api's may read the register, not write it.
    with connect(database_url, DatabaseRole.REGISTER, autocommit=True) as connection:
        apply_register(connection, read_document({"rotation": [entry]}, SOURCE), SOURCE, visit.now)


def _keys(visit: Visit, members: Sequence[int | None]) -> list[str]:
    people = sorted({person for person in members if person is not None})
    keys = {row["id"]: row["key"] for row in visit.connection.execute(QUERIES["person_keys"], {"people": people})}
    missing = [person for person in people if person not in keys]
    if missing:
        raise NotFound(f"there is no person {missing[0]} that you may see")
    return [NOBODY if person is None else keys[person] for person in members]
