"""A data folder's time goes on and never back."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import SettingsError, StackError
from yiju.stack_clock import Lived, choose_clock

REAL = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_new_folder_lives_in_the_machines_time() -> None:
    assert choose_clock("", None, None, REAL).text == "system"


def test_a_new_folder_with_a_speed_begins_now() -> None:
    chosen = choose_clock("", 144, None, REAL)
    assert chosen.text == f"scaled:{REAL.isoformat()}/{REAL.isoformat()}/144"
    assert chosen.remark == ""


def test_a_folder_that_has_lived_fast_goes_on_where_it_came_to() -> None:
    lived = Lived(REAL + timedelta(days=20), "scaled:...")
    chosen = choose_clock("", 144, lived, REAL)
    assert chosen.text == f"scaled:{lived.to.isoformat()}/{REAL.isoformat()}/144"
    assert "2026-03-22" in chosen.remark


def test_without_a_speed_it_goes_on_from_there_at_the_speed_of_life() -> None:
    chosen = choose_clock("", None, Lived(REAL + timedelta(days=20), "scaled:..."), REAL)
    assert chosen.text.endswith("/1")
    assert chosen.remark


def test_once_the_machine_has_caught_up_it_lives_in_the_machines_time_again() -> None:
    assert choose_clock("", None, Lived(REAL - timedelta(hours=1), "system"), REAL).text == "system"


def test_a_machine_whose_clock_was_ahead_lives_in_its_mended_time() -> None:
    chosen = choose_clock("", None, Lived(REAL + timedelta(hours=8), "system"), REAL)
    assert chosen.text == "system"
    assert "2026-03-02 17:00" in chosen.remark


def test_a_clock_that_would_go_back_is_refused_with_both_times() -> None:
    setting = "scaled:2011-06-01T00:00:00+00:00/2026-03-02T09:00:00+00:00/1"
    with pytest.raises(StackError, match=r"has come to 2026-03-02 09:00:00 UTC.*YIJU_HOME"):
        choose_clock(setting, None, Lived(REAL, "system"), REAL)


def test_the_same_scaled_clock_goes_on() -> None:
    setting = "scaled:2011-06-01T00:00:00+00:00/2026-03-02T09:00:00+00:00/1"
    assert choose_clock(setting, None, Lived(REAL, setting), REAL).text == setting


def test_a_speed_and_a_clock_together_are_refused() -> None:
    with pytest.raises(SettingsError, match="give one of them"):
        choose_clock("system", 2, None, REAL)


def test_what_is_written_of_a_fast_clock_lies_ahead_of_it_until_it_stops() -> None:
    chosen = choose_clock("", 100, None, datetime.now(UTC))
    assert chosen.lived().to > chosen.clock.now() + timedelta(seconds=400)
    assert chosen.lived(stopped=True).to <= chosen.clock.now()
