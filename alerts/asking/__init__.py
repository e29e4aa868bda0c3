"""Asking a home: "are you all right?" through its gateway, and what came of it.

The question is a row of `gateway_command`; ingest brings it to the gateway and the answer back, and `NOTIFY
urgent_event` wakes the alert engine when one has come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from core.wire import CommandKind
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
UNDER_WAY: Final = timedelta(seconds=30)  # for the command to reach the home, and for the answer to come back


class Answer(StrEnum):
    """What a home answered."""

    WAITING = "waiting"  # nothing yet, and there is time left
    OK = "ok"  # somebody pressed the button that means "I am all right"
    HELP = "help"  # somebody pressed SOS; it has arrived as an SOS of its own, too
    NONE = "none"  # the prompt sounded and nobody pressed
    REFUSED = "refused"  # the gateway cannot ask: no prompt, too late ...
    UNREACHED = "unreached"  # the time is over and the gateway never said anything: nothing is known


@dataclass(frozen=True)
class Asked:
    """A question and its answer. `answered_at` is when it was given, by the gateway's clock."""

    id: int
    home_id: int
    answer: Answer
    answered_at: datetime | None
    reason: str


class Asking(NamedTuple):
    """A question to put. `seconds`: how long a press is waited for, once the prompt has sounded."""

    gateway_id: int
    seconds: int


def ask_gateways(connection: Connection, asked: Sequence[Asking], now: datetime) -> list[int]:
    """Puts "are you all right?" to many gateways, in the caller's transaction. Returns the questions' ids, in order.

    Args:
        connection: with the rights of DatabaseRole.ALERTS.
    """
    rows = connection.execute(
        QUERIES["ask_gateways"],
        {"gateways": [one.gateway_id for one in asked], "seconds": [one.seconds for one in asked],
         "kind": CommandKind.ASK.value, "now": now, "expires": now + UNDER_WAY},
    ).fetchall()  # fmt: skip
    ids: dict[int, list[int]] = {}  # two questions to one gateway: the first asked is the first in
    for row in sorted(rows, key=lambda row: -row["id"]):
        ids.setdefault(row["gateway_id"], []).append(row["id"])
    return [ids[one.gateway_id].pop() for one in asked]


def ask_home(
    connection: Connection, home_id: int, seconds: int, now: datetime, kind: CommandKind = CommandKind.ASK
) -> int | None:
    """Asks the home through the gateway that was heard last, in the caller's transaction.

    Args:
        connection: with the rights of DatabaseRole.ALERTS.
        seconds: how long a press is waited for, once the prompt has sounded.
        kind: the question; TEST asks for a test press of the SOS buttons.

    Returns:
        The question's id, or None: no gateway of the home is online, so there is nobody to ask.
    """
    row = connection.execute(
        QUERIES["ask"],
        {"home": home_id, "kind": kind.value, "seconds": seconds, "now": now, "expires": now + UNDER_WAY},
    ).fetchone()
    return None if row is None else int(row["id"])


def answer_of(connection: Connection, question_id: int, now: datetime) -> Asked | None:
    """What has become of a question; None when there is none with that id."""
    row = connection.execute(QUERIES["answer"], {"id": question_id}).fetchone()
    if row is None:
        return None
    if row["answer"] is not None:
        answer = Answer(row["answer"])
    elif now < row["expires_at"] + timedelta(seconds=row["seconds"]) + UNDER_WAY:
        answer = Answer.WAITING
    else:
        answer = Answer.UNREACHED
    return Asked(row["id"], row["home_id"], answer, row["answered_at"], row["reason"])
