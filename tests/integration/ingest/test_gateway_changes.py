"""A home that changes its gateway: the old box's late words and the new one's are stored once, where they belong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from care.register import apply_register, read_document
from core.model import Flag, Lane
from core.wire import VERSION, Batch, Direct, DirectReading, WireReading, direct_topic, encode, to_ms, up_topic
from ingest.arrays import register_arrays
from ingest.decode import Message, decode
from ingest.directory import Directory
from ingest.writer import Writer, prepare
from store.pool import Connection, DatabaseRole
from store.verify import verify
from tests.conftest import NOW, Database

OLD_BOX = UUID("11111111-1111-1111-1111-111111111111")
NEW_BOX = UUID("22222222-2222-2222-2222-222222222222")
SWAP = timedelta(minutes=30)  # before NOW the box was changed


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connect() as connection:
        register_arrays(connection)
        yield connection


def home(key: str, *gateways: str) -> dict[str, Any]:
    """A door and a bed at each of its gateways."""
    devices = (("t/door", "contact", "hall"), ("t/bed", "bed", "bedroom"))
    return {
        "key": key, "region": "d-1", "name": key, "commissioned": NOW - timedelta(days=9),
        "room": [{"key": "hall", "kind": "entry"}, {"key": "bedroom", "kind": "bedroom"}],
        "gateway": [{"key": gateway} for gateway in gateways],
        "device": [{"gateway": gateway, "address": address, "kind": kind, "room": room}
                   for gateway in gateways for address, kind, room in devices],
    }  # fmt: skip


def register(database: Database, now: datetime, *homes: dict[str, Any]) -> None:
    document = {"region": [{"key": "d-1", "name": "d", "level": "district"}], "home": list(homes)}
    with database.connect(DatabaseRole.REGISTER) as connection:
        apply_register(connection, read_document(document, "test"), "test", now)


def said(first: int, last: int) -> list[WireReading]:
    """The door flips each minute from `first` to `last` minutes before NOW."""
    times = [to_ms(NOW - timedelta(minutes=minutes)) for minutes in range(first, last, -1)]
    return [WireReading("t/door", "open", ms, float(ms // 60_000 % 2), ms, 1) for ms in times]


def send(connection: Connection, gateway: str, session: UUID, seq: int, readings: list[WireReading]) -> None:
    directory = Directory()
    directory.refresh(connection)
    message = Message(up_topic(gateway, Lane.BULK), encode(Batch(VERSION, session, seq, readings)), False, 0, 0)
    Writer().store(connection, prepare([decode(message, directory.gateway)], NOW), NOW)


def stored(connection: Connection) -> dict[tuple[str, str], list[int]]:
    """(home, gateway) -> minutes before NOW that were measured, oldest first."""
    found: dict[tuple[str, str], list[int]] = {}
    for row in connection.execute(
        "SELECT home.key AS home, gateway.key AS gateway, reading.time FROM reading"
        " JOIN home ON home.id = reading.home_id JOIN device ON device.id = reading.device_id"
        " JOIN gateway ON gateway.id = device.gateway_id"
        " ORDER BY reading.time"
    ):
        minutes = int((NOW - row["time"]).total_seconds() // 60)
        found.setdefault((row["home"], row["gateway"]), []).append(minutes)
    return found


def assert_sums_are_true(connection: Connection) -> None:
    assert verify(connection, NOW).examples == []
    for key in ("home-1", "home-2"):
        assert verify(connection, NOW, home=key).examples == []


def test_a_new_box_under_the_old_key_numbers_anew_and_the_old_ones_late_batches_still_count(
    database: Database, connection: Connection
) -> None:
    """The usual way: a new code for the same gateway. Both boxes number their batches 1, 2, 3 ..."""
    register(database, NOW - timedelta(days=1), home("home-1", "gw-1"), home("home-2", "gw-2"))
    old = [said(60, 50), said(50, 40), said(40, 30)]
    new = [said(30, 20), said(20, 10), said(10, 0)]
    send(connection, "gw-1", OLD_BOX, 1, old[0])
    for seq, batch in enumerate(new, start=1):
        send(connection, "gw-1", NEW_BOX, seq, batch)
    for seq in (3, 1, 2, 3, 2):  # the old box comes back from its drawer and sends all that was not acknowledged
        send(connection, "gw-1", OLD_BOX, seq, old[seq - 1])
    assert stored(connection) == {("home-1", "gw-1"): list(range(60, 0, -1))}
    row = connection.execute("SELECT count(*) AS n, max(time) AS time FROM device_state").fetchone()
    assert row == {"n": 1, "time": NOW - timedelta(minutes=1)}
    assert_sums_are_true(connection)


def test_a_box_that_goes_on_in_another_home_with_the_same_addresses_leaves_the_past_where_it_was(
    database: Database, connection: Connection
) -> None:
    """Half an hour ago home-1 got gw-3, and its gw-1 went to home-2, where the devices are called the same."""
    register(database, NOW - timedelta(days=1), home("home-1", "gw-1"), home("home-2", "gw-2"))
    send(connection, "gw-1", OLD_BOX, 1, said(60, 50))
    register(database, NOW - SWAP, home("home-1", "gw-3"), home("home-2", "gw-1"))
    send(connection, "gw-3", NEW_BOX, 1, said(29, 20))
    for seq, batch in ((4, said(15, 5)), (2, said(50, 40)), (3, said(40, 15)), (2, said(50, 40)), (4, said(15, 5))):
        send(connection, "gw-1", OLD_BOX, seq, batch)  # one batch of both homes, late ones, repeated ones
    send(connection, "gw-3", NEW_BOX, 2, said(20, 0))
    assert stored(connection) == {
        ("home-1", "gw-3"): [*range(60, 30, -1), *range(29, 0, -1)],  # through gw-1 until it was taken away
        ("home-2", "gw-1"): list(range(30, 5, -1)),
    }
    lives = connection.execute(
        "SELECT home.key, life_at FROM home_state JOIN home ON home.id = home_id ORDER BY home.key"
    ).fetchall()
    assert [row["life_at"] for row in lives] == [NOW - timedelta(minutes=1), NOW - timedelta(minutes=6)]
    assert_sums_are_true(connection)


def test_a_device_that_came_to_another_box_of_its_home_keeps_one_history(
    database: Database, connection: Connection
) -> None:
    """A new key: what the old gateway still brings of the time before is the same device's."""
    register(database, NOW - timedelta(days=1), home("home-1", "gw-1"), home("home-2", "gw-2"))
    send(connection, "gw-1", OLD_BOX, 1, said(60, 50))
    register(database, NOW - SWAP, home("home-1", "gw-3"))
    send(connection, "gw-3", NEW_BOX, 1, said(30, 0))
    for seq in (2, 1, 2):
        send(connection, "gw-1", OLD_BOX, seq, said(60, 50) if seq == 1 else said(50, 30))
    assert stored(connection) == {
        ("home-1", "gw-3"): list(range(60, 0, -1)),
    }
    by_device = connection.execute("SELECT device_id, sum(n) AS n FROM rollup GROUP BY 1").fetchall()
    assert [row["n"] for row in by_device] == [60]
    assert_sums_are_true(connection)


