"""Who is on duty, out of the database. A region without a rotation of its own has that of the nearest region above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from alerts.shifts.rota import Cover, Leave, Rotation, Shift, gaps, shifts
from core.daytime import parse_time
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
FIRST: Final = "first"
SECOND: Final = "second"
MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Rota:
    """One rotation with what holds of it in a span.

    Attributes:
        row: id, key, name, region_id, duty, zone ... of the rotation.
        shifts: without a hole over the span that was asked for.
    """

    row: Mapping[str, Any]
    shifts: Sequence[Shift]

    @property
    def duty(self) -> str:
        return str(self.row["duty"])


@dataclass(frozen=True)
class Duty:
    """Who is on for a region at one instant.

    Attributes:
        planned: whether there are shifts at all; without any the ladder takes every worker.
        first, second: person ids.
        absent: who would be on first duty and is on leave.
    """

    planned: bool = False
    first: Sequence[int] = ()
    second: Sequence[int] = ()
    absent: Sequence[int] = field(default=())


def on_duty(connection: Connection, now: datetime, regions: Sequence[int]) -> dict[int, Duty]:
    """Who is on now, by region."""
    found = {}
    for region, rotas in rotas_of(connection, now, now + MOMENT, regions).items():
        on = {duty: [shift.person for rota in rotas if rota.duty == duty for shift in rota.shifts if shift.person]
              for duty in (FIRST, SECOND)}  # fmt: skip
        absent = [shift.absent for rota in rotas if rota.duty == FIRST for shift in rota.shifts if shift.absent]
        planned = any(rota.duty == FIRST for rota in rotas)
        found[region] = Duty(planned, tuple(on[FIRST]), tuple(on[SECOND]), tuple(absent))
    return found


def gaps_of(rotas: Sequence[Rota]) -> list[tuple[datetime, datetime]]:
    """Spans in which nobody is on first duty; none where no first duty is planned."""
    return gaps([rota.shifts for rota in rotas if rota.duty == FIRST])


def rotas_of(connection: Connection, start: datetime, end: datetime, regions: Sequence[int]) -> dict[int, list[Rota]]:
    """The rotas that hold for each of these regions from `start` to `end`, first duty before second."""
    rows = connection.execute(QUERIES["rotations_above"], {"regions": list(regions)}).fetchall()
    span = {"start": start, "end": end}
    asked = {"rotations": list({row["id"] for row in rows}), **span}
    covers = connection.execute(QUERIES["covers"], asked).fetchall() if rows else []
    leave = connection.execute(QUERIES["leave"], span).fetchall() if rows else []
    away = [Leave(row["person_id"], row["from_at"], row["until_at"]) for row in leave]
    made: dict[int, Rota] = {}
    found: dict[int, list[Rota]] = {region: [] for region in regions}
    nearest: dict[int, int] = {}
    for row in rows:
        if row["height"] > nearest.setdefault(row["origin"], row["height"]):
            continue
        if row["id"] not in made:
            own = [Cover(one["id"], one["person_id"], one["from_at"], one["until_at"])
                   for one in covers if one["rotation_id"] == row["id"]]  # fmt: skip
            made[row["id"]] = Rota(row, shifts(_rotation(row), own, away, start, end))
        found[row["origin"]].append(made[row["id"]])
    return found


def _rotation(row: Mapping[str, Any]) -> Rotation:
    return Rotation(
        zone=ZoneInfo(row["zone"]),
        members=row["members"],
        handovers=[parse_time(text) for text in row["handovers"]],
        every_days=row["every_days"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
    )
