"""A demo home's past, at once: the simulator's arrays straight into ingest's tables.

It goes through the ledger like everything else, one batch a home, so a backfill that was cut off goes on where it
stopped, and one that is run again changes nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np

from core.model import Lane
from ingest.arrays import register_arrays
from ingest.decode import LANES
from ingest.directory import Directory, KnownGateway
from ingest.rows import READING, Readings
from ingest.writer import Writer
from simulator.days import DayBook
from simulator.history import history
from simulator.homes import DemoHome, demo_homes
from store.pool import DatabaseRole, connect
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
SESSION: Final = UUID(int=0)  # no outbox has it: this was never on a wire
WHOLE_PAST: Final = 1


def backfill(
    database_url: str, now: datetime, past: timedelta, seed: int, advance: Callable[[float, float], None]
) -> int:
    """Writes the last `past` of every registered demo home that has no past yet.

    Args:
        seed: the demo's, so that the past is of the same residents as the present.
        advance: called with (homes done, homes in all).

    Returns:
        How many readings were written.
    """
    homes = demo_homes(seed)
    directory, writer, written = Directory(), Writer(), 0
    with connect(database_url, DatabaseRole.INGEST, autocommit=True) as connection:
        register_arrays(connection)
        directory.refresh(connection)
        done = {row["gateway_id"] for row in connection.execute(QUERIES["gateways_with_a_past"], {"session": SESSION})}
        for number, home in enumerate(homes):
            advance(number, len(homes))
            gateway = directory.gateway(home.gateway)
            if gateway is None or gateway.id in done:
                continue
            readings = _readings(home, gateway, now - past, now)
            ledger = (gateway.id, SESSION, LANES[Lane.BULK], WHOLE_PAST)
            written += writer.store_history(connection, ledger, readings, now)
        advance(len(homes), len(homes))
    return written


def _readings(home: DemoHome, gateway: KnownGateway, start: datetime, end: datetime) -> Readings:
    """The home's history with the database's ids."""
    past = history(DayBook(home), start, end)
    known = [gateway.devices[device.address] for device in home.devices]
    readings = np.zeros(len(past), READING)
    readings["home"] = np.array([device.home_id for device in known])[past["device"]]
    readings["device"] = np.array([device.id for device in known])[past["device"]]
    readings["time"] = readings["received"] = past["time"]
    for column in ("value", "metric", "flags"):
        readings[column] = past[column]
    return readings
