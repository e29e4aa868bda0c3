"""What the supervisor looks after: PostgreSQL, the broker, and our own services as child processes."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from yiju.embedded.broker import EmbeddedBroker
from yiju.embedded.child import how_it_ended, last_line, start_child, stop_child
from yiju.embedded.postgres import EmbeddedPostgres

LOG_LIMIT_BYTES: Final = 5_000_000


class PostgresPart:
    """The database server."""

    name = "PostgreSQL"

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server

    def start(self) -> None:
        turn_log(self._server.log)
        self._server.start()

    def ended(self) -> str | None:
        return _ending(self._server.process, self._server.log)

    def stop(self, patience_s: float) -> None:
        self._server.stop(max(patience_s, 5.0))  # it writes a checkpoint


class BrokerPart:
    """The MQTT broker."""

    name = "the broker"

    def __init__(self, server: EmbeddedBroker) -> None:
        self._server = server

    def start(self) -> None:
        turn_log(self._server.log)
        self._server.start()

    def ended(self) -> str | None:
        return _ending(self._server.process, self._server.log)

    def stop(self, patience_s: float) -> None:
        self._server.stop(patience_s)


class ServicePart:
    """One of our own services, `python -m yiju {name}`; it writes to `{logs}/{name}.log`."""

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        logs: Path,
        *,
        command: Sequence[str] | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._command = command or [sys.executable, "-m", "yiju", name]
        self._environment = environment
        self._keep_open = keep_open

    def start(self) -> None:
        turn_log(self.log)
        with self.log.open("ab") as log:
            # Our services are made to be killed: when the stack is, nobody is left to wait for a slow farewell.
            self.process = start_child(
                self._command,
                death_signal=signal.SIGKILL,
                environment=self._environment,
                output=log,
                keep_open=self._keep_open,
            )

    def ended(self) -> str | None:
        return _ending(self.process, self.log)

    def stop(self, patience_s: float) -> None:
        if self.process is not None:
            stop_child(self.process, patience_s=patience_s)


def turn_log(log: Path) -> None:
    """Sets a log that has grown beyond 5 MB aside as `{name}.log.1`, replacing the one before."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.rename(log.with_name(log.name + ".1"))


def _ending(process: "subprocess.Popen[bytes] | None", log: Path) -> str | None:
    how = how_it_ended(process) if process is not None else "no start"
    if how is None:
        return None
    words = last_line(log)
    return f"{how}: {words}" if words else how
