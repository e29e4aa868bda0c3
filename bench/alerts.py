"""`yiju bench alerts`: very many findings in one tick, and which messages go out first.

A blackout takes the gateways of whole communities away at once, and in one home of a hundred somebody presses SOS or it
burns. Every finding is to be told (`tell_notices`), which is harder than the default. Timed is one `engine.tick` with
its commit, from reading all homes to the queued messages; the numbers of homes are tried one after the other, each in a
fresh state. Statements are those that the engine sends, without savepoints.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from alerts.engine import tick
from alerts.notify.outbox import QUERIES as OUTBOX
from core.metrics import BY_NAME
from store.pool import Connection, DatabaseRole, connect
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "alerts.sql")
SIZES: Final = (1_000, 3_000, 10_000)
AWAY: Final = timedelta(minutes=20)
AT_A_TIME: Final = 100  # messages that are claimed at a time when their order is looked at


@dataclass(frozen=True)
class Blackout:
    """One size.

    Attributes:
        opened: alerts; a region's incident may stand for many homes.
        messages: deliveries that the tick has queued.
        urgent_first: whether no message of a finding that is not urgent is claimed before any urgent one.
    """

    findings: int
    seconds: float
    statements: int
    opened: int
    messages: int
    urgent_first: bool


def measure(database_url: str, now: datetime, advance: Callable[[float, float], None],
            sizes: Sequence[int] = SIZES) -> list[Blackout]:  # fmt: skip
    """Each size in turn. The database is emptied of homes and alerts each time."""
    found = []
    for place, homes in enumerate(sizes):
        found.append(measure_one(database_url, now, homes))
        advance(place + 1, len(sizes))
    return found


def figures(found: Sequence[Blackout]) -> dict[str, Any]:
    """`seconds` and `statements` of the largest; `times_as_long`: its seconds a finding over those of the smallest."""
    first, last = found[0], found[-1]
    return {
        "findings": last.findings,
        "seconds": last.seconds,
        "statements": last.statements,
        "urgent_first": all(one.urgent_first for one in found),
        "times_as_long": round((last.seconds / last.findings) / (first.seconds / first.findings), 2),
        "sizes": [
            {"findings": one.findings, "seconds": one.seconds, "statements": one.statements, "opened": one.opened,
             "messages": one.messages}
            for one in found
        ],
    }  # fmt: skip


def measure_one(database_url: str, now: datetime, homes: int) -> Blackout:
    """That many homes without a line, one of a hundred of them with a call for help."""
    with connect(database_url, DatabaseRole.OWNER, autocommit=True) as owner:
        owner.execute(QUERIES["empty"])
        asked = {"homes": homes, "now": now, "heard_at": now - AWAY}
        for name in ("regions", "people", "grants", "homes", "gateways", "statuses", "devices"):
            owner.execute(QUERIES[f"make_{name}"], asked)
        owner.execute(QUERIES["make_calls"], asked | {"metric": BY_NAME["sos"].id})
        owner.execute("ANALYZE")
    with connect(database_url, DatabaseRole.ALERTS) as connection:
        counted = _counted(connection)
        began = time.perf_counter()
        done = tick(connection, now)
        connection.commit()
        seconds = time.perf_counter() - began
        statements = counted()
        urgent_first, messages = _order(connection, now)
    return Blackout(homes + homes // 100, round(seconds, 3), statements, len(done.opened), messages, urgent_first)


def _counted(connection: Connection) -> Callable[[], int]:
    """Has the connection count what it is asked from now on."""
    count = 0

    class Counting(psycopg.Cursor[dict[str, Any]]):
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            return super().execute(*args, **kwargs)

        def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
            nonlocal count
            params = list(params_seq)
            count += len(params)
            super().executemany(query, params, returning=returning)

    connection.cursor_factory = Counting
    connection.row_factory = dict_row
    return lambda: count


def _order(connection: Connection, now: datetime) -> tuple[bool, int]:
    """Claims messages as the outbox does: whether all urgent ones come before any other, and how many there are."""
    (queued,) = connection.execute(QUERIES["queued"], {"now": now}).fetchall()
    asked = {
        "now": now, "lease_until": now + timedelta(hours=1), "limit": AT_A_TIME, "most_a_line": AT_A_TIME,
        "full": [], "lines": [], "rooms": [], "busy_people": [], "busy_lines": [], "worker": None,
    }  # fmt: skip
    while (claimed := connection.execute(OUTBOX["claim_deliveries"], asked).fetchall()) and all(
        row["urgent"] for row in claimed
    ):
        pass
    (left,) = connection.execute(QUERIES["queued"], {"now": now}).fetchall()
    connection.rollback()
    return queued["urgent"] > 0 and left["urgent"] == 0, queued["messages"]
