"""Whatever happens to the database: ingest waits, acknowledges nothing that is not stored, goes on, loses nothing."""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.conftest import Database
from tests.integration.failures.servers import (
    CuttingProxy,
    Heard,
    durable_server,
    kill,
    nothing_lost_nothing_doubled,
    replica_of,
    send_many,
    small_disk,
)
from tests.integration.ingest.homes import register_homes
from tests.integration.ingest.test_ingest import GatewayClient, eventually, running
from tests.needs import need
from yiju.embedded.broker import EmbeddedBroker
from yiju.embedded.postgres import EmbeddedPostgres


@pytest.fixture
def gateway(broker: EmbeddedBroker) -> Iterator[GatewayClient]:
    gateway = GatewayClient(broker)
    yield gateway
    gateway.client.disconnect()
    gateway.client.loop_stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = durable_server(tmp_path / "own")
    yield server
    server.stop()


def test_a_database_that_loses_its_power_and_comes_back_has_each_reading_once(
    own: EmbeddedPostgres, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    database = Database(own.url("yiju"))
    register_homes(database, homes=1)
    heard = Heard(gateway)
    with running(database, broker):
        send_many(gateway, 1, 100)
        heard.all(5)
        kill(own)
        send_many(gateway, 101, 200)
        own.start()
        send_many(gateway, 201, 220)
        heard.all(220)
    nothing_lost_nothing_doubled(database, 220)


def test_a_restart_in_order_costs_nothing(
    own: EmbeddedPostgres, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    database = Database(own.url("yiju"))
    register_homes(database, homes=1)
    heard = Heard(gateway)
    with running(database, broker):
        send_many(gateway, 1, 60)
        own.stop()
        send_many(gateway, 61, 120)
        own.start()
        heard.all(120)
    nothing_lost_nothing_doubled(database, 120)


def test_a_line_that_is_cut_in_the_midst_of_a_copy_stores_all_of_it_or_nothing(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    proxy = CuttingProxy(database.url, cuts=4)
    heard = Heard(gateway)
    with running(Database(proxy.url), broker):
        send_many(gateway, 1, 80)
        heard.all(80)
    proxy.close()
    assert proxy.cuts == 4
    nothing_lost_nothing_doubled(database, 80)


def test_the_victim_of_a_deadlock_tries_again(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    heard = Heard(gateway)
    with running(database, broker), database.connect(autocommit=False) as other, database.connect() as watch:
        before = deadlocks(watch)
        other.execute("SET LOCAL deadlock_timeout = '1h'")  # so that it is ingest that finds it
        other.execute("LOCK TABLE device_state IN ACCESS EXCLUSIVE MODE")
        send_many(gateway, 1, 3)
        eventually(lambda: waiting_for_a_lock(watch))
        closing = threading.Thread(target=lambda: other.execute("LOCK TABLE rollup IN ACCESS EXCLUSIVE MODE"))
        closing.start()  # ingest has rollup and wants device_state, the other one has that and wants rollup
        closing.join(20)
        assert not closing.is_alive()
        other.rollback()
        heard.all(3)
        eventually(lambda: deadlocks(watch) > before)
    nothing_lost_nothing_doubled(database, 3)


def waiting_for_a_lock(watch: "psycopg.Connection[dict[str, object]]") -> bool:
    return watch.execute(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'yiju_ingest'"
        " AND wait_event_type = 'Lock'"
    ).fetchone() is not None  # fmt: skip


def deadlocks(watch: "psycopg.Connection[dict[str, object]]") -> int:
    row = watch.execute("SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()").fetchone()
    return int(str(row["n"])) if row else 0


def test_a_full_disk_is_waited_for(tmp_path: Path, broker: EmbeddedBroker, gateway: GatewayClient) -> None:
    need(os.geteuid() == 0, "a small disk can be mounted by root only: run the tests as root")
    try:
        disk = small_disk(tmp_path / "disk", 160)
        folder = disk.__enter__()
    except subprocess.CalledProcessError as error:
        need(False, f"no file system can be mounted here: {error.stderr.decode().strip()}")
        return
    try:
        server = durable_server(folder / "own", max_wal_size="32MB", min_wal_size="32MB")
        database = Database(server.url("yiju"))
        register_homes(database, homes=1)
        heard = Heard(gateway)
        with running(database, broker):
            send_many(gateway, 1, 20)
            heard.all(20)
            fill_up(folder / "ballast")
            with database.connect() as owner, pytest.raises((psycopg.errors.DiskFull, psycopg.OperationalError)):
                owner.execute(
                    "CREATE TABLE ballast AS SELECT repeat(i::text, 100) FROM generate_series(1, 400000) AS i"
                )
            send_many(gateway, 21, 400)
            (folder / "ballast").unlink()
            if server.process is not None and server.process.poll() is not None:
                server.start()
            heard.all(400)
        with database.connect() as owner:
            owner.execute("DROP TABLE IF EXISTS ballast")
        nothing_lost_nothing_doubled(database, 400)
        server.stop()
    finally:
        disk.__exit__(None, None, None)


def fill_up(ballast: Path) -> None:
    """Until nothing more fits."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            return


def test_when_a_replica_takes_over_nothing_that_was_acknowledged_is_lost(
    own: EmbeddedPostgres, tmp_path: Path, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(Database(own.url("yiju")), homes=1)
    replica = replica_of(own, tmp_path / "replica")
    try:
        parts = urlsplit(own.url("yiju"))
        hosts = f"127.0.0.1:{own.port},127.0.0.1:{replica.port}"
        both = f"postgresql://{parts.username}:{parts.password}@{hosts}/yiju?target_session_attrs=read-write"
        heard = Heard(gateway)
        with running(Database(both), broker):
            send_many(gateway, 1, 150)
            heard.all(5)
            kill(own)
            send_many(gateway, 151, 250)
            with psycopg.connect(replica.url(), autocommit=True) as connection:
                connection.execute("SELECT pg_promote()")
            heard.all(250)
        nothing_lost_nothing_doubled(Database(replica.url("yiju")), 250)
    finally:
        replica.stop()
