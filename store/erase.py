"""Erases a home or a resident: every row, in every table, in one transaction; what stays is a record of numbers.

Tables are found in the catalogue (a column `home_id` or `gateway_id`, a foreign key to a row that goes), so one that is
added later is erased, too. A resident who lives alone is the home: all that its sensors said is about them. Where
others live there as well, the resident's own row goes, and what the home's sensors said stays theirs.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from psycopg.sql import SQL, Composable, Identifier, Literal
from psycopg.types.json import Jsonb

from core.errors import Conflict, NotFound
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "erase.sql")
OF_THE_PAST: Final = {"device", "device_link", "ledger"}  # of a gateway whose past stays in another home
SILENT: Final = timedelta(minutes=10)  # a gateway speaks every minute


class Erased(msgspec.Struct, frozen=True, omit_defaults=True):
    """The record: numbers that mean nothing once the rows are gone.

    Attributes:
        id: of the row in `erasure`; None for a dry run.
        home: number of the home.
        resident: number of the resident, when only one of several was erased.
        removed: rows by table.
        shared: others live in the home, so its sensors' data stay.
    """

    at: datetime
    home: int
    removed: dict[str, int]
    id: int | None = None
    resident: int | None = None
    shared: bool = False


def erase(
    connection: Connection, now: datetime, *, home: str | None = None, resident: str | None = None, dry_run: bool
) -> Erased:
    """Erases what `home` or `resident` names: its key, or `#` and its number (for a backup from before).

    Args:
        connection: the owner's, in autocommit.
        now: the platform's present.
        dry_run: counts exactly what would go, and undoes it.

    Raises:
        NotFound: there is no such home or resident.
        Conflict: a gateway of the home still speaks, or serves another home: says which and what to do.
    """
    with connection.transaction(force_rollback=dry_run):
        home_id, resident_id = _find(connection, home, resident)
        work = _Erasure(connection, home_id)
        shared = False
        if resident_id is not None:
            row = connection.execute(QUERIES["other_residents"], {"home": home_id, "resident": resident_id}).fetchone()
            shared = bool(row and row["n"])
        if shared:
            work.rows("resident", SQL("id = {}").format(Literal(resident_id)))
        else:
            resident_id = None
            work.home(now, speaking_is_wrong=not dry_run)
        removed = {table: count for table, count in sorted(work.removed.items()) if count}
        number = None
        if not dry_run:
            kept = {"now": now, "home": home_id, "resident": resident_id, "removed": Jsonb(removed)}
            row = connection.execute(QUERIES["keep_record"], kept).fetchone()
            number = int(row["id"]) if row else None
    if not dry_run:
        for table in removed:  # the planner's samples of values are about nobody either
            connection.execute(SQL("ANALYZE {}").format(Identifier(table)))
    return Erased(now, home_id, removed, number, resident_id, shared)


def _find(connection: Connection, home: str | None, resident: str | None) -> tuple[int, int | None]:
    if resident is not None:
        row = connection.execute(QUERIES["resident"], {"key": resident}).fetchone()
        if row is None:
            raise NotFound(f"there is no resident {resident!r} in the register")
        return int(row["home_id"]), int(row["id"])
    row = connection.execute(QUERIES["home"], {"key": home}).fetchone()
    if row is None:
        raise NotFound(f"there is no home {home!r} in the register")
    return int(row["id"]), None


class _Erasure:
    """One erasure under way; `removed` counts rows by table."""

    def __init__(self, connection: Connection, home: int) -> None:
        self._connection = connection
        self._home = home
        self.removed: dict[str, int] = {}

    def home(self, now: datetime, *, speaking_is_wrong: bool) -> None:
        """Everything of the home."""
        asked = {"home": self._home}
        gateways = self._connection.execute(QUERIES["gateways"], asked).fetchall()
        for row in gateways:
            if speaking_is_wrong and row["heard_at"] is not None and row["heard_at"] > now - SILENT:
                raise Conflict(
                    f"gateway {row['key']} was heard at {row['heard_at']:%H:%M:%S} UTC; what it sends later would be"
                    " kept as from an unknown gateway. Switch it off, or end its password with"
                    f" `yiju gateway-password {row['key']}`, and wait 10 minutes"
                )
        served = self._connection.execute(QUERIES["served_elsewhere"], asked).fetchone()
        if served is not None:
            raise Conflict(
                f"gateway {served['gateway']} also serves home {served['home']}: move it or that home's devices first"
            )
        gone = self._connection.execute(QUERIES["forget_rejected"], {"gateways": [row["key"] for row in gateways]})
        self.removed["rejected"] = gone.rowcount
        given_back: list[int] = []
        for row in self._connection.execute(QUERIES["moved_devices"], asked).fetchall():
            back = {"device": row["device_id"], "home": row["home_id"], "from": self._home, "now": now}
            given_back += [one["id"] for one in self._connection.execute(QUERIES["give_back_gateway"], back)]
            self._connection.execute(QUERIES["give_back_device"], back)
        for row in self._connection.execute(QUERIES["tables_with"], {"column": "gateway_id"}).fetchall():
            if row["name"] not in OF_THE_PAST:  # what it was told and what it said here
                self.rows(row["name"], SQL("gateway_id = ANY({})").format(Literal(given_back)))
        self._connection.execute(QUERIES["settle_ledger"], asked)
        family = [row["id"] for row in self._connection.execute(QUERIES["lone_family"], asked)]
        mine = SQL("home_id = {}").format(Literal(self._home))
        behind = SQL("gateway_id IN (SELECT id FROM gateway WHERE {})").format(mine)
        for column, which in (("gateway_id", behind), ("home_id", mine)):
            for row in self._connection.execute(QUERIES["tables_with"], {"column": column}).fetchall():
                self.rows(row["name"], which)
        self.rows("home", SQL("id = {}").format(Literal(self._home)))
        self.rows("person", SQL("id = ANY({})").format(Literal(family)))

    def rows(self, table: str, which: Composable) -> None:
        """Those rows, after the rows of other tables that refer to them."""
        for row in self._connection.execute(QUERIES["references"], {"table": table}).fetchall():
            if row["child"] != table:
                self.rows(
                    row["child"],
                    SQL("{} IN (SELECT {} FROM {} WHERE {})").format(
                        Identifier(row["child_column"]), Identifier(row["parent_column"]), Identifier(table), which
                    ),
                )
        gone = self._connection.execute(SQL("DELETE FROM {} WHERE {}").format(Identifier(table), which))
        self.removed[table] = self.removed.get(table, 0) + gone.rowcount
