"""The data folder of an embedded stack (`YIJU_HOME`): one stack at a time, its ports, its files.

lock          held by the running stack and every process of it
ports.json    the database's and the broker's ports, kept so that a restart finds them again
clock.json    how far this folder's time has come (yiju/stack_clock.py)
postgres/  broker/  simulator/  logs/  demo/
"""

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import Final

from core.errors import StackError
from yiju.embedded.postgres import free_port

LOCK_PATIENCE_S: Final = 30.0  # a stack that was killed needs a moment until its last process is gone


class DataFolder:
    """Made with mode 0700 when it is not there. Raises StackError when it cannot be."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("logs", "simulator", "demo"):
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StackError(
                f"the data folder {self.path} cannot be used ({error}): choose another, YIJU_HOME="
            ) from error
        self._lock: int | None = None

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def simulator(self) -> Path:
        return self.path / "simulator"

    def lock(self, patience_s: float = LOCK_PATIENCE_S) -> int:
        """Takes the folder for this process and returns the lock's file descriptor.

        Every child inherits it, so that the folder is free only when the last of them has gone. When the stack
        that had it was killed, waits for its children to end.

        Raises:
            StackError: another stack runs in this folder, or its children do not end.
        """
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                owner = os.pread(lock, 32, 0).decode().strip()
                if owner.isdigit() and _runs(int(owner)):
                    os.close(lock)
                    raise StackError(
                        f"a stack already runs in {self.path} (process {owner}): stop it first, or choose another"
                        " folder with YIJU_HOME="
                    ) from None
                if time.monotonic() > until:
                    os.close(lock)
                    raise StackError(
                        f"processes of a stack that was killed still run in {self.path}: `fuser {self.path}/lock`"
                        " names them"
                    ) from None
                time.sleep(0.1)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._lock = lock
        return lock

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def port(self, name: str) -> int:
        """The port of `name` in this folder: the one it had before when it is free, else a new one."""
        ports = self.read_json("ports.json")
        port = ports.get(name)
        if not isinstance(port, int) or not is_free(port):
            port = free_port()
            self.write_json("ports.json", {**ports, name: port})
        return port

    def read_json(self, name: str) -> dict[str, object]:
        """What `write_json` wrote, {} when there is nothing. Raises StackError when it is broken."""
        path = self.path / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise StackError(f"{path} cannot be read: {error}. Remove it to begin anew") from error
        if not isinstance(content, dict):
            raise StackError(f"{path} holds no JSON object. Remove it to begin anew")
        return content

    def write_json(self, name: str, content: dict[str, object]) -> None:
        """Replaces the file at once, readable by its owner alone."""
        path = self.path / name
        new = path.with_name(path.name + ".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        new.rename(path)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
