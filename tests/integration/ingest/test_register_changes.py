"""A running ingest hears of a changed register, also where every gateway and device was known to it before."""

from datetime import timedelta

from care.register import apply_register, end_device, read_document
from store.pool import Connection, DatabaseRole
from tests.conftest import NOW, Database
from tests.integration.ingest.homes import register_homes
from tests.integration.ingest.test_ingest import GatewayClient, door, eventually, gateway, running
from yiju.embedded.broker import EmbeddedBroker

__all__ = ["gateway"]


def move_door(connection: Connection) -> None:
    """The door contact of home-1 goes to home-3, with its gateway where it was."""
    moved = {"key": "home-3", "region": "d-1", "name": "第3家", "commissioned": NOW - timedelta(days=60),
             "device": [{"gateway": "gw-1", "address": "zigbee2mqtt/door", "kind": "contact"}]}  # fmt: skip
    apply_register(connection, read_document({"home": [moved]}, "test"), "test", NOW)


def test_a_device_that_moved_while_ingest_runs_is_stored_where_it_is_now(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    with running(database, broker):
        gateway.send(1, door(minutes_ago=1))
        gateway.acknowledged(1)
        with database.connect(DatabaseRole.REGISTER) as connection:
            move_door(connection)
        gateway.send(2, door())
        gateway.acknowledged(2)
    with database.connect() as connection:
        homes = connection.execute(
            "SELECT home.key FROM reading JOIN home ON home.id = home_id ORDER BY time"
        ).fetchall()
    assert [row["key"] for row in homes] == ["home-1", "home-3"]


def test_a_device_that_was_taken_away_while_ingest_runs_is_refused_from_then_on(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    register_homes(database, homes=1)
    with running(database, broker):
        gateway.send(1, door(minutes_ago=1))
        gateway.acknowledged(1)
        with database.connect(DatabaseRole.REGISTER) as connection:
            row = connection.execute("SELECT id, home_id FROM device WHERE address = 'zigbee2mqtt/door'").fetchone()
            assert row is not None
            end_device(connection, row["home_id"], row["id"], NOW)
        gateway.send(2, door())
        gateway.acknowledged(2)
    with database.connect() as connection:
        rejected = connection.execute("SELECT reason, readings FROM rejected").fetchall()
    assert rejected == [{"reason": "ended", "readings": 1}]


def test_a_move_that_is_written_while_the_register_is_read_is_seen_whole_or_not_at_all(
    database: Database, broker: EmbeddedBroker, gateway: GatewayClient
) -> None:
    """Where a device was and where it is stand in two tables; a late reading belongs to where it was."""
    register_homes(database, homes=1)
    with running(database, broker), database.connect() as owner, database.connect(autocommit=False) as register:
        owner.execute("UPDATE home SET name = name")  # so that the register is read at the next message
        register.execute("LOCK TABLE device IN ACCESS EXCLUSIVE MODE")
        move_door(register)
        gateway.send(1, door(minutes_ago=60))
        eventually(lambda: owner.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall())
        register.commit()
        gateway.acknowledged(1)
        row = owner.execute("SELECT home.key FROM reading JOIN home ON home.id = home_id").fetchone()
    assert row == {"key": "home-1"}
