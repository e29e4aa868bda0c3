"""The outbox's file: opened durable, made when it is not there, put aside when it is damaged."""

import glob
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog

from core.errors import SettingsError

VERSION: Final = 2
_SCHEMA: Final = Path(__file__).with_name("outbox.sql")
_UPGRADES: Final = {1: Path(__file__).with_name("outbox_2.sql")}
_log = structlog.get_logger()


def open_file(path: Path) -> sqlite3.Connection:
    """The outbox's database at `path`. What is damaged is put aside as `{name}.damaged-...` and a new one begun; of
    several that were, the last is kept.

    Raises:
        SettingsError: another process holds the file, the folder cannot be written, or a later version wrote it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        try:
            return _connect(path)
        except sqlite3.OperationalError:  # busy, no right, no room: the file itself is whole
            raise
        except sqlite3.DatabaseError as error:
            for older in path.parent.glob(f"{glob.escape(path.name)}.damaged-*"):
                older.unlink()  # each may be as large as the budget: they would fill the disk
            aside = path.with_name(f"{path.name}.damaged-{uuid4().hex[:8]}")
            path.rename(aside)
            for tail in ("-wal", "-shm"):
                path.with_name(path.name + tail).unlink(missing_ok=True)
            _log.error("outbox_damaged", error=str(error), put_aside=aside.name)
            return _connect(path)
    except sqlite3.OperationalError as error:
        raise SettingsError(
            f"the outbox {path} cannot be opened ({error}): is another gateway running on it, or the disk full?"
        ) from error


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=2, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")  # one process; also saves the shared-memory file
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 4194304")
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            _run(db, _SCHEMA)
            db.execute("INSERT INTO session (id) VALUES (?)", (str(uuid4()),))
        elif version in _UPGRADES:
            _run(db, _UPGRADES[version])
        elif version != VERSION:
            raise SettingsError(
                f"the outbox {path} has version {version}, this gateway reads {VERSION}: update the gateway"
            )
        db.execute("SELECT count(*) FROM lane, session").fetchone()
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _run(db: sqlite3.Connection, script: Path) -> None:
    for statement in _statements(script.read_text(encoding="utf-8")):
        db.execute(statement)


def _statements(script: str) -> Iterator[str]:
    """The script's statements: `executescript` would commit, and the schema must come whole or not at all."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
