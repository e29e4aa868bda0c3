"""Several workers, one that is killed, one that stands still: nothing is lost, doubled or dropped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bench.publisher import Publisher
from bench.workload import Homes, Load, register_homes
from core.credentials import broker_password_hash
from tests.conftest import Database
from tests.integration.ingest.test_ingest import count, eventually
from tests.needs import need
from yiju.embedded.broker import ACL, BrokerKind, EmbeddedBroker, find_mosquitto
from yiju.embedded.child import start_child

HOMES = 30


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """As shipped, with one more account that may publish as any gateway."""
    need(find_mosquitto() is not None, "mosquitto is not installed: apt-get install mosquitto")
    acl = tmp_path / "acl"
    acl.write_text(f"{ACL.read_text(encoding='utf-8')}\nuser _load\ntopic write yiju/v1/+/up/+\n")
    broker = EmbeddedBroker(tmp_path / "broker", wanted=BrokerKind.MOSQUITTO, acl=acl)
    broker.prepare()
    broker.write_accounts({"_load": broker_password_hash("secret")})
    broker.start()
    yield broker
    broker.stop()


@contextmanager
def worker(
    database: Database, broker: EmbeddedBroker, name: str, *, shared: bool
) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, "YIJU_DATABASE_URL": database.url, "YIJU_BROKER_URL": broker.url(),
                   "YIJU_INGEST_WORKER": name, "YIJU_INGEST_SHARED": str(shared).lower()}  # fmt: skip
    process = start_child([sys.executable, "-m", "yiju", "ingest"], environment=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def load(database: Database, messages: int) -> Load:
    now = datetime.now(UTC)
    register_homes(database.url, HOMES, now)
    return Homes(database.url, HOMES, now - timedelta(days=5), np.random.default_rng(1)).load(messages, 2, 3)


def sessions(database: Database) -> int:
    """Workers that have made their connections: the register's and two that write."""
    with database.connect() as connection:
        row = connection.execute(
            "SELECT count(*) / 3 AS n FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'yiju_ingest'"
        ).fetchone()
    return int(row["n"]) if row else 0


def assert_each_once(database: Database, sent: Load) -> None:
    with database.connect() as connection:
        stored = connection.execute("SELECT device_id, time, value FROM reading").fetchall()
    expected = zip(*(sent.rows[name].tolist() for name in ("device", "time", "value")), strict=True)
    assert sorted((row["device_id"], round(row["time"].timestamp() * 1000), row["value"]) for row in stored) == sorted(
        expected
    )


def test_three_workers_share_the_load_and_one_that_is_killed_costs_nothing(
    database: Database, mosquitto: EmbeddedBroker
) -> None:
    sent = load(database, 6_000)
    with (
        closing(Publisher(mosquitto.url("_load", "secret"), "load")) as publisher,
        worker(database, mosquitto, "1", shared=True),
        worker(database, mosquitto, "2", shared=True) as second,
        worker(database, mosquitto, "3", shared=True),
    ):
        eventually(lambda: sessions(database) == 3)
        subscribed(mosquitto, 3)
        publisher.publish(sent.messages[:3_000])
        eventually(lambda: count(database, "ledger") > 100)
        second.send_signal(signal.SIGKILL)
        second.wait()
        publisher.publish(sent.messages[3_000:])
        with worker(database, mosquitto, "2", shared=True):  # as the supervisor starts it again: it has its queue
            eventually(lambda: count(database, "ledger") == 6_000, until_s=60)
    assert_each_once(database, sent)


def test_the_shipped_broker_drops_nothing_before_an_ingest_that_stands_still(
    database: Database, mosquitto: EmbeddedBroker
) -> None:
    """A stock mosquitto keeps 1,000 for a slow subscriber and drops the others without a word."""
    sent = load(database, 15_000)
    with (
        closing(Publisher(mosquitto.url("_load", "secret"), "load")) as publisher,
        worker(database, mosquitto, "1", shared=False) as process,
    ):
        eventually(lambda: sessions(database) == 1)
        subscribed(mosquitto, 1)
        process.send_signal(signal.SIGSTOP)
        publisher.publish(sent.messages)
        process.send_signal(signal.SIGCONT)
        eventually(lambda: count(database, "ledger") == 15_000, until_s=60)
    assert_each_once(database, sent)


def subscribed(broker: EmbeddedBroker, workers: int) -> None:
    """Waits until the broker has let in that many workers and answered their subscriptions."""
    eventually(lambda: broker.log.read_text(errors="replace").count("as yiju-ingest-") >= workers)
