"""PostgreSQL and a broker of a benchmark's own, in a folder that vanishes with it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

from bench.servers import Servers
from core.credentials import broker_password_hash, new_password
from core.errors import StackError
from store.migrate import migrate
from yiju.embedded.broker import ACL, BrokerKind, EmbeddedBroker
from yiju.embedded.child import start_child, stop_child
from yiju.embedded.postgres import EmbeddedPostgres

LOAD_USER: Final = "_load"  # no gateway key can start with "_"


@contextmanager
def bench_servers(now: datetime, clock: str) -> Iterator[Servers]:
    """Starts them with the settings of `yiju up`, migrated; stops everything at the end.

    Args:
        clock: YIJU_CLOCK of the services that are started.

    Raises:
        StackError: a server does not start, or mosquitto is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="yiju-bench-") as place:
        folder = Path(place)
        postgres, broker = EmbeddedPostgres(folder / "postgres"), _broker(folder)
        services: list[subprocess.Popen[bytes]] = []
        try:
            postgres.prepare()
            postgres.start()
            with psycopg.connect(postgres.url(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench")
                connection.execute("CREATE DATABASE raw_copy")
            for name in ("bench", "raw_copy"):
                migrate(postgres.url(name), now)
            password = new_password()
            broker.prepare()
            broker.write_accounts({LOAD_USER: broker_password_hash(password)})
            broker.start()
            if postgres.process is None or broker.process is None:
                raise StackError("a server has no process: it was never started")
            environment = {
                **os.environ,
                "YIJU_DATABASE_URL": postgres.url("bench"),
                "YIJU_BROKER_URL": broker.url(),
                "YIJU_CLOCK": clock,
                "YIJU_LOG_LEVEL": "WARNING",
            }

            def start(name: str, **settings: str) -> "subprocess.Popen[bytes]":
                with (folder / f"{name}.log").open("ab") as log:
                    services.append(
                        start_child(
                            [sys.executable, "-m", "yiju", name], environment=environment | settings, output=log
                        )
                    )
                return services[-1]

            yield Servers(
                postgres.url("bench"),
                postgres.url("raw_copy"),
                broker.url(),
                broker.url(LOAD_USER, password),
                postgres.process.pid,
                broker.process.pid,
                start,
            )
        finally:
            for service in services:
                stop_child(service)
            broker.stop()
            postgres.stop()


def _broker(folder: Path) -> EmbeddedBroker:
    """Mosquitto as shipped, with one more account that may publish as any gateway."""
    acl = folder / "acl"
    acl.write_text(
        f"{ACL.read_text(encoding='utf-8')}\nuser {LOAD_USER}\ntopic write yiju/v1/+/up/+\n"
        "topic readwrite yiju/v1/bench-echo/down/ack\n",
        encoding="utf-8",
    )
    return EmbeddedBroker(folder / "broker", wanted=BrokerKind.MOSQUITTO, acl=acl)


@contextmanager
def history_databases(now: datetime, environment: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """An embedded PostgreSQL's database; and one on each further server at hand, by edition.

    Args:
        environment: YIJU_TEST_TIMESCALEDB_URL names a superuser's URL of a server with TimescaleDB.
    """
    with tempfile.TemporaryDirectory(prefix="yiju-bench-") as place:
        postgres = EmbeddedPostgres(Path(place) / "postgres", extra={"max_wal_size": "4GB"})
        given = environment.get("YIJU_TEST_TIMESCALEDB_URL", "")
        name = f"bench_{os.getpid()}"
        try:
            postgres.prepare()
            postgres.start()
            others: dict[str, str] = {}
            for url in (postgres.url(), given):
                if url:
                    with psycopg.connect(url, autocommit=True) as connection:
                        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
            migrate(postgres.url(name), now)
            if given:
                other = urlsplit(given)._replace(path=f"/{name}").geturl()
                others[migrate(other, now)] = other
            yield postgres.url(name), others
        finally:
            postgres.stop()
            if given:
                with psycopg.connect(given, autocommit=True) as connection:
                    connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
