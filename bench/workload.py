"""Homes and what they send, as the field has it: a meter and a radar that report each minute, doors, motion, a bed.

3,500 readings a day and home (docs/performance.md), seeded: two runs send the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from care.register import apply_register, read_document
from core.metrics import BY_NAME
from core.model import Lane
from core.wire import VERSION, Batch, WireReading, encode, to_ms, up_topic
from ingest.directory import Directory
from ingest.rows import READING, Readings
from store.pool import DatabaseRole, connect

GAP_MS: Final = 24_686  # between two readings of a home: 3,500 a day
IN_A_ROW: Final = 10  # batches of one gateway after another: gateway/uplink.py's window
_DEVICES: Final = (
    ("direct/meter", "meter", "hall", "power"),
    ("direct/radar", "radar", "living", "presence"),
    ("direct/door", "contact", "hall", "open"),
    ("direct/motion", "motion", "living", "motion"),
    ("direct/bed", "bed", "bedroom", "occupied"),
    ("direct/sos", "sos", "bedroom", "sos"),
)
METRICS: Final = {address: metric for address, _, _, metric in _DEVICES}
SOS: Final = ("direct/sos", "sos")
# 20 readings in a row, 8 minutes: each minute the meter and the radar, four others in between
_PATTERN: Final = np.array([0, 1, 3, 0, 1, 0, 1, 2, 0, 1, 0, 1, 3, 0, 1, 0, 1, 4, 0, 1])


@dataclass(frozen=True)
class Load:
    """Messages in the order in which they are sent, and the very rows that they must become.

    Attributes:
        messages: topic and payload.
        rows: shape (readings,), dtype ingest.rows.READING; `batch` is 0.
    """

    messages: list[tuple[str, bytes]]
    rows: Readings


def gateway_key(home: int) -> str:
    """The key of the gateway in home 0, 1, 2 ..."""
    return f"bench-{home}"


def register_homes(database_url: str, homes: int, now: datetime) -> None:
    """Registers that many homes with a gateway and six devices each, commissioned 60 days before `now`."""
    document: dict[str, Any] = {
        "region": [{"key": "bench", "name": "bench", "level": "district"}],
        "home": [
            {
                "key": gateway_key(home),
                "region": "bench",
                "name": gateway_key(home),
                "commissioned": now - timedelta(days=60),
                "room": [{"key": "hall", "kind": "entry"}, {"key": "living", "kind": "living"},
                         {"key": "bedroom", "kind": "bedroom"}],
                "gateway": [{"key": gateway_key(home)}],
                "device": [{"gateway": gateway_key(home), "address": address, "kind": kind, "room": room}
                           for address, kind, room, _ in _DEVICES],
            }
            for home in range(homes)
        ],
    }  # fmt: skip
    with connect(database_url, DatabaseRole.REGISTER, autocommit=True) as connection:
        apply_register(connection, read_document(document, "bench"), "bench", now)


class Homes:
    """The registered homes, and what they send next.

    Args:
        start: when the first reading of each home is measured.
    """

    def __init__(self, database_url: str, homes: int, start: datetime, rng: np.random.Generator) -> None:
        directory = Directory()
        with connect(database_url, DatabaseRole.INGEST, autocommit=True) as connection:
            directory.refresh(connection)
        known = [directory.gateway(gateway_key(home)) for home in range(homes)]
        self._ids = np.array(
            [[gateway.devices[address].id for address, *_ in _DEVICES] for gateway in known if gateway]
        )
        self._home_ids = np.array([gateway.home_id for gateway in known if gateway])
        self._rng = rng
        self._sent = np.zeros(homes, np.int64)  # readings so far, by home
        self._seq = np.zeros(homes, np.int64)  # batches so far
        self._start_ms = to_ms(start)
        self._session = UUID(int=int(rng.integers(1, 2**62)))

    def load(self, messages: int, readings: int, in_a_row: int) -> Load:
        """The next `messages` batches of `readings` each; `in_a_row` of one gateway follow each other."""
        homes = len(self._home_ids)
        runs = -(-messages // in_a_row)
        order = np.concatenate([self._rng.permutation(homes) for _ in range(-(-runs // homes))])[:runs]
        senders = np.repeat(order, in_a_row)[:messages]
        rows = np.concatenate([self._next(home, readings) for home in senders])
        sent = [
            (up_topic(gateway_key(home), Lane.BULK), encode(self._batch(home, rows[at * readings :][:readings])))
            for at, home in enumerate(senders.tolist())
        ]
        rows["device"] = self._ids[rows["home"], rows["device"]]
        rows["home"] = self._home_ids[rows["home"]]
        return Load(sent, rows)

    def _next(self, home: int, count: int) -> Readings:
        """The home's next readings; `home` and `device` are places, not ids."""
        at = self._sent[home] + np.arange(count)
        self._sent[home] += count
        rows = np.zeros(count, READING)
        rows["home"], rows["device"] = home, _PATTERN[at % len(_PATTERN)]
        rows["metric"] = _METRIC_IDS[rows["device"]]
        rows["time"] = self._start_ms + at * GAP_MS + self._rng.integers(0, 1000, count)
        rows["received"] = rows["time"] + 40
        on = (at // len(_PATTERN)) % 2
        rows["value"] = np.where(rows["device"] == 0, self._rng.integers(0, 20_000, count) / 10, on)
        rows["value"][rows["device"] == 1] = 1  # somebody is in the room, said again each minute
        rows["flags"] = rows["device"] != 1
        return rows

    def _batch(self, home: int, rows: Readings) -> Batch:
        self._seq[home] += 1
        return Batch(VERSION, self._session, int(self._seq[home]), list(_on_the_wire(rows)))


_METRIC_IDS: Final[NDArray[np.int16]] = np.array([BY_NAME[metric].id for *_, metric in _DEVICES], dtype=np.int16)


def _on_the_wire(rows: Readings) -> Iterator[WireReading]:
    columns = (rows[name].tolist() for name in ("device", "time", "value", "received", "flags"))
    for device, time, value, received, flags in zip(*columns, strict=True):
        address, _, _, metric = _DEVICES[device]
        yield WireReading(address, metric, time, value, received, flags)
