"""From what was seen to what is wrong with the platform."""

from dataclasses import replace

import pytest

from alerts.watcher.signs import Limits, Seen, Trouble, find
from core.words import LOCALES, load_words

WELL = Seen(
    beats={"ingest": 2.0, "alerts": 2.0, "api": 5.0},
    details={"ingest": {"broker": "connected"}, "alerts": {"stalled": False}},
    stored_s=30.0,
    up_s=3600.0,
)
LIMITS = Limits()


@pytest.mark.parametrize(
    ("seen", "trouble"),
    [
        (replace(WELL, beats={**WELL.beats, "ingest": 61.0}), Trouble.INGEST_SILENT),
        (replace(WELL, beats={"alerts": 2.0}), Trouble.INGEST_SILENT),
        (replace(WELL, beats={**WELL.beats, "alerts": 61.0}), Trouble.ALERTS_SILENT),
        (replace(WELL, details={**WELL.details, "ingest": {"broker": "lost"}}), Trouble.BROKER_LOST),
        (replace(WELL, details={**WELL.details, "alerts": {"stalled": True}}), Trouble.TICK_LATE),
        (replace(WELL, details={**WELL.details, "alerts": {"blind": 1}}), Trouble.HOMES_BLIND),
        (replace(WELL, details={**WELL.details, "alerts": {"broken": 1}}), Trouble.CLIMB_BROKEN),
        (replace(WELL, stored_s=901.0), Trouble.NOTHING_STORED),
        (replace(WELL, urgent_waits_s=61.0), Trouble.DELIVERIES_WAIT),
        (replace(WELL, waits_s=1201.0), Trouble.DELIVERIES_WAIT),
        (replace(WELL, jump_s=-61.0), Trouble.CLOCK_JUMPED),
    ],
)
def test_each_trouble_is_found_and_nothing_besides(seen: Seen, trouble: Trouble) -> None:
    assert find(seen, LIMITS, "api") == {trouble}


def test_all_is_well_when_it_is() -> None:
    assert find(WELL, LIMITS, "api") == set()
    assert find(WELL, LIMITS, "alerts") == set()
    assert find(replace(WELL, waits_s=600.0, urgent_waits_s=5.0), LIMITS, "api") == set()


def test_a_stack_that_starts_has_silent_services_for_a_moment() -> None:
    assert find(Seen(up_s=10.0), LIMITS, "api") == set()


def test_nobody_judges_their_own_heart() -> None:
    assert find(replace(WELL, beats={"ingest": 2.0, "api": 500.0}), LIMITS, "alerts") == {Trouble.API_SILENT}
    assert find(replace(WELL, beats={"ingest": 2.0, "alerts": 2.0, "api": 500.0}), LIMITS, "api") == set()


def test_that_nothing_comes_is_not_said_besides_its_reason() -> None:
    seen = replace(WELL, stored_s=9000.0, details={"ingest": {"broker": "lost"}})
    assert find(seen, LIMITS, "api") == {Trouble.BROKER_LOST}


def test_every_trouble_has_its_words() -> None:
    words = load_words()
    assert all(f"watch.trouble.{trouble}" in words[locale] for locale in LOCALES for trouble in Trouble)
