"""Carers' visits, said twice at once or in an order that a clock has not seen."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from care.register import apply_register, read_document
from care.visits import Past, VisitRefused, Wrong, arrive, log
from core.model import Found
from store.pool import Connection, DatabaseRole
from tests.conftest import NOW, Database
from tests.integration.ingest.homes import register_homes
from tests.integration.ingest.test_ingest import eventually

HOUR = timedelta(hours=1)


@contextmanager
def carer(database: Database) -> Iterator[tuple[Connection, int]]:
    """Somebody's request: a transaction of the api, and who it is."""
    with database.connect() as owner:
        row = owner.execute("SELECT id FROM person WHERE key = 'anna'").fetchone()
        assert row is not None
    with database.connect(DatabaseRole.API, autocommit=False) as connection, connection.transaction():
        connection.execute("SELECT set_config('yiju.person', %s, true)", [str(row["id"])])
        yield connection, row["id"]


def people(database: Database) -> list[int]:
    """Two homes and a carer of both; returns the homes."""
    register_homes(database, homes=2)
    anna = {"key": "anna", "name": "Anna", "grant": [{"role": "worker", "region": "d-1"}]}
    with database.connect(DatabaseRole.REGISTER) as connection:
        apply_register(connection, read_document({"person": [anna]}, "test"), "test", NOW)
        return [row["id"] for row in connection.execute("SELECT id FROM home ORDER BY key")]


def test_a_visit_that_is_logged_twice_at_once_is_there_once(database: Database) -> None:
    home, _ = people(database)
    past = Past(NOW - 2 * HOUR, NOW - HOUR, Found.WELL)
    refused: list[Wrong] = []

    def again() -> None:
        try:
            with carer(database) as (connection, anna):
                log(connection, home, anna, NOW, past)
        except VisitRefused as error:
            refused.append(error.why)

    second = threading.Thread(target=again)
    with database.connect() as owner, carer(database) as (connection, anna):
        log(connection, home, anna, NOW, past)
        second.start()
        eventually(lambda: not second.is_alive() or owner.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall())
    second.join(20)
    with database.connect() as owner:
        assert len(owner.execute("SELECT id FROM care_visit WHERE undone_at IS NULL").fetchall()) == 1
    assert refused == [Wrong.OVERLAP]


def test_a_forgotten_visit_that_began_a_moment_later_by_the_clock_ends_all_the_same(database: Database) -> None:
    """Two requests at once, or a clock that was set back by a second."""
    first, second = people(database)
    with carer(database) as (connection, anna):
        arrive(connection, first, anna, NOW)
    with carer(database) as (connection, anna):
        arrive(connection, second, anna, NOW - timedelta(seconds=1))
    with database.connect() as owner:
        rows = owner.execute("SELECT ended_at, ended_itself FROM care_visit ORDER BY id").fetchall()
    assert [tuple(row.values()) for row in rows] == [(NOW, True), (None, False)]
