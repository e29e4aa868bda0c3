"""The whole demo, as `yiju up --demo` starts it: seen from outside, by a browser, a webhook and a kill -9."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page

from tests.acceptance.alerts.receiver import Receiver
from tests.children import children
from yiju.embedded.postgres import EmbeddedPostgres, free_port

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0
LANES = {"urgent": 0, "bulk": 1}


def eventually(what: Callable[[], Any], until_s: float = PATIENCE_S) -> Any:
    """Asks until the answer is true; fails with the last answer."""
    deadline = time.monotonic() + until_s
    while not (answer := what()):
        assert time.monotonic() < deadline, f"still {answer!r} after {until_s} s"
        time.sleep(0.05)
    return answer


class RunningDemo:
    """`yiju up --demo` in a process and a folder of its own."""

    def __init__(self, home: Path, webhook: str) -> None:
        self.home = home
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._said = home / "said"
        broker = {"YIJU_BROKER": os.environ["YIJU_TEST_BROKER"]} if "YIJU_TEST_BROKER" in os.environ else {}
        self.environment = {
            **os.environ, **broker, "YIJU_HOME": str(home / "data"), "YIJU_PORT": str(self.port),
            "YIJU_NOTIFY_URLS": webhook, "YIJU_PUBLIC_URL": self.address,
        }  # fmt: skip
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "yiju", "up", "--demo"], cwd=ROOT, env=self.environment,
                stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip
        eventually(lambda: "Ctrl-C stops it" in self.words() or self.process.poll() is not None, 120)
        assert self.process.poll() is None, self.words()

    def words(self) -> str:
        return self._said.read_text()

    def password(self, login: str) -> str:
        found = re.search(rf" {login} {login} / (\S+)", self.words())
        assert found, self.words()
        return found[1]

    def incident(self, kind: str, home: int) -> None:
        """Lets it happen, as soon as the simulator listens again."""
        eventually(lambda: self._incident(kind, home) == 0)

    def _incident(self, kind: str, home: int) -> int:
        return subprocess.run(
            [sys.executable, "-m", "yiju", "simulate", "incident", kind, "--home", str(home)],
            cwd=ROOT, env=self.environment, capture_output=True, check=False,
        ).returncode  # fmt: skip

    def health(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = httpx.get(f"{self.address}/health", timeout=5).json()
        except httpx.HTTPError as error:
            return {"status": type(error).__name__}
        return answer

    def processes(self) -> dict[str, int]:
        """What runs -> its pid: postgres, broker, and each service."""
        found: dict[str, int] = {}
        for pid, command in children(self.process.pid).items():
            if "postgres -D" in command:
                found["postgres"] = pid
            elif "mosquitto" in command or "amqtt" in command:
                found["broker"] = pid
            else:
                found[command.split()[-1]] = pid
        return found

    def await_another(self, name: str, old: int) -> None:
        """Waits until what was process `old` runs again as another."""
        eventually(lambda: self.processes().get(name, old) != old)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(60) == 0, self.words()


@pytest.fixture(scope="module")
def webhook() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, webhook: Receiver) -> Iterator[RunningDemo]:
    running = RunningDemo(tmp_path_factory.mktemp("demo"), webhook.channel("platform"))
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def signed_in(chromium: Browser, demo: RunningDemo, login: str) -> Page:
    page = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN").new_page()
    page.goto(f"{demo.address}/login")
    page.fill("#login", login)
    page.fill("#password", demo.password(login))
    page.click("button.main")
    return page


def test_a_fall_is_on_the_open_page_without_a_reload_at_the_webhook_once_and_on_the_family_page(
    demo: RunningDemo, webhook: Receiver, chromium: Browser
) -> None:
    assert demo.health()["status"] == "ok"
    worker, family = signed_in(chromium, demo, "worker"), signed_in(chromium, demo, "family")
    worker.wait_for_selector("text=实时更新中")
    worker.evaluate("window.neverReloaded = true")
    assert worker.locator("text=跌倒").count() == 0
    demo.incident("fall", home=3)
    worker.wait_for_selector("h2:has-text('跌倒'), h3:has-text('跌倒')", timeout=110_000)  # 90 s to get up
    assert worker.evaluate("window.neverReloaded") is True
    family.wait_for_selector("text=今天与平时不同", timeout=10_000)
    family.wait_for_selector("text=跌倒")
    eventually(lambda: webhook.count("platform"))
    demo.incident("end", home=3)
    worker.goto(f"{demo.address}/phones")
    for name in ("李建国", "林晓梅"):  # her son and the worker on shift were told on their own phones
        worker.wait_for_selector(f".phone:has-text('{name}') .bubble:has-text('跌倒')", timeout=10_000)
    for page in (worker, family):
        page.context.close()
    # The platform's channel once: its people are told, and 120 is due only when nobody has taken it on any rung.
    (said,) = [message["message"] for message in webhook.rung["platform"]]
    assert "一个也联系不上" not in said
    assert "120" not in said


@pytest.mark.timeout(600)
def test_whatever_is_killed_comes_back_and_what_was_sent_is_what_is_stored(demo: RunningDemo) -> None:
    for name in ("ingest", "broker", "simulate", "alerts", "api", "postgres", "ingest"):
        old = demo.processes()[name]
        os.kill(old, signal.SIGKILL)
        demo.await_another(name, old)
        eventually(lambda: demo.health().get("status") == "ok")
        demo.incident("sos", home=7)  # something urgent on the way at each kill
        demo.incident("end", home=7)
    demo.stop()
    stored = ledger(demo.home / "data" / "postgres")
    sent = {}
    for outbox in sorted((demo.home / "data").rglob("outbox.sqlite")):
        with sqlite3.connect(outbox) as file:
            (session,) = file.execute("SELECT id FROM session").fetchone()
            waiting = {(lane, seq) for lane, seq in file.execute("SELECT lane, seq FROM batch")}
            for lane, next_seq in file.execute("SELECT name, next_seq FROM lane"):
                for seq in range(1, next_seq):
                    sent[UUID(session), LANES[lane], seq] = (lane, seq) in waiting
        file.close()
    assert len({session for session, _, _ in sent}) == 24
    missing = [batch for batch, still_waits in sent.items() if not still_waits and batch not in stored]
    assert missing == []  # what the gateway has forgotten is in the database
    assert set(stored) <= set(sent)  # and nothing is there that was never sent


def ledger(folder: Path) -> set[tuple[UUID, int, int]]:
    """Every batch that the stopped demo's database holds, after looking that each reading is there once."""
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        with psycopg.connect(server.url("yiju")) as connection:
            wrong = connection.execute(
                "SELECT ledger.id, ledger.readings - ledger.rejected, count(reading.batch_id) FROM ledger"
                " LEFT JOIN reading ON reading.batch_id = ledger.id"
                " GROUP BY ledger.id, ledger.readings, ledger.rejected"
                " HAVING ledger.readings - ledger.rejected <> count(reading.batch_id)"
            ).fetchall()
            assert wrong == []  # each batch's readings are there, all of them and once
            rows = connection.execute("SELECT session, lane, seq FROM ledger WHERE session <> %s", [UUID(int=0)])
            return set(rows.fetchall())
    finally:
        server.stop()


def test_the_settings_of_the_demo_hold_no_secret_in_its_logs(demo: RunningDemo) -> None:
    logs = "".join(log.read_text(errors="replace") for log in (demo.home / "data" / "logs").iterdir())
    secrets = json.loads((demo.home / "data" / "demo" / "gateways.json").read_text()).values()
    assert logs
    assert not [secret for secret in secrets if secret in logs]
