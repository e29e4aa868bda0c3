"""The schema comes up from empty, once, whoever asks and however many at a time."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from store.migrate import Edition, migrate
from store.pool import DatabaseRole
from tests.conftest import NOW, Database


def test_eight_processes_that_migrate_at_once_agree(empty_database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        editions = list(pool.map(lambda _: migrate(empty_database.url, NOW), range(8)))
    assert len(set(editions)) == 1
    assert isinstance(editions[0], Edition)


def test_a_query_without_a_where_shows_a_stranger_nothing(database: Database) -> None:
    with database.connect() as owner:
        owner.execute("INSERT INTO region (key, level, name) VALUES ('d', 'district', 'D')")
        owner.execute(
            "INSERT INTO home (key, region_id, name, commissioned_at) SELECT 'h', id, 'H', %s FROM region", [NOW]
        )
    with database.connect(DatabaseRole.API) as api:
        assert api.execute("SELECT * FROM home").fetchall() == []


def test_the_api_has_no_right_on_the_readings_themselves(database: Database) -> None:
    with database.connect(DatabaseRole.API) as api, pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.execute("SELECT * FROM reading")


def test_retention_drops_whole_days_and_nothing_else(database: Database) -> None:
    with database.connect() as owner:
        owner.execute("SELECT reading_make_room('2026-03-01', '2026-03-03')")
        for day in ("2026-03-01 23:59+00", "2026-03-02 00:00+00", "2026-03-03 12:00+00"):
            owner.execute("INSERT INTO reading VALUES (1, 1, 1, %s, %s, 1, 1, 0)", [day, day])
        owner.execute("SELECT reading_drop_before('2026-03-02 12:00+00')")
        left = [row["time"].day for row in owner.execute("SELECT time FROM reading ORDER BY time")]
    assert left == [2, 3]
