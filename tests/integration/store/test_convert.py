"""A database moves to another server and edition with everything in it, also when the move is cut off."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from core.errors import Conflict
from store.convert import convert
from store.migrate import Edition, migrate
from store.pool import DatabaseRole
from tests.conftest import NOW, Database, Server
from tests.integration.store.servers import contents, fill, new_database
from tests.needs import need
from yiju.embedded.postgres import EmbeddedPostgres


@pytest.fixture
def source(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """On plain PostgreSQL, whatever server the other tests use."""
    with new_database(Server(postgres.url())) as database:
        migrate(database.url, NOW)
        fill(database)
        yield database


def nothing(done: float, total: float) -> None:
    """No bar."""


@pytest.fixture
def timescaledb() -> Server:
    url = os.environ.get("YIJU_TEST_TIMESCALEDB_URL") or os.environ.get("YIJU_TEST_DATABASE_URL", "")
    need(bool(url), "no TimescaleDB: deploy/ci/timescaledb.sh start DIR PORT, then set YIJU_TEST_TIMESCALEDB_URL")
    return Server(url)


def test_from_plain_postgresql_to_timescaledb_every_row_is_there_and_nothing_differs(
    source: Database, timescaledb: Server
) -> None:
    with new_database(timescaledb) as target:
        converted = convert(source.url, target.url, NOW, nothing)
        assert (converted.source, converted.target) == (Edition.PLAIN, Edition.TIMESCALE_APACHE)
        assert converted.verdict.examples == []
        assert contents(target.url) == contents(source.url)
        fill_goes_on(target)


def test_a_database_that_was_made_plain_on_a_server_with_timescaledb_becomes_a_hypertable_there(
    timescaledb: Server,
) -> None:
    with new_database(timescaledb) as plain, new_database(timescaledb) as target:
        migrate(plain.url, NOW, edition=Edition.PLAIN)  # as from the time before the server had the extension
        fill(plain)
        assert convert(plain.url, target.url, NOW, nothing).target is Edition.TIMESCALE_APACHE
        assert contents(target.url) == contents(plain.url)


def test_a_copy_that_was_killed_goes_on_where_it_stopped(source: Database, postgres: EmbeddedPostgres) -> None:
    with new_database(Server(postgres.url())) as target:

        def stop(done: float, total: float) -> None:
            if done == total - 3:  # in the midst of the readings
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            convert(source.url, target.url, NOW, stop)
        with target.connect() as connection:
            row = connection.execute("SELECT count(*) AS n FROM conversion WHERE part LIKE 'reading %'").fetchone()
        assert row
        assert row["n"] > 0
        environment = {**os.environ, "YIJU_DATABASE_URL": source.url}
        command = [sys.executable, "-m", "yiju", "store", "convert", "--to", target.url, "--json"]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        assert contents(target.url) == contents(source.url)
        again = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert "holds something already" in again.stderr


def test_it_copies_nothing_while_services_work_and_nothing_over_another_house(
    source: Database, postgres: EmbeddedPostgres
) -> None:
    with new_database(Server(postgres.url())) as target:
        with source.connect(DatabaseRole.INGEST), pytest.raises(Conflict, match="yiju_ingest work"):
            convert(source.url, target.url, NOW, nothing)
        migrate(target.url, NOW)
        fill(target)
        with pytest.raises(Conflict, match="holds something already"):
            convert(source.url, target.url, NOW, nothing)


def fill_goes_on(target: Database) -> None:
    """New rows get new numbers."""
    with target.connect() as owner:
        row = owner.execute(
            "INSERT INTO ledger (gateway_id, session, lane, seq, stored_at, readings, rejected)"
            " VALUES (1, gen_random_uuid(), 1, 1, %s, 0, 0) RETURNING id > (SELECT max(id) FROM ledger) AS new", [NOW],
        ).fetchone()  # fmt: skip
    assert row == {"new": True}
