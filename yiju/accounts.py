"""The broker's accounts follow the register: a gateway that is registered may connect within a second."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import psycopg

from core.credentials import LISTENER_USER, broker_password_hash
from store.pool import Connection, DatabaseRole, connect
from store.queries import load_queries
from yiju.embedded.broker import replace_accounts

QUERIES: Final = load_queries(__package__)
LOOK_EVERY_S: Final = 1.0


class AccountsWatch:
    """Looks at the gateways of the register and says when their accounts have changed.

    Args:
        url: of a login that may read `gateway`.
        role: whose rights the connection takes.
        listener_password: of the account that may listen to alerts; "" = there is none.
    """

    def __init__(self, url: str, role: DatabaseRole = DatabaseRole.INGEST, listener_password: str = "") -> None:
        self._url = url
        self._others = {LISTENER_USER: broker_password_hash(listener_password)} if listener_password else {}
        self._role = role
        self._connection: Connection | None = None
        self._known: Mapping[str, str] | None = None

    def changes(self) -> Mapping[str, str] | None:
        """All accounts (gateway key or listener -> password hash) when they differ from the last time, else None.

        A database that cannot be reached changes nothing: the broker keeps the accounts it has.
        """
        try:
            accounts = self._read()
        except psycopg.OperationalError:
            self.close()
            return None
        if accounts == self._known:
            return None
        self._known = accounts
        return accounts

    def forget(self) -> None:
        """Takes the accounts for changed the next time: what was told could not be written."""
        self._known = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self) -> dict[str, str]:
        if self._connection is None:
            self._connection = connect(self._url, self._role, autocommit=True)
            self._connection.execute("SET statement_timeout = '2s'")
        gateways = {row["key"]: row["password_hash"] for row in self._connection.execute(QUERIES["accounts"])}
        return gateways | self._others


def follow_register(
    url: str, file: Path, platform_password: str, stopped: Callable[[], bool], listener_password: str = ""
) -> None:
    """`yiju broker-accounts`: keeps `file` in step with the register until `stopped` says so."""
    watch = AccountsWatch(url, listener_password=listener_password)
    while not stopped():
        accounts = watch.changes()
        if accounts is not None:
            replace_accounts(file, accounts, platform_password)
        time.sleep(LOOK_EVERY_S)
    watch.close()
