"""Samples: messages that no driver understood, kept for the installer. Few, short, and never in the way.

One sample stands for all the topics of one shape: numbers and identifiers in a topic do not make a new one. The
newest payload of a shape is kept, looked at once a minute at most; the rest is only counted. The file is a small
JSON document beside the outbox.
"""

import re
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import structlog

MAX_SHAPES: Final = 200
MAX_PAYLOAD: Final = 1_000  # bytes of a message that are kept
_MAX_TEXT: Final = 300  # characters of a topic or a reason
_LOOK_EVERY: Final = timedelta(minutes=1)
_NEW_ONES: Final = timedelta(seconds=10)  # a new shape reaches the disk no more often than this ...
_COUNTS: Final = timedelta(minutes=15)  # ... and a mere count than this: flash memory wears out
_MAX_FILE: Final = MAX_SHAPES * (6 * (MAX_PAYLOAD + 2 * _MAX_TEXT) + 500)
_IDENTIFIER: Final = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{6,}|\d+")
_log = structlog.get_logger()


class Sample(msgspec.Struct, frozen=True):
    """What was not understood.

    Attributes:
        driver: the driver whose topic it was.
        topic, payload: of the newest message that was looked at; the payload cut, what is no text in it escaped.
        reason: why it gave no reading, or which of its fields did not.
        first_at, last_at: when the first and the newest of this shape were received; aware.
        count: how many there were.
    """

    driver: str
    topic: str
    payload: str
    reason: str
    first_at: datetime
    last_at: datetime
    count: int


class Samples:
    """The samples in the file `path`. An unreadable file is begun anew: no sample is worth a gateway.

    Any thread may call; nothing here raises because of a message or of the disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._looked: dict[tuple[str, str], datetime] = {}
        self._kept = {(sample.driver, _shape(sample.topic)): sample for sample in _read(path)}
        self._new = self._counted = False
        self._written: datetime | None = None

    def keep(self, topic: str, payload: bytes, reason: str, received: datetime, driver: str = "") -> None:
        """Keeps or counts one message that was not understood; the shape unseen for longest makes room."""
        key = (driver, _shape(topic))
        with self._lock:
            before = self._kept.pop(key, None)  # put back at the end: the order is that of the last message
            if before is None:
                while len(self._kept) >= MAX_SHAPES:
                    gone = next(iter(self._kept))
                    del self._kept[gone]
                    self._looked.pop(gone, None)
                self._kept[key] = _sample(driver, topic, payload, reason, received, received, 1)
                self._looked[key] = received
                self._new = True
                return
            looked = self._looked.get(key)
            if looked is None or abs(received - looked) >= _LOOK_EVERY:
                self._looked[key] = received
                self._kept[key] = _sample(driver, topic, payload, reason, before.first_at, received, before.count + 1)
            else:
                self._kept[key] = msgspec.structs.replace(before, last_at=received, count=before.count + 1)
            self._counted = True

    def each(self) -> list[Sample]:
        """All samples, the newest first."""
        with self._lock:
            return list(reversed(self._kept.values()))

    def tick(self, now: datetime) -> None:
        """Writes what is new to the disk when it is due. To be called about each second."""
        with self._lock:
            age = None if self._written is None else abs(now - self._written)
            due = age is None or (self._new and age >= _NEW_ONES) or age >= _COUNTS
            if not due or not (self._new or self._counted):
                return
            self._written = now
            self._write()

    def close(self) -> None:
        """Writes what is not written yet."""
        with self._lock:
            if self._new or self._counted:
                self._write()

    def _write(self) -> None:
        beside = self._path.with_suffix(".new")
        try:
            beside.write_bytes(msgspec.json.encode(list(self._kept.values())))
            beside.replace(self._path)
        except OSError as error:  # a full disk: the readings need the room, the samples wait
            _log.warning("samples_not_written", file=str(self._path), error=str(error))
            return
        self._new = self._counted = False


def _shape(topic: str) -> str:
    return _IDENTIFIER.sub("*", topic[:_MAX_TEXT])


def _sample(
    driver: str, topic: str, payload: bytes, reason: str, first: datetime, last: datetime, count: int
) -> Sample:
    text = payload[:MAX_PAYLOAD].decode(errors="backslashreplace")
    return Sample(driver, _writable(topic), text, _writable(reason), first, last, count)


def _writable(text: str) -> str:
    """Cut, and without half surrogate pairs, which no file takes."""
    return text[:_MAX_TEXT].encode(errors="backslashreplace").decode()


def _read(path: Path) -> list[Sample]:
    try:
        if not path.exists():
            return []
        if path.stat().st_size > _MAX_FILE:
            raise ValueError("larger than any file of samples can be")
        return msgspec.json.decode(path.read_bytes(), type=list[Sample])[-MAX_SHAPES:]
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        _log.warning("samples_begun_anew", file=str(path), error=str(error))
        return []
