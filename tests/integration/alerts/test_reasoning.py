"""`yiju detect explain`: the numbers behind a verdict are the sweep's own."""

from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from alerts.reasoning import reason
from core.errors import NotFound
from tests.conftest import NOW
from tests.integration.alerts.world import World
from yiju.explain_picture import picture
from yiju.explaining import table

HOUR = timedelta(hours=1)


def test_the_reasoning_about_an_alarm_has_the_alarms_own_figures(world: World, tmp_path: Path) -> None:
    home = world.home("h1")
    motion = home.device("motion", "kitchen")
    home.routine(motion, NOW - timedelta(days=9), 9)
    home.life(motion, NOW)
    home.heard(NOW)
    world.tick(NOW)
    late = NOW + 4 * HOUR
    home.heard(late)
    for quarter in range(1, 17):
        home._rollup(home.itself, 50, NOW + quarter * timedelta(minutes=15), 0)
    world.tick(late)
    (alert,) = world.alerts()
    for name in ("h1", "1"):
        found = reason(world.owner, name, late)
        assert found.inactive
        assert found.life_at == alert["began_at"].timestamp()
        assert found.limit_s == alert["parameters"]["limit_s"]
        assert found.version == alert["parameters"]["profile"]
        assert found.silence_s == alert["parameters"]["silence_s"]
    early = reason(world.owner, "h1", NOW + 0.2 * HOUR)
    assert not early.inactive
    before = reason(world.owner, "h1", NOW - timedelta(days=1))  # nothing was learned yet, and nothing later is seen
    assert before.part is None
    assert before.limit_s == 12 * 3600
    drawn = picture(found)
    assert drawn.startswith("<svg")
    assert "alarm" in drawn
    console = Console(width=160, record=True)
    console.print(table(found))
    assert "inactive" in console.export_text()


def test_a_home_that_is_not_there_is_one_sentence(world: World) -> None:
    with pytest.raises(NotFound, match="there is no home 'nowhere'"):
        reason(world.owner, "nowhere", NOW)
