"""The watchdog on another machine: a platform that dies is told once, and once that it is back."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from alerts.notify.dispatch import Dispatch
from alerts.notify.message import Message
from alerts.notify.result import SendReason, Sent
from alerts.watcher.operator import Operator
from core.errors import SettingsError
from core.words import load_words
from yiju.watchdog import HeartbeatServer, Watchdog, WatchdogSettings, ask_health, run

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Night:
    """A watchdog whose time the test moves."""

    def __init__(self, settings: WatchdogSettings, *, asks: bool) -> None:
        self.at = 0.0
        self.problem: str | None = None
        self.said: list[str] = []
        operator = Operator(["x:"], load_words()["en"], "UTC", self.send)
        self.dog = Watchdog(
            settings, operator, (lambda: self.problem) if asks else None, lambda: self.at,
            lambda: NOW + timedelta(seconds=self.at),
        )  # fmt: skip

    def send(self, channel: str, message: Message) -> Sent:
        self.said.append(message.title)
        return Sent(SendReason.SENT)

    def passes(self, seconds: float) -> None:
        for _ in range(int(seconds / 30)):
            self.at += 30
            self.dog.look()


def test_a_platform_that_does_not_answer_is_told_once_and_its_return_once() -> None:
    night = Night(WatchdogSettings(watchdog_channels="x:", watchdog_url="http://p"), asks=True)
    night.passes(300)
    night.problem = "no_answer"
    night.passes(60)
    night.problem = None  # a restart
    night.passes(60)
    assert night.said == []
    night.problem = "no_answer"
    night.passes(600)
    night.problem = "health_bad"  # it comes up, and is not well yet: the same incident
    night.passes(300)
    night.problem = None
    night.passes(60)
    assert night.said == ["Yiju needs you: the platform does not answer", "Over: the platform does not answer"]


def test_a_heartbeat_that_stops_is_told_and_one_that_comes_again_ends_it() -> None:
    settings = WatchdogSettings(watchdog_channels="x:", watchdog_listen="127.0.0.1:0", watchdog_heartbeat_s=3600)
    night = Night(settings, asks=False)
    for _ in range(5):
        night.passes(1800)
        night.dog.heartbeat()
    assert night.said == []
    night.passes(7200)
    night.dog.heartbeat()
    night.passes(60)
    what = "no heartbeat has come from the platform"
    assert night.said == [f"Yiju needs you: {what}", f"Over: {what}"]


@contextmanager
def platform(status: int, body: bytes) -> Iterator[tuple[str, list[str]]]:
    """Something that answers /health, and what it was asked with."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Authorization', '')}".strip())
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, json.dumps({"status": "ok"}).encode(), None),
        (503, json.dumps({"status": "degraded"}).encode(), "health_bad"),
        (200, b"<html>a portal</html>", "health_bad"),
    ],
)
def test_health_is_asked_and_judged(status: int, body: bytes, problem: str | None) -> None:
    with platform(status, body) as (url, asked):
        assert ask_health(url, "key", 2.0) == problem
    assert asked == ["/health Bearer key"]
    assert ask_health(url, "", 2.0) == "no_answer"


def test_a_heartbeat_counts_when_it_is_signed_fresh_and_new() -> None:
    wall, came = [1_000_000.0], [0]

    def count() -> None:
        came[0] += 1

    with HeartbeatServer("127.0.0.1:0", "secret", lambda: wall[0], count) as server:

        def beat(id: str, secret: str, at: float) -> SendReason:
            send = Dispatch("", lambda: at, timeout_s=2.0)
            return send(f"webhook+http://:{secret}@127.0.0.1:{server.port}/", Message("well", "", False, id=id)).reason

        assert beat("heartbeat-1", "secret", 1_000_000) is SendReason.SENT
        assert beat("heartbeat-1", "secret", 1_000_000) is SendReason.SENT  # tried again: it is the same one
        assert came == [1]
        assert beat("heartbeat-2", "guessed", 1_000_000) is SendReason.REFUSED
        assert beat("heartbeat-3", "secret", 999_000) is SendReason.REFUSED  # recorded, and played again
        assert beat("trouble-1", "secret", 1_000_000) is SendReason.REFUSED
        assert came == [1]
        assert beat("heartbeat-4", "secret", 1_000_000) is SendReason.SENT
    assert came == [2]


def test_a_watchdog_without_anything_to_watch_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match="YIJU_WATCHDOG_URL"):
        run(WatchdogSettings(watchdog_channels="x:"))
    with pytest.raises(SettingsError, match="YIJU_WATCHDOG_SECRET"):
        HeartbeatServer("127.0.0.1:0", "", lambda: 0.0, lambda: None)


def test_a_length_that_is_none_is_refused_and_ends_no_connection_without_an_answer() -> None:
    with HeartbeatServer("127.0.0.1:0", "secret", lambda: 0.0, lambda: None) as server:
        for length in ("²", "9" * 20, "-1", "x"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
                line.sendall(f"POST / HTTP/1.1\r\nHost: w\r\nContent-Length: {length}\r\n\r\n".encode("latin-1"))
                assert b" 403 " in line.recv(100), length
