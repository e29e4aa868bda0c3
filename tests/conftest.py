"""Real servers for every test that needs one, started on free ports and shared within a worker.

`database` is a fresh database cloned from a migrated template; `broker` a real broker with the shipped ACL.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from core.clock import ManualClock
from core.credentials import broker_password_hash
from store.migrate import migrate
from store.pool import Connection, DatabaseRole, connect
from yiju.embedded.broker import EmbeddedBroker
from yiju.embedded.postgres import EmbeddedPostgres

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Database:
    """One test's own database, migrated. `url` is the owner's."""

    url: str

    def connect(self, role: DatabaseRole = DatabaseRole.OWNER, *, autocommit: bool = True) -> Connection:
        return connect(self.url, role, autocommit=autocommit)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server for the worker; durability is off, as no test of this fixture cuts its power."""
    server = EmbeddedPostgres(
        tmp_path_factory.mktemp("postgres"),
        extra={"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
    )
    server.prepare()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """Name of a migrated, empty database to clone."""
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE yiju_template")
    migrate(postgres.url("yiju_template"), NOW)
    return "yiju_template"


@pytest.fixture
def database(postgres: EmbeddedPostgres, template: str) -> Iterator[Database]:
    """A migrated database of the test's own."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
    yield Database(postgres.url(name))
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker of the test's own that knows the gateways gw-1 and gw-2, password "secret"."""
    server = EmbeddedBroker(tmp_path / "broker")
    server.prepare()
    server.write_accounts({key: broker_password_hash("secret") for key in ("gw-1", "gw-2")})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> ManualClock:
    """Stands at NOW until the test moves it."""
    return ManualClock(NOW)
