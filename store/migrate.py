"""Migrations: forward only, from empty to now, under an advisory lock, one transaction each.

`reading`, the big table, is made first, by the SQL of the edition that the server can do.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from typing import Final

import psycopg
from psycopg.sql import SQL

from core.errors import StoreError
from store.pool import Connection, DatabaseRole, connect

LOCK: Final = 7_115_110  # any number that is ours alone within one database
NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


class Edition(StrEnum):
    """What the server can do with a time series; the SQL of each is in store/editions/."""

    PLAIN = "plain"
    TIMESCALE_APACHE = "timescale_apache"
    TIMESCALE_COMMUNITY = "timescale_community"


@dataclass(frozen=True)
class Migration:
    """One step: its number, its file name, its SQL."""

    number: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """All steps in order; their numbers are 1, 2, 3 ... without a gap."""
    found = []
    for path in files("store").joinpath("migrations").iterdir():
        match = NAME.fullmatch(path.name)
        if match:
            found.append(Migration(int(match[1]), path.name, path.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise StoreError(f"store/migrations: the numbers have a gap or stand twice: {[m.name for m in found]}")
    return found


def detect_edition(connection: Connection) -> Edition:
    """What this server can do: asks for the extension and its licence."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') AS available,"
        " 'timescaledb' = ANY(string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ','))"
        " AS loaded"
    ).fetchone()
    if row is None or not (row["available"] and row["loaded"]):
        return Edition.PLAIN
    connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    licence = connection.execute("SELECT current_setting('timescaledb.license', true) AS licence").fetchone()
    if licence and licence["licence"] == "timescale":
        return Edition.TIMESCALE_COMMUNITY
    return Edition.TIMESCALE_APACHE


def current_edition(connection: Connection) -> Edition:
    """The edition that this database was made with. Raises StoreError when it was never migrated."""
    try:
        row = connection.execute("SELECT edition FROM store_edition").fetchone()
    except psycopg.errors.UndefinedTable as error:
        raise StoreError("the database is empty: run `yiju store migrate` first") from error
    if row is None:
        raise StoreError("the database holds no edition: it was not made by `yiju store migrate`")
    return Edition(row["edition"])


def migrate(
    url: str, now: datetime, tell: Callable[[str], None] = lambda name: None, *, edition: Edition | None = None
) -> Edition:
    """Brings the database at `url` up to date and returns its edition. Safe to run by many at once.

    Args:
        url: of a login that owns the database.
        now: stamped on each step.
        tell: called with the name of each step that runs.
        edition: to make, where the server could do more; None: what it can.

    Raises:
        StoreError: the database was made by a later version of this code, or a step failed.
    """
    steps = migrations()
    with connect(url, DatabaseRole.OWNER, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migration"
            " (number int PRIMARY KEY, name text NOT NULL, run_at timestamptz NOT NULL)"
        )
        row = connection.execute("SELECT coalesce(max(number), 0) AS number FROM migration").fetchone()
        done = row["number"] if row else 0
        if done > len(steps):
            raise StoreError(f"the database is at migration {done}, this code knows {len(steps)}: run a newer Yiju")
        if done == 0:
            edition = edition or detect_edition(connection)
            tell(f"edition {edition}")
        else:
            edition = current_edition(connection)
        for step in steps[done:]:
            tell(step.name)
            try:
                with connection.transaction():
                    if step.number == 1:
                        _make_series(connection, edition)
                    connection.execute(_trusted(step.sql))
                    connection.execute("INSERT INTO migration VALUES (%s, %s, %s)", [step.number, step.name, now])
            except psycopg.Error as error:
                raise StoreError(f"migration {step.name} failed and was undone: {error}") from error
    return edition


def _make_series(connection: Connection, edition: Edition) -> None:
    connection.execute("CREATE TABLE store_edition (edition text NOT NULL)")
    connection.execute("INSERT INTO store_edition VALUES (%s)", [edition])
    names = [edition] if edition is not Edition.TIMESCALE_COMMUNITY else [Edition.TIMESCALE_APACHE, edition]
    for name in names:
        connection.execute(_trusted(files("store").joinpath("editions", f"{name}.sql").read_text(encoding="utf-8")))


def _trusted(text: str) -> SQL:
    """SQL from a file of this package."""
    return SQL(text)
