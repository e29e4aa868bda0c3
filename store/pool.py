"""Connections. A service gets a pool whose connections have its role's rights and speak UTC."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool

PATIENCE_S: Final = 5.0  # for a connection; after that psycopg.OperationalError (PoolTimeout)

Connection = psycopg.Connection[DictRow]
Pool = ConnectionPool[Connection]


class DatabaseRole(StrEnum):
    """What a connection may do; made by store/migrations/0002_rights.sql."""

    INGEST = "yiju_ingest"
    ALERTS = "yiju_alerts"
    API = "yiju_api"
    REGISTER = "yiju_register"
    OWNER = ""  # stays what the login is: migrations, retention


def connect(url: str, role: DatabaseRole, *, autocommit: bool = False) -> Connection:
    """One connection with dict rows, in UTC, with the rights of `role`. Raises psycopg.OperationalError."""
    connection = psycopg.connect(url, row_factory=dict_row, autocommit=autocommit, application_name=role or "yiju")
    _prepare(connection, role)
    return connection


def open_pool(url: str, role: DatabaseRole, *, size: int = 4) -> Pool:
    """A pool of such connections; it connects in the background and waits for a database that comes later."""

    def configure(connection: Connection) -> None:
        _prepare(connection, role)

    kwargs: dict[str, Any] = {"row_factory": dict_row, "application_name": role or "yiju"}
    return ConnectionPool(
        url,
        connection_class=Connection,
        kwargs=kwargs,
        min_size=1,
        max_size=size,
        configure=configure,
        check=ConnectionPool.check_connection,
        timeout=PATIENCE_S,
        reconnect_timeout=PATIENCE_S,  # its tries grow apart: a pool that starts anew finds a restarted server sooner
        name=role or "yiju",
        open=True,
    )


@contextmanager
def listening(url: str, role: DatabaseRole, *channels: str) -> Iterator[Connection]:
    """A connection of its own that LISTENs: iterate over `connection.notifies(timeout=...)`."""
    connection = connect(url, role, autocommit=True)
    try:
        for channel in channels:
            connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
        yield connection
    finally:
        connection.close()


def _prepare(connection: Connection, role: DatabaseRole) -> None:
    connection.execute("SET timezone = 'UTC'")
    if role is not DatabaseRole.OWNER:
        connection.execute(SQL("SET ROLE {}").format(Identifier(role)))
    if not connection.autocommit:
        connection.commit()
