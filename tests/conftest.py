"""Real servers for every test that needs one, started on free ports and shared within a worker.

`database` is a fresh database cloned from a migrated template; `broker` a real broker with the shipped ACL.

    YIJU_TEST_DATABASE_URL  a server that runs already (TimescaleDB), as superuser; else the embedded PostgreSQL
    YIJU_TEST_BROKER        auto, mosquitto or amqtt
    YIJU_TEST_ALL=1         what the machine lacks is a failure, not a skip (tests/needs.py)
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright
from psycopg.sql import SQL, Composed, Identifier

from core.clock import ManualClock
from core.credentials import broker_password_hash
from store.migrate import migrate
from store.pool import Connection, DatabaseRole, connect
from tests.needs import need
from yiju.embedded.broker import BrokerKind, EmbeddedBroker, find_mosquitto
from yiju.embedded.postgres import EmbeddedPostgres

SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Database:
    """One test's own database, migrated. `url` is the owner's."""

    url: str

    def connect(self, role: DatabaseRole = DatabaseRole.OWNER, *, autocommit: bool = True) -> Connection:
        return connect(self.url, role, autocommit=autocommit)


@dataclass(frozen=True)
class Server:
    """A database server that the tests may fill; `maintenance_url` is a superuser's."""

    maintenance_url: str

    def url(self, database: str) -> str:
        """The same login, another database."""
        return urlsplit(self.maintenance_url)._replace(path=f"/{database}").geturl()

    def run(self, statement: Composed) -> None:
        """One statement outside a transaction, on the maintenance database."""
        with psycopg.connect(self.maintenance_url, autocommit=True) as connection:
            connection.execute(statement)

    def shut(self, database: str) -> None:
        """Makes it one to clone: nobody may connect. TimescaleDB's background workers would, and then it cannot be."""
        self.run(SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(Identifier(database)))
        with psycopg.connect(self.maintenance_url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    """The server that the databases are made on."""
    given = os.environ.get("YIJU_TEST_DATABASE_URL")
    if given:
        return Server(given)
    embedded: EmbeddedPostgres = request.getfixturevalue("postgres")
    return Server(embedded.url())


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """An embedded server for the worker; durability is off, as no test of this fixture cuts its power."""
    server = EmbeddedPostgres(
        tmp_path_factory.mktemp("postgres"),
        extra={"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
    )
    server.prepare()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """Name of a migrated, empty database to clone."""
    name = f"yiju_template_{uuid4().hex[:12]}"
    server.run(SQL("CREATE DATABASE {}").format(Identifier(name)))
    migrate(server.url(name), NOW)
    server.shut(name)
    yield name
    server.run(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def database(server: Server, template: str) -> Iterator[Database]:
    """A migrated database of the test's own."""
    name = f"test_{uuid4().hex[:12]}"
    server.run(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
    yield Database(server.url(name))
    server.run(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def empty_database(server: Server) -> Iterator[Database]:
    """A database of the test's own in which nothing was ever made."""
    name = f"test_{uuid4().hex[:12]}"
    server.run(SQL("CREATE DATABASE {}").format(Identifier(name)))
    yield Database(server.url(name))
    server.run(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker of the test's own that knows the gateways gw-1 and gw-2, password "secret"."""
    wanted = BrokerKind(os.environ.get("YIJU_TEST_BROKER") or "auto")
    need(
        wanted is not BrokerKind.MOSQUITTO or find_mosquitto() is not None,
        "mosquitto is not installed: apt-get install mosquitto",
    )
    with running_broker(tmp_path / "broker", wanted) as running:
        yield running


@contextmanager
def running_broker(folder: Path, wanted: BrokerKind) -> Iterator[EmbeddedBroker]:
    """That broker, for a test that wants a particular one."""
    server = EmbeddedBroker(folder, wanted=wanted)
    server.prepare()
    server.write_accounts({key: broker_password_hash("secret") for key in ("gw-1", "gw-2")})
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def clock() -> ManualClock:
    """Stands at NOW until the test moves it."""
    return ManualClock(NOW)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser, one for the worker: Playwright runs once in a process."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    need(program is not None, "Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        yield browser
        browser.close()
