"""What comes back from a message: its link or reply code is used, it was seen, it reached the device.

These run on the api's connection. The caller owns the transaction and does the deed itself; here it is remembered that
the link was used, once.
"""

import re
from datetime import datetime
from typing import Any, Final, Literal

from alerts.lifecycle import announce, record
from alerts.notify.result import SendReason
from alerts.notify.tickets import CODE_DIGITS, reply_code, sender_hash
from core.errors import Conflict, NotFound
from core.model import Source
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
Answer = Literal["acknowledge", "pass_on"]
ANSWERS: Final[dict[str, Answer]] = {"1": "acknowledge", "2": "pass_on"}
_REPLY: Final = re.compile(rf"\s*([12])\D{{0,3}}(\d{{{CODE_DIGITS}}})\s*")


def find_link(connection: Connection, link_id: int) -> dict[str, Any]:
    """The row of `answer_link`. Raises NotFound."""
    row = connection.execute(QUERIES["link"], {"id": link_id}).fetchone()
    if row is None:
        raise NotFound("this link is not one of ours")
    return row


def use_link(connection: Connection, link_id: int, answer: Answer, now: datetime) -> None:
    """Uses it up, and says so of its delivery. Raises Conflict when it was used before or has expired."""
    row = connection.execute(QUERIES["use_link"], {"id": link_id, "used_for": answer, "now": now}).fetchone()
    if row is None:
        raise Conflict("this link was used already, or has expired")
    connection.execute(QUERIES["mark_answered"], {"id": row["delivery_id"], "now": now})


def mark_seen(connection: Connection, delivery_id: int, now: datetime) -> None:
    """Its page was opened in a browser."""
    connection.execute(QUERIES["mark_seen"], {"id": delivery_id, "now": now})


def mark_arrived(connection: Connection, delivery_id: int, now: datetime) -> None:
    """The device has it."""
    connection.execute(QUERIES["mark_arrived"], {"id": delivery_id, "now": now})


def read_reply(connection: Connection, key: bytes, sender: str, text: str, now: datetime) -> tuple[int, Answer]:
    """Which link a text message answers, and how: `1 482913` or `2 482913`.

    Raises:
        NotFound: the code is not one that went to this number and waits for an answer.
    """
    said = _REPLY.fullmatch(text.translate(_WIDE))
    if said is not None:
        asked = {"sender_hash": sender_hash(key, sender), "now": now}
        for row in connection.execute(QUERIES["links_of_sender"], asked).fetchall():
            if reply_code(key, row["id"]) == said[2]:
                return row["id"], ANSWERS[said[1]]
    raise NotFound("this code is not known, or was used already")


def take_receipt(connection: Connection, message_id: str, reached: bool, now: datetime) -> bool:
    """What a voice or SMS gateway says of a message that it took. False when it is not one of ours that waits."""
    delivery = message_id.partition("-")[0]
    if not (delivery.isascii() and delivery.isdigit() and len(delivery) < 19):
        return False
    row = connection.execute(
        QUERIES["take_receipt"],
        {"delivery": int(delivery), "reached": reached, "reason": SendReason.UNDELIVERABLE.value, "now": now},
    ).fetchone()
    return bool(row and row["known"])


def pass_on(connection: Connection, alert_id: int, person_id: int, now: datetime, source: Source) -> None:
    """ "I cannot": the ladder goes on at once. Raises Conflict when another person has it, or it is over."""
    row = connection.execute(QUERIES["next_rung_now"], {"id": alert_id, "person_id": person_id, "now": now}).fetchone()
    if row is None:
        raise Conflict(f"alert {alert_id} is not {person_id}'s to pass on")
    record(connection, alert_id, now, "passed_on", {}, person_id, source)
    announce(connection, alert_id, row["home_id"])
    connection.execute(QUERIES["wake"])


_WIDE: Final = str.maketrans("０１２３４５６７８９", "0123456789")  # a Chinese keyboard's digits
