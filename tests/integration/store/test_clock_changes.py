"""The two nights in which the clocks change: every reading counts once, in its quarter of an hour and its local day.

Nothing in the database knows of a local day: sums are of quarters of an hour of real time, and every zone's midnight is
the border of one. So a day is a sum of its quarters, 92 or 100 of them in those nights.
"""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from api.pages.day_chart import Coverage
from api.pages.week_chart import draw_week
from api.reads.homes import day_bounds
from care.register import apply_register, read_document
from core.model import Lane
from core.wire import VERSION, Batch, WireReading, encode, to_ms, up_topic
from ingest.arrays import register_arrays
from ingest.decode import Message, decode
from ingest.directory import Directory
from ingest.writer import Writer, prepare
from store.pool import Connection, DatabaseRole
from store.verify import verify
from tests.conftest import Database

SESSION = UUID("12345678-1234-5678-1234-567812345678")
STEP = timedelta(minutes=5)
# zone, the day, its quarters of an hour, cells of the week's chart that no clock showed. Chatham: at 02:45, by an hour;
# Lord Howe: by half an hour.
NIGHTS = [
    ("Europe/Berlin", date(2026, 3, 29), 92, [2]),
    ("Europe/Berlin", date(2026, 10, 25), 100, []),
    ("America/New_York", date(2026, 3, 8), 92, [2]),
    ("America/New_York", date(2026, 11, 1), 100, []),
    ("Australia/Lord_Howe", date(2026, 10, 4), 94, []),
    ("Pacific/Chatham", date(2026, 4, 5), 100, []),
]


def register(database: Database, zone: str, now: datetime) -> None:
    document = {
        "region": [{"key": "d-1", "name": "d", "level": "district"}],
        "home": [{
            "key": "home-1", "region": "d-1", "name": "h", "zone": zone, "commissioned": now - timedelta(days=30),
            "room": [{"key": "hall", "kind": "entry"}], "gateway": [{"key": "gw-1"}],
            "device": [{"gateway": "gw-1", "address": "t/door", "kind": "contact", "room": "hall"},
                       {"gateway": "gw-1", "address": "t/meter", "kind": "meter", "room": "hall"}],
        }],
    }  # fmt: skip
    with database.connect(DatabaseRole.REGISTER) as connection:
        apply_register(connection, read_document(document, "test"), "test", now)


def said_around(zone: str, day: date) -> list[WireReading]:
    """Three local days, a word every five minutes: a door, and a counter that grows by 1 each time."""
    at, end = (moment.astimezone(UTC) for moment in (day_bounds(day - timedelta(days=1), zone)[0],
                                                     day_bounds(day + timedelta(days=1), zone)[1]))  # fmt: skip
    said = []
    for step in range(int((end - at) / STEP)):
        ms = to_ms(at + step * STEP)
        said.append(WireReading("t/door", "open", ms, float(step % 2), ms, 1))
        said.append(WireReading("t/meter", "energy", ms, float(step), ms, 1))
    return said


def store_in_any_order(connection: Connection, said: list[WireReading], now: datetime) -> None:
    """In batches of 50 that arrive in any order, some of them twice, a third of them a day late."""
    directory = Directory()
    directory.refresh(connection)
    batches = [said[first : first + 50] for first in range(0, len(said), 50)]
    rng = np.random.default_rng(1)
    order = rng.permutation(len(batches)).tolist()
    order += order[::4]
    writer = Writer()
    for place, seq in enumerate(order):
        message = Message(
            up_topic("gw-1", Lane.BULK), encode(Batch(VERSION, SESSION, seq + 1, batches[seq])), False, 0, 0
        )
        late = timedelta(days=1) if place >= len(order) * 2 // 3 else timedelta()
        writer.store(connection, prepare([decode(message, directory.gateway)], now + late), now + late)


@pytest.mark.parametrize(("zone", "day", "quarters", "skipped"), NIGHTS)
def test_a_night_in_which_the_clocks_change_has_every_reading_once_in_its_quarter_and_its_local_day(
    database: Database, zone: str, day: date, quarters: int, skipped: list[int]
) -> None:
    local = ZoneInfo(zone)
    now = datetime.combine(day + timedelta(days=2), time(1), local).astimezone(UTC)
    register(database, zone, now)
    said = said_around(zone, day)
    with database.connect() as connection:
        register_arrays(connection)
        store_in_any_order(connection, said, now)
        assert verify(connection, now).examples == []
        rows = connection.execute(
            "SELECT bucket, sum(life) AS life, sum(n) AS readings, sum(ons) FILTER (WHERE metric = 2) AS openings,"
            " max(high) FILTER (WHERE metric = 21) AS counter FROM rollup GROUP BY bucket ORDER BY bucket"
        ).fetchall()

    # by quarter of an hour: three words of each device
    assert {row["readings"] for row in rows} == {6}
    # by local day, beside the readings' own dates
    openings = Counter(
        datetime.fromtimestamp(one.time / 1000, local).date() for one in said if one.metric == "open" and one.value
    )
    counter = {  # the last of each day
        datetime.fromtimestamp(one.time / 1000, local).date(): one.value for one in said if one.metric == "energy"
    }
    for offset in (-1, 0, 1):
        date_ = day + timedelta(days=offset)
        start, end = day_bounds(date_, zone)
        of_day = [row for row in rows if start <= row["bucket"] < end]
        assert sum(row["openings"] for row in of_day) == openings[date_]
        assert max(row["counter"] for row in of_day) == counter[date_]
        if offset == 0:
            assert len(of_day) == quarters
            cover = Coverage.of(of_day, start, end, now)
            assert (cover.minutes, cover.unseen) == (quarters * 15, [])

    # as the week shows it: nothing is "not seen", and the hour that comes twice counts twice
    week = {row.day: row for row in draw_week(rows, zone, now, 4)}
    assert week[day].unseen == []
    assert [hour for hour, cell in enumerate(week[day].cells) if cell is None] == skipped
    assert week[day].life == sum(row["life"] for row in rows if row["bucket"].astimezone(local).date() == day)


@pytest.mark.parametrize(("zone", "day", "quarters", "skipped"), NIGHTS)
def test_an_hour_that_could_not_be_seen_is_one_also_in_the_night_in_which_the_clocks_change(
    zone: str, day: date, quarters: int, skipped: list[int]
) -> None:
    """Nothing at all was measured: every hour that a clock showed is one that nobody saw."""
    now = datetime.combine(day + timedelta(days=1), time(1), ZoneInfo(zone)).astimezone(UTC)
    row = draw_week([], zone, now, 2)[0]
    assert row.day == day
    assert row.unseen == [hour for hour in range(24) if hour not in skipped]
    cover = Coverage.of([], *day_bounds(day, zone), now)
    assert [bar.length for bar in cover.unseen] == [quarters * 15]
