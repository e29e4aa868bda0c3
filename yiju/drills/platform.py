"""A drill's platform: PostgreSQL, a broker and ingest as processes of its own that can be killed.

What arrived is counted by SQL in the database, against what the witness saw.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from care.register import apply_register, read_document
from core.credentials import broker_password_hash, new_password
from core.errors import StackError
from core.metrics import BY_NAME
from store.migrate import migrate
from store.pool import Connection, DatabaseRole, connect
from store.queries import load_queries
from yiju.drills.box import BUTTON, METER
from yiju.embedded.broker import BrokerKind, EmbeddedBroker
from yiju.embedded.child import start_child, stop_child
from yiju.embedded.postgres import EmbeddedPostgres

QUERIES: Final = load_queries(__package__)
_ADDRESSES: Final = ((METER, "meter"), (BUTTON, "sos"), ("gateway", "gateway"))

Identity = tuple[str, str, int]  # gateway, metric, and what tells the reading from all others: a meter's value, a time


class Count(msgspec.Struct, frozen=True):
    """What the database holds of what was witnessed.

    Attributes:
        stored: witnessed readings that are there.
        lost: witnessed readings that are not.
        doubled: rows beyond the first of a reading, witnessed or not.
        unwitnessed: readings that are there though nobody saw them taken: a box was killed before it could say so.
        rejected: readings that the platform refused.
    """

    stored: int
    lost: int
    doubled: int
    unwitnessed: int
    rejected: int


class DrillPlatform:
    """The platform in `folder`, for the gateways `keys`.

    Args:
        durable: whether PostgreSQL syncs to the disk; a test that cuts no power of the platform's may save the time.
    """

    def __init__(self, folder: Path, keys: Iterable[str], *, durable: bool = True) -> None:
        self._folder = folder
        self.passwords = {key: new_password() for key in keys}
        extra = {"track_commit_timestamp": "on"}
        if not durable:
            extra |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        self._postgres = EmbeddedPostgres(folder / "postgres", extra=extra)
        self._broker = EmbeddedBroker(folder / "broker", wanted=BrokerKind.AUTO)
        self._ingest: subprocess.Popen[bytes] | None = None

    @property
    def broker_port(self) -> int:
        return self._broker.port

    def start(self, now: datetime) -> None:
        """Starts everything. Raises StackError."""
        self._postgres.prepare()
        self._postgres.start()
        migrate(self._postgres.url(), now)
        hashes = {key: broker_password_hash(password) for key, password in self.passwords.items()}
        with connect(self._postgres.url(), DatabaseRole.REGISTER, autocommit=True) as connection:
            apply_register(connection, read_document(_register(hashes, now), "drill"), "drill", now)
        self._broker.prepare()
        self._broker.write_accounts(hashes)
        self._broker.start()
        self.start_ingest()

    def start_ingest(self) -> None:
        environment = {
            **os.environ,
            "YIJU_DATABASE_URL": self._postgres.url(),
            "YIJU_BROKER_URL": self._broker.url(),
            "YIJU_CLOCK": "system",
            "YIJU_LOG_LEVEL": "WARNING",
        }
        with (self._folder / "ingest.log").open("ab") as log:
            self._ingest = start_child(
                [sys.executable, "-m", "yiju", "ingest"],
                death_signal=signal.SIGKILL,
                environment=environment,
                output=log,
            )

    def kill_ingest(self) -> None:
        """kill -9."""
        if self._ingest is not None:
            self._ingest.kill()
            self._ingest.wait()

    def lose_broker(self) -> None:
        """kill -9, and all that it remembered is gone; a new one stands in its place at once."""
        if self._broker.process is None:
            raise StackError("the broker cannot be lost: it was never started")
        self._broker.process.kill()
        self._broker.process.wait()
        (self._folder / "broker" / "mosquitto.db").unlink(missing_ok=True)
        self._broker.start()

    def stop(self) -> None:
        if self._ingest is not None:
            stop_child(self._ingest)
        self._broker.stop()
        self._postgres.stop()

    def connect(self) -> Connection:
        """As the owner of the database."""
        return connect(self._postgres.url(), DatabaseRole.OWNER, autocommit=True)

    def count(self, witnessed: Iterable[Identity]) -> Count:
        """Compares the database with what was witnessed, reading by reading."""
        with self.connect() as connection:
            connection.execute(QUERIES["make_witness"])
            with connection.cursor() as cursor, cursor.copy(QUERIES["copy_witness"]) as copy:
                for gateway, metric, identity in witnessed:
                    copy.write_row((gateway, BY_NAME[metric].id, identity))
            row = connection.execute(QUERIES["count_witnessed"]).fetchone()
        if row is None:
            raise StackError("the database counts nothing: an aggregate always gives a row")
        return Count(**row)

    def urgent_latencies_ms(self, presses: Iterable[Identity]) -> list[float]:
        """From each press until the transaction that stored it was committed, ascending; by this machine's clock."""
        with self.connect() as connection:
            connection.execute(QUERIES["make_witness"])
            with connection.cursor() as cursor, cursor.copy(QUERIES["copy_witness"]) as copy:
                for gateway, metric, identity in presses:
                    copy.write_row((gateway, BY_NAME[metric].id, identity))
            return [float(row["ms"]) for row in connection.execute(QUERIES["witnessed_latencies"])]


def _register(hashes: Mapping[str, str], now: datetime) -> dict[str, Any]:
    return {
        "region": [{"key": "drill", "name": "演练", "level": "district"}],
        "home": [
            {
                "key": f"home-{key}",
                "region": "drill",
                "name": key,
                "commissioned": now - timedelta(days=30),
                "room": [{"key": "hall", "kind": "entry"}],
                "gateway": [{"key": key, "password_hash": password_hash}],
                "device": [
                    {"gateway": key, "address": address, "kind": kind, "room": "hall"} for address, kind in _ADDRESSES
                ],
            }
            for key, password_hash in hashes.items()
        ],
    }
