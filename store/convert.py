"""Copies a database into a new one, whatever the editions and versions of the two servers; the source stays as it is.

Table by table, readings day by day, each in a transaction of its own that also writes down that it is done: a copy that
was cut off goes on where it stopped. The services must be stopped meanwhile, or the copy would have no one moment.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec
from psycopg.sql import SQL, Composed, Identifier, Literal

from core.errors import Conflict, StoreError
from store.migrate import Edition, current_edition, migrate, migrations
from store.pool import Connection, DatabaseRole, connect
from store.queries import load_queries
from store.verify import Verdict, verify

QUERIES: Final = load_queries(__package__, "convert.sql")
OWN: Final = {"migration", "store_edition", "conversion"}  # tables that the target has of its own
DAY: Final = timedelta(days=1)


class Converted(msgspec.Struct, frozen=True):
    """What a copy did: editions, rows and parts in all (those of earlier tries, too), and what verify says of it."""

    source: Edition
    target: Edition
    rows: int
    parts: int
    verdict: Verdict


class _Part(msgspec.Struct, frozen=True):
    """A table, or one day of the readings."""

    table: str
    day: date | None = None

    @property
    def name(self) -> str:
        return self.table if self.day is None else f"{self.table} {self.day}"


def convert(source_url: str, target_url: str, now: datetime, advance: Callable[[float, float], None]) -> Converted:
    """Copies everything from `source_url` into the database at `target_url`, which is made by this.

    Args:
        source_url, target_url: of logins that own the databases.
        now: the platform's present.
        advance: called with (parts done, parts in all).

    Raises:
        Conflict: services work on the source, or the target holds something else.
        StoreError: the source was not made by this version, or the copy has not as many rows as the source.
    """
    with connect(source_url, DatabaseRole.OWNER, autocommit=True) as source:
        edition = current_edition(source)
        _be_alone(source)
        _be_of_this_version(source)
        target_edition = migrate(target_url, now)
        with connect(target_url, DatabaseRole.OWNER, autocommit=True) as target:
            _begin(source, target)
            parts = list(_parts(source))
            done = {row["part"] for row in target.execute(QUERIES["done"])}
            for number, part in enumerate(parts):
                advance(number, len(parts))
                if part.name not in done:
                    _copy(source, target, part)
            _finish(source, target)
            rows = sum(row["rows"] for row in target.execute(QUERIES["done"]))
            verdict = verify(target, now)
            target.execute(QUERIES["end"])
            advance(len(parts), len(parts))
    return Converted(edition, target_edition, rows, len(parts), verdict)


def _be_alone(source: Connection) -> None:
    busy = [row["name"] for row in source.execute(QUERIES["services_at_work"])]
    if busy:
        raise Conflict(f"{', '.join(busy)} work on the database that is to be copied: stop all services first")


def _be_of_this_version(source: Connection) -> None:
    row = source.execute("SELECT max(number) AS number FROM migration").fetchone()
    if row is None or row["number"] != len(migrations()):
        raise StoreError("the database to be copied is of another version: run `yiju store migrate` on it first")


def _begin(source: Connection, target: Connection) -> None:
    """Makes the copy's account in the target, or finds that of an earlier try of the same source."""
    row = source.execute(QUERIES["identity"]).fetchone()
    mark = row["mark"] if row else ""
    if target.execute(QUERIES["begun"]).fetchone() is None:
        if target.execute(QUERIES["holds_something"]).fetchone() is not None:
            raise Conflict("the database to copy into holds something already: name an empty one")
        with target.transaction():
            target.execute(QUERIES["begin"])
            target.execute(QUERIES["note"], {"part": mark, "rows": 0})
    elif mark not in {row["part"] for row in target.execute(QUERIES["done"])}:
        raise Conflict("the database to copy into holds part of a copy of another one: name an empty one")


def _parts(source: Connection) -> Iterator[_Part]:
    """Parents before those that refer to them, and the readings at the end, by day."""
    waiting = {row["name"]: set(row["needs"]) - {row["name"]} for row in source.execute(QUERIES["tables"])}
    waiting = {name: needs for name, needs in waiting.items() if name not in OWN | {"reading"}}
    while waiting:
        ready = sorted(name for name, needs in waiting.items() if not needs & waiting.keys())
        for name in ready:
            del waiting[name]
            yield _Part(name)
    for row in source.execute("SELECT day FROM reading_days() AS day ORDER BY 1"):
        yield _Part("reading", row["day"])


def _copy(source: Connection, target: Connection, part: _Part) -> None:
    columns = SQL(", ").join(
        Identifier(row["name"]) for row in source.execute(QUERIES["columns"], {"table": part.table})
    )
    with target.transaction():
        if part.day is not None:
            target.execute("SELECT reading_make_room(%(day)s, %(day)s)", {"day": _start(part.day)})
        else:  # a copy is no event: what triggers tell and write was told and written when it happened
            target.execute(SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(Identifier(part.table)))
            target.execute(SQL("DELETE FROM {}").format(Identifier(part.table)))  # rows that a migration has made
        with (
            source.cursor() as reader,
            target.cursor() as writer,
            reader.copy(SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(_rows(part, columns))) as rows,
            writer.copy(SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(Identifier(part.table), columns)) as sink,
        ):
            for block in rows:
                sink.write(block)
        if reader.rowcount != writer.rowcount:
            raise StoreError(f"{part.name}: {reader.rowcount} rows were read and {writer.rowcount} written")
        if part.day is None:
            target.execute(SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(Identifier(part.table)))
        target.execute(QUERIES["note"], {"part": part.name, "rows": writer.rowcount})


def _rows(part: _Part, columns: Composed) -> Composed:
    rows = SQL("SELECT {} FROM {}").format(columns, Identifier(part.table))
    if part.day is None:
        return rows
    start = _start(part.day)
    return rows + SQL(" WHERE time >= {} AND time < {}").format(Literal(start), Literal(start + DAY))


def _finish(source: Connection, target: Connection) -> None:
    """Sequences go on where the source's stand, and so does what is known of the readings."""
    with target.transaction():
        for row in source.execute(QUERIES["sequences"]).fetchall():
            target.execute(
                SQL("SELECT setval({}, {}, {})").format(
                    Literal(row["name"]), Literal(row["last_value"]), Literal(row["is_called"])
                )
            )
        complete = source.execute("SELECT complete_from FROM store_edition").fetchone()
        target.execute("UPDATE store_edition SET complete_from = %(complete_from)s", complete)
        for row in target.execute(QUERIES["tables"]).fetchall():
            if row["name"] not in OWN:
                target.execute(SQL("ANALYZE {}").format(Identifier(row["name"])))


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
