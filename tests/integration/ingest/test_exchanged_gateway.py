"""An old box with three devices, a new one with a new key: one history, nothing lost, doubled or alarming.

And two boxes that hear the same device: it is with one of them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from alerts.engine import tick
from care.register import apply_register, read_document
from core.errors import Reason
from core.metrics import BY_NAME
from core.model import Lane
from core.wire import VERSION, Batch, Status, WireReading, encode, status_topic, to_ms, up_topic
from ingest.arrays import register_arrays
from ingest.decode import Message, decode
from ingest.directory import Directory
from ingest.writer import Writer, prepare
from store.pool import Connection, DatabaseRole
from store.verify import verify
from tests.conftest import NOW, Database
from yiju.accounts import AccountsWatch
from yiju.rejected import Which, retry_all

DEVICES = (("z/door", "contact", "open"), ("z/motion", "motion", "motion"), ("z/sos", "sos", "battery"))
SWAP = NOW - timedelta(hours=6)  # the old box was unplugged, the new one plugged in
IMPORTED = SWAP + timedelta(hours=2)  # somebody wrote it down
SESSIONS = {"gw-old": UUID(int=1), "gw-new": UUID(int=2)}


def home(*gateways: dict[str, Any], of: str) -> dict[str, Any]:
    return {
        "key": "home-1", "region": "d-1", "name": "王奶奶家", "commissioned": NOW - timedelta(days=9),
        "gateway": list(gateways),
        "device": [{"gateway": of, "address": address, "kind": kind, "exterior": kind == "contact"}
                   for address, kind, _ in DEVICES],
    }  # fmt: skip


class Story:
    """A platform, told what the boxes send and what is registered."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self.database = database
        self.ingest = connection
        self.seq = 0

    def register(self, now: datetime, entry: dict[str, Any]) -> None:
        document = {"region": [{"key": "d-1", "name": "d", "level": "district"}], "home": [entry]}
        with self.database.connect(DatabaseRole.REGISTER) as connection:
            apply_register(connection, read_document(document, "test"), "test", now)

    def send(self, gateway: str, now: datetime, *readings: WireReading) -> None:
        self.seq += 1
        lane = Lane.URGENT if any(BY_NAME[reading.metric].urgent for reading in readings) else Lane.BULK
        batch = encode(Batch(VERSION, SESSIONS[gateway], self.seq, list(readings)))
        self._store(Message(up_topic(gateway, lane), batch, False, 0, 0), now)

    def status(self, gateway: str, now: datetime, online: bool) -> None:
        message = Message(status_topic(gateway), encode(Status(VERSION, online)), False, 0, 0)
        directory = Directory()
        directory.refresh(self.ingest)
        Writer().put_statuses(self.ingest, [decode(message, directory.gateway)], now)

    def _store(self, message: Message, now: datetime) -> None:
        directory = Directory()
        directory.refresh(self.ingest)
        Writer().store(self.ingest, prepare([decode(message, directory.gateway)], now), now)

    def speak(self, gateway: str, since: datetime, until: datetime) -> None:
        """Every ten minutes each device says something, and the box of itself; sent at once."""
        moment = since
        while moment < until:
            ms = to_ms(moment)
            said = [WireReading(address, metric, ms, float(moment.minute // 10 % 2), ms, 1)
                    for address, _, metric in DEVICES]  # fmt: skip
            self.send(gateway, moment, *said, WireReading("gateway", "uptime", ms, 60.0, ms, 0))
            moment += timedelta(minutes=10)

    def rows(self, sql: Any, *values: Any) -> list[Any]:
        with self.database.connect() as connection:
            return connection.execute(sql, values).fetchall()

    def tick(self, now: datetime) -> list[tuple[str, str]]:
        """The alerts, (kind, state), after a look."""
        with self.database.connect(DatabaseRole.ALERTS, autocommit=False) as connection:
            tick(connection, now)
        return [(row["kind"], row["state"]) for row in self.rows("SELECT kind, state FROM alert ORDER BY id")]

    def rejected(self) -> dict[str, int]:
        return {row["reason"]: row["n"] for row in
                self.rows("SELECT reason, sum(readings)::int AS n FROM rejected GROUP BY 1")}  # fmt: skip


@pytest.fixture
def story(database: Database) -> Iterator[Story]:
    with database.connect(DatabaseRole.INGEST) as connection:
        register_arrays(connection)
        yield Story(database, connection)


def press(at: datetime) -> WireReading:
    return WireReading("z/sos", "sos", to_ms(at), 1.0, to_ms(at), 1)


def test_the_devices_of_an_exchanged_box_have_one_history_and_nothing_alarms(story: Story) -> None:
    story.register(NOW - timedelta(days=2), home({"key": "gw-old", "password_hash": "x"}, of="gw-old"))
    begin = SWAP - timedelta(hours=6)
    story.status("gw-old", begin, True)
    story.speak("gw-old", begin, SWAP - timedelta(minutes=30))
    # Unplugged; what it held of the last half hour comes when it is plugged in once more on the table, later on.
    story.status("gw-old", SWAP, False)
    assert story.tick(SWAP + timedelta(hours=1)) == [("gateway_offline", "open")]
    # The new box is enrolled (an import that names it only), and sends before its devices are written down.
    story.register(SWAP, home({"key": "gw-old"}, {"key": "gw-new", "password_hash": "y"}, of="gw-old"))
    story.status("gw-new", SWAP, True)
    story.speak("gw-new", SWAP, IMPORTED)
    held = story.rejected()
    assert held == {Reason.OTHER_GATEWAY: 3 * 12}
    story.register(IMPORTED, home({"key": "gw-old", "ended": SWAP}, {"key": "gw-new"}, of="gw-new"))
    accounts = AccountsWatch(story.database.url)
    assert accounts.changes() == {"gw-new": "y"}
    accounts.close()
    with story.database.connect() as connection:
        retry_all(connection, Which(), IMPORTED)
    story.speak("gw-old", SWAP - timedelta(minutes=30), SWAP + timedelta(minutes=10))  # the last is after its end
    story.speak("gw-new", IMPORTED, NOW)
    assert story.rejected() == {Reason.ENDED: 1, Reason.OTHER_GATEWAY: 3}
    found = story.rows(
        "SELECT device.address, count(*) AS n, count(DISTINCT time) AS times, min(time) AS first, max(time) AS last"
        " FROM reading JOIN device ON device.id = device_id WHERE address <> 'gateway' GROUP BY device.id ORDER BY 1"
    )
    last = NOW - timedelta(minutes=10)
    assert [tuple(row.values()) for row in found] == [
        (address, 72, 72, begin, last) for address in ("z/door", "z/motion", "z/sos")
    ]
    assert story.tick(last + timedelta(minutes=5)) == [("gateway_offline", "resolved")]
    assert story.tick(NOW + timedelta(days=1)) == [  # the new box alone is missed then
        ("gateway_offline", "resolved"), ("gateway_offline", "open"),
    ]  # fmt: skip
    with story.database.connect() as connection:
        assert verify(connection, NOW).examples == []


def test_alerts_about_what_was_taken_away_end_by_themselves_and_come_back_with_it(story: Story) -> None:
    story.register(NOW - timedelta(days=9), home({"key": "gw-old"}, of="gw-old"))
    story.status("gw-old", NOW - timedelta(days=3), True)
    story.speak("gw-old", NOW - timedelta(days=3), NOW - timedelta(days=3) + timedelta(hours=1))
    for minutes in range(0, 60, 10):
        at = NOW - timedelta(minutes=50 - minutes)
        ms = to_ms(at)
        story.send("gw-old", at, WireReading("z/door", "open", ms, 1.0, ms, 1),
                   WireReading("gateway", "uptime", ms, 60.0, ms, 0))  # fmt: skip
    silent = [alert for alert in story.tick(NOW) if alert[0] == "device_silent"]
    assert silent == [("device_silent", "open")] * 2
    without = home({"key": "gw-old"}, of="gw-old")
    for device in without["device"][1:]:
        device["ended"] = NOW - timedelta(days=2)
    story.register(NOW, without)
    assert not [state for kind, state in story.tick(NOW) if kind == "device_silent" and state != "resolved"]
    story.register(NOW, home({"key": "gw-old"}, of="gw-old"))  # the file was wrong: they are still there
    assert story.tick(NOW + timedelta(minutes=1)).count(("device_silent", "open")) == 2


def test_of_two_boxes_that_hear_a_device_the_one_that_has_it_is_believed(story: Story) -> None:
    story.register(NOW - timedelta(days=2), home({"key": "gw-old"}, {"key": "gw-new"}, of="gw-old"))
    at = NOW - timedelta(minutes=5)
    opened = WireReading("z/door", "open", to_ms(at), 1.0, to_ms(at), 1)
    story.send("gw-old", at, opened)
    story.send("gw-new", at, opened)
    assert story.rows("SELECT count(*)::int AS n FROM reading") == [{"n": 1}]
    (row,) = story.rows("SELECT reason, detail FROM rejected")
    assert row == {"reason": "other_gateway",
                   "detail": "z/door was with another gateway of its home; it is with gw-old now"}  # fmt: skip


def test_a_cry_for_help_through_the_other_box_is_heard_and_rings_once(story: Story) -> None:
    """Which of two boxes is the one that lives, nobody knows better than the one that brings the press."""
    story.register(NOW - timedelta(days=2), home({"key": "gw-old"}, {"key": "gw-new"}, of="gw-old"))
    story.send("gw-new", NOW, press(NOW))
    story.send("gw-old", NOW, press(NOW + timedelta(milliseconds=300)))
    assert story.tick(NOW) == [("sos", "open")]
    assert story.rows("SELECT occurrences FROM alert") == [{"occurrences": 1}]
    assert not story.rejected()


def test_a_button_that_was_taken_away_calls_nobody_after_its_end(story: Story) -> None:
    ended = home({"key": "gw-old"}, of="gw-old")
    ended["device"][2]["ended"] = NOW - timedelta(hours=1)
    story.register(NOW, ended)
    story.send("gw-old", NOW, press(NOW))
    story.send("gw-old", NOW, press(NOW + timedelta(days=400)))  # a box whose clock is wrong
    assert story.rejected() == {Reason.ENDED: 1, Reason.IN_THE_FUTURE: 1}
    assert story.tick(NOW) == []
