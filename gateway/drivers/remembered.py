"""The descriptions of devices that the last run of the gateway had heard, until the broker says them again.

The home's broker may hand over what waited for the gateway, an SOS press too, before it repeats the retained
descriptions: without a memory of its own the gateway would not know whose message that is.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import structlog

_WRITE_AFTER: Final = timedelta(seconds=10)  # of quiet: descriptions come in bursts
_SAID_AGAIN_WITHIN: Final = timedelta(minutes=1)  # of the first that is said again
_MAX_FILE: Final = 4_000_000  # bytes
_log = structlog.get_logger()


class Remembered:
    """Descriptions by topic, in the file `path`; without one nothing outlives the process. Nothing here raises."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.payloads: dict[str, bytes] = _read(path)
        self._unheard = set(self.payloads)
        self._first_heard: datetime | None = None
        self._changed: datetime | None = None

    def heard(self, topic: str, payload: bytes, received: datetime, *, retained: bool) -> None:
        """Takes a description; an empty one takes it away."""
        self._unheard.discard(topic)
        if retained and self._first_heard is None:
            self._first_heard = received
        if payload != self.payloads.get(topic, b""):
            self.payloads[topic] = payload
            if not payload:
                del self.payloads[topic]
            self._changed = received

    def gone(self, now: datetime) -> list[str]:
        """Writes what is due. The topics whose descriptions the broker has not said again with the others."""
        gone: list[str] = []
        if self._unheard and self._first_heard is not None and abs(now - self._first_heard) >= _SAID_AGAIN_WITHIN:
            gone = sorted(self._unheard)
            self._unheard.clear()
            for topic in gone:
                del self.payloads[topic]
            self._changed = now
        if self._changed is not None and abs(now - self._changed) >= _WRITE_AFTER:
            self._changed = None
            self._write()
        return gone

    def _write(self) -> None:
        if self._path is None:
            return
        content = msgspec.json.encode({topic: text.decode(errors="replace") for topic, text in self.payloads.items()})
        if len(content) > _MAX_FILE:
            _log.warning("descriptions_not_written", bytes=len(content), most=_MAX_FILE)
            return
        beside = self._path.with_suffix(".new")
        try:
            beside.write_bytes(content)
            beside.replace(self._path)
        except OSError as error:  # a full disk: the broker has them too
            _log.warning("descriptions_not_written", file=str(self._path), error=str(error))


def _read(path: Path | None) -> dict[str, bytes]:
    try:
        if path is None or not path.exists() or path.stat().st_size > _MAX_FILE:
            return {}
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        return {topic: text.encode() for topic, text in found.items()}
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        _log.warning("descriptions_begun_anew", file=str(path), error=str(error))
        return {}
