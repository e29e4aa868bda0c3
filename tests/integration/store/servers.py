"""Databases with something in them, for tests that copy, restore and migrate."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier

from store.pool import DatabaseRole, connect
from tests.conftest import NOW, Database, Server
from tests.integration.ingest.homes import register_homes
from tests.integration.store.test_verify import minutes_ago, send


@contextmanager
def new_database(server: Server) -> Iterator[Database]:
    """An empty database of that server; it vanishes at the end."""
    name = f"test_{uuid4().hex[:12]}"
    server.run(SQL("CREATE DATABASE {}").format(Identifier(name)))
    try:
        yield Database(server.url(name))
    finally:
        server.run(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def fill(database: Database) -> None:
    """Two homes, readings of four days, something rejected, an alert with its story, what was dropped."""
    register_homes(database, homes=2)
    with connect(database.url, DatabaseRole.OWNER, autocommit=True) as connection:
        for seq, day in enumerate((0, 1, 3, 40), start=1):
            for gateway in ("gw-1", "gw-2"):
                batch = [minutes_ago(day * 1440 + minute, "bed", "power", minute * 1.25) for minute in range(90)]
                send(connection, seq, [*batch, minutes_ago(day * 1440, "nobody")], gateway)
        connection.execute(
            "INSERT INTO alert (home_id, kind, severity, dedup_key, message, parameters, began_at, opened_at, last_at)"
            " VALUES (1, 'fall', 'urgent', 'v1:fall:1', 'm', %s, %s, %s, %s)",
            ['{"who": "妈妈"}', NOW, NOW, NOW],
        )
        connection.execute("INSERT INTO alert_event (alert_id, at, what) VALUES (1, %s, 'opened')", [NOW])


def contents(url: str) -> dict[str, list[object]]:
    """Every row of every table; what a database has of its own (its edition, its migrations' moments) left out."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition ORDER BY 1"
        ).fetchall()
        found: dict[str, list[object]] = {}
        for (table,) in tables:
            rows = connection.execute(SQL("SELECT to_jsonb(t) FROM {} AS t ORDER BY 1").format(Identifier(table)))
            found[table] = [row for (row,) in rows]
        found["sequences"] = [
            *connection.execute(
                "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
            )
        ]
    for own in ("migration", "store_edition"):
        del found[own]
    return found
