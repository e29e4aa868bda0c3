"""Ingest's connection to a database that may be away: work is done again and again until it succeeds."""

import threading
from collections.abc import Callable
from typing import Final

import psycopg
import structlog

from ingest.arrays import register_arrays
from store.pool import Connection, DatabaseRole, connect

log = structlog.get_logger()

FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 10.0


class Database:
    """One connection with ingest's rights, made when it is needed and anew when it is lost.

    Args:
        stopping: ends the waiting.
        connected: called with each new connection, before any work.
    """

    def __init__(self, url: str, stopping: threading.Event, connected: Callable[[Connection], None]) -> None:
        self._url = url
        self._stopping = stopping
        self._connected = connected
        self._connection: Connection | None = None

    def until_done(self, work: Callable[[Connection], object]) -> bool:
        """Does `work` on a live connection, again and again until it succeeds; False when told to stop first."""
        wait_s = FIRST_WAIT_S
        while not self._stopping.is_set():
            try:
                work(self._live())
                return True
            except (psycopg.OperationalError, psycopg.InternalError, psycopg.ProgrammingError) as error:
                # away, restarted, disk full, deadlock, not migrated yet: nothing was stored, nothing is
                # acknowledged, try again
                log.warning("database cannot store now", error=str(error).strip().splitlines()[:1], again_in_s=wait_s)
                self.close()
                self._stopping.wait(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        return False

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _live(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, DatabaseRole.INGEST, autocommit=True)
            register_arrays(self._connection)
            self._connected(self._connection)
        return self._connection
