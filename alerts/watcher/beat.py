"""The heartbeat out: "all is well, 3,012 homes watched, 14 not". Whoever waits for it hears when it stops."""

from datetime import datetime, timedelta
from typing import Final

from alerts.notify.message import Message
from core.words import Words
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
SILENT_AFTER: Final = timedelta(minutes=10)  # as the pages count a home as watched


def due_beat(connection: Connection, now: datetime, every: timedelta, words: Words) -> Message | None:
    """The heartbeat when it is due, for the worker that claims it. The caller owns the transaction."""
    if connection.execute(QUERIES["claim_beat"], {"now": now, "before": now - every}).fetchone() is None:
        return None
    row = connection.execute(QUERIES["watched"], {"since": now - SILENT_AFTER}).fetchone()
    assert row is not None  # one row of sums
    troubles = [one["kind"] for one in connection.execute(QUERIES["troubles"])]
    title = words("watch.beat.troubled" if troubles else "watch.beat.well", n=row["watched"], blind=row["blind"])
    lines = [words("watch.beat.alerts", n=row["alerts"])] + [words(f"watch.trouble.{kind}") for kind in troubles]
    facts = {"kind": "heartbeat", "watched": row["watched"], "blind": row["blind"], "alerts": row["alerts"],
             "troubles": troubles, "at": now.isoformat()}  # fmt: skip
    id = f"heartbeat-{int(now.timestamp())}"
    return Message(title, "\n".join(lines), False, id=id, brief=title, facts=facts)
