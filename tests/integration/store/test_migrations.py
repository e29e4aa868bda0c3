"""A database of every released version, with data in it, becomes one of now: same schema, nothing lost, all true."""

import subprocess
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.sql import SQL

from core.errors import StoreError
from store.migrate import Migration, migrate, migrations
from store.pool import DatabaseRole, connect
from store.verify import verify
from tests.conftest import NOW, Database, Server
from tests.integration.store.servers import new_database
from tests.integration.store.test_verify import minutes_ago, send
from yiju.embedded.postgres import binary

# Released versions and how many migrations each has; a release adds its line and a fixture in released/.
RELEASED = {"0.1.0": 2}


@pytest.fixture(params=RELEASED)
def old(request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database as that version left it."""
    version: str = request.param
    with new_database(server) as database:
        steps = migrations()[: RELEASED[version]]
        with monkeypatch.context() as then:
            then.setattr("store.migrate.migrations", lambda: steps)
            migrate(database.url, NOW)
        filled = (request.path.parent / "released" / f"{version}.sql").read_text(encoding="utf-8")
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(SQL(filled))
        yield database


def test_a_released_version_with_data_becomes_one_of_now(old: Database, database: Database) -> None:
    before = counts(old)
    assert sum(before.values()) > 30
    migrate(old.url, NOW)
    after = counts(old)
    assert {table: after[table] for table in before} == before | {"migration": len(migrations())}
    assert schema(old) == schema(database)
    with old.connect() as connection:
        assert verify(connection, NOW).examples == []
        send(connection, 900, [minutes_ago(1), minutes_ago(2000)])  # and it goes on
        assert verify(connection, NOW).examples == []


def test_a_released_version_that_dropped_days_knows_from_when_on_it_is_whole(old: Database) -> None:
    with old.connect() as connection:
        connection.execute("SELECT reading_drop_before('2026-02-01')")
    migrate(old.url, NOW)
    with old.connect() as connection:
        verdict = verify(connection, NOW)
    assert verdict.since is not None
    assert [one for one in verdict.examples if one.what != "ledger"] == []


def test_a_step_that_fails_leaves_the_database_as_it_was(old: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [*migrations()[:2], Migration(3, "0003_broken.sql", "CREATE TABLE half (); SELECT 1 / 0")]
    monkeypatch.setattr("store.migrate.migrations", lambda: broken)
    before = schema(old)
    with pytest.raises(StoreError, match="failed and was undone"):
        migrate(old.url, NOW)
    assert schema(old) == before


def counts(database: Database) -> dict[str, int]:
    with connect(database.url, DatabaseRole.OWNER, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition"
        ).fetchall()
        found = {}
        for row in tables:
            one = connection.execute(f"SELECT count(*) AS n FROM {row['name']}").fetchone()
            found[row["name"]] = int(one["n"]) if one else 0
    return found


def schema(database: Database) -> list[str]:
    """As pg_dump writes it, thing by thing; days of readings, which come with the data, left out."""
    said = subprocess.run(
        [binary("pg_dump"), "--schema-only", "--restrict-key=same", "--exclude-table=reading_2*",
         "--exclude-schema=_timescaledb*", database.url],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    # Where a setting stands follows the order of the dump; `pg_attver` is a number that some servers keep for
    # themselves.
    lines = [line for line in said.splitlines() if not line.startswith("SET ") and "pg_attver" not in line]
    return sorted(part.rstrip("-\n ") for part in "\n".join(lines).split("\n-- Name: "))
