"""One person's rows vanish everywhere, as the whole dump shows, and everybody else's stay as they were."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from care.register import apply_register, read_document
from core.errors import Conflict, NotFound
from core.model import Lane
from core.wire import VERSION, Batch, WireReading, encode, to_ms, up_topic
from ingest.arrays import register_arrays
from ingest.decode import Message, decode
from ingest.directory import Directory
from ingest.writer import Writer, prepare
from store.erase import erase
from store.pool import Connection, DatabaseRole
from store.verify import verify
from tests.conftest import NOW, Database
from yiju.embedded.postgres import binary

NOW_MS = to_ms(NOW)
LATER = NOW + timedelta(hours=1)  # the gateways are silent by then


def home(name: str, *residents: str) -> dict[str, object]:
    """A home whose every word is its own."""
    return {
        "key": f"home-{name}", "region": "d-1", "name": f"{name}的家", "address": f"{name}路7号",
        "commissioned": NOW - timedelta(days=60),
        "room": [{"key": f"room-{name}", "kind": "living", "name": f"{name}的客厅"}],
        "resident": [{"key": f"resident-{who}", "name": f"{who}奶奶", "phone": f"+86-{who}"} for who in residents],
        "gateway": [{"key": f"gw-{name}", "password_hash": f"$7${name}"}],
        "device": [{"gateway": f"gw-{name}", "address": f"zigbee2mqtt/{name}的门", "kind": "contact",
                    "room": f"room-{name}", "exterior": True}],
    }  # fmt: skip


DOCUMENT = {
    "region": [{"key": "d-1", "name": "示范区", "level": "district"}],
    "home": [home("meihua", "zhangsan"), home("juhua", "lisi", "wangwu")],
    "person": [
        {"key": "worker", "name": "社工", "login": "worker", "password": "secret secret",
         "grant": [{"role": "worker", "region": "d-1"}]},
        {"key": "daughter-meihua", "name": "meihua女儿", "phone": "+86-meihua", "login": "meihua",
         "password": "secret secret", "consent": [{"home": "home-meihua", "relation": "女儿"}]},
        {"key": "son-of-both", "name": "儿子", "phone": "+86-both",
         "consent": [{"home": "home-meihua", "relation": "儿子"}, {"home": "home-juhua", "relation": "侄子"}]},
    ],
}  # fmt: skip


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connect(DatabaseRole.REGISTER) as register:
        apply_register(register, read_document(DOCUMENT, "test"), "test", NOW)
    with database.connect() as connection:
        for name in ("meihua", "juhua"):
            fill(connection, name)
        yield connection


def fill(connection: Connection, name: str) -> None:
    """Something of this home in every table that can hold it."""
    send(connection, name, 1, [("door", 5), ("door", 200)])
    send(connection, name, 2, [("nobody", 4)])  # ends in `rejected`
    asked = {"home": f"home-{name}", "now": NOW, "said": f"{name}奶奶",
             "json": json.dumps({"who": f"{name}奶奶"})}  # fmt: skip
    for statement in (
        "INSERT INTO alert (home_id, kind, severity, dedup_key, message, parameters, began_at, opened_at, last_at,"
        " ack_by, note) SELECT home.id, 'fall', 'urgent', 'v1:fall:' || home.id, 'm', %(json)s, %(now)s, %(now)s,"
        " %(now)s, person.id, %(said)s FROM home, person WHERE home.key = %(home)s AND person.key = 'worker'",
        "INSERT INTO alert_event (alert_id, at, person_id, what, details) SELECT alert.id, %(now)s, person.id,"
        " 'acknowledged', %(json)s FROM alert JOIN home ON home.id = home_id, person"
        " WHERE home.key = %(home)s AND person.key IN ('worker', 'son-of-both')",
        "INSERT INTO delivery (alert_id, rung, person_id, channel, created_at) SELECT alert.id, 1, person.id,"
        " 'mailto://' || %(said)s, %(now)s FROM alert JOIN home ON home.id = home_id, person"
        " WHERE home.key = %(home)s AND person.key = 'son-of-both'",
        "INSERT INTO delivery_attempt (delivery_id, at, ok, reason, detail)"
        " SELECT delivery.id, %(now)s, true, 'sent', %(said)s FROM delivery JOIN alert ON alert.id = alert_id"
        " JOIN home ON home.id = home_id WHERE home.key = %(home)s",
        "INSERT INTO audit (at, person_id, home_id, what) SELECT %(now)s, person.id, home.id, 'read.home'"
        " FROM home, person WHERE home.key = %(home)s AND person.key IN ('worker', 'son-of-both')",
        "INSERT INTO profile SELECT id, 1, %(now)s, %(json)s FROM home WHERE key = %(home)s",
        "INSERT INTO muted_finding SELECT 'v1:x:' || id, id, 'x', %(said)s, %(now)s, %(now)s FROM home"
        " WHERE key = %(home)s",
        "INSERT INTO urgent_event (home_id, device_id, metric, time, value, stored_at) SELECT home_id, id, 6, %(now)s,"
        " 1, %(now)s FROM device WHERE address LIKE '%%" + name + "%%'",
        "INSERT INTO gateway_status SELECT gateway.id, true, %(now)s, %(now)s FROM gateway JOIN home"
        " ON home.id = home_id WHERE home.key = %(home)s ON CONFLICT DO NOTHING",
        "INSERT INTO care_visit (home_id, carer_id, began_at, found, note, logged_at)"
        " SELECT home.id, person.id, %(now)s, 'well', %(said)s, %(now)s FROM home, person"
        " WHERE home.key = %(home)s AND person.key = 'worker'",
        "INSERT INTO login_session SELECT sha256(person.key::bytea), id, 'page', %(now)s, %(now)s FROM person"
        " WHERE key LIKE '%%" + name + "'",
    ):
        connection.execute(statement, asked)


def send(connection: Connection, name: str, seq: int, readings: list[tuple[str, int]]) -> None:
    address = {"door": f"zigbee2mqtt/{name}的门"}
    directory = Directory()
    directory.refresh(connection)
    batch = Batch(VERSION, UUID(int=7), seq, [
        WireReading(address.get(device, f"zigbee2mqtt/{name}的{device}"), "open", NOW_MS - minutes * 60_000, 1.0,
                    NOW_MS, 1) for device, minutes in readings])  # fmt: skip
    message = Message(up_topic(f"gw-{name}", Lane.BULK), encode(batch), False, 0, 0)
    register_arrays(connection)
    Writer().store(connection, prepare([decode(message, directory.gateway)], NOW), NOW)


def dump(database: Database) -> str:
    """Everything that the database holds, as pg_dump writes it; bytes (bytea) as the text that they are."""
    said = subprocess.run(
        [binary("pg_dump"), "--inserts", "--restrict-key=same", database.url], capture_output=True, check=True
    )
    text = said.stdout.decode()
    with database.connect() as connection:
        payloads = connection.execute("SELECT payload FROM rejected").fetchall()
    return text + "".join(bytes(row["payload"]).decode() for row in payloads)


def test_a_resident_who_lived_alone_vanishes_from_the_whole_dump_and_the_others_stay(
    connection: Connection, database: Database
) -> None:
    before = dump(database)
    words = ("meihua", "zhangsan")
    for word in words:
        assert word in before
    ids = [row["id"] for row in connection.execute("SELECT id FROM home ORDER BY key")]  # juhua, meihua
    others = of_home(connection, ids[0])
    planned = erase(connection, LATER, resident="resident-zhangsan", dry_run=True)
    assert dump(database) == before  # nothing happened yet
    erased = erase(connection, LATER, resident="resident-zhangsan", dry_run=False)
    assert erased.removed == planned.removed
    after = dump(database)
    for word in words:
        assert word not in after
    for word in ("juhua", "lisi", "wangwu", "社工", "+86-both", "示范区"):
        assert after.count(word) == before.count(word), word
    assert of_home(connection, ids[1]) == {}
    assert of_home(connection, ids[0]) == others
    assert verify(connection, NOW).examples == []
    expected = {"home", "room", "resident", "gateway", "device", "person", "consent", "login_session", "audit",
                "ledger", "rejected", "reading", "rollup", "device_state", "home_state", "gateway_status",
                "urgent_event", "alert", "alert_event", "muted_finding", "delivery", "delivery_attempt",
                "profile", "care_visit"}  # fmt: skip
    assert expected <= set(erased.removed)


def of_home(connection: Connection, home_id: int) -> dict[str, list[object]]:
    """All rows that say that they are of that home."""
    tables = connection.execute(
        "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'home_id'"
        " WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    found = {}
    for row in tables:
        rows = connection.execute(
            f"SELECT to_jsonb(t) AS row FROM {row['relname']} t WHERE home_id = %s ORDER BY 1", [home_id]
        )
        found[row["relname"]] = [one["row"] for one in rows]
    return {table: rows for table, rows in found.items() if rows}


def test_of_two_residents_one_goes_and_the_homes_data_stay_the_others(
    connection: Connection, database: Database
) -> None:
    home_id = connection.execute("SELECT home_id FROM resident WHERE key = 'resident-lisi'").fetchone()
    assert home_id
    before = of_home(connection, home_id["home_id"])
    erased = erase(connection, LATER, resident="resident-lisi", dry_run=False)
    assert erased.shared
    assert erased.removed == {"resident": 1}
    after = dump(database)
    assert "lisi" not in after
    assert "wangwu" in after
    left = of_home(connection, home_id["home_id"])
    assert {table for table in before if before[table] != left[table]} == {"resident"}


def test_the_record_names_nobody(connection: Connection, database: Database, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "yiju", "store", "erase", "--home", "home-meihua"]
    clock = f"scaled:{LATER.isoformat()}/2020-01-01T00:00:00+00:00/0.000001"
    environment = {**os.environ, "YIJU_DATABASE_URL": database.url, "YIJU_CLOCK": clock}

    def run(*words: str, answer: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*command, *words], env=environment, input=answer, capture_output=True, text=True)

    assert run("--dry-run").returncode == 0
    assert run(answer="home-juhua\n").returncode == 2
    row = connection.execute("SELECT count(*) AS n FROM home").fetchone()
    assert row == {"n": 2}
    done = run("--record", str(tmp_path / "record.json"), answer="home-meihua\n")
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "record.json").read_text()
    assert "meihua" not in written
    kept = connection.execute("SELECT removed FROM erasure").fetchall()
    assert [row["removed"] for row in kept] == [json.loads(written)["removed"]]


def test_a_gateway_that_still_speaks_and_one_that_serves_others_are_named(connection: Connection) -> None:
    with pytest.raises(Conflict, match="gw-meihua was heard"):
        erase(connection, NOW, home="home-meihua", dry_run=False)
    connection.execute("UPDATE device SET home_id = (SELECT id FROM home WHERE key = 'home-juhua')")
    with pytest.raises(Conflict, match="also serves home home-juhua"):
        erase(connection, LATER, home="home-meihua", dry_run=False)
    with pytest.raises(NotFound, match="home-x"):
        erase(connection, LATER, home="home-x", dry_run=True)


def test_a_device_that_was_elsewhere_before_leaves_its_past_there(connection: Connection, database: Database) -> None:
    """gw-meihua and its door were moved to a third home; that home is erased, meihua's past stays."""
    connection.execute(
        "INSERT INTO home (key, region_id, name, commissioned_at) SELECT 'home-lanhua', id, 'lanhua', %s FROM region",
        [NOW - timedelta(days=60)],
    )
    for table in ("gateway", "device"):
        connection.execute(
            f"UPDATE {table} SET home_id = (SELECT id FROM home WHERE key = 'home-lanhua')"
            " WHERE home_id = (SELECT id FROM home WHERE key = 'home-meihua')"
        )
    connection.execute("UPDATE device SET address = 'zigbee2mqtt/lanhua' WHERE address LIKE '%meihua%'")
    connection.execute("UPDATE gateway SET key = 'gw-lanhua' WHERE key = 'gw-meihua'")
    directory = Directory()
    directory.refresh(connection)
    batch = Batch(VERSION, UUID(int=7), 9, [WireReading("zigbee2mqtt/lanhua", "open", NOW_MS, 0.0, NOW_MS, 1)])
    message = Message(up_topic("gw-lanhua", Lane.BULK), encode(batch), False, 0, 0)
    register_arrays(connection)
    Writer().store(connection, prepare([decode(message, directory.gateway)], NOW), NOW)
    assert verify(connection, NOW).examples == []
    connection.execute(
        "INSERT INTO gateway_configuration SELECT id, 1, '', 'room of lanhua', %s FROM gateway WHERE key = 'gw-lanhua'",
        [NOW],
    )
    connection.execute(
        "INSERT INTO gateway_report (gateway_id, reported_at, stored_at, software, reason)"
        " SELECT id, %(now)s, %(now)s, '', 'lanhua' FROM gateway WHERE key = 'gw-lanhua'",
        {"now": NOW},
    )
    connection.execute("UPDATE gateway SET options = '{\"of\": \"lanhua\"}' WHERE key = 'gw-lanhua'")
    erase(connection, LATER, home="home-lanhua", dry_run=False)
    assert "lanhua" not in dump(database)
    rows = connection.execute(
        "SELECT device.address FROM reading JOIN device ON device.id = device_id JOIN home ON home.id = reading.home_id"
        " WHERE home.key = 'home-meihua'"
    ).fetchall()
    assert len(rows) == 2
    assert rows[0]["address"].startswith("erased/")
    ended = connection.execute("SELECT ended_at IS NOT NULL AS ended FROM gateway WHERE key LIKE 'erased-%'").fetchall()
    assert ended == [{"ended": True}]  # nobody waits for it in meihua's home
    left = verify(connection, NOW, repair=True)  # its last state was the erased home's: the one before holds again
    assert set(left.differences) <= {"device_state"}
    assert left.well


@pytest.mark.parametrize("ended", [False, True], ids=["in use", "taken away"])
def test_what_was_on_its_way_when_the_home_was_erased_leaves_nothing_behind(
    connection: Connection, database: Database, ended: bool
) -> None:
    if ended:
        connection.execute("UPDATE gateway SET ended_at = %s WHERE key = 'gw-meihua'", [NOW])
    directory = Directory()
    directory.refresh(connection)  # ingest knows it still
    erase(connection, LATER, home="home-meihua", dry_run=False)
    reading = WireReading("zigbee2mqtt/meihua的门", "battery", NOW_MS - 60_000, 90.0, NOW_MS, 0)
    batch = encode(Batch(VERSION, UUID(int=7), 99, [reading]))
    register_arrays(connection)
    work = [decode(Message(up_topic("gw-meihua", Lane.BULK), batch, False, 0, 0), directory.gateway)]
    with pytest.raises(psycopg.IntegrityError):  # and ingest puts it aside, as from an unknown gateway
        Writer().store(connection, prepare(work, LATER), LATER)
    assert "meihua" not in dump(database)
    assert verify(connection, LATER).examples == []
