"""What was taken away from a home and what is back: who may say so, and the audit. The rules stand in care.register."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from api.access import Visit
from api.house import House
from api.reads.gateways import need_manager_of
from care import register
from core.errors import Conflict
from store.pool import Connection, DatabaseRole, connect

EARLIEST: Final = timedelta(days=366)


def end_device(house: House, visit: Visit, home_id: int, device_id: int, at: datetime | None = None) -> None:
    """Raises NotFound, NotAllowed, Conflict. `at`: when it was taken away; None: now."""
    with _register(house, visit, home_id, "taken_away.device") as connection:
        register.end_device(connection, home_id, device_id, _past(visit, at))


def resume_device(house: House, visit: Visit, home_id: int, device_id: int) -> None:
    """Raises NotFound, NotAllowed; Conflict when its gateway has ended or another device took its place."""
    with _register(house, visit, home_id, "brought_back.device") as connection:
        register.resume_device(connection, home_id, device_id)


def end_gateway(house: House, visit: Visit, home_id: int, key: str, at: datetime | None = None) -> None:
    """Raises NotFound, NotAllowed, Conflict."""
    with _register(house, visit, home_id, "taken_away.gateway") as connection:
        register.end_gateway(connection, home_id, key, _past(visit, at))


def resume_gateway(house: House, visit: Visit, home_id: int, key: str) -> None:
    """Raises NotFound, NotAllowed, Conflict."""
    with _register(house, visit, home_id, "brought_back.gateway") as connection:
        register.resume_gateway(connection, home_id, key)


@contextmanager
def _register(house: House, visit: Visit, home_id: int, what: str) -> Iterator[Connection]:
    """A connection of its own: the api's may read the register, not write it."""
    need_manager_of(visit, home_id)
    visit.audit(what, [home_id])
    with connect(house.settings.database_url, DatabaseRole.REGISTER, autocommit=True) as connection:
        yield connection


def _past(visit: Visit, at: datetime | None) -> datetime:
    if at is not None and at > visit.now:
        raise Conflict(f"{at:%Y-%m-%d %H:%M} is still to come: say it when it has been taken away")
    if at is not None and at < visit.now - EARLIEST:
        raise Conflict(f"{at.isoformat()} is more than a year ago: give the day on which it was taken away")
    return at or visit.now
