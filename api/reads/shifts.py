"""Shifts as people see them: who is on now and next, the coming days, gaps, leave."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from alerts.shifts.roster import Rota, gaps_of, rotas_of
from api.access import Visit
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "shifts.sql")

Row = dict[str, Any]


@dataclass(frozen=True)
class PlaceShifts:
    """One region's: `place` is id, name, zone of the region; `people` could be on."""

    place: Row
    rotas: list[Rota]
    gaps: list[tuple[datetime, datetime]]
    people: list[Row]


def shifts(visit: Visit, days: int, region: int | None = None) -> tuple[list[PlaceShifts], dict[int, str]]:
    """Each of one's regions from now on, and the names of everyone in them by id."""
    places = visit.connection.execute(QUERIES["places"], {"person": visit.person.id}).fetchall()
    places = [place for place in places if region is None or place["id"] == region]
    ids = [place["id"] for place in places]
    rotas = rotas_of(visit.connection, visit.now, visit.now + timedelta(days=days), ids)
    people: dict[int, list[Row]] = {}
    for row in visit.connection.execute(QUERIES["people"], {"regions": ids}):
        people.setdefault(row["origin"], []).append(row)
    seen = {person for found in rotas.values() for rota in found for shift in rota.shifts
            for person in (shift.person, shift.absent) if person is not None}  # fmt: skip
    rows = visit.connection.execute(QUERIES["names"], {"people": sorted(seen)}).fetchall()
    found = [
        PlaceShifts(place, rotas[place["id"]], gaps_of(rotas[place["id"]]), people.get(place["id"], []))
        for place in places
    ]
    return found, {row["id"]: row["name"] for row in rows}


def leave(visit: Visit) -> list[Row]:
    """Who is or will be on leave, of those one may see."""
    return visit.connection.execute(QUERIES["leave"], {"now": visit.now}).fetchall()


def own_covers(visit: Visit) -> set[int]:
    """Covers by which this person took a shift over of their own accord; those that are over excepted."""
    asked = {"person": visit.person.id, "now": visit.now}
    return {row["id"] for row in visit.connection.execute(QUERIES["own_covers"], asked)}


def manages_person(visit: Visit, person_id: int) -> bool:
    """Whether this person is manager or admin where the other works."""
    return person_id in managed_people(visit, person_id)


def managed_people(visit: Visit, other: int | None = None) -> set[int]:
    """Those who work where this person is manager or admin; of all, or only `other`."""
    asked = {"person": visit.person.id, "other": other}
    return {row["id"] for row in visit.connection.execute(QUERIES["managed_people"], asked)}


def managed_regions(visit: Visit) -> set[int]:
    """Regions of which this person is manager or admin, with all below them."""
    asked = {"person": visit.person.id}
    return {row["id"] for row in visit.connection.execute(QUERIES["managed_regions"], asked)}
