"""`yiju up`: one folder, one stack; it restarts what dies, stops cleanly, and leaves nobody behind."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from tests.children import children
from yiju.embedded.postgres import free_port
from yiju.folder import DataFolder

PATIENCE_S: Final = 40.0
# Stands in for a service that is up: the stack itself is what is looked at here, its services have tests of their own.
API: Final = """
import http.server, os, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'{"status": "ok"}')
    def log_message(self, *words): pass
print("listening", file=sys.stderr, flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["YIJU_PORT"])), Health).serve_forever()
"""
IDLE: Final = """
import os, signal, sys
print("clock", os.environ["YIJU_CLOCK"], file=sys.stderr, flush=True)
signal.sigwait([signal.SIGTERM])
"""
STACK: Final = """
import sys, json
from yiju.screen import Screen
from yiju.up import UpSettings, up
settings, speed, commands = json.loads(sys.argv[1])
up(UpSettings(**settings), demo=None, speed=speed, screen=Screen(), commands=commands)
"""


class RunningStack:
    """A `yiju up` in a process of its own."""

    def __init__(self, home: Path, speed: float | None = None) -> None:
        self.home = home
        self.port = free_port()
        commands = {"ingest": [sys.executable, "-c", IDLE, "ingest"], "alerts": [sys.executable, "-c", IDLE, "alerts"],
                    "api": [sys.executable, "-c", API]}  # fmt: skip
        settings = {"home": str(home), "port": self.port}
        self.said = home.parent / f"{self.port}.said"
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", STACK, json.dumps([settings, speed, commands])],
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            )

    def await_ready(self) -> "RunningStack":
        until(lambda: "Ctrl-C stops it" in self.words() or self.process.poll() is not None)
        assert self.process.poll() is None, self.words()
        return self

    def words(self) -> str:
        return self.said.read_text() if self.said.exists() else ""

    def child(self, part: str) -> int:
        return next(pid for pid, command in children(self.process.pid).items() if part in command)

    def database(self) -> str:
        password = (self.home / "postgres" / "password").read_text()
        port = DataFolder(self.home).read_json("ports.json")["postgres"]
        return f"postgresql://yiju:{password}@127.0.0.1:{port}/yiju"

    def descendants(self) -> list[int]:
        """Every process that holds the folder's lock."""
        lock = self.home / "lock"
        return [int(pid.name) for pid in Path("/proc").iterdir() if pid.name.isdigit() and _holds(pid, lock)]


def _holds(process: Path, file: Path) -> bool:
    try:
        return any(link.resolve() == file for link in (process / "fd").iterdir())
    except OSError:
        return False


def until(condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def health(port: int) -> object:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health")
        return json.loads(connection.getresponse().read())
    except OSError:
        return None
    finally:
        connection.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder."""
    return tmp_path / "home"


Start = Callable[..., RunningStack]


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts a stack in the folder and waits until it is ready; the test's end kills what still runs."""
    stacks: list[RunningStack] = []

    def run(speed: float | None = None) -> RunningStack:
        stacks.append(RunningStack(home, speed))
        return stacks[-1].await_ready()

    yield run
    for stack in stacks:
        stack.process.kill()
        stack.process.wait()
        for pid in stack.descendants():
            os.kill(pid, signal.SIGKILL)


def test_it_comes_up_says_where_in_one_line_and_ctrl_c_stops_all_of_it(home: Path, start: Start) -> None:
    stack = start()
    assert health(stack.port) == {"status": "ok"}
    assert stack.words().strip() == f"Yiju: http://localhost:{stack.port} · Ctrl-C stops it"
    with psycopg.connect(stack.database()) as connection:
        assert connection.execute("SELECT count(*) FROM home").fetchone() == (0,)
    began = time.monotonic()
    stack.process.send_signal(signal.SIGINT)
    assert stack.process.wait(15) == 0
    assert time.monotonic() - began < 12
    assert stack.descendants() == []
    assert "Traceback" not in stack.words()


def test_killed_with_9_it_leaves_nobody_behind_and_the_data_stays(home: Path, start: Start) -> None:
    stack = start()
    with psycopg.connect(stack.database()) as connection:
        connection.execute("INSERT INTO region (key, level, name) VALUES ('d', 'district', 'D')")
    assert len(stack.descendants()) >= 5
    stack.process.kill()
    stack.process.wait()
    again = start()  # at once: it waits for what is still ending
    with psycopg.connect(again.database()) as connection:
        assert connection.execute("SELECT name FROM region").fetchone() == ("D",)
    again.process.kill()
    again.process.wait()
    until(lambda: not again.descendants())


@pytest.mark.parametrize(
    ("part", "name"),
    [(" ingest", "ingest"), ("http.server", "api"), ("pginstall/bin/postgres", "PostgreSQL"), ("broker", "the broker")],
)
def test_a_killed_part_comes_back_and_the_reason_is_shown(home: Path, start: Start, part: str, name: str) -> None:
    stack = start()
    before = stack.child(part)
    os.kill(before, signal.SIGKILL)
    until(lambda: f"{name} runs again" in stack.words())
    assert re.search(rf"{name} ended with signal SIGKILL.*; it starts again in 0.5 s", stack.words())
    assert stack.child(part) != before
    until(lambda: health(stack.port) == {"status": "ok"})
    stack.process.terminate()
    assert stack.process.wait(15) == 0


def test_a_second_stack_in_the_folder_is_refused_in_one_sentence(home: Path, start: Start) -> None:
    first = start()
    command = [sys.executable, "-m", "yiju", "up"]
    environment = {**os.environ, "YIJU_HOME": str(home), "YIJU_PORT": str(free_port())}
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 2
    assert second.stderr.startswith("yiju: a stack already runs in ")
    assert len(second.stderr.splitlines()) == 1
    first.process.terminate()
    assert first.process.wait(15) == 0


def test_a_taken_port_is_one_sentence_with_the_remedy(home: Path) -> None:
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", 0))
        taker.listen()
        port = taker.getsockname()[1]
        command = [sys.executable, "-m", "yiju", "up"]
        environment = {**os.environ, "YIJU_HOME": str(home), "YIJU_PORT": str(port)}
        tried = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert tried.returncode == 2
    assert tried.stderr == (
        f"yiju: port {port} is taken by another program: choose another one,"
        f" e.g. `make run PORT={port + 1}` or YIJU_PORT={port + 1}\n"
    )


def test_a_fast_stack_goes_on_where_it_stopped_and_never_back(home: Path, start: Start) -> None:
    stack = start(speed=1000)
    stack.process.kill()
    stack.process.wait()
    lived = DataFolder(home).read_json("clock.json")["lived_to"]
    again = start(speed=1000)
    assert f"clock scaled:{lived}/" in (home / "logs" / "ingest.log").read_text()
    again.process.terminate()
    assert again.process.wait(15) == 0
