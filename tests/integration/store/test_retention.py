"""What has outlived its purpose goes, what has not stays, and a clock that jumps makes nothing old."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest

from ingest.writer import drop_old_readings
from store.pool import Connection, DatabaseRole
from store.retention import forget_outlived, kept
from tests.conftest import NOW, Database
from tests.integration.ingest.homes import register_homes
from tests.integration.store.test_verify import minutes_ago, send

FIVE_YEARS = timedelta(days=1826)
DAY = timedelta(days=1)
YEAR = timedelta(days=366)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    register_homes(database, homes=1)
    with database.connect() as connection:
        send(connection, 1, [minutes_ago(1), minutes_ago(2, "motion", "motion"), minutes_ago(3, "bed", "occupied")])
        connection.execute("INSERT INTO person (key, name) VALUES ('p', 'P')")
        yield connection


def fill(connection: Connection, at: datetime) -> None:
    """One row of each kind, as old as `at`."""
    for statement in (
        "INSERT INTO rollup VALUES (1, %(at)s, 1, 2, 1, 0, 0, 0, 0, 0)",
        "INSERT INTO ledger (gateway_id, session, lane, seq, stored_at, readings, rejected)"
        " VALUES (1, gen_random_uuid(), 1, 1, %(at)s, 0, 0)",
        "INSERT INTO rejected (stored_at, topic, reason, detail, size, readings, payload)"
        " VALUES (%(at)s, '', 'undecodable', '', 0, 0, '')",
        "INSERT INTO urgent_event (home_id, device_id, metric, time, value, stored_at, handled_at)"
        " VALUES (1, 1, 6, %(at)s, 1, %(at)s, %(at)s)",
        "INSERT INTO muted_finding VALUES (%(at)s::text, 1, 'x', 'y', %(at)s, %(at)s)",
        "WITH raised AS (INSERT INTO alert (home_id, kind, severity, dedup_key, message, parameters, began_at,"
        " opened_at, last_at) VALUES (1, 'fall', 'urgent', %(at)s::text, 'm', '{}', %(at)s, %(at)s, %(at)s)"
        " RETURNING id),"
        " sent AS (INSERT INTO delivery (alert_id, rung, channel, created_at) SELECT id, 1, 'c', %(at)s FROM raised"
        " RETURNING id) INSERT INTO delivery_attempt (delivery_id, at, ok, reason) SELECT id, %(at)s, true, 'sent'"
        " FROM sent",
        "INSERT INTO profile SELECT 1, coalesce(max(version), 0) + 1, %(at)s, '{}' FROM profile",
        "INSERT INTO audit (at, person_id, home_id, what) VALUES (%(at)s, 1, 1, 'read.home')",
    ):
        connection.execute(statement, {"at": at})


def count(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) AS n FROM {table}").fetchone()
    assert row
    return int(row["n"])


@pytest.mark.parametrize("table", [kind.table for kind in kept(FIVE_YEARS)])
def test_what_is_older_than_it_may_be_goes_and_what_is_younger_stays(
    connection: Connection, database: Database, table: str
) -> None:
    keep = {kind.table: kind.keep for kind in kept(FIVE_YEARS)}[table]
    fill(connection, NOW - keep - DAY)
    fill(connection, NOW - keep + DAY)
    before = count(connection, table)
    with database.connect(DatabaseRole.ALERTS) as alerts:
        assert forget_outlived(alerts, NOW, FIVE_YEARS)[table] == 1
    assert count(connection, table) == before - 1


def test_a_clock_a_hundred_years_ahead_makes_nothing_old_not_even_with_an_sos_of_that_time(
    connection: Connection,
) -> None:
    fill(connection, NOW - 10 * DAY)
    future = NOW + 100 * YEAR
    connection.execute("INSERT INTO device_state VALUES (4, 6, 1, %s, 1, null, null, null, %s)", [future, future])
    assert not any(forget_outlived(connection, future, FIVE_YEARS).values())
    assert drop_old_readings(connection, future, timedelta(days=180)) == 0
    assert count(connection, "reading") == 3


def test_a_platform_that_has_heard_nobody_yet_forgets_nothing(connection: Connection) -> None:
    fill(connection, NOW - 10 * YEAR)
    connection.execute("TRUNCATE device_state")
    assert not any(forget_outlived(connection, NOW, FIVE_YEARS).values())


def test_the_habits_in_use_an_open_event_and_the_account_of_held_readings_stay_however_old(
    connection: Connection,
) -> None:
    connection.execute("INSERT INTO profile VALUES (1, 1, %s, '{}')", [NOW - 9 * YEAR])
    connection.execute(
        "INSERT INTO urgent_event (home_id, device_id, metric, time, value, stored_at) VALUES (1, 1, 6, %s, 1, %s)",
        [NOW - 9 * YEAR, NOW - 9 * YEAR],
    )
    send(connection, 2, [minutes_ago(50 * 1440)])
    connection.execute("UPDATE ledger SET stored_at = %s", [NOW - 9 * YEAR])
    gone = forget_outlived(connection, NOW, FIVE_YEARS)
    assert (gone["profile"], gone["urgent_event"]) == (0, 0)
    connection.execute("UPDATE ledger SET stored_at = %s", [NOW - 40 * DAY])
    assert forget_outlived(connection, NOW, FIVE_YEARS)["ledger"] == 0
    assert count(connection, "reading") == 4


def test_a_service_can_ask_for_nothing_younger_than_a_month(connection: Connection, database: Database) -> None:
    fill(connection, NOW - 20 * DAY)
    with database.connect(DatabaseRole.ALERTS) as alerts:
        row = alerts.execute("SELECT forget_outlived('audit', %s, interval '0', 100) AS gone", [NOW]).fetchone()
        assert row == {"gone": 0}
    with database.connect(DatabaseRole.API) as api, pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.execute("SELECT forget_outlived('audit', %s, interval '0', 100)", [NOW])
