"""The service as a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from api.settings import Settings
from tests.conftest import Database
from tests.integration.api.conftest import PATIENCE_S, wait_for
from tests.integration.api.world import PASSWORD, World

PROGRAM = """
import os
from api.service import Settings, run
from core.clock import SystemClock
from core.settings import read_settings
run(read_settings(Settings, os.environ), SystemClock())
"""


def start(database: Database, port: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "YIJU_DATABASE_URL": database.url, "YIJU_PORT": str(port)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=Path(__file__).parents[3], stderr=subprocess.PIPE
    )


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False).status_code in (200, 503)
    except httpx.TransportError:
        return False


def test_it_serves_until_it_is_told_to_stop_and_an_open_stream_does_not_keep_it(
    database: Database, settings: Settings, world: World
) -> None:
    url = settings.public_url
    with start(database, settings.port) as process:
        wait_for(lambda: answers(url), "the service answers")
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
            token = client.post("/api/v1/tokens", json={"login": "anna", "password": PASSWORD}).json()["token"]
            with client.stream("GET", "/api/v1/events", headers={"Authorization": f"Bearer {token}"}) as stream:
                lines = stream.iter_lines()
                assert next(lines).startswith("retry:")
                process.send_signal(signal.SIGTERM)
                assert process.wait(4) == 0
                assert "error" not in "".join(lines)


def test_a_taken_port_is_one_clear_sentence(database: Database, settings: Settings, site: str) -> None:
    with start(database, settings.port) as process:
        _, complaint = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1
        assert f"is port {settings.port} of 127.0.0.1 taken?" in complaint.decode().splitlines()[-1]
