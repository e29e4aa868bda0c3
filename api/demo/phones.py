"""The demo's phones: what the signed webhook brings is kept in a file and shown by the page.

They are there only where `YIJU_DEMO_PHONES` names the demo's folder; then a person of the demo has the channel
`webhook+http://:SECRET@host/demo/phones/{person}`. So everything on the way is real: the delivery, its attempts, the
sender, the signature, the answer link.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

import msgspec

from alerts.notify.webhook import is_genuine
from core.errors import NotAllowed, SettingsError

KEPT: Final = 500  # messages, of all phones together


class Received(msgspec.Struct, frozen=True):
    """One message on one phone. `at`: platform time; `body`: what the webhook brought (docs/delivery.md)."""

    phone: str
    at: datetime
    body: dict[str, Any]


class Phones:
    """All of them.

    Args:
        folder: the demo's; `phones.json` holds the secret with which messages are signed.
        wall: the machine's time, seconds since 1970, by which messages are signed.

    Raises:
        SettingsError: the folder holds no secret.
    """

    def __init__(self, folder: Path, wall: Callable[[], float]) -> None:
        self._file = folder / "phones.jsonl"
        self._wall = wall
        self._lock = Lock()
        try:
            secret = msgspec.json.decode((folder / "phones.json").read_bytes(), type=dict[str, str])["secret"]
        except (OSError, msgspec.DecodeError, KeyError) as error:
            raise SettingsError(
                f"YIJU_DEMO_PHONES names {folder}, which is no folder of a demo: leave it empty"
            ) from error
        self._secret = secret.encode()
        lines = self._file.read_bytes().splitlines() if self._file.exists() else []
        self._received = deque((msgspec.json.decode(line, type=Received) for line in lines if line), maxlen=KEPT)
        self._taken = {(one.phone, one.body["id"]) for one in self._received}

    def take(self, phone: str, id: str, timestamp: str, signed: str, body: bytes, now: datetime) -> None:
        """Keeps a message; one that was tried again is kept once. Raises NotAllowed for one that is not signed."""
        if not is_genuine(self._secret, id, timestamp, signed, body, self._wall()):
            raise NotAllowed("this is for the demo's own messages: the signature is wrong or old")
        received = Received(phone, now, msgspec.json.decode(body, type=dict[str, Any]))
        with self._lock:
            if (phone, id) in self._taken:
                return
            self._file.touch(mode=0o600)
            with self._file.open("ab") as file:  # first: what could not be kept is sent again
                file.write(msgspec.json.encode(received) + b"\n")
            self._taken.add((phone, id))
            self._received.append(received)
            if len(self._taken) > 2 * KEPT:
                self._taken = {(one.phone, one.body["id"]) for one in self._received}

    def received(self) -> Sequence[Received]:
        """The last one first."""
        with self._lock:
            return list(reversed(self._received))
