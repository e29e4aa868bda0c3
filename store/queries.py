"""Named SQL: each package that asks the database keeps its statements in `queries.sql` beside its code, or in a file
named after the noun that they are about.

    -- name: open_alert
    -- One open alert per home and cause; a second finding returns nothing.
    INSERT INTO alert ...

Parameters are named (`%(now)s`). Load once at import time: `QUERIES = load_queries(__package__)`.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString, cast

from psycopg.sql import SQL

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


def load_queries(package: str | None, file: str = "queries.sql") -> Mapping[str, SQL]:
    """Statements of `file` in `package`, by name.

    Raises:
        ValueError: a name stands twice, or there is SQL before the first name.
    """
    if package is None:
        raise ValueError("load_queries needs a package: pass __package__")
    text = files(package).joinpath(file).read_text(encoding="utf-8")
    parts = _NAME.split(text)
    if any(line.strip() and not line.lstrip().startswith("--") for line in parts[0].splitlines()):
        raise ValueError(f"{package}/{file}: SQL before the first '-- name:' line")
    queries: dict[str, SQL] = {}
    for name, statement in zip(parts[1::2], parts[2::2], strict=True):
        if name in queries:
            raise ValueError(f"{package}/{file}: the name {name!r} stands twice")
        queries[name] = SQL(cast(LiteralString, statement.strip().rstrip(";")))
    return MappingProxyType(queries)
