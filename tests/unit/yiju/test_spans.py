"""Spans that a person writes after an option: what cannot be is one sentence naming the option, never a traceback."""

import pytest

from core.errors import SettingsError
from yiju.commands import rejected
from yiju.commands.options import days


@pytest.mark.parametrize("text", ["x", "", "0d", "²d", "99999d"])
def test_days_that_cannot_be_name_the_option_that_was_given(text: str) -> None:
    with pytest.raises(SettingsError, match="--days"):
        days(text, "--days")


@pytest.mark.parametrize("text", ["", "d", "x", "²d", "9999999999d", "99999999h", "2026-03-01T00:00:00"])
def test_a_since_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--since"):
        rejected._moment(text)
