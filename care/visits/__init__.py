"""Carers' visits: "I am here", "I have left", and how the resident was.

Detection reads them (alerts/visits.py): what moves while a carer is there may be the carer, and whoever was found well
was seen by better eyes than any sensor's. A row is never overwritten by a correction: the mistake stays, undone, and a
corrected row stands beside it.

These run on the api's connection: row-level security decides which homes exist for it. The caller owns the transaction,
asks whether the person may, and writes the audit.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import psycopg

from core.errors import Conflict, NotAllowed, NotFound
from core.model import Found
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
LONGEST: Final = timedelta(hours=12)
EARLIEST: Final = timedelta(days=31)  # a month's sheet may be typed in at its end

Row = dict[str, Any]


class Wrong(StrEnum):
    """Why a visit cannot be as it was said. The pages have a word for each: `web.visit.wrong.{why}`."""

    ALREADY_THERE = "already_there"
    NOT_THERE = "not_there"
    ALREADY_UNDONE = "already_undone"
    NO_ZONE = "no_zone"
    ORDER = "order"  # ends before it begins
    FUTURE = "future"
    TOO_OLD = "too_old"
    TOO_LONG = "too_long"
    OVERLAP = "overlap"  # the same carer cannot be there twice at once


class VisitRefused(Conflict):
    """The visit cannot be as it was said; `why` says in which way."""

    def __init__(self, why: Wrong, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True)
class Past:
    """A visit that is over. Times are aware.

    Attributes:
        found: how the resident was.
        together: carer and resident left the home together, so that the door that fell shut was theirs both.
    """

    began_at: datetime
    ended_at: datetime
    found: Found
    together: bool = False
    note: str = ""


def arrive(connection: Connection, home_id: int, carer_id: int, now: datetime) -> int:
    """ "I am here." Nobody is in two homes: a visit elsewhere that its carer forgot to end ends by itself now.

    Returns the visit. Raises VisitRefused: the carer is there already.
    """
    connection.execute(QUERIES["end_elsewhere"], {"home": home_id, "carer": carer_id, "now": now})
    try:
        with connection.transaction():
            row = connection.execute(QUERIES["begin"], {"home": home_id, "carer": carer_id, "now": now}).fetchone()
    except psycopg.errors.UniqueViolation as error:
        raise VisitRefused(
            Wrong.ALREADY_THERE, f"you are at home {home_id} already: say that you have left first"
        ) from error
    assert row is not None  # RETURNING
    return int(row["id"])


def leave(
    connection: Connection, home_id: int, carer_id: int, now: datetime, found: Found, *, together: bool = False,
    note: str = "",
) -> int:  # fmt: skip
    """ "I have left." Returns the visit. Raises VisitRefused: the carer was not there, or it ended by
    itself."""
    _check_together(found, together)
    asked = {"home": home_id, "carer": carer_id, "now": now, "found": found.value, "together": together, "note": note}
    row = connection.execute(QUERIES["end"], asked).fetchone()
    if row is None:
        raise VisitRefused(
            Wrong.NOT_THERE, f"no visit of yours to home {home_id} is under way: log it with its beginning and end"
        )
    return int(row["id"])


def log(connection: Connection, home_id: int, carer_id: int, now: datetime, past: Past, by: int | None = None) -> int:
    """A visit that is over and was not tapped. Returns it.

    Args:
        by: who logs it; None: the carer.

    Raises:
        VisitRefused, Conflict.
    """
    _check(connection, home_id, carer_id, now, past)
    return _add(connection, home_id, carer_id, now, past, None if by == carer_id else by)


def correct(connection: Connection, home_id: int, visit_id: int, by: int, now: datetime, past: Past) -> int:
    """It was otherwise: the visit is undone and the right one, of the same carer, takes its place. Returns the right
    one.

    Raises:
        NotFound, NotAllowed, VisitRefused, Conflict.
    """
    return log(connection, home_id, undo(connection, home_id, visit_id, by, now), now, past, by)


def undo(connection: Connection, home_id: int, visit_id: int, by: int, now: datetime) -> int:
    """It never was. By the carer, or by who logged it for them; the row stays, undone. Returns the carer.

    Raises:
        NotFound: there is no such visit to this home, or none that this connection may see.
        NotAllowed: it is somebody else's.
        VisitRefused: it is undone already.
    """
    row = connection.execute(QUERIES["lock"], {"id": visit_id, "home": home_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no visit {visit_id} to home {home_id} that you may see")
    if by not in (row["carer_id"], row["logged_by"]):
        raise NotAllowed(f"visit {visit_id} is somebody else's: its carer and who logged it correct or undo it")
    if row["undone_at"] is not None:
        raise VisitRefused(Wrong.ALREADY_UNDONE, f"visit {visit_id} is undone already")
    connection.execute(QUERIES["undo"], {"id": visit_id, "now": now})
    return int(row["carer_id"])


def visits_to(connection: Connection, home_id: int, since: datetime, limit: int = 50) -> list[Row]:
    """Those that went on after `since`, under way first, then the latest: id, carer_id, carer (name), began_at,
    ended_at (None: the carer is there), found (None: nobody said), together, ended_itself, note, logged_at, logged_by
    and logged_by_name (None: the carer)."""
    return connection.execute(QUERIES["visits"], {"home": home_id, "since": since, "limit": limit}).fetchall()


def visits_for_family(connection: Connection, home_id: int, since: datetime, now: datetime) -> list[Row]:
    """What family may know: began_at and ended_at, the latest first."""
    asked = {"home": home_id, "since": since, "now": now}
    return connection.execute(QUERIES["visits_for_family"], asked).fetchall()


def _add(connection: Connection, home_id: int, carer_id: int, now: datetime, past: Past, by: int | None) -> int:
    row = connection.execute(
        QUERIES["add"],
        {"home": home_id, "carer": carer_id, "began_at": past.began_at, "ended_at": past.ended_at,
         "found": past.found.value, "together": past.together, "note": past.note, "now": now,
         "by": by},
    ).fetchone()  # fmt: skip
    assert row is not None  # RETURNING
    return int(row["id"])


def _check(connection: Connection, home_id: int, carer_id: int, now: datetime, past: Past) -> None:
    for moment in (past.began_at, past.ended_at):
        if moment.tzinfo is None:
            raise VisitRefused(
                Wrong.NO_ZONE, f"{moment.isoformat()} has no zone: write e.g. {moment.isoformat()}+08:00"
            )
    _check_together(past.found, past.together)
    if past.ended_at < past.began_at:
        raise VisitRefused(
            Wrong.ORDER,
            f"the visit ends at {past.ended_at.isoformat()}, before it begins: give the times in their order",
        )
    if past.ended_at > now:
        raise VisitRefused(
            Wrong.FUTURE,
            f"{past.ended_at.isoformat()} lies ahead: only what is over is logged; say that you are there when you are",
        )
    if past.began_at < now - EARLIEST:
        raise VisitRefused(
            Wrong.TOO_OLD,
            f"a visit at {past.began_at.isoformat()} is more than {EARLIEST.days} days ago: too old to log",
        )
    if past.ended_at - past.began_at > LONGEST:
        raise VisitRefused(Wrong.TOO_LONG, f"a visit of more than {LONGEST}: log a stay like that in parts")
    asked = {"home": home_id, "carer": carer_id, "began_at": past.began_at, "ended_at": past.ended_at, "now": now}
    connection.execute(QUERIES["lock_carer"], {"carer": carer_id})
    other = connection.execute(QUERIES["overlapping"], asked).fetchone()
    if other is not None:
        raise VisitRefused(
            Wrong.OVERLAP,
            f"the same carer's visit {other['id']} to home {home_id} has a part of that time: correct or undo that one",
        )


def _check_together(found: Found, together: bool) -> None:
    if together and found is Found.NOT_MET:
        raise Conflict("nobody leaves together with somebody whom they have not met: leave one of the two out")
