"""Whatever the order, the repetition and the batching: the tables hold each reading once, and what follows from it."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from care.register import apply_register, read_document
from core.model import Flag, Lane
from core.wire import VERSION, Batch, WireReading, encode, to_ms, up_topic
from ingest.arrays import register_arrays
from ingest.decode import Decoded, Message, decode
from ingest.directory import Directory, KnownDevice, KnownGateway
from ingest.screen import screen
from ingest.writer import Writer, drop_old_readings, prepare
from store.pool import Connection, DatabaseRole
from tests.conftest import NOW, Database
from tests.integration.ingest.homes import register_homes
from tests.oracles.rollups import Slow

SESSION = UUID("12345678-1234-5678-1234-567812345678")
NOW_MS = to_ms(NOW)

readings = st.builds(
    lambda device, metric, minutes, value, flags: WireReading(
        device, metric, NOW_MS - minutes * 60_000, float(value), NOW_MS - minutes * 60_000 + 40, flags
    ),
    device=st.sampled_from(["zigbee2mqtt/door", "zigbee2mqtt/motion", "zigbee2mqtt/bed"]),
    metric=st.sampled_from(["open", "motion", "occupied"]),
    minutes=st.integers(0, 3000),
    value=st.integers(0, 1),
    flags=st.integers(0, 1),
)
batches = st.lists(st.lists(readings, min_size=1, max_size=8), min_size=1, max_size=6)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    register_homes(database, homes=1)
    with database.connect(DatabaseRole.INGEST) as connection:
        register_arrays(connection)
        yield connection


def message(seq: int, batch: list[WireReading], gateway: str = "gw-1") -> Message:
    return Message(up_topic(gateway, Lane.BULK), encode(Batch(VERSION, SESSION, seq, batch)), False, 0, 0)


def store(connection: Connection, *messages: Message) -> int:
    directory = Directory()
    directory.refresh(connection)
    work = [decode(message, directory.gateway) for message in messages]
    return Writer().store(connection, prepare(work, NOW), NOW + timedelta(seconds=1))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=batches, data=st.data())
def test_any_order_and_any_repetition_end_in_the_same_tables(
    connection: Connection, batches: list[list[WireReading]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations([*range(len(batches)), *range(len(batches))]))
    cuts = data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))
    with connection.transaction(force_rollback=True):
        pending: list[Message] = []
        for seq, cut in zip(order, cuts, strict=True):
            pending.append(message(seq + 1, batches[seq]))
            if cut:
                store(connection, *pending)
                pending = []
        store(connection, *pending)
        assert_tables_follow(connection, sum(len(batch) for batch in batches))


def assert_tables_follow(connection: Connection, sent: int) -> None:
    slow = Slow()
    count = 0
    for row in connection.execute("SELECT * FROM reading"):
        count += 1
        slow.add(row["home_id"], row["device_id"], to_ms(row["time"]), to_ms(row["received_at"]), row["value"],
                 row["metric"], row["flags"])  # fmt: skip
    assert count == sent
    rollup = {
        (row.pop("home_id"), to_ms(row.pop("bucket")), row.pop("device_id"), row.pop("metric")): row
        for row in connection.execute("SELECT * FROM rollup")
    }
    assert rollup == slow.rollup
    device = {
        (row["device_id"], row["metric"]): {
            name: to_ms(row[name]) if row[name] and name != "value" else row[name]
            for name in ("time", "value", "on_at", "off_at", "changed_at", "received_at")
        }
        for row in connection.execute("SELECT * FROM device_state")
    }
    assert device == slow.device
    life = {
        row["home_id"]: (to_ms(row["life_at"]), row["life_device_id"])
        for row in connection.execute("SELECT * FROM home_state WHERE life_at IS NOT NULL")
    }
    assert life == slow.life


def test_a_batch_delivered_again_changes_nothing(connection: Connection) -> None:
    batch = message(1, [WireReading("zigbee2mqtt/door", "open", NOW_MS, 1.0, NOW_MS, 1)])
    assert store(connection, batch) == 1
    assert store(connection, batch, batch) == 0
    assert connection.execute("SELECT count(*) AS n FROM reading").fetchone() == {"n": 1}


def test_a_press_makes_an_urgent_event_each_time_and_a_repeated_state_only_one(connection: Connection) -> None:
    def sos(seq: int, minute: int) -> Message:
        return message(seq, [WireReading("zigbee2mqtt/sos", "sos", NOW_MS - minute * 60_000, 1.0, NOW_MS, 0)])

    def smoke(seq: int, minute: int, value: float, flags: int) -> Message:
        return message(seq, [WireReading("zigbee2mqtt/smoke", "smoke", NOW_MS - minute * 60_000, value, NOW_MS, flags)])

    store(connection, sos(1, 9), sos(2, 8))
    store(connection, smoke(3, 7, 1.0, 0))  # the first word of a detector that nobody knew before
    store(connection, smoke(4, 6, 1.0, 0))  # and again, an hourly report
    store(connection, smoke(5, 5, 0.0, 1), smoke(6, 4, 1.0, 1))  # it cleared, and began anew
    rows = connection.execute("SELECT metric, count(*) AS n FROM urgent_event GROUP BY 1 ORDER BY 1").fetchall()
    assert rows == [{"metric": 6, "n": 2}, {"metric": 7, "n": 2}]


def test_a_wrong_reading_is_rejected_alone_with_its_reason_and_its_bytes(connection: Connection) -> None:
    day = 86_400_000
    good = WireReading("zigbee2mqtt/door", "open", NOW_MS, 1.0, NOW_MS, 1)
    wrong = {
        "unknown_device": WireReading("zigbee2mqtt/nobody's", "open", NOW_MS, 1.0, NOW_MS),
        "unknown_metric": WireReading("zigbee2mqtt/door", "happiness", NOW_MS, 1.0, NOW_MS),
        "not_a_number": WireReading("zigbee2mqtt/door", "open", NOW_MS, 7.0, NOW_MS),
        "too_early": WireReading("zigbee2mqtt/door", "open", 1000, 1.0, NOW_MS),
        "in_the_future": WireReading("zigbee2mqtt/door", "open", NOW_MS + 27_000 * day, 1.0, NOW_MS),
    }
    assert store(connection, message(1, [good, *wrong.values()])) == 1
    rows = connection.execute("SELECT reason, readings, payload FROM rejected").fetchall()
    assert {row["reason"] for row in rows} == set(wrong)
    for row in rows:
        assert row["readings"] == 1
        assert wrong[row["reason"]].device in row["payload"].decode()
    ledger = connection.execute("SELECT readings, rejected FROM ledger").fetchone()
    assert ledger == {"readings": 6, "rejected": 5}


def test_a_batch_that_comes_twice_at_once_is_rejected_once(connection: Connection) -> None:
    wrong = message(1, [WireReading("zigbee2mqtt/nobody's", "open", NOW_MS, 1.0, NOW_MS)])
    store(connection, wrong, wrong)
    store(connection, wrong)
    assert connection.execute("SELECT count(*) AS n FROM rejected").fetchone() == {"n": 1}


def test_retention_drops_old_days_and_a_clock_that_jumped_ahead_drops_nothing_young(connection: Connection) -> None:
    day = 86_400_000
    old, young = (WireReading("zigbee2mqtt/door", "open", NOW_MS - age * day, 1.0, NOW_MS, 1) for age in (40, 1))
    store(connection, message(1, [old, young]))
    keep = timedelta(days=30)
    assert drop_old_readings(connection, NOW + timedelta(days=27_000), keep) >= 1
    rows = connection.execute("SELECT time FROM reading").fetchall()
    assert [to_ms(row["time"]) for row in rows] == [NOW_MS - day]
    assert drop_old_readings(connection, NOW, keep) == 0


@pytest.mark.parametrize("time", [0, NOW_MS + 3_600_000, -(2**62)])
def test_a_cry_for_help_from_a_home_with_a_wrong_clock_is_one_of_now(connection: Connection, time: int) -> None:
    store(connection, message(1, [WireReading("zigbee2mqtt/sos", "sos", time, 1.0, time, 0)]))
    row = connection.execute("SELECT time, flags FROM reading").fetchone()
    assert row is not None
    assert (to_ms(row["time"]), row["flags"] & Flag.RESTAMPED) == (NOW_MS, Flag.RESTAMPED)
    assert connection.execute("SELECT time FROM urgent_event").fetchone() == {"time": NOW}


def test_a_button_that_says_that_it_was_let_go_rings_once_a_press(connection: Connection) -> None:
    """Some devices send `sos: true` with every battery report until they are let go."""

    def said(seq: int, minute: int, value: float, flags: int) -> Message:
        return message(seq, [WireReading("zigbee2mqtt/sos", "sos", NOW_MS - minute * 60_000, value, NOW_MS, flags)])

    for step in (said(1, 9, 0.0, 0), said(2, 8, 1.0, 1), said(3, 7, 1.0, 0), said(4, 6, 0.0, 1), said(5, 5, 1.0, 1)):
        store(connection, step)
    assert connection.execute("SELECT count(*) AS n FROM urgent_event").fetchone() == {"n": 2}


def test_a_device_that_changed_its_home_leaves_its_past_where_it_was_also_what_comes_late(
    database: Database, connection: Connection
) -> None:
    register_homes(database, homes=2)
    moved_at = NOW - timedelta(minutes=30)
    door = "zigbee2mqtt/door"
    before, late, after = (
        WireReading(door, "open", NOW_MS - minutes * 60_000, 1.0, NOW_MS, 1) for minutes in (60, 45, 10)
    )
    store(connection, message(1, [before]))
    document = {"home": [{"key": "home-2", "region": "d-1", "name": "第2家", "commissioned": NOW - timedelta(days=60),
                          "device": [{"gateway": "gw-1", "address": door, "kind": "contact"},
                                     {"gateway": "gw-2", "address": door, "kind": "contact", "ended": moved_at}],
                          }]}  # fmt: skip
    with database.connect(DatabaseRole.REGISTER) as register:
        apply_register(register, read_document(document, "test"), "test", moved_at)
    store(connection, message(2, [late, after]))
    rows = connection.execute(
        "SELECT home.key, reading.time FROM reading JOIN home ON home.id = reading.home_id ORDER BY time"
    ).fetchall()
    assert [(row["key"], to_ms(row["time"])) for row in rows] == [
        ("home-1", before.time),
        ("home-1", late.time),
        ("home-2", after.time),
    ]
    life = connection.execute("SELECT home.key, life_at FROM home_state JOIN home ON home.id = home_id ORDER BY key")
    assert [(row["key"], to_ms(row["life_at"])) for row in life] == [("home-1", late.time), ("home-2", after.time)]


any_reading = st.builds(
    WireReading,
    device=st.sampled_from(["zigbee2mqtt/door", "zigbee2mqtt/sos", "zigbee2mqtt/nobody's"]),
    metric=st.sampled_from(["open", "sos", "happiness", "temperature"]),
    time=st.one_of(st.integers(NOW_MS - 100 * 86_400_000, NOW_MS + 86_400_000), st.integers(-(2**70), 2**70)),
    value=st.one_of(st.floats(allow_nan=True), st.sampled_from([0.0, 1.0])),
    received=st.one_of(st.just(NOW_MS), st.integers(-(2**66), 2**66)),
    flags=st.integers(0, 1),
)


@settings(deadline=None)
@given(batch=st.lists(any_reading, max_size=20))
def test_readings_looked_at_together_are_judged_as_each_of_them_alone(batch: list[WireReading]) -> None:
    """Whatever is sent is either stored or refused, and for the same reason in any company."""
    devices = {name: KnownDevice(number, 1, NOW_MS - 60 * 86_400_000)
               for number, name in enumerate(("zigbee2mqtt/door", "zigbee2mqtt/sos"), start=1)}  # fmt: skip
    gateway = KnownGateway(1, 1, devices)

    def judged(*readings: WireReading) -> tuple[int, dict[str, int]]:
        work = Decoded(message(1, []), "gw-1", gateway, (SESSION, Lane.BULK, 1), readings=readings, sent=len(readings))
        screened = screen([work], NOW_MS)
        return len(screened.readings), {each.reason: each.readings for each in screened.refused.get(0, [])}

    stored, refused = judged(*batch)
    assert stored + sum(refused.values()) == len(batch)
    alone = [judged(reading) for reading in batch]
    assert stored == sum(one for one, _ in alone)
    assert refused == {reason: sum(each.get(reason, 0) for _, each in alone) for reason in refused}
