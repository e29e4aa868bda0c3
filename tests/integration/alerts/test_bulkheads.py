"""What one broken home or alert costs: itself, and a word to the operator. Never the others."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import structlog

from alerts import climb, ladder, learn
from alerts.at_once import Done
from alerts.learn import learn_due
from alerts.observe.policies import policies_of
from alerts.service import AlertsService, Settings
from alerts.slices import COUNT
from core.clock import ManualClock
from core.model import AlertKind
from tests.conftest import NOW, Database
from tests.integration.alerts.test_service import eventually, heartbeat
from tests.integration.alerts.world import World

Climb = climb.Climb


class Breaking(Climb):
    """Breaks on a leak, after it has noted half of what it had to say."""

    def go(self) -> None:
        super().go()
        if self._alert["kind"] == AlertKind.LEAK:
            raise ZeroDivisionError("a fault of ours")


def test_an_alert_that_cannot_be_taken_further_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.person("wang", "worker", channels=["json://127.0.0.1:1"])
    home = world.home("h1")
    home.heard(NOW)
    home.urgent(home.device("leak", "kitchen"), "leak", NOW)
    home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    monkeypatch.setattr(ladder, "Climb", Breaking)
    with structlog.testing.capture_logs() as said:
        world.tick(NOW)
        for seconds in (5, 31):  # tried again after half a minute, and said once
            ladder.escalate(world.worker, NOW + timedelta(seconds=seconds), {}, [])
            world.worker.commit()
    told = world.rows("SELECT alert.kind FROM delivery JOIN alert ON alert.id = delivery.alert_id")
    assert [row["kind"] for row in told] == ["sos"], "half a climb is none"
    (leak,) = world.alerts("leak")
    assert world.history(leak["id"]).count("climb_broke") == 1
    assert [row["error"] for row in said if row["event"] == "climb_broke"] == ["ZeroDivisionError"] * 2
    monkeypatch.undo()
    ladder.escalate(world.worker, NOW + timedelta(seconds=62), {}, [])
    world.worker.commit()
    assert len(world.rows("SELECT FROM delivery WHERE alert_id = %s", leak["id"])) == 1


def test_a_home_that_cannot_be_learned_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = world.home("bad"), world.home("good")
    learns = learn.learn_home

    def breaking(connection: Any, home_id: int, *rest: Any) -> Mapping[str, Any]:
        found = learns(connection, home_id, *rest)
        if home_id == bad.id:
            connection.execute("SELECT 1 / 0")
        return found

    monkeypatch.setattr(learn, "learn_home", breaking)
    assert set(learn_due(world.worker, NOW)) == {bad.id}
    world.worker.commit()
    assert [row["home_id"] for row in world.rows("SELECT home_id FROM profile")] == [good.id]
    assert learn_due(world.worker, NOW, apart=[bad.id]) == {}


def test_a_home_that_cannot_be_looked_at_blinds_its_slice_alone_and_says_so(
    world: World, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = [world.home(f"h{number}") for number in range(2)]
    for home in homes:
        home.heard(NOW)
        home.urgent(home.device("sos", "bedroom"), "sos", NOW)
    bad, good = homes

    def breaking(regions: Any, rows: Any) -> Any:
        if any(row["id"] == bad.id for row in rows):
            raise KeyError("a fault of ours")
        return policies_of(regions, rows)

    monkeypatch.setattr("alerts.observe.view.policies_of", breaking)
    monkeypatch.setattr("alerts.service.at_once", lambda *_, **__: Done((), look=False))
    service = AlertsService(Settings(database_url=database.url, tick_s=0.2), clock)
    service.start()
    try:
        eventually(lambda: [alert["home_id"] for alert in world.alerts("sos")] == [good.id])
        eventually(lambda: heartbeat(world).get("blind") == 1)
        assert heartbeat(world)["stalled"] is False
        monkeypatch.undo()
        eventually(lambda: len(world.alerts("sos")) == 2)
        eventually(lambda: heartbeat(world)["blind"] == 0)
    finally:
        service.stop()
    assert bad.id % COUNT != good.id % COUNT
