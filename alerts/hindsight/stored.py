"""A past from the database: the register as it is, and the readings in the order in which they were stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np

from alerts.hindsight.readings import READING, Readings
from alerts.hindsight.register import Register, register_of
from alerts.observe.columns import Rows
from alerts.policy import Policy
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "stored.sql")
_HEADER: Final = 19  # PostgreSQL's binary COPY: signature, flags, length of an extension that is not there
_FIELDS: Final = (("stored", ">f8"), ("time", ">f8"), ("received", ">f8"), ("value", ">f8"), ("device", ">i4"),
                  ("metric", ">i2"), ("changed", "u1"))  # fmt: skip
_ROW: Final = np.dtype(
    [("fields", ">i2")] + [part for name, kind in _FIELDS for part in ((f"{name}_size", ">i4"), (name, kind))]
)


def homes_of(connection: Connection, home_ids: Sequence[int] | None = None) -> Rows:
    """id, key, name, zone, region_id and policy of these homes (None: all that this connection may see)."""
    return connection.execute(
        QUERIES["stored_homes"], {"homes": None if home_ids is None else list(home_ids)}
    ).fetchall()


def regions_of(connection: Connection) -> Rows:
    """id, parent_id, key and policy of every region."""
    return connection.execute(QUERIES["stored_regions"]).fetchall()


def register_from(connection: Connection, homes: Rows, policies: Sequence[Policy]) -> Register:
    """The register of these homes (rows of `homes_of`) under these policies, one a home."""
    asked = {"homes": [row["id"] for row in homes]}
    gateways = connection.execute(QUERIES["stored_gateways"], asked).fetchall()
    devices = connection.execute(QUERIES["stored_devices"], asked).fetchall()
    return register_of(homes, gateways, devices, policies)


def readings_from(
    connection: Connection, register: Register, since: datetime, until: datetime, *, as_person: bool = False
) -> Readings:
    """What was measured in [since, until), in the order stored.

    Args:
        as_person: through the views that show a person of the api their own homes; when a reading was stored is not
            theirs to know, and taken to be when its gateway received it.
    """
    query = QUERIES["seen_readings" if as_person else "stored_readings"]
    asked: dict[str, Any] = {"homes": register.home_id.tolist(), "since": since, "until": until}
    with connection.cursor() as cursor, cursor.copy(query, asked) as copy:
        data = b"".join(bytes(block) for block in copy)
    rows = np.frombuffer(data, _ROW, (len(data) - _HEADER - 2) // _ROW.itemsize, _HEADER)
    readings = np.zeros(len(rows), READING)
    for name, _ in _FIELDS:
        readings[name] = rows[name]
    place = np.searchsorted(register.device_id, rows["device"])
    known = register.device_id[np.minimum(place, len(register.device_id) - 1)] == rows["device"]
    readings["device"] = np.where(known, place, 0)
    kept: Readings = readings[known]
    return kept
