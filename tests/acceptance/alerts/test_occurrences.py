"""A later, separate event while an alert is open is never swallowed, of whatever kind it is."""

import pytest

from alerts.lifecycle import acknowledge, on_site, resolve
from core.model import Outcome
from tests.acceptance.alerts.street import HOUR, MINUTE, Street

EVENTS = {"sos": 1, "fall": 2, "smoke": 1, "gas": 1, "leak": 1, "tamper": 1}
DEVICES = {"fall": "radar", "tamper": "motion"}


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_that_comes_again_is_counted_told_and_in_the_history(street: Street, kind: str) -> None:
    home = street.world.home("home-7", tell_notices=True)
    street.person("wang")
    device = home.device(DEVICES.get(kind, kind), "bedroom", mains=kind == "fall")
    for minutes in (0, 10):
        home.heard(street.clock.move(minutes * MINUTE))
        home.urgent(device, kind, street.now, value=EVENTS[kind])
        for wait in (0, 1, 1):  # a fall is given its time to get up
            street.passes(wait * MINUTE, home)
    (alert,) = street.world.alerts(kind)
    assert alert["occurrences"] == 2
    assert "occurred_again" in street.world.history(alert["id"])
    assert street.rings()["wang"] >= (1 if kind == "tamper" else 2)  # a notice is no noise


def test_a_second_silence_while_somebody_is_said_to_be_on_site_is_told(street: Street) -> None:
    home = street.world.home("home-7")
    wang = street.person("wang")
    motion = home.device("motion", "kitchen")
    home.life(motion, street.now)
    street.passes(12.1 * HOUR, home)
    (alert,) = (row["id"] for row in street.world.alerts("inactivity"))
    on_site(street.world.owner, alert, wang, street.now)
    home.life(motion, street.clock.move(5 * MINUTE))  # the helper moves there, leaves, and forgets to say so
    street.passes(MINUTE, home)
    assert street.rings() == {"wang": 1}
    street.passes(12.1 * HOUR, home)
    row = street.world.alerts("inactivity")[0]
    assert (row["id"], row["occurrences"], row["state"]) == (alert, 2, "open")
    assert street.rings() == {"wang": 2}
    for _ in range(3):
        street.passes(MINUTE, home)
    assert street.world.alerts("inactivity")[0]["occurrences"] == 2


def test_a_resolved_regional_outage_does_not_come_up_again_at_once_but_another_one_does(street: Street) -> None:
    world = street.world
    wang = street.person("wang")
    homes = [world.home(f"home-{number}") for number in range(6)]
    for home in homes:
        home.device("motion", "kitchen")
        home.heard(street.now)
    for home in homes:
        home.will(street.now)
    street.passes(2 * MINUTE)
    (incident,) = (row["id"] for row in world.alerts())
    acknowledge(world.owner, incident, wang, street.now)
    resolve(world.owner, incident, wang, street.now, Outcome.HELPED, "the grid company is at work")
    for _ in range(3):
        street.passes(10 * MINUTE)
    assert [row["kind"] for row in world.alerts()] == ["regional_outage"]
    # The power comes back, and in the afternoon it is gone again: that is another one.
    for home in homes:
        home.heard(street.now)
    street.passes(MINUTE, *homes)
    street.clock.move(3 * HOUR)
    for home in homes:
        home.heard(street.now)
        home.will(street.now + MINUTE)
    street.passes(3 * MINUTE)
    assert [(row["kind"], row["state"]) for row in world.alerts()] == [
        ("regional_outage", "resolved"),
        ("regional_outage", "open"),
    ]
    # After twelve hours a word given says little: a street without power for a night comes up again.
    second = world.alerts()[-1]["id"]
    resolve(world.owner, second, wang, street.now, Outcome.HELPED)
    street.passes(11 * HOUR)
    assert len(world.alerts("regional_outage")) == 2
    street.passes(1.1 * HOUR)
    assert len(world.alerts("regional_outage")) == 3
