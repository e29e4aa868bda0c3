"""What several commands read or write alike."""

import os
from datetime import timedelta
from typing import Final

import typer

from core.clock import Clock, parse_clock
from core.errors import SettingsError

FAULT: Final = 2  # the exit code of an error that the person can mend
Backfill: Final = typer.Option(metavar="DAYS", help="How much past the demo's homes get when they are made, e.g. 30d.")


def clock() -> Clock:
    """The clock of this process, from YIJU_CLOCK."""
    from core.settings import read_settings
    from yiju.services import CommonSettings

    return parse_clock(read_settings(CommonSettings, os.environ).clock)


def days(text: str) -> timedelta:
    """`30d` -> 30 days."""
    number = text.removesuffix("d")
    if not number.isdigit() or not 1 <= int(number) <= 3650:
        raise SettingsError(f"--backfill {text!r}: write a number of days from 1d to 3650d, such as 30d")
    return timedelta(days=int(number))
