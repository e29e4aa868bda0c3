"""Who stands on a rung: staff of the region and those above it, who is on shift, family in its order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from alerts.rungs import Audience
from alerts.shifts.roster import Duty, on_duty
from core.model import Role
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "ladder.sql")


class Person(NamedTuple):
    """Somebody who could be told. height: 1 = the home's community, 2 = its street ...; 0 = family."""

    id: int
    channels: Sequence[str]
    role: Role
    height: int


@dataclass(frozen=True)
class Crew:
    """Everyone who could be told about some alerts.

    Attributes:
        family: home id -> in the order in which they are told.
        staff: region id -> staff and volunteers of it and all regions above, the nearest first.
        duty: region id -> who is on shift now.
        away: ids of those on leave now.
        channels: person id -> Apprise URLs, of those on shift, and of those who were asked by name.
        prompts: home id -> a gateway there that can ask "are you all right?" now.
    """

    family: Mapping[int, Sequence[Person]]
    staff: Mapping[int, Sequence[Person]]
    duty: Mapping[int, Duty]
    away: frozenset[int]
    channels: Mapping[int, Sequence[str]]
    prompts: Mapping[int, int]

    def members(self, audience: Audience, home: int | None, places: Sequence[int], contact: int = 1) -> list[Person]:
        """Who belongs to an audience, each once; the away and the unreachable too.

        Args:
            home: the home that it is about; None = a regional incident.
            places: the communities whose people it concerns.
            contact: which of the family contacts, 1 = the first.
        """
        family = self.family.get(home, ()) if home is not None else ()
        if audience is Audience.FAMILY:
            return list(family)
        if audience is Audience.CONTACT:
            return list(family[contact - 1 : contact])
        found: dict[int, Person] = {}
        for place in places:
            for person in self._of_place(audience, place):
                found.setdefault(person.id, person)
        if audience is Audience.EMERGENCY:
            for person in family:
                found.setdefault(person.id, person)
        return list(found.values())

    def contacts(self, home: int | None) -> int:
        """How many family contacts there are."""
        return len(self.family.get(home, ())) if home is not None else 0

    def absent(self, places: Sequence[int]) -> list[int]:
        """Who would be on shift and is on leave."""
        return [person for place in places for person in self.duty[place].absent]

    def _of_place(self, audience: Audience, place: int) -> Iterable[Person]:
        staff, duty = self.staff.get(place, ()), self.duty[place]
        if audience is Audience.ON_SHIFT:
            return self._people(duty.first) if duty.planned else _nearest(staff, Role.WORKER)
        if audience is Audience.SECOND:
            # Without shifts all workers of the nearest region were told before: these are those further up.
            near = _nearest(staff, Role.WORKER)
            others = near if duty.planned else _nearest([one for one in staff if one not in near], Role.WORKER)
            return [*self._people(duty.second), *(one for one in others if one.id not in duty.first)]
        if audience is Audience.VOLUNTEER:
            return _nearest(staff, Role.VOLUNTEER)
        if audience is Audience.CENTRE:
            return _nearest(staff, Role.CENTRE)
        if audience is Audience.MANAGER:
            return [one for one in staff if one.role is Role.MANAGER]
        if audience is Audience.EMERGENCY:
            reached = (Audience.ON_SHIFT, Audience.SECOND, Audience.CENTRE, Audience.MANAGER)
            return [person for one in reached for person in self._of_place(one, place)]
        return ()

    def _people(self, ids: Sequence[int]) -> list[Person]:
        return [Person(id, self.channels.get(id, ()), Role.WORKER, 1) for id in ids]


def load_crew(connection: Connection, now: datetime, alerts: Sequence[Mapping[str, Any]]) -> Crew:
    """The crew of these alerts, in a handful of statements however many they are.

    Args:
        alerts: rows with home_id, places and handed_to.
    """
    homes = sorted({alert["home_id"] for alert in alerts if alert["home_id"] is not None})
    places = sorted({place for alert in alerts for place in alert["places"]})
    family: dict[int, list[Person]] = {}
    for row in connection.execute(QUERIES["crew_family"], {"homes": homes, "now": now}):
        family.setdefault(row["home_id"], []).append(Person(row["id"], row["channels"], Role.FAMILY, 0))
    staff: dict[int, list[Person]] = {}
    for row in connection.execute(QUERIES["crew_staff"], {"regions": places}):
        person = Person(row["id"], row["channels"], Role(row["role"]), row["height"])
        staff.setdefault(row["origin"], []).append(person)
    duty = on_duty(connection, now, places)
    on = {person for one in duty.values() for person in (*one.first, *one.second)}
    named = {alert["handed_to"] for alert in alerts if alert["handed_to"] is not None}
    rows = connection.execute(QUERIES["channels_of"], {"people": sorted(on | named)})
    channels = {row["id"]: row["channels"] for row in rows}
    prompts = {row["home_id"]: row["id"] for row in connection.execute(QUERIES["prompts"], {"homes": homes})}
    away = frozenset(row["person_id"] for row in connection.execute(QUERIES["on_leave"], {"now": now}))
    return Crew(family, staff, duty, away, channels, prompts)


def _nearest(staff: Sequence[Person], role: Role) -> list[Person]:
    """Those with the role in the nearest region that has any."""
    fitting = [person for person in staff if person.role is role]
    height = min((person.height for person in fitting), default=0)
    return [person for person in fitting if person.height == height]
