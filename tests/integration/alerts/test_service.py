"""The running service: fast when it matters, patient when the database is away, clean when it stops."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from alerts.service import AlertsService, Settings
from core.clock import ManualClock
from tests.conftest import NOW, Database
from tests.integration.alerts.world import World


def eventually(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    """Waits until it holds."""
    began = time.perf_counter()
    while not holds():
        assert time.perf_counter() - began < within_s, "it did not come about"
        time.sleep(0.005)


@pytest.fixture
def service(world: World, database: Database, clock: ManualClock) -> Iterator[AlertsService]:
    """Looks at everything once an hour only, so that what comes sooner comes from the notification."""
    running = AlertsService(Settings(database_url=database.url, tick_s=3600), clock)
    running.start()
    yield running
    running.stop()


def heartbeat(world: World) -> dict[str, int]:
    rows = world.rows("SELECT details FROM alert_worker")
    return {"ticks": 0} | (rows[0]["details"] if rows else {})


def listeners(world: World) -> int:
    (row,) = world.rows(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND starts_with(query, 'LISTEN')"
    )
    return int(row["n"])


def test_an_urgent_event_is_an_alert_at_once(world: World, service: AlertsService) -> None:
    home = world.home("h1")
    button = home.device("sos", "bedroom")
    home.heard(NOW)
    eventually(lambda: listeners(world) == 1 and heartbeat(world)["ticks"] >= 1)
    home.urgent(button, "sos", NOW)
    eventually(lambda: len(world.alerts("sos")) == 1, within_s=5)


def test_a_service_whose_ticks_fail_says_so_while_its_heart_beats(
    world: World, service: AlertsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.service.STALLED_S", -3600.0)  # with the tick's own hour: at once
    eventually(lambda: heartbeat(world).get("stalled", False) is True)
    monkeypatch.undo()
    eventually(lambda: heartbeat(world)["stalled"] is False)


def test_a_database_that_drops_every_connection_is_waited_for(world: World, service: AlertsService) -> None:
    home = world.home("h1")
    button = home.device("sos", "bedroom")
    home.heard(NOW)
    eventually(lambda: listeners(world) == 1)
    world.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'yiju_alerts'"
    )
    home.urgent(button, "sos", NOW)  # nobody listens: found by the tick that follows the new connection
    eventually(lambda: len(world.alerts("sos")) == 1)


def test_a_process_of_its_own_ends_cleanly_when_told_to(world: World, database: Database) -> None:
    program = (
        "import os; from alerts.service import Settings, run; from core.clock import SystemClock;"
        " from core.settings import read_settings; run(read_settings(Settings, os.environ), SystemClock())"
    )
    environment = os.environ | {"YIJU_DATABASE_URL": database.url, "YIJU_TICK_S": "0.5"}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE)
    try:
        eventually(lambda: heartbeat(world)["ticks"] >= 1)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, said.decode()


def test_the_alert_is_announced_to_open_pages(world: World, service: AlertsService) -> None:
    home = world.home("h1")
    button = home.device("sos", "bedroom")
    home.heard(NOW)
    with world.database.connect() as page:
        page.execute("LISTEN alert_changed")
        eventually(lambda: listeners(world) == 2)
        home.urgent(button, "sos", NOW)
        (notice,) = list(page.notifies(timeout=5, stop_after=1))
    assert notice.payload == f'{{"alert":1,"home":{home.id}}}'


def test_habits_are_learned_again_after_a_day_and_the_versions_stay(world: World) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.routine(motion, NOW - timedelta(days=3), 3)
    for days in (0, 0.5, 1.1):
        world.tick(NOW + timedelta(days=days))
    rows = world.rows("SELECT version, data FROM profile ORDER BY version")
    assert [(row["version"], row["data"]["known"]) for row in rows] == [(1, False), (2, False)]


def test_what_comes_after_now_teaches_nothing(world: World) -> None:
    one, other = world.home("one"), world.home("other")
    for home, days in ((one, 12), (other, 20)):  # the other's rollup goes on for eight days after `now`
        home.routine(home.device("motion", "kitchen"), NOW - timedelta(days=12), days)
    world.tick(NOW)
    first, second = world.rows("SELECT data FROM profile ORDER BY home_id")
    assert first["data"]["known"]
    assert first == second
