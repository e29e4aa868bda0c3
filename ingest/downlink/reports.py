"""A gateway's report, as the platform keeps it."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from psycopg.types.json import Jsonb

from core.wire import Report, from_ms
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
_NUMBER: Final = re.compile("[0-9]{1,18}")  # of a command; no more digits than a bigint surely holds


def put_report(connection: Connection, gateway: str, report: Report, now: datetime) -> bool:
    """Keeps the report.

    Returns:
        Whether the gateway has the configuration that it shall have, as far as it can: what it refused is not sent
        again and again. True for a gateway that is not registered, which has none.

    Raises:
        psycopg.Error: nothing of it was stored.
        OverflowError: its time lies beyond the year 9999.
    """
    configured = report.configured
    with connection.transaction():
        row = connection.execute(
            QUERIES["put_report"],
            {
                "gateway": gateway,
                "reported_at": from_ms(report.time),
                "now": now,
                "software": _clean(report.software),
                "version": configured.version if configured else None,
                "digest": _clean(configured.digest) if configured else None,
                "state": configured.state.value if configured else None,
                "reason": _clean(configured.reason) if configured else "",
                "found": _rows(report.found),
                "samples": _rows(report.samples),
            },
        ).fetchone()
        if report.refused:
            reasons = {int(number): why for number, why in report.refused.items() if _NUMBER.fullmatch(number)}
            connection.execute(
                QUERIES["put_reasons"],
                {"gateway": gateway, "ids": list(reasons), "reasons": [_clean(why) for why in reasons.values()]},
            )
    return row is None or bool(row["current"])


def _rows(structs: Sequence[msgspec.Struct]) -> Jsonb:
    return Jsonb(_clean(msgspec.to_builtins(list(structs))))


def _clean(value: Any) -> Any:
    """Without what PostgreSQL's text cannot hold: NUL and half surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean(name): _clean(one) for name, one in value.items()}
    return value
