"""The backup that docs/operations.md describes, taken and restored; the restored house is whole and goes on."""

import subprocess
from pathlib import Path

from store.migrate import Edition, current_edition, migrate
from store.verify import verify
from tests.conftest import NOW, Database, Server
from tests.integration.store.servers import contents, fill, new_database
from tests.integration.store.test_verify import minutes_ago, send
from yiju.embedded.postgres import binary


def test_a_backup_is_restored_into_an_empty_database_with_every_row_and_every_right(
    database: Database, server: Server, tmp_path: Path
) -> None:
    fill(database)
    backup = tmp_path / "yiju.dump"
    subprocess.run([binary("pg_dump"), "-Fc", "-f", backup, database.url], check=True, capture_output=True)
    with new_database(server) as restored:
        restore(backup, restored, timescale=edition(database) is not Edition.PLAIN)
        migrate(restored.url, NOW)
        assert contents(restored.url) == contents(database.url)
        assert edition(restored) is edition(database)
        with restored.connect() as connection:
            assert verify(connection, NOW).examples == []
            send(connection, 77, [minutes_ago(1), minutes_ago(3 * 1440)])
            assert verify(connection, NOW).examples == []
            assert connection.execute(
                "SELECT has_table_privilege('yiju_api', 'reading', 'SELECT') AS may"
            ).fetchone() == {"may": False}


def restore(backup: Path, into: Database, *, timescale: bool) -> None:
    """The steps of docs/operations.md."""
    if timescale:
        with into.connect() as owner:
            owner.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            owner.execute("SELECT timescaledb_pre_restore()")
    subprocess.run([binary("pg_restore"), "--exit-on-error", "-d", into.url, backup], check=True, capture_output=True)
    if timescale:
        with into.connect() as owner:
            owner.execute("SELECT timescaledb_post_restore()")


def edition(database: Database) -> Edition:
    with database.connect() as owner:
        return current_edition(owner)
