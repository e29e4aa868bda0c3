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
        "INSERT INTO digest (person_id, kind, day, made_at, lines) VALUES (1, 'held', %(at)s, %(at)s, '[]')",
        "INSERT INTO delivery (rung, person_id, channel, created_at, purpose)"
        " VALUES (0, 1, %(at)s::text, %(at)s, 'test')",
        "INSERT INTO platform_trouble (kind, since, seen_by, ended_at) VALUES ('x', %(at)s, 'api', %(at)s)",
        "WITH bundle AS (INSERT INTO delivery_bundle (made_at) VALUES (%(at)s) RETURNING id)"
        " UPDATE delivery SET bundle_id = bundle.id FROM bundle WHERE created_at = %(at)s",
        "INSERT INTO answer_link (delivery_id, person_id, alert_ids, made_at, expires_at)"
        " SELECT max(id), 1, '{}', %(at)s, %(at)s FROM delivery WHERE alert_id IS NOT NULL",
        "WITH command AS (INSERT INTO gateway_command (gateway_id, kind, seconds, created_at, expires_at)"
        " VALUES (1, 'ask', 60, %(at)s, %(at)s) RETURNING id)"
        " INSERT INTO alert_question (question_id, alert_id, rung) SELECT command.id, alert.id, 1 FROM command, alert"
        " WHERE alert.opened_at = %(at)s",
        "INSERT INTO enrolment_code (code_hash, home_id, person_id, created_at, expires_at)"
        " VALUES (sha256(%(at)s::text::bytea), 1, 1, %(at)s, %(at)s)",
        "UPDATE alert SET state = 'resolved', resolved_at = %(at)s, outcome = 'helped' WHERE opened_at = %(at)s",
        "INSERT INTO profile SELECT 1, coalesce(max(version), 0) + 1, %(at)s, '{}' FROM profile",
        "INSERT INTO care_visit (home_id, carer_id, began_at, ended_at, logged_at)"
        " VALUES (1, 1, %(at)s, %(at)s, %(at)s)",
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


def test_a_question_of_an_open_alert_a_link_that_still_works_and_trouble_that_goes_on_stay_however_old(
    connection: Connection,
) -> None:
    fill(connection, NOW - 9 * YEAR)
    connection.execute("UPDATE alert SET state = 'open', resolved_at = NULL, outcome = NULL")
    connection.execute("UPDATE answer_link SET expires_at = %s", [NOW])
    connection.execute("UPDATE platform_trouble SET ended_at = NULL")
    gone = forget_outlived(connection, NOW, FIVE_YEARS)
    assert (gone["gateway_command"], gone["answer_link"], gone["platform_trouble"]) == (0, 0, 0)
    assert gone["delivery_bundle"] == 1
    assert count(connection, "delivery") == 1  # of the alert: it stays; only that it was one of several is forgotten


def test_a_digest_goes_with_its_messages_and_what_was_tried(connection: Connection) -> None:
    connection.execute(
        "WITH made AS (INSERT INTO digest (person_id, kind, day, made_at, lines)"
        " VALUES (1, 'morning', %(at)s, %(at)s, '[]') RETURNING id), sent AS ("
        " INSERT INTO delivery (digest_id, rung, person_id, channel, created_at, purpose)"
        " SELECT id, 0, 1, 'c', %(at)s, 'digest' FROM made RETURNING id)"
        " INSERT INTO delivery_attempt (delivery_id, at, ok, reason) SELECT id, %(later)s, true, 'sent' FROM sent",
        {"at": NOW - 3 * YEAR, "later": NOW - YEAR},
    )
    assert forget_outlived(connection, NOW, FIVE_YEARS)["digest"] == 1
    assert [count(connection, table) for table in ("digest", "delivery", "delivery_attempt")] == [0, 0, 0]


def test_every_table_that_grows_with_time_is_kept_for_a_while_or_stays_on_purpose(connection: Connection) -> None:
    """A new table is either forgotten row by row or named here, with the reason."""
    stays = {
        "reading": "whole days, dropped by ingest",
        "alert": "the care record", "alert_event": "of an alert", "alert_home": "of an alert",
        "alert_question": "goes with its gateway_command", "alert_notice": "deleted when it is published",
        "region": "register", "home": "register", "room": "register", "resident": "register", "gateway": "register",
        "device": "register", "device_stay": "register", "device_link": "register",
        "person": "register", "role_grant": "register",
        "consent": "register", "volunteer": "register", "rotation": "register", "rotation_member": "register",
        "shift_cover": "register", "leave": "register", "absence": "register", "maintenance": "register",
        "push_subscription": "register", "login_session": "deleted when it expires",
        "device_state": "one row a device's metric", "home_state": "one row a home", "home_memory": "one row a home",
        "power_life": "one row a device", "look": "one row a kind of look", "gateway_status": "one row a gateway",
        "gateway_configuration": "one row a gateway", "gateway_report": "one row a gateway",
        "service_heartbeat": "one row a service",
        "platform_secret": "a few rows", "alert_worker": "a few rows", "alert_slice": "32 rows",
        "erasure": "proof", "store_edition": "one row", "migration": "one row a migration",
    }  # fmt: skip
    rows = connection.execute(
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition"
    )
    assert {row["name"] for row in rows} == {*stays, *(kind.table for kind in kept(FIVE_YEARS))}


def test_a_service_can_ask_for_nothing_younger_than_a_month(connection: Connection, database: Database) -> None:
    fill(connection, NOW - 20 * DAY)
    with database.connect(DatabaseRole.ALERTS) as alerts:
        row = alerts.execute("SELECT forget_outlived('audit', %s, interval '0', 100) AS gone", [NOW]).fetchone()
        assert row == {"gone": 0}
    with database.connect(DatabaseRole.API) as api, pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.execute("SELECT forget_outlived('audit', %s, interval '0', 100)", [NOW])