def test_a_cry_for_help_that_the_old_box_still_held_is_of_the_home_where_it_was_pressed(
    database: Database, connection: Connection
) -> None:
    register(database, NOW - timedelta(days=1), home("home-1", "gw-1"), home("home-2", "gw-2"))
    register(database, NOW - SWAP, home("home-1", "gw-3"), home("home-2", "gw-1"))
    pressed = to_ms(NOW - timedelta(minutes=31))
    send(connection, "gw-1", OLD_BOX, 1, [WireReading("t/bed", "sos", pressed, 1.0, pressed, 1)])
    row = connection.execute("SELECT home.key FROM urgent_event JOIN home ON home.id = home_id").fetchone()
    assert row == {"key": "home-1"}


@pytest.mark.parametrize(
    ("pressed", "flags"),
    [(datetime(1970, 1, 2, tzinfo=UTC), Flag.CHANGED), (NOW - timedelta(hours=3), Flag.CHANGED | Flag.UNSURE)],
    ids=["a clock that cannot be", "a clock that nobody is sure of"],
)
def test_a_cry_for_help_by_a_wrong_clock_is_of_the_home_where_the_button_is_now(
    database: Database, connection: Connection, pressed: datetime, flags: Flag
) -> None:
    """It is taken for one of now, and now the button is in the home to which its box went."""
    register(database, NOW - timedelta(days=1), home("home-1", "gw-1"))
    register(database, NOW - SWAP, home("home-2", "gw-1"))
    ms = to_ms(pressed)
    send(connection, "gw-1", NEW_BOX, 1, [WireReading("t/bed", "sos", ms, 1.0, ms, int(flags))])
    row = connection.execute("SELECT home.key, time FROM urgent_event JOIN home ON home.id = home_id").fetchone()
    assert row == {"key": "home-2", "time": NOW}
    assert_sums_are_true(connection)


def test_what_a_direct_device_without_a_clock_says_is_of_the_home_where_it_is_now(
    database: Database, connection: Connection
) -> None:
    def one(key: str) -> dict[str, Any]:
        return {
            "key": key, "region": "d-1", "name": key, "commissioned": NOW - timedelta(days=9),
            "gateway": [{"key": "nb-1"}],
            "device": [{"gateway": "nb-1", "address": "direct/self", "kind": "contact"}],
        }  # fmt: skip

    register(database, NOW - timedelta(days=1), one("home-1"))
    register(database, NOW - SWAP, one("home-2"))
    directory = Directory()
    directory.refresh(connection)
    said = Direct(VERSION, [DirectReading("open", 1.0, changed=1)], seq=1)
    message = Message(direct_topic("nb-1"), encode(said), False, 0, 0)
    Writer().store(connection, prepare([decode(message, directory.gateway)], NOW), NOW)
    rows = connection.execute("SELECT home.key, time FROM reading JOIN home ON home.id = home_id").fetchall()
    assert rows == [{"key": "home-2", "time": NOW}]
