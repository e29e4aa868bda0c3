"""Several alert workers share the homes: each leases slices of them, and a dead worker's slices move on.

Leases are rows with an expiry (docs/adr/0025). They decide who looks, not who may: every step of the engine is safe
when two workers take it at once, so a worker that was stopped for a minute and wakes up does no harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb

from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "slices.sql")
COUNT: Final = 32  # as many workers at most have anything to do; the migration makes the rows
ALL: Final[Sequence[int]] = tuple(range(COUNT))
LEADER: Final = 0  # whoever holds this one does what is done once for the platform
LEASE_S: Final = 8.0  # real seconds without a sign of its worker; with RENEW_S a slice is taken over within 10
RENEW_S: Final = 2.0


@dataclass(frozen=True)
class Share:
    """What a worker has after a renewal.

    Attributes:
        held: its slices, ascending.
        taken: of these, those that it had not before.
        workers: how many share.
    """

    held: Sequence[int]
    taken: Sequence[int]
    workers: int

    @property
    def leads(self) -> bool:
        return LEADER in self.held


def renew(connection: Connection, now: datetime, worker: str, lease: timedelta) -> Share:
    """Prolongs what the worker holds, leaves what is more than its share, takes what is free up to its share.

    The caller owns the transaction, which must be short: another worker's renewal skips the rows that it holds.

    Args:
        worker: a name that no other process has.
        lease: a span of the platform's clock.
    """
    asked = {"worker": worker, "now": now, "lease": lease}
    connection.execute(QUERIES["sign_on"], asked)
    dead = [row["name"] for row in connection.execute(QUERIES["forget_dead"], asked)]
    if dead:
        free_claims(connection, now, dead)
    (counted,) = connection.execute(QUERIES["count_workers"], asked)  # an aggregate always gives a row
    workers = max(1, counted["workers"])
    most = COUNT // workers + (counted["before"] < COUNT % workers)  # the first by name have one more
    mine = sorted(row["slice"] for row in connection.execute(QUERIES["renew"], asked))
    if len(mine) > most:
        connection.execute(QUERIES["leave"], asked | {"slices": mine[most:]})
    taken: list[int] = []
    if len(mine) < most:
        taken = [row["slice"] for row in connection.execute(QUERIES["take"], asked | {"most": most - len(mine)})]
    return Share(sorted([*mine[:most], *taken]), sorted(taken), workers)


def free_claims(connection: Connection, now: datetime, workers: Sequence[str]) -> None:
    """What dead workers had taken to send is due again, at once: a call for help does not wait for its lease to end."""
    connection.execute(QUERIES["free_claims"], {"workers": list(workers), "now": now})


def held(connection: Connection, now: datetime, worker: str) -> list[int]:
    """The slices whose homes are the worker's to look at now."""
    return [row["slice"] for row in connection.execute(QUERIES["held"], {"worker": worker, "now": now})]


def beat(connection: Connection, now: datetime, worker: str, details: Mapping[str, Any]) -> None:
    """The worker's sign of life, and what it says of itself; for the watcher and /health."""
    connection.execute(QUERIES["beat"], {"worker": worker, "now": now, "details": Jsonb(details)})


def sign_off(connection: Connection, worker: str) -> None:
    """A worker that stops cleanly: its slices are free at once."""
    connection.execute(QUERIES["leave_all"], {"worker": worker})
    connection.execute(QUERIES["sign_off"], {"worker": worker})
