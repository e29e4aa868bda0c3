"""What a manager should know before the day begins: shifts that nobody has, and people the ladder could not reach.

One message a manager and local day, none when all is well. It is made from rows, so a service that was down at eight
makes it when it is back, and two services make it once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from alerts.shifts.roster import QUERIES, gaps_of, rotas_of
from store.pool import Connection
from store.queries import load_queries

LADDER: Final = load_queries("alerts", "ladder.sql")
HOUR: Final = time(8)  # in the zone of the manager's first community
AHEAD: Final = timedelta(days=14)
BACK: Final = timedelta(days=1)
MOST: Final = 5  # gaps of one region that are told one by one
Line = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A region with homes of its own, and the zone of most of them."""

    id: int
    name: str
    zone: str


def send_mornings(connection: Connection, now: datetime) -> int:
    """Makes the messages that are due and queues them. The caller owns the transaction. Returns how many."""
    managers: dict[int, list[int]] = {}
    for row in connection.execute(QUERIES["managers_of_mornings"]):
        managers.setdefault(row["person_id"], []).append(row["region_id"])
    had = {(row["person_id"], row["day"])
           for row in connection.execute(QUERIES["mornings_had"], {"since": (now - 2 * BACK).date()})}  # fmt: skip
    sent = 0
    for person, regions in managers.items():
        places = places_below(connection, regions)
        if not places:
            continue
        local = now.astimezone(ZoneInfo(places[0].zone))
        if local.time() < HOUR or (person, local.date()) in had:
            continue
        lines = morning_lines(connection, now, places)
        kept = connection.execute(
            QUERIES["keep_morning"], {"person_id": person, "day": local.date(), "now": now, "lines": Jsonb(lines)}
        ).fetchone()
        if kept is not None and lines:
            connection.execute(LADDER["queue_digests"], {"ids": [kept["id"]], "now": now})
            sent += 1
    return sent


def places_below(connection: Connection, regions: Sequence[int]) -> list[Place]:
    """The regions with homes of their own in and below these."""
    rows = connection.execute(QUERIES["communities_below"], {"regions": list(regions)}).fetchall()
    return list({row["id"]: Place(row["id"], row["name"], row["zone"]) for row in rows}.values())


def morning_lines(connection: Connection, now: datetime, places: Sequence[Place]) -> list[Line]:
    """Gaps in the next 14 days, then who could not be told in the last day: keys of core/words with parameters."""
    lines: list[Line] = []
    rotas = rotas_of(connection, now, now + AHEAD, [place.id for place in places])
    for place in places:
        found = gaps_of(rotas[place.id])
        for start, end in found[:MOST]:
            lines.append(_line("digest.gap", place, from_at=start.isoformat(), until_at=end.isoformat()))
        if len(found) > MOST:
            lines.append(_line("digest.more_gaps", place, n=len(found) - MOST))
    by_id = {place.id: place for place in places}
    asked = {"regions": list(by_id), "since": now - BACK}
    for row in connection.execute(QUERIES["skips"], asked).fetchall():
        lines.append(_skip(by_id[row["region_id"]], row))
    return lines


def _skip(place: Place, row: Mapping[str, Any]) -> Line:
    if row["what"] == "rung_skipped":
        return _line("digest.rung", place, audience=row["audience"], n=row["n"])
    key = "digest.on_leave" if row["reason"] == "on_leave" else "digest.no_address"
    return _line(key, place, person=row["person"], n=row["n"])


def _line(key: str, place: Place, **parameters: Any) -> Line:
    return {"key": key, "zone": place.zone, "region": place.name, **parameters}
