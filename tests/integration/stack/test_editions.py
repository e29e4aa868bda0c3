"""The time series are kept the way the server can: the same tests run on the embedded server and on TimescaleDB."""

from store.migrate import Edition, current_edition
from tests.conftest import Database


def test_a_server_with_timescaledb_keeps_readings_in_a_hypertable_and_one_without_in_partitions(
    database: Database,
) -> None:
    with database.connect() as owner:
        loaded = owner.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is not None
        edition = current_edition(owner)
        kind = owner.execute("SELECT relkind FROM pg_class WHERE oid = 'reading'::regclass").fetchone()
        assert kind is not None
        if loaded:
            assert edition is not Edition.PLAIN
            known = owner.execute("SELECT hypertable_name FROM timescaledb_information.hypertables").fetchall()
            assert [row["hypertable_name"] for row in known] == ["reading"]
        else:
            assert edition is Edition.PLAIN
            assert kind["relkind"] in ("p", b"p")
