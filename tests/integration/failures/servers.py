"""A durable database server of a test's own that may be killed, filled up, cut off and replaced."""

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from store.migrate import migrate
from store.verify import verify
from tests.children import children
from tests.conftest import NOW, Database
from tests.integration.ingest.test_ingest import GatewayClient, door
from yiju.embedded.postgres import EmbeddedPostgres, binary, free_port


def durable_server(folder: Path, **settings: str) -> EmbeddedPostgres:
    """Started on a port that it keeps, with a migrated database `yiju`."""
    server = EmbeddedPostgres(folder, free_port(), extra={"shared_buffers": "16MB", **settings})
    server.prepare()
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE yiju")
    migrate(server.url("yiju"), NOW)
    return server


def replica_of(server: EmbeddedPostgres, folder: Path) -> EmbeddedPostgres:
    """A standby that follows; from now on `server` commits only what it has, too."""
    replica = EmbeddedPostgres(folder, free_port(), extra={"shared_buffers": "16MB"})
    folder.mkdir(mode=0o700)
    shutil.copy(server.folder / "password", folder / "password")
    subprocess.run(
        [binary("pg_basebackup"), "-D", folder / "data", "-d", server.url(), "-R", "--checkpoint=fast"],
        check=True, capture_output=True,
    )  # fmt: skip
    replica.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        connection.execute("SELECT pg_reload_conf()")
    return replica


def kill(server: EmbeddedPostgres) -> None:
    """As when the power goes: no farewell, and its children with it."""
    assert server.process is not None
    workers = children(server.process.pid)
    server.process.kill()
    server.process.wait()
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def send_many(gateway: GatewayClient, first: int, last: int) -> None:
    """Batches `first` to `last`, a reading each."""
    for seq in range(first, last + 1):
        gateway.send(seq, door(seq))


class Heard:
    """What a gateway was told end to end that it may forget."""

    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway
        self._seqs: set[int] = set()

    def all(self, last: int) -> None:
        """Waits until every batch up to `last` is acknowledged."""
        while not self._seqs.issuperset(range(1, last + 1)):
            self._seqs.update(self._gateway.acks.get(timeout=60).seqs)


def nothing_lost_nothing_doubled(database: Database, last: int) -> None:
    """Every batch once, and all that is derived as the readings say."""
    with database.connect() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM ledger) AS batches, (SELECT count(*) FROM reading) AS readings,"
            " (SELECT count(DISTINCT (time, batch_id)) FROM reading) AS different"
        ).fetchone()
        assert row == {"batches": last, "readings": last, "different": last}
        assert verify(connection, NOW).examples == []


class CuttingProxy:
    """Between ingest and the database; cuts the line in the midst of a COPY as often as it is told."""

    def __init__(self, url: str, cuts: int) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._left = cuts
        self.cuts = 0
        port = self._listener.getsockname()[1]
        self.url = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with source, sink, suppress(OSError):
            while block := source.recv(65536):
                at = block.find(b"PGCOPY")
                if at >= 0 and self._left > 0:
                    self._left -= 1
                    self.cuts += 1
                    sink.sendall(block[: at + 40])  # in the midst of a row
                    sink.shutdown(socket.SHUT_RDWR)
                    source.shutdown(socket.SHUT_RDWR)
                    return
                sink.sendall(block)
            sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size at `folder`. Raises CalledProcessError where it may not be mounted."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True,
                   capture_output=True)  # fmt: skip
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
