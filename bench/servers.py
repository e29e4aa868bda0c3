"""What a benchmark is given: servers that run already, and a way to start our services against them."""

import subprocess
from dataclasses import dataclass
from typing import Protocol


class StartService(Protocol):
    """Starts `python -m yiju NAME` with these settings on top of the servers' own; it ends with the benchmark."""

    def __call__(self, name: str, **settings: str) -> "subprocess.Popen[bytes]": ...


@dataclass(frozen=True)
class Servers:
    """Real servers of the benchmark's own.

    Attributes:
        database_url: a migrated database.
        limit_database_url: another one of the same server, for what the limit is measured on.
        broker_url: with the platform's account.
        load_url: the same broker with an account that may publish as any gateway.
    """

    database_url: str
    limit_database_url: str
    broker_url: str
    load_url: str
    postgres_pid: int
    broker_pid: int
    start: StartService
