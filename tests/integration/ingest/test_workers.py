"""Several workers, one that is killed, one that stands still: nothing is lost, doubled or dropped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bench.publisher import Publisher
from bench.workload import Homes, Load, register_homes
from core.credentials import broker_password_hash
from tests.conftest import Database
from tests.integration.ingest.test_ingest import count, eventually, grows_to
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


@dataclass(frozen=True)
class Worker:
    """One running `yiju ingest`, and what it writes."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def await_subscription(self) -> None:
        """Until the broker has answered it. Before that nothing is kept for a worker that was never there."""
        eventually(lambda: "broker connected" in self.log.read_text(encoding="utf-8"), until_s=60)


@contextmanager
def worker(database: Database, broker: EmbeddedBroker, name: str, *, shared: bool) -> Iterator[Worker]:
    environment = {**os.environ, "YIJU_DATABASE_URL": database.url, "YIJU_BROKER_URL": broker.url(),
                   "YIJU_INGEST_WORKER": name, "YIJU_INGEST_SHARED": str(shared).lower()}  # fmt: skip
    log = broker.folder / f"ingest-{name}.log"
    with log.open("wb") as output:
        process = start_child([sys.executable, "-m", "yiju", "ingest"], environment=environment, output=output)
    try:
        yield Worker(process, log)
    finally:
        process.kill()
        process.wait()


def load(database: Database, messages: int) -> Load:
    now = datetime.now(UTC)
    register_homes(database.url, HOMES, now)
    return Homes(database.url, HOMES, now - timedelta(days=5), np.random.default_rng(1)).load(messages, 2, 3)


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
        worker(database, mosquitto, "1", shared=True) as first,
        worker(database, mosquitto, "2", shared=True) as second,
        worker(database, mosquitto, "3", shared=True) as third,
    ):
        for each in (first, second, third):
            each.await_subscription()
        publisher.publish(sent.messages[:3_000])
        eventually(lambda: count(database, "ledger") > 100)
        second.process.send_signal(signal.SIGKILL)
        second.process.wait()
        publisher.publish(sent.messages[3_000:])
        with worker(database, mosquitto, "2", shared=True):  # as the supervisor starts it again: it has its queue
            grows_to(6_000, lambda: count(database, "ledger"))
    assert_each_once(database, sent)


def test_the_shipped_broker_drops_nothing_before_an_ingest_that_stands_still(
    database: Database, mosquitto: EmbeddedBroker
) -> None:
    """A stock mosquitto keeps 1,000 for a slow subscriber and drops the others without a word."""
    sent = load(database, 15_000)
    with (
        closing(Publisher(mosquitto.url("_load", "secret"), "load")) as publisher,
        worker(database, mosquitto, "1", shared=False) as only,
    ):
        only.await_subscription()
        only.process.send_signal(signal.SIGSTOP)
        publisher.publish(sent.messages)
        only.process.send_signal(signal.SIGCONT)
        grows_to(15_000, lambda: count(database, "ledger"))
    assert_each_once(database, sent)
