"""When the platform is out of reach the home is warned on the spot; else the platform calls somebody."""

import pytest

from core.configuration import Trigger
from gateway.rules import Deed, Rules
from tests.unit.gateway.home_parts import DOOR, HOUR, MINUTE, SECOND, SIREN, SMOKE, SOS, START, configuration, reading


@pytest.fixture
def rules() -> Rules:
    made = Rules()
    made.configure(configuration())
    return made


def told(deed: Deed) -> list[tuple[str, str]]:
    return [(one.device, one.metric) for one in deed.readings]


def test_sos_without_a_line_sounds_the_siren_at_once(rules: Rules) -> None:
    deed = rules.happened([reading(SOS, "sos", START)], START, connected=False)
    assert deed.publish == [SIREN]
    assert told(deed) == [(SOS, "acted_locally")]


def test_with_a_platform_that_takes_it_nothing_happens_here(rules: Rules) -> None:
    assert rules.happened([reading(SOS, "sos", START)], START, connected=True).publish == []
    assert rules.tick(START + SECOND, connected=True, urgent_since=None).publish == []
    assert rules.tick(START + HOUR, connected=True, urgent_since=None).publish == []


def test_a_line_that_stands_to_a_platform_that_is_down_is_waited_on_for_20_s(rules: Rules) -> None:
    rules.happened([reading(SMOKE, "smoke", START)], START, connected=True)
    assert rules.tick(START + 19 * SECOND, connected=True, urgent_since=START).publish == []
    assert rules.tick(START + 20 * SECOND, connected=True, urgent_since=START).publish == [SIREN]
    assert rules.tick(START + 40 * SECOND, connected=True, urgent_since=START).publish == []


def test_a_line_that_breaks_before_the_acknowledgement_is_no_line(rules: Rules) -> None:
    rules.happened([reading(SOS, "sos", START)], START, connected=True)
    assert rules.tick(START + SECOND, connected=False, urgent_since=START).publish == [SIREN]


def test_an_event_that_is_not_in_the_outbox_yet_is_not_taken_for_one_that_the_platform_has(rules: Rules) -> None:
    rules.happened([reading(SOS, "sos", START)], START, connected=True)
    assert rules.tick(START, connected=False, urgent_since=None).publish == []  # a tick between the press and the disk
    assert rules.tick(START + SECOND, connected=False, urgent_since=START).publish == [SIREN]


def test_a_fall_acts_on_the_alarm_not_on_the_warning(rules: Rules) -> None:
    radar = "zigbee2mqtt/radar"
    assert rules.happened([reading(radar, "fall", START, 1)], START, connected=False).publish == []
    assert rules.happened([reading(radar, "fall", START, 2)], START, connected=False).publish == [SIREN]


def test_a_state_that_is_only_repeated_sounds_no_second_time_and_a_new_press_does(rules: Rules) -> None:
    sounded = 0
    for second in range(0, 600, 10):
        now = START + second * SECOND
        sounded += len(rules.happened([reading(SMOKE, "smoke", now)], now, connected=False).publish)
    assert sounded == 1
    assert rules.happened([reading(SOS, "sos", START)], START, connected=False).publish == [SIREN]
    assert rules.happened([reading(SOS, "sos", START + SECOND)], START + SECOND, connected=False).publish == []
    later = START + 2 * MINUTE
    assert rules.happened([reading(SOS, "sos", later)], later, connected=False).publish == [SIREN]


def test_what_was_measured_long_ago_and_what_no_rule_names_wakes_nobody(rules: Rules) -> None:
    old = reading(SOS, "sos", START, late=HOUR)
    assert rules.happened([old], START, connected=False).publish == []
    assert rules.happened([reading(SOS, "gas", START)], START, connected=False).publish == []
    assert rules.happened([reading(DOOR, "open", START)], START, connected=False).publish == []
    assert Trigger.GAS not in {trigger for rule in configuration().rules for trigger in rule.when}
