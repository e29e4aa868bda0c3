"""Answering from a message, without signing in: whoever has the link may do the one thing that it is for.

The deed is done with the rights that its person has now: who has lost the home since cannot answer for it any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from alerts.notify import answers
from alerts.notify.answers import Answer
from alerts.notify.compose import tellable
from alerts.notify.keys import shared_key
from alerts.notify.tickets import read_ticket
from api import deeds
from api.access import Person, Visit
from api.house import House
from api.reads import QUERIES as ACCESS
from api.reads.reach import QUERIES
from core.errors import Conflict, NotAllowed, NotFound
from core.model import AlertState, Role, Source
from core.words import DEFAULT_LOCALE, LOCALES
from store.pool import Connection

State = Literal["ask", "used", "expired", "unknown", "held", "over", "forbidden"]
STATUS: dict[State, int] = {"ask": 200, "used": 200, "expired": 410, "unknown": 404, "held": 200, "over": 200,
                            "forbidden": 403}  # fmt: skip


@dataclass(frozen=True)
class Looked:
    """What a link opens.

    Attributes:
        link: the row of `answer_link`; None when the ticket is not one of ours.
        visit: its person's; None as well.
        alerts: those that may be shown, as far as the home's policy lets a message say.
    """

    state: State
    link: dict[str, Any] | None = None
    visit: Visit | None = None
    alerts: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class Done:
    """What an answer has brought about: how many of how many alerts, held until when (None: passed on)."""

    done: int
    of: int
    until: datetime | None


def look(house: House, connection: Connection, ticket: str) -> Looked:
    """What the link says now. Changes nothing, so that whatever previews links may open it."""
    try:
        link = answers.find_link(connection, read_ticket(shared_key(connection, "answer"), ticket).link_id)
    except NotFound:
        return Looked("unknown")
    visit = visit_of(house, connection, link["person_id"])
    alerts = list(tellable(connection, link["alert_ids"], visit.person.id).values())
    return Looked(_state(visit, link, alerts), link, visit, alerts)


def answer(visit: Visit, link: dict[str, Any], answer: Answer, source: Source) -> Done:
    """Does it for every alert of the link that can still be answered, and uses the link up.

    Raises:
        Conflict: none of them can, or the link was used meanwhile; nothing has changed then.
    """
    until: datetime | None = None
    done = 0
    with visit.connection.transaction():  # nothing done: the link stays good
        answers.use_link(visit.connection, link["id"], answer, visit.now)
        for alert_id in link["alert_ids"]:
            try:
                with visit.connection.transaction():
                    until = _one(visit, alert_id, answer, source)
                done += 1
            except (Conflict, NotFound, NotAllowed):  # over, somebody else's, or no longer theirs: the others go on
                continue
        if not done:
            raise Conflict("there is nothing left to answer")
    return Done(done, len(link["alert_ids"]), until)


def visit_of(house: House, connection: Connection, person_id: int) -> Visit:
    """Acts for a person who is known by a link, not by a session. Raises NotFound."""
    connection.execute(ACCESS["become"], {"person": person_id})
    row = connection.execute(QUERIES["person"], {"person": person_id}).fetchone()
    if row is None:
        raise NotFound("this link's person is not there any more")
    roles = connection.execute(ACCESS["roles"], {"person": person_id}).fetchall()
    locale = row["locale"] if row["locale"] in LOCALES else DEFAULT_LOCALE
    person = Person(row["id"], row["key"], row["name"], locale, frozenset(Role(one["role"]) for one in roles))
    return Visit(person, b"", connection, house.clock.now(), house.words[locale])


def _one(visit: Visit, alert_id: int, answer: Answer, source: Source) -> datetime | None:
    if answer == "pass_on":
        deeds.pass_on(visit, alert_id, source)
        return None
    return deeds.acknowledge(visit, alert_id, source)


def _state(visit: Visit, link: dict[str, Any], alerts: Sequence[dict[str, Any]]) -> State:
    if link["used_at"] is not None:
        return "used"
    if link["expires_at"] <= visit.now:
        return "expired"
    if not alerts:
        return "forbidden"
    left = [alert for alert in alerts if alert["state"] != AlertState.RESOLVED]
    if not left:
        return "over"
    return "ask" if any(_answerable(visit, alert) for alert in left) else "held"


def _answerable(visit: Visit, alert: dict[str, Any]) -> bool:
    if alert["state"] == AlertState.OPEN or alert["ack_by"] == visit.person.id:
        return True
    return bool(alert["state"] == AlertState.ACKNOWLEDGED and alert["ack_until"] <= visit.now)
