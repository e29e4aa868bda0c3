"""One service's eye on the platform: looks, tells the operator once that something is wrong, and once that it is over.

`alerts` and `api` each have one, so that the end of either is seen by the other. What the database can hold is told by
whichever saw it first; that the database itself is away each says for itself.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import psycopg
from psycopg.types.json import Jsonb

from alerts.watcher.operator import Incident, Operator
from alerts.watcher.signs import MOMENTARY, SERVICES, Limits, Seen, Trouble, find
from core.clock import Clock
from store.pool import Connection, Pool
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
LOOK_S: Final = 15.0
PATIENCE_S: Final = 5.0
AWAY_S: Final = 30.0  # a database that is started anew is no news
STEADY: Final = 2  # looks that must agree before something is told or taken back: one odd moment is no incident


class Guard:
    """Call `look` each LOOK_S.

    Args:
        me: `alerts` or `api`.
        steady: the machine's steady time, seconds: what the clock is measured by.
    """

    def __init__(
        self, me: str, pool: Pool, clock: Clock, operator: Operator, limits: Limits, steady: Callable[[], float]
    ) -> None:
        self._me = me
        self._pool = pool
        self._clock = clock
        self._operator = operator
        self._limits = limits
        self._steady = steady
        self._began = steady()
        self._last: tuple[datetime, float] | None = None
        self._away_since: tuple[datetime, float] | None = None
        self._told_away = False
        self._counts: dict[Trouble, int] = {}

    def look(self) -> None:
        """Looks once. Never raises for a database that is away: that is what it is there to tell."""
        now = self._clock.now()
        jump = self._jump(now)
        self._operator.send_waiting()
        try:
            with self._pool.connection(PATIENCE_S) as connection:
                if self._me == "api":
                    connection.execute(QUERIES["beat_api"], {"now": now})
                found = find(self._see(connection, now, jump), self._limits, self._me)
                began, ended = self._compare(connection, now, found)
        except psycopg.OperationalError:
            self._database_away(now)
            return
        self._database_back(now)
        for incident in began:  # told after the commit: a row that was not kept is told by who keeps it
            self._operator.began(incident, now)
        for incident in ended:
            self._operator.ended(incident, now)

    def _see(self, connection: Connection, now: datetime, jump: float) -> Seen:
        beats = {row["service"]: row for row in connection.execute(QUERIES["heartbeats"])}
        signs = connection.execute(QUERIES["signs"], {"now": now}).fetchone()
        assert signs is not None  # one row of sums

        def ago(at: datetime | None) -> float | None:
            return None if at is None else self._clock.real_seconds(now - at)

        return Seen(
            beats={name: self._clock.real_seconds(now - row["at"]) for name, row in beats.items()},
            details={name: row["details"] for name, row in beats.items()},
            stored_s=ago(signs["heard_at"]),
            waits_s=ago(signs["due_at"]),
            urgent_waits_s=ago(signs["urgent_due_at"]),
            up_s=self._steady() - self._began,
            jump_s=jump,
        )

    def _compare(
        self, connection: Connection, now: datetime, found: set[Trouble]
    ) -> tuple[list[Incident], list[Incident]]:
        began, ended = [], []
        known = {row["kind"]: row for row in connection.execute(QUERIES["troubles"])}
        for trouble in Trouble:
            if trouble is Trouble.DATABASE_AWAY or SERVICES.get(self._me) is trouble:
                continue  # not this one's to judge
            differs = (trouble in found) != (trouble.value in known)
            count = self._counts[trouble] = self._counts.get(trouble, 0) + 1 if differs else 0
            if not differs or (count < STEADY and trouble not in MOMENTARY):
                continue
            self._counts[trouble] = 0
            if trouble in found:
                details = {"kind": trouble.value, "now": now, "seen_by": self._me, "details": Jsonb({})}
                if connection.execute(QUERIES["open_trouble"], details).fetchone() is not None:
                    began.append(Incident(trouble.value, now, self._me))
                if trouble in MOMENTARY:
                    connection.execute(QUERIES["end_trouble"], {"kind": trouble.value, "now": now})
                continue
            row = connection.execute(QUERIES["end_trouble"], {"kind": trouble.value, "now": now}).fetchone()
            if row is not None:
                ended.append(Incident(trouble.value, row["since"], row["seen_by"]))
        return began, ended

    def _jump(self, now: datetime) -> float:
        """How far the clock went astray since the last look: its own span against the machine's steady time."""
        steady, last = self._steady(), self._last
        self._last = (now, steady)
        if last is None or self._clock.real_seconds(timedelta(seconds=1)) == 0:  # a clock that tests move
            return 0.0
        return self._clock.real_seconds(now - last[0]) - (steady - last[1])

    def _database_away(self, now: datetime) -> None:
        if self._away_since is None:
            self._away_since = (now, self._steady())
        if not self._told_away and self._steady() - self._away_since[1] >= AWAY_S:
            self._told_away = True
            self._operator.began(Incident(Trouble.DATABASE_AWAY.value, self._away_since[0], self._me), now)

    def _database_back(self, now: datetime) -> None:
        if self._away_since is not None and self._told_away:
            self._operator.ended(Incident(Trouble.DATABASE_AWAY.value, self._away_since[0], self._me), now)
        self._away_since, self._told_away = None, False
