"""Whatever arrived, in whatever order: what ingest keeps is what the readings say; damage is found and mended."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.errors import NotFound
from core.model import Lane
from core.wire import VERSION, Batch, WireReading, encode, to_ms, up_topic
from ingest.arrays import register_arrays
from ingest.decode import Message, decode
from ingest.directory import Directory
from ingest.writer import Writer, drop_old_readings, prepare
from store.migrate import Edition, current_edition
from store.pool import Connection
from store.verify import verify
from tests.conftest import NOW, Database
from tests.integration.ingest.homes import register_homes

SESSION = UUID("12345678-1234-5678-1234-567812345678")
NOW_MS = to_ms(NOW)

readings = st.builds(
    lambda device, metric, minutes, value, flags: WireReading(
        device, metric, NOW_MS - minutes * 60_000, value, NOW_MS - minutes * 60_000 + 40, flags
    ),
    device=st.sampled_from(["zigbee2mqtt/door", "zigbee2mqtt/motion", "zigbee2mqtt/bed", "zigbee2mqtt/sos"]),
    metric=st.sampled_from(["open", "motion", "occupied", "sos", "power"]),
    minutes=st.integers(0, 20) | st.integers(0, 3000),
    value=st.sampled_from([0.0, 1.0]),
    flags=st.integers(0, 1),
) | st.builds(
    lambda minutes, value: WireReading("zigbee2mqtt/bed", "power", NOW_MS - minutes * 60_000, value, NOW_MS, 1),
    minutes=st.integers(0, 40),
    value=st.floats(-90_000, 90_000),
)  # fmt: skip
batches = st.lists(st.lists(readings, min_size=1, max_size=8), min_size=1, max_size=5)
# What arrives: (which batch, to which home the devices are moved before it, since when); a batch may come again.
arrivals = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["", "", "home-1", "home-2"]), st.integers(0, 60)),
    min_size=5,
    max_size=10,
)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    register_homes(database, homes=2)
    with database.connect() as connection:
        yield connection


def send(connection: Connection, seq: int, batch: list[WireReading], gateway: str = "gw-1") -> None:
    directory = Directory()
    directory.refresh(connection)
    message = Message(up_topic(gateway, Lane.BULK), encode(Batch(VERSION, SESSION, seq, batch)), False, 0, 0)
    register_arrays(connection)
    Writer().store(connection, prepare([decode(message, directory.gateway)], NOW), NOW + timedelta(seconds=1))


def move_devices(connection: Connection, home: str, minutes_ago: int = 0) -> None:
    """They are there since `minutes_ago`; what they measured before is of the home where they were."""
    connection.execute(
        "UPDATE device SET home_id = (SELECT id FROM home WHERE key = %s), placed_at = %s",
        [home, NOW - timedelta(minutes=minutes_ago)],
    )


def empty(connection: Connection) -> None:
    """Faster than a database of its own for each example."""
    connection.execute("TRUNCATE reading, ledger, rollup, device_state, urgent_event")
    connection.execute("UPDATE home_state SET life_at = NULL, life_device_id = NULL")
    connection.execute("UPDATE device SET home_id = (SELECT id FROM home WHERE key = 'home-1'), placed_at = NULL")
    connection.execute("TRUNCATE device_stay")


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=[Phase.generate]
)
@given(batches=batches, arrivals=arrivals)
def test_no_order_no_repetition_and_no_move_makes_a_difference(
    connection: Connection, batches: list[list[WireReading]], arrivals: list[tuple[int, str, int]]
) -> None:
    empty(connection)
    for seq, home, since in arrivals:
        if home:
            move_devices(connection, home, since)  # its past stays where it was
        send(connection, seq + 1, batches[seq % len(batches)])
    verdict = verify(connection, NOW)
    assert verdict.examples == []
    assert verdict.well
    assert verdict.ledger
    for home in ("home-1", "home-2"):
        assert verify(connection, NOW, home=home).examples == []
    assert verify(connection, NOW, days=1).examples == []


def minutes_ago(minutes: int, device: str = "door", metric: str = "open", value: float = 1.0) -> WireReading:
    moment = NOW_MS - minutes * 60_000
    return WireReading(f"zigbee2mqtt/{device}", metric, moment, value, moment, 1)


DAMAGE = {
    "a sum": ("UPDATE rollup SET n = n + 1 WHERE bucket = (SELECT min(bucket) FROM rollup)", "rollup"),
    "signs of life": ("UPDATE rollup SET life = 0 WHERE life > 0", "rollup"),
    "a total": ("UPDATE rollup SET total = total + 0.001", "rollup"),
    "a row of sums lost": ("DELETE FROM rollup WHERE bucket = (SELECT max(bucket) FROM rollup)", "rollup"),
    "sums of nothing": (
        "INSERT INTO rollup SELECT home_id, bucket, device_id, 30, n, life, ons, total, low, high FROM rollup",
        "rollup",
    ),
    "a last value": ("UPDATE device_state SET value = 1 - value", "device_state"),
    "a time in a hundred years": ("UPDATE device_state SET time = time + interval '100 years'", "device_state"),
    "when it was on": ("UPDATE device_state SET on_at = NULL", "device_state"),
    "when it was heard": ("UPDATE device_state SET received_at = received_at + interval '1 s'", "device_state"),
    "the home of a device": ("UPDATE device_state SET home_id = 2", "device_state"),
    "a lost state": ("DELETE FROM device_state", "device_state"),
    "a state of nothing": (
        "INSERT INTO device_state SELECT device_id, 30, home_id, time, 1, null, null, null, time FROM device_state",
        "device_state",
    ),
    "the last sign of life": ("UPDATE home_state SET life_at = life_at - interval '1 s'", "home_state"),
    "who saw it": ("UPDATE home_state SET life_device_id = 99 WHERE life_at IS NOT NULL", "home_state"),
    "life that never was": ("UPDATE home_state SET life_at = now(), life_device_id = 1 WHERE life_at IS NULL",
                            "home_state"),
}  # fmt: skip


def stored(connection: Connection) -> list[list[dict[str, object]]]:
    return [
        connection.execute("SELECT * FROM rollup ORDER BY 1, 2, 3, 4").fetchall(),
        connection.execute("SELECT * FROM device_state ORDER BY 1, 2").fetchall(),
        connection.execute("SELECT * FROM home_state ORDER BY 1").fetchall(),
    ]


@pytest.mark.parametrize("only_home", [None, "home-1"])
def test_each_damage_is_found_and_mended_and_nothing_else_is_touched(
    connection: Connection, only_home: str | None
) -> None:
    send(connection, 1, [minutes_ago(0), minutes_ago(20, value=0.0), minutes_ago(2000, "motion", "motion")])
    send(connection, 2, [minutes_ago(1, "bed", "power", 211.3), minutes_ago(2, "bed", "power", 0.7)])
    before = stored(connection)
    for name, (damage, what) in DAMAGE.items():
        if only_home and what == "home_state" and "never" in name:
            continue  # that damage is the other home's
        connection.execute(damage)
        found = verify(connection, NOW, home=only_home)
        if only_home is None or name not in ("the home of a device",):  # of one home alone: that device is not there
            assert found.differences.get(what), name
            assert not found.well, name
        mended = verify(connection, NOW, home=only_home if name != "the home of a device" else None, repair=True)
        assert mended.well, name
        assert verify(connection, NOW).examples == [], name
        assert stored(connection) == before, name


def test_a_reading_that_is_gone_or_there_twice_shows_in_the_ledger_and_cannot_be_invented(
    connection: Connection,
) -> None:
    for seq in range(1, 4):
        send(connection, seq, [minutes_ago(seq), minutes_ago(seq + 10)])
    ids = [row["id"] for row in connection.execute("SELECT id FROM ledger ORDER BY id")]
    connection.execute("DELETE FROM reading WHERE batch_id = %s", [ids[0]])
    connection.execute(
        "INSERT INTO reading SELECT home_id, device_id, %s, time, received_at, value, metric, flags FROM reading"
        " WHERE batch_id = %s", [ids[1], ids[1]],
    )  # fmt: skip
    verdict = verify(connection, NOW, repair=True)
    assert verdict.differences["ledger"] == 2
    assert not verdict.well  # the sums follow the readings that are there; the account stays open
    assert [example.detail for example in verdict.examples if example.what == "ledger"] == [
        f"batch {ids[0]}: 2 stored, 0 there", f"batch {ids[1]}: 2 stored, 4 there",
    ]  # fmt: skip


def test_what_retention_has_dropped_is_not_missed(connection: Connection) -> None:
    day = 24 * 60
    send(connection, 1, [minutes_ago(50 * day, "bed", "occupied"), minutes_ago(40 * day, value=0.0)])
    send(connection, 2, [minutes_ago(10), minutes_ago(5, "motion", "motion")])
    before = stored(connection)
    assert drop_old_readings(connection, NOW, timedelta(days=30)) > 0
    assert verify(connection, NOW).examples == []
    send(connection, 3, [minutes_ago(45 * day, "motion", "motion")])  # so late that its day was dropped
    verdict = verify(connection, NOW, repair=True)
    assert verdict.examples == []
    assert verdict.since is not None
    assert verdict.since < NOW - timedelta(days=29)
    connection.execute("UPDATE device_state SET value = 7")
    assert verify(connection, NOW, repair=True).differences == {"device_state": 2}
    assert stored(connection)[2] == before[2]
    states = connection.execute("SELECT off_at, value FROM device_state WHERE metric = 2").fetchall()
    assert states == [{"off_at": NOW - timedelta(days=40), "value": 1.0}]  # from a day that is gone, and kept


def test_a_day_whose_readings_are_all_gone_is_reported_and_its_sums_are_kept(connection: Connection) -> None:
    send(connection, 1, [minutes_ago(2000)])
    send(connection, 2, [minutes_ago(0)])
    before = stored(connection)[0]
    connection.execute("DELETE FROM reading WHERE time < %s", [NOW - timedelta(days=1)])
    connection.execute("UPDATE store_edition SET complete_from = %s", [NOW - timedelta(days=2)])
    if current_edition(connection) is Edition.PLAIN:  # by hand, past retention
        connection.execute(f"DROP TABLE reading_{NOW - timedelta(minutes=2000):%Y%m%d}")
    else:
        connection.execute("SELECT drop_chunks('reading', older_than => %s::timestamptz)", [NOW.date()])
    verdict = verify(connection, NOW, repair=True)
    assert verdict.differences["day_without_readings"] == 1
    assert not verdict.well
    assert stored(connection)[0] == before


def test_a_home_that_is_not_there_is_named(connection: Connection) -> None:
    with pytest.raises(NotFound, match="home-99"):
        verify(connection, NOW, home="home-99")


def test_the_bar_moves_to_its_end(connection: Connection) -> None:
    send(connection, 1, [minutes_ago(0), minutes_ago(2000)])
    steps: list[tuple[float, float]] = []
    verify(connection, NOW, advance=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (2, 2)


def test_the_command_ends_with_1_while_something_differs(connection: Connection, database: Database) -> None:
    send(connection, 1, [minutes_ago(0), minutes_ago(2000)])

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, "-m", "yiju", "store", "verify", *words], capture_output=True, text=True,
                              env={**os.environ, "YIJU_DATABASE_URL": database.url})  # fmt: skip

    assert run().returncode == 0
    connection.execute("UPDATE rollup SET n = 7")
    damaged = run("--json")
    found = json.loads(damaged.stdout)
    assert (damaged.returncode, found["well"], found["differences"]) == (1, False, {"rollup": 2})
    assert "rollup: 2 differ, 2 mended" in run("--repair", "--home", "home-1").stdout
    assert run("--days", "3").returncode == 0


def test_what_arrives_while_damage_is_mended_is_neither_lost_nor_counted_twice(
    connection: Connection, database: Database
) -> None:
    def keep_sending() -> None:
        with database.connect() as sender:
            for seq in range(1, 61):
                send(sender, seq, [minutes_ago(seq), minutes_ago(seq * 7, "bed", "power", seq / 3)])

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(keep_sending)
        while not sending.done():
            connection.execute("UPDATE rollup SET n = n + 1, life = 0")
            connection.execute("UPDATE device_state SET value = 5, on_at = NULL")
            verify(connection, NOW, repair=True)
        sending.result()
    verify(connection, NOW, repair=True)
    assert verify(connection, NOW).examples == []
    row = connection.execute("SELECT sum(n) AS n FROM rollup").fetchone()
    assert row == {"n": 120}
