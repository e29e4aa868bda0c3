"""What is learned in the night is learned from what was measured before it, though more may be stored already."""

from datetime import timedelta
from typing import Any

from alerts.learn import learn_home
from tests.conftest import NOW
from tests.integration.alerts.test_metered import lives
from tests.integration.alerts.world import World

DAY = timedelta(days=1)


def test_readings_from_after_the_night_teach_nothing(world: World) -> None:
    """Clocks that are ahead, and a look back with `yiju detect explain`, make such readings."""
    start, night = NOW - 12 * DAY, NOW - 3 * DAY
    found: list[dict[str, Any]] = []
    for key in ("prefix", "whole"):
        home = world.home(key)
        motion = home.device("motion", "kitchen")
        home.routine(motion, start, 9)
        if key == "whole":
            home.routine(motion, night, 3, (10, 16))
        found.append(learn_home(world.owner, home.id, "UTC", night))
    assert found[0]["known"]
    assert found[0] == found[1]


def test_nor_do_those_of_a_home_with_nothing_but_a_meter(world: World) -> None:
    start, night = NOW - 12 * DAY, NOW - 3 * DAY
    found = []
    for key, end in (("prefix", night), ("whole", NOW)):
        home = world.home(key)
        meter = home.device("meter", mains=True)
        lives(world, home, meter, start, night, (6, 22))
        if end > night:
            lives(world, home, meter, night, end, (0, 23))
        found.append((learn_home(world.owner, home.id, "UTC", night), world.rows(
            "SELECT by_hour, learned_until FROM power_life WHERE home_id = %s", home.id)))  # fmt: skip
    assert found[0][0]["known"]
    assert found[0] == found[1]
