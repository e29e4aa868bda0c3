"""What was rejected is stored once its cause is mended: exactly once, and as of its own time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from core.errors import Reason
from core.model import Lane
from core.wire import VERSION, Batch, WireReading, encode, to_ms, up_topic
from ingest.arrays import register_arrays
from ingest.decode import Message, decode
from ingest.directory import Directory
from ingest.writer import Writer, prepare
from store.pool import Connection
from store.verify import verify
from tests.conftest import NOW, Database
from tests.integration.ingest.homes import register_homes
from yiju.rejected import Outcome, Retried, Which, retry, retry_all

SESSION = UUID("12345678-1234-5678-1234-567812345678")
NOW_MS = to_ms(NOW)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    register_homes(database, homes=1)
    with database.connect() as connection:
        yield connection


def send(
    connection: Connection, seq: int, *readings: WireReading, gateway: str = "gw-1", lane: Lane = Lane.BULK,
    at: datetime = NOW,
) -> None:  # fmt: skip
    directory = Directory()
    directory.refresh(connection)
    message = Message(up_topic(gateway, lane), encode(Batch(VERSION, SESSION, seq, list(readings))), False, 0, 0)
    register_arrays(connection)
    Writer().store(connection, prepare([decode(message, directory.gateway)], at), at)


def reading(device: str, metric: str = "open", minutes_ago: int = 5, value: float = 1.0) -> WireReading:
    moment = NOW_MS - minutes_ago * 60_000
    return WireReading(f"zigbee2mqtt/{device}", metric, moment, value, moment, 1)


def register_device(connection: Connection, address: str, kind: str, gateway: str = "gw-1") -> None:
    connection.execute(
        "INSERT INTO device (gateway_id, address, home_id, kind, registered_at)"
        " SELECT id, %s, home_id, %s, %s FROM gateway WHERE key = %s",
        [f"zigbee2mqtt/{address}", kind, NOW, gateway],
    )


def register_gateway(connection: Connection, key: str) -> None:
    connection.execute("INSERT INTO gateway (key, home_id, registered_at) SELECT %s, id, %s FROM home", [key, NOW])


def number(connection: Connection, query: str) -> int:
    row = connection.execute(f"SELECT ({query}) AS n").fetchone()
    assert row
    return int(row["n"])


def test_the_first_day_of_a_device_that_was_registered_late_is_not_lost(connection: Connection) -> None:
    send(connection, 1, reading("door"), reading("new", minutes_ago=50), reading("new", minutes_ago=20, value=0.0))
    assert retry_all(connection, Which(), LATER).messages == {Outcome.STILL_REJECTED: 1}
    register_device(connection, "new", "contact")
    assert retry_all(connection, Which(), LATER) == retried(stored=1, readings=2)
    assert retry_all(connection, Which(), LATER).messages == {}
    assert number(connection, "SELECT count(*) FROM reading") == 3
    assert number(connection, "SELECT sum(readings - rejected) FROM ledger") == 3
    assert number(connection, "SELECT count(*) FROM rejected") == 0
    assert verify(connection, NOW).examples == []


def retried(*, stored: int, readings: int) -> Retried:
    return Retried({Outcome.STORED: stored}, readings)


def test_what_is_still_wrong_stays_rejected_with_its_reason(connection: Connection) -> None:
    send(connection, 1, reading("new"), reading("newer"), reading("new", "open", 90 * 1440))
    register_device(connection, "new", "contact")
    assert retry(connection, 1, LATER) == (Outcome.IN_PART, 1)
    rows = connection.execute("SELECT id, reason, readings, stored_at FROM rejected ORDER BY reason").fetchall()
    assert [(row["reason"], row["readings"], row["stored_at"]) for row in rows] == [
        ("too_early", 1, NOW), ("unknown_device", 1, NOW),
    ]  # fmt: skip
    register_device(connection, "newer", "contact")
    connection.execute("UPDATE home SET commissioned_at = %s", [NOW - timedelta(days=100)])
    assert retry_all(connection, Which(), LATER) == retried(stored=2, readings=2)
    assert number(connection, "SELECT count(*) FROM reading") == 3
    assert verify(connection, NOW).examples == []


def test_a_gateway_that_was_unknown_and_sends_again_is_stored_once(connection: Connection) -> None:
    batch = [reading("lamp", minutes_ago=7), reading("lamp", minutes_ago=6, value=0.0)]
    send(connection, 1, *batch, gateway="gw-9")
    send(connection, 2, *batch, gateway="gw-9")
    register_gateway(connection, "gw-9")
    register_device(connection, "lamp", "contact", "gw-9")
    send(connection, 1, *batch, gateway="gw-9")  # it had not heard that we have it, and sends once more
    assert retry_all(connection, Which(), LATER).messages == {Outcome.STORED_BEFORE: 1, Outcome.STORED: 1}
    send(connection, 2, *batch, gateway="gw-9")
    assert number(connection, "SELECT count(*) FROM reading") == 4
    assert verify(connection, NOW).examples == []


def test_an_unknown_gateway_whose_devices_were_unknown_too_is_stored_once(connection: Connection) -> None:
    """Two rows of `rejected` hold the same readings: the batch came again when only the gateway was known."""
    send(connection, 1, reading("lamp"), gateway="gw-9")
    register_gateway(connection, "gw-9")
    send(connection, 1, reading("lamp"), gateway="gw-9")
    register_device(connection, "lamp", "contact", "gw-9")
    assert retry_all(connection, Which(), LATER).messages == {Outcome.STORED: 1, Outcome.STORED_BEFORE: 1}
    assert number(connection, "SELECT count(*) FROM reading") == 1
    assert verify(connection, NOW).examples == []


def test_a_cry_for_help_of_last_week_is_one_of_last_week(connection: Connection) -> None:
    pressed = WireReading("zigbee2mqtt/pendant", "sos", NOW_MS - 60_000, 1.0, NOW_MS, 0)
    wrong_clock = WireReading("zigbee2mqtt/pendant", "sos", 1000, 1.0, 1000, 0)
    send(connection, 1, pressed, wrong_clock, lane=Lane.URGENT)
    register_device(connection, "pendant", "sos")
    week = NOW + timedelta(days=7)
    assert retry(connection, 1, week, by_present_clock=True) == (Outcome.STORED, 2)
    times = [row["time"] for row in connection.execute("SELECT time FROM urgent_event ORDER BY time")]
    assert times == [NOW - timedelta(minutes=1), NOW]  # the one without a time: when it came


def test_times_are_judged_by_the_moment_they_came_unless_the_platforms_clock_was_wrong(
    connection: Connection,
) -> None:
    send(connection, 1, reading("door", minutes_ago=-60))  # the home's clock is an hour ahead
    assert retry(connection, 1, LATER) == (Outcome.STILL_REJECTED, 0)
    assert retry(connection, 1, LATER, by_present_clock=True) == (Outcome.STORED, 1)


def test_filters_leave_the_others_alone(connection: Connection) -> None:
    send(connection, 1, reading("new"))
    send(connection, 2, reading("new"), at=NOW + timedelta(hours=2))
    send(connection, 3, reading("lamp"), gateway="gw-9")
    register_gateway(connection, "gw-9")
    register_device(connection, "new", "contact")
    register_device(connection, "lamp", "contact", "gw-9")
    assert retry_all(connection, Which(reason=Reason.TOO_EARLY), LATER).messages == {}
    assert retry_all(connection, Which(since=NOW + timedelta(hours=1)), LATER).readings == 1
    assert retry_all(connection, Which(gateway="gw-9"), LATER).readings == 1
    assert retry_all(connection, Which(reason=Reason.UNKNOWN_DEVICE), LATER).readings == 1


def test_two_retries_at_once_and_one_that_is_killed_store_each_reading_once(
    connection: Connection, database: Database
) -> None:
    for seq in range(1, 301):
        send(connection, seq, reading("new", minutes_ago=seq))
    register_device(connection, "new", "contact")
    command = [sys.executable, "-m", "yiju", "rejected", "retry", "--json"]
    environment = {**os.environ, "YIJU_DATABASE_URL": database.url}
    first, second = (subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(2))
    while number(connection, "SELECT count(*) FROM rejected") > 250:
        assert first.poll() is None
    first.kill()
    first.wait()
    second.wait()
    last = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert set(msgspec.json.decode(last.stdout)) == {"messages", "readings"}
    assert number(connection, "SELECT count(*) FROM rejected") == 0
    assert number(connection, "SELECT count(*) FROM reading") == 300
    assert verify(connection, NOW).examples == []


def test_the_list_is_readable_and_says_how_many(connection: Connection, database: Database) -> None:
    send(connection, 1, reading("new"), reading("new", minutes_ago=3))
    environment = {**os.environ, "YIJU_DATABASE_URL": database.url, "COLUMNS": "140"}

    def said(*words: str) -> str:
        return subprocess.run([sys.executable, "-m", "yiju", "rejected", *words], env=environment,
                              capture_output=True, text=True, check=True).stdout  # fmt: skip

    listed = said("list", "--reason", "unknown_device", "--since", "2026-03-01T00:00:00+08:00")
    assert "gw-1" in listed
    assert "unknown_device: 1 messages, 2 readings" in listed
    assert "zigbee2mqtt/new" in said("show", "1")
    assert msgspec.json.decode(said("list", "--json"))["counts"] == [
        {"reason": "unknown_device", "messages": 1, "readings": 2}
    ]
