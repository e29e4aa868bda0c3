"""A day's part of `reading` is made once, by whoever comes first."""

import threading
from datetime import timedelta

from tests.conftest import NOW, Database
from tests.integration.ingest.test_ingest import eventually

WAITING = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
MAKE = "SELECT reading_make_room(%(day)s, %(day)s) AS made"


def test_two_that_make_the_same_day_at_once_do_not_fail(database: Database) -> None:
    day = {"day": NOW + timedelta(days=400)}
    made: list[int] = []

    def make() -> None:
        with database.connect() as second:
            made.extend(row["made"] for row in second.execute(MAKE, day))

    with database.connect() as first, database.connect() as watcher:
        other = threading.Thread(target=make)
        with first.transaction():
            first.execute(MAKE, day)
            other.start()
            eventually(lambda: not other.is_alive() or (watcher.execute(WAITING).fetchone() or {})["n"] == 1)
        other.join()
    assert made == [0]  # the first one's day is there
