"""What several commands read or write alike."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from core.clock import Clock, parse_clock
from core.errors import SettingsError

if TYPE_CHECKING:
    from store.pool import Connection

FAULT: Final = 2  # the exit code of an error that the person can mend
Backfill: Final = typer.Option(metavar="DAYS", help="How much past the demo's homes get when they are made, e.g. 30d.")


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]


@contextmanager
def owned_database() -> "Iterator[Connection]":
    """The owner's connection to the database of YIJU_DATABASE_URL or of the stack in YIJU_HOME, in autocommit."""
    from core.settings import read_settings
    from store.pool import DatabaseRole, connect
    from yiju.running import RunningSettings, database_url

    url = database_url(read_settings(RunningSettings, os.environ))
    with connect(url, DatabaseRole.OWNER, autocommit=True) as connection:
        yield connection


def clock() -> Clock:
    """The clock of this process, from YIJU_CLOCK."""
    from core.settings import read_settings
    from yiju.services import CommonSettings

    return parse_clock(read_settings(CommonSettings, os.environ).clock)


def days(text: str, option: str) -> timedelta:
    """`30d` -> 30 days. Raises SettingsError naming the option that it was written after."""
    number = text.removesuffix("d")
    if not (number.isascii() and number.isdecimal()) or not 1 <= int(number) <= 3650:
        raise SettingsError(f"{option} {text!r}: write a number of days from 1d to 3650d, such as 30d")
    return timedelta(days=int(number))
