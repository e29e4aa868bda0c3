"""What ingest could not store, tried again when the cause is mended: a device that was registered late, a home whose
first day was moved, a platform whose own clock was wrong.

Each row is tried in one transaction, by ingest's own rules and with its own writer. What can be stored now gets a
number of its own in the ledger, so nothing is stored twice, whoever tries it and however often it is cut off; what
cannot stays rejected. A batch is judged by the moment it came, not by the present: a cry for help of last week is one
of last week.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
import psycopg

from core.errors import NotFound, Reason
from core.model import Flag, Lane
from core.wire import to_ms
from ingest.arrays import register_arrays
from ingest.decode import LANES, Decoded, Message, Rejection, decode
from ingest.directory import Directory
from ingest.rows import Readings
from ingest.screen import screen
from ingest.writer import Writer
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "rejected.sql")
RETRIES: Final = UUID(int=1)  # the session of what was tried again; no outbox has it
EVERYTHING: Final = 2**31 - 1


class Outcome(StrEnum):
    """What became of one rejected message."""

    STORED = "stored"
    IN_PART = "in_part"  # the rest stays rejected
    STILL_REJECTED = "still_rejected"
    STORED_BEFORE = "stored_before"  # it was delivered once more, and that was stored
    TAKEN = "taken"  # somebody else tries it now, or has


@dataclass(frozen=True)
class Which:
    """Which rejected messages; None is no limit."""

    reason: Reason | None = None
    gateway: str | None = None
    since: datetime | None = None

    def asked(self, limit: int = EVERYTHING) -> dict[str, Any]:
        return {"reason": self.reason, "gateway": self.gateway, "since": self.since, "limit": limit}


class Retried(msgspec.Struct, frozen=True):
    """What a retry did: messages by outcome, and readings stored."""

    messages: dict[str, int]
    readings: int


def list_rejected(connection: Connection, which: Which, limit: int) -> list[dict[str, Any]]:
    """Rows of `rejected`, oldest first, without their bytes."""
    return connection.execute(QUERIES["list"], which.asked(limit)).fetchall()


def count_rejected(connection: Connection, which: Which) -> list[dict[str, Any]]:
    """Messages and readings by reason."""
    return connection.execute(QUERIES["counts"], which.asked()).fetchall()


def show_rejected(connection: Connection, number: int) -> dict[str, Any]:
    """One row, with its bytes. Raises NotFound."""
    row = connection.execute(QUERIES["one"], {"id": number}).fetchone()
    if row is None:
        raise NotFound(f"there is no rejected message {number}: `yiju rejected list` shows them")
    return row


def retry_all(
    connection: Connection,
    which: Which,
    now: datetime,
    *,
    by_present_clock: bool = False,
    advance: Callable[[float, float], None] = lambda done, total: None,
) -> Retried:
    """Tries every message that `which` names, oldest first.

    Args:
        connection: the owner's, in autocommit.
        now: the platform's present.
        by_present_clock: judge times by `now`, not by when a message came: the platform's own clock was wrong then.
        advance: called with (messages done, messages in all).
    """
    numbers = [row["id"] for row in list_rejected(connection, which, EVERYTHING)]
    messages: dict[str, int] = {}
    readings = 0
    for done, number in enumerate(numbers):
        advance(done, len(numbers))
        while True:
            try:
                outcome, stored = retry(connection, number, now, by_present_clock=by_present_clock)
            except psycopg.errors.DeadlockDetected:
                continue  # nothing of it was stored; whom it stood against (ingest, another retry) has gone on
            break
        messages[outcome] = messages.get(outcome, 0) + 1
        readings += stored
    advance(len(numbers), len(numbers))
    return Retried(messages, readings)


def retry(connection: Connection, number: int, now: datetime, *, by_present_clock: bool = False) -> tuple[Outcome, int]:
    """Tries one message; says what became of it and how many readings were stored."""
    with connection.transaction():
        row = connection.execute(QUERIES["claim"], {"id": number}).fetchone()
        if row is None:
            return Outcome.TAKEN, 0
        register_arrays(connection)
        directory = Directory()
        directory.refresh(connection)
        came = to_ms(row["stored_at"])
        message = Message(row["topic"], bytes(row["payload"]), False, 0, 0)
        decoded, readings, refused = _judge(message, directory, to_ms(now) if by_present_clock else came)
        if decoded.gateway is None or decoded.numbered is None or not len(readings):
            return Outcome.STILL_REJECTED, 0
        stamped = (readings["flags"] & Flag.RESTAMPED) != 0
        readings["time"][stamped] = np.minimum(readings["time"][stamped], came)
        session, lane, seq = decoded.numbered
        batch = {"gateway": decoded.gateway.id, "session": session, "lane": LANES[lane], "seq": seq, "now": now,
                 "outstanding": row["readings"]}  # fmt: skip
        connection.execute(QUERIES["remember_batch"], batch)
        moved = len(readings) if row["readings"] else 0  # of one that could not be read none were counted
        if connection.execute(QUERIES["move_out"], {**batch, "moved": moved}).fetchone() is None:
            connection.execute(QUERIES["forget"], {"id": number})
            return Outcome.STORED_BEFORE, 0
        own = (decoded.gateway.id, RETRIES, LANES[Lane.BULK], number)
        stored = Writer().store_history(connection, own, readings, now)
        connection.execute(QUERIES["forget"], {"id": number})
        for rest in refused:
            connection.execute(
                QUERIES["keep_rest"],
                {**row, "reason": rest.reason, "detail": rest.detail, "readings": rest.readings,
                 "payload": rest.payload},
            )  # fmt: skip
        return (Outcome.IN_PART if refused else Outcome.STORED), stored


def _judge(message: Message, directory: Directory, now_ms: int) -> tuple[Decoded, Readings, Sequence[Rejection]]:
    """What of a message ingest would store if it came at `now_ms`, and what not."""
    decoded = decode(message, directory.gateway)
    screened = screen([decoded], now_ms)
    return decoded, screened.readings, screened.refused.get(0, [])
