"""Ends a gateway or a device that was taken away, and brings it back: one at a time, by a person.

What has ended is looked at no more; its history stays. The register file is to say the same (`ended = ...`): an import
that names it without brings it back.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from care.register.apply import Missing
from care.register.document import two_gateways
from core.errors import Conflict, NotFound
from store.pool import Connection
from store.queries import load_queries

QUERIES = load_queries(__package__)


def end_device(connection: Connection, home_id: int, device_id: int, at: datetime) -> None:
    """A device of the home was taken away at `at`. One that has ended already keeps its end.

    Args:
        connection: with the rights of DatabaseRole.REGISTER. Who may do it is the caller's to look at.

    Raises:
        NotFound: the home has no such device (a gateway about itself ends with the gateway).
    """
    _need(connection.execute(QUERIES["end_device"], {"home": home_id, "id": device_id, "at": at}).fetchall(),
          f"this home has no device {device_id}")  # fmt: skip


def resume_device(connection: Connection, home_id: int, device_id: int) -> None:
    """It is back, or was never away. Raises NotFound; Conflict when its gateway has ended or another took its place."""
    with connection.transaction():
        rows = connection.execute(QUERIES["resume_device"], {"home": home_id, "id": device_id}).fetchall()
        _need(rows, f"this home has no device {device_id}")
        if rows[0]["ended_at"] is not None:
            raise Conflict(f"its gateway {rows[0]['gateway']!r} was taken away: bring that back first")
        _check_one_gateway(connection, home_id)


def end_gateway(connection: Connection, home_id: int, key: str, at: datetime) -> None:
    """A gateway of the home was taken away at `at`, and with it all devices that it has. Raises NotFound."""
    _need(connection.execute(QUERIES["end_gateway"], {"home": home_id, "key": key, "at": at}).fetchall(),
          f"this home has no gateway {key!r}")  # fmt: skip


def resume_gateway(connection: Connection, home_id: int, key: str) -> None:
    """It is back, with the devices that ended with it. Raises NotFound; Conflict when others took their place."""
    with connection.transaction():
        rows = connection.execute(QUERIES["resume_gateway"], {"home": home_id, "key": key}).fetchall()
        _need(rows, f"this home has no gateway {key!r}")
        _check_one_gateway(connection, home_id)


def not_named(connection: Connection) -> list[Missing]:
    """What is in use though the last document about its home did not name it, of every home."""
    rows = connection.execute(QUERIES["missing"], {"homes": None}).fetchall()
    return [Missing(row["home"], row["gateway"], row["address"]) for row in rows]


def _need(rows: Sequence[Any], otherwise: str) -> None:
    if not rows:
        raise NotFound(otherwise)


def _check_one_gateway(connection: Connection, home_id: int) -> None:
    for row in connection.execute(QUERIES["with_two_gateways"], {"homes": [], "id": home_id}):
        raise Conflict(two_gateways(row["address"], row["one"], row["other"]))
