"""How a running demo is told of an incident: a unix socket in its data folder, one JSON line each way.

    {"incident": "fall", "home": 3}   ->   {"ok": true, "sentence": "home 3: the resident has fallen ..."}

`incident` is a kind of incidents.py, or `end` to end what lasts in that home.
"""

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import structlog

from core.errors import StackError, YijuError

END: Final = "end"
_RECORD: Final = "control"  # a file in the data folder that says where the socket is
_LONGEST_PATH: Final = 100  # bytes; the system's limit is 108 with the final zero
_LONGEST_LINE: Final = 4096
_TIMEOUT_S: Final = 10.0
_log = structlog.get_logger()


class Request(msgspec.Struct, frozen=True):
    """What to do, in which home (1, 2, 3 ...)."""

    incident: str
    home: int


class Answer(msgspec.Struct, frozen=True):
    """Whether it was done, and a sentence that says what was or why not."""

    ok: bool
    sentence: str


class ControlServer:
    """Listens on a thread of its own.

    Args:
        folder: the simulator's data folder.
        answer: carries a request out and returns a sentence, or raises YijuError with one.
    """

    def __init__(self, folder: Path, answer: Callable[[Request], str]) -> None:
        self._answer = answer
        self._record = folder / _RECORD
        self._shelter: Path | None = None
        path = folder / "control.sock"
        if len(os.fsencode(path)) > _LONGEST_PATH:
            self._shelter = Path(tempfile.mkdtemp(prefix="yiju-"))
            path = self._shelter / "control.sock"
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def start(self) -> None:
        self._path.unlink(missing_ok=True)  # left by a process that was killed
        self._socket.bind(str(self._path))
        self._path.chmod(0o600)
        self._socket.listen(8)
        self._record.write_text(str(self._path))
        self._thread.start()

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._thread.join(_TIMEOUT_S)
        self._socket.close()
        self._record.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
        if self._shelter:
            shutil.rmtree(self._shelter, ignore_errors=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # stopped
            with connection:
                try:
                    connection.settimeout(_TIMEOUT_S)
                    connection.sendall(msgspec.json.encode(self._reply(_read_line(connection))) + b"\n")
                except OSError as error:  # the asker has gone: its loss alone
                    _log.warning("control_lost", reason=str(error))

    def _reply(self, line: bytes) -> Answer:
        try:
            return Answer(True, self._answer(msgspec.json.decode(line, type=Request)))
        except YijuError as error:
            return Answer(False, str(error))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Answer(False, f'not a request: {error}. Write one line such as {{"incident": "fall", "home": 3}}')
        except Exception as error:  # noqa: BLE001 - this thread must live on; the asker is told
            _log.exception("control_failed")
            return Answer(False, f"the demo could not do it: {error}")


def ask(folder: Path, incident: str, home: int) -> Answer:
    """Tells the demo whose simulator keeps its data in `folder`.

    Raises:
        StackError: no demo runs there.
    """
    record = folder / _RECORD
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(record.read_text())
            connection.sendall(msgspec.json.encode(Request(incident, home)) + b"\n")
            line = _read_line(connection)
    except OSError as error:
        raise StackError(
            f"no demo runs in {folder}: start one with `yiju up --demo`, or set YIJU_HOME to its data folder"
        ) from error
    return msgspec.json.decode(line, type=Answer)


def _read_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
        part = connection.recv(_LONGEST_LINE)
        if not part:
            break
        line += part
    return line
