"""The services start by docker-compose.yml's own commands and environment: on a real TimescaleDB and on mosquitto
with the shipped configuration, under local addresses."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.integration.deploy.compose import ROOT, own_services, services
from tests.needs import need
from yiju.embedded.broker import find_mosquitto
from yiju.embedded.postgres import free_port
from yiju.up import ask_health

PATIENCE_S: Final = 60.0
LOCAL: Final = {"mosquitto/config": "/config", "mosquitto": "", "accounts": "/accounts", "data": "/data"}
FOLDERS: Final = re.compile(r"(?<![\w.-])/(mosquitto/config|mosquitto|accounts|data)(?![\w.-])")
TIMESCALEDB = os.environ.get("YIJU_TEST_TIMESCALEDB_URL", "")


@dataclass
class Site:
    """One machine's worth of the file: its addresses and folders mapped to local ones."""

    folder: Path
    database: str
    broker_port: int = field(default_factory=free_port)
    api_port: int = field(default_factory=free_port)

    def local(self, text: str) -> str:
        """A value of the file, for here."""
        database = urlsplit(self.database)
        addresses = (
            text.replace("yiju:database-secret@db:5432/yiju", f"{database.netloc}{database.path}")
            .replace("broker:1883", f"127.0.0.1:{self.broker_port}")
            .replace("listener 1883", f"listener {self.broker_port} 127.0.0.1")
            .replace("127.0.0.1:8080", f"127.0.0.1:{self.api_port}")
        )
        return FOLDERS.sub(lambda match: f"{self.folder}{LOCAL[match[1]]}", addresses)

    def environment(self, name: str) -> dict[str, str]:
        given = {key: self.local(str(value)) for key, value in services()[name].get("environment", {}).items()}
        if "YIJU_PORT" in given:
            given |= {"YIJU_PORT": str(self.api_port), "YIJU_HOST": "127.0.0.1"}
        bare = {key: value for key, value in os.environ.items() if not key.startswith("YIJU_")}
        return bare | {"PYTHONPATH": str(ROOT), "PATH": f"{bare['PATH']}:/usr/sbin"} | given

    def command(self, name: str) -> list[str]:
        first, *rest = services()[name]["command"]
        local = [self.local(word) for word in rest]
        return [sys.executable, "-m", "yiju", *local] if first == "yiju" else [first, *local]

    def run(self, name: str) -> str:
        """A service that ends by itself."""
        ran = subprocess.run(
            self.command(name), env=self.environment(name), capture_output=True, text=True, timeout=120, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def start(self, name: str, ending: ExitStack) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(self.command(name), env=self.environment(name), stdout=log, stderr=log)
        ending.callback(_end, process)
        return process

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def until(condition: Callable[[], object], why: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, why()
        time.sleep(0.1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    need(find_mosquitto() is not None, "mosquitto is not installed: apt-get install mosquitto")
    need(
        bool(TIMESCALEDB),
        "no TimescaleDB is named: run `deploy/ci/timescaledb.sh start DIR 54317` as root and set"
        " YIJU_TEST_TIMESCALEDB_URL to what it prints",
    )
    name = f"compose_{uuid4().hex[:12]}"
    with psycopg.connect(TIMESCALEDB, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    site = Site(tmp_path, urlsplit(TIMESCALEDB)._replace(path=f"/{name}").geturl())
    for folder in ("accounts", "data", "config/tls"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("mosquitto.conf", "acl", "run.sh"):
        text = (ROOT / "deploy/broker" / file).read_text(encoding="utf-8")
        (tmp_path / "config" / file).write_text(site.local(text) if file == "mosquitto.conf" else text)
    if os.geteuid() == 0:  # as root mosquitto becomes its own user, which must get at its files
        with (tmp_path / "config" / "mosquitto.conf").open("a") as configuration:
            configuration.write("user root\n")
    yield site
    with psycopg.connect(TIMESCALEDB, autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def test_the_platform_comes_up_by_the_files_own_commands_and_the_demo_is_heard(site: Site) -> None:
    assert "edition timescale" in site.run("migrate")
    with ExitStack() as ending:
        site.start("broker-accounts", ending)
        until((site.folder / "accounts/accounts").exists, lambda: site.log("broker-accounts"))
        broker = site.start("broker", ending)
        for name in ("ingest", "alerts", "api"):
            site.start(name, ending)
        until(
            lambda: ask_health("127.0.0.1", site.api_port).get("status") == "ok",
            lambda: "\n".join(
                [str(ask_health("127.0.0.1", site.api_port)), *map(site.log, ("ingest", "alerts", "api"))]
            ),
        )
        for name in ("ingest", "api"):
            check = own_services()[name]["healthcheck"]["test"]
            words = [site.local(word) for word in check[1:]]
            words = [sys.executable, "-m", *words] if words[0] == "yiju" else [sys.executable, *words[1:]]
            healthy = subprocess.run(words, env=site.environment(name), capture_output=True, text=True, check=False)
            assert healthy.returncode == 0, healthy.stdout + healthy.stderr

        site.run("demo-homes")  # after the broker has started: it reads its accounts again by itself
        site.start("simulator", ending)
        with psycopg.connect(site.database, autocommit=True) as connection:

            def heard() -> bool:
                row = connection.execute("SELECT count(*) FROM gateway_status WHERE online").fetchone()
                return row is not None and row[0] == 24

            until(heard, lambda: site.log("simulator") + site.log("broker"))
        assert broker.poll() is None
