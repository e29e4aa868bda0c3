"""`yiju doctor`: looks at the machine and says what is missing and how to get it."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
import psycopg
from rich.table import Table

from care.register import not_named
from core.clock import parse_clock
from core.errors import SettingsError, YijuError
from store.migrate import current_edition
from store.pool import DatabaseRole, connect
from yiju.embedded.broker import find_mosquitto
from yiju.embedded.postgres import binary
from yiju.importing import thing
from yiju.running import RunningSettings, database_url, gateway_settings

LEAST_PYTHON: Final = (3, 11)
LEAST_FREE_MB: Final = 2_000
MOST_CLOCK_SKEW: Final = timedelta(seconds=5)
CONNECT_PATIENCE_S: Final = 3
MOST_NAMED: Final = 5


class DoctorSettings(msgspec.Struct, frozen=True):
    """Settings of `yiju doctor`: what is not set is not looked at."""

    home: Annotated[str, msgspec.Meta(description="the data folder whose disk is looked at")] = ".yiju"
    database_url: Annotated[
        str, msgspec.Meta(description="a database to look at; empty: the one that runs in YIJU_HOME")
    ] = ""
    broker_url: Annotated[
        str, msgspec.Meta(description="a broker to look at; empty: the one that runs in YIJU_HOME")
    ] = ""
    clock: Annotated[str, msgspec.Meta(description="the stack's clock, as the services read it")] = "system"


@dataclass(frozen=True)
class Finding:
    """One line of the report; `remedy` is "" when all is well."""

    what: str
    ok: bool
    found: str
    remedy: str = ""


def examine(settings: DoctorSettings) -> list[Finding]:
    """Every check, in order; a check that fails never keeps the others from running."""
    checks: list[Callable[[], Finding]] = [
        _python,
        _database_programs,
        lambda: _disk(Path(settings.home)),
        lambda: _broker(settings.broker_url),
        lambda: _clock(settings.clock),
        _browser,
    ]
    if settings.database_url:
        url = settings.database_url
        checks[2:2] = [lambda: _database(url), lambda: _clock_skew(url), lambda: _register(url)]
    return [check() for check in checks]


def with_running_stack(settings: DoctorSettings) -> DoctorSettings:
    """The same, with the database and the broker of the stack that runs in the data folder, where one does."""
    running = RunningSettings(settings.home, settings.database_url)
    try:
        database = database_url(running)
        broker = settings.broker_url or gateway_settings(running, "", "").get("YIJU_PLATFORM_URL", "")
    except SettingsError:
        return settings  # none runs: then the parts that `yiju up` would use are looked at
    return msgspec.structs.replace(settings, database_url=database, broker_url=broker)


def findings_table(findings: list[Finding]) -> Table:
    """One row a finding, with its remedy below it."""
    table = Table(box=None, show_header=False)
    for finding in findings:
        mark = "[green]ok[/green]" if finding.ok else "[red]problem[/red]"
        table.add_row(mark, finding.what, finding.found)
        if finding.remedy:
            table.add_row("", "", f"[bold]-> {finding.remedy}[/bold]")
    return table


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < LEAST_PYTHON:
        return Finding(
            "Python", False, found, "install Python 3.11 or later: apt-get install python3.11 python3.11-venv"
        )
    return Finding("Python", True, found)


def _database_programs() -> Finding:
    try:
        said = subprocess.run([binary("postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    except (YijuError, OSError, subprocess.CalledProcessError) as error:
        return Finding("embedded PostgreSQL", False, str(error), "run `make install` again")
    return Finding("embedded PostgreSQL", True, said.strip())


def _database(url: str) -> Finding:
    try:
        with connect(url, DatabaseRole.OWNER) as connection:
            version = connection.info.server_version // 10_000
            return Finding("database", True, f"PostgreSQL {version}, edition {current_edition(connection)}")
    except YijuError as error:
        return Finding("database", False, str(error), "run `yiju store migrate`")
    except psycopg.OperationalError as error:
        return Finding("database", False, str(error).strip(), "check YIJU_DATABASE_URL and that the server runs")


def _register(url: str) -> Finding:
    """What is in use and not in the register file any more: it alarms, or detection leans on what is gone."""
    try:
        with connect(url, DatabaseRole.OWNER) as connection:
            found = not_named(connection)
    except (YijuError, psycopg.Error) as error:
        return Finding("register", False, str(error).strip(), "run `yiju store migrate`")
    if found:
        named = "; ".join(f"{one.home}: {thing(one)}" for one in found[:MOST_NAMED])
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        remedy = "mark them `ended` in the register file, or add them, and `yiju import` it (docs/register.md)"
        return Finding("register", False, f"in the platform but not in the file: {named}{more}", remedy)
    return Finding("register", True, "every gateway and device in use is in the file that came last")


def _clock_skew(url: str) -> Finding:
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_PATIENCE_S) as connection:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
    except psycopg.OperationalError as error:
        return Finding("clock against the database", False, str(error).strip(), "check YIJU_DATABASE_URL")
    skew = abs(row[0] - datetime.now(UTC)) if row else timedelta(0)
    if skew > MOST_CLOCK_SKEW:
        remedy = "keep both machines' clocks in step: apt-get install systemd-timesyncd"
        return Finding("clock against the database", False, f"{skew.total_seconds():.1f} s apart", remedy)
    return Finding("clock against the database", True, f"{skew.total_seconds():.1f} s apart")


def _disk(home: Path) -> Finding:
    there = next(folder for folder in (home.resolve(), *home.resolve().parents) if folder.exists())
    free = shutil.disk_usage(there).free // 1_000_000
    if free < LEAST_FREE_MB:
        return Finding("disk", False, f"{free} MB free at {there}", "free some, or set YIJU_HOME to another disk")
    return Finding("disk", True, f"{free} MB free at {there}")


def _broker(url: str) -> Finding:
    if not url:
        mosquitto = find_mosquitto()
        found = mosquitto or "amqtt (built in); mosquitto is faster: apt-get install mosquitto"
        return Finding("broker", True, found)
    return _broker_answers(url)


def _broker_answers(url: str) -> Finding:
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or (8883 if parts.scheme == "mqtts" else 1883)
    try:
        socket.create_connection((host, port), timeout=CONNECT_PATIENCE_S).close()
    except OSError as error:
        return Finding("broker", False, f"{host}:{port}: {error}", "check YIJU_BROKER_URL and that the broker runs")
    return Finding("broker", True, f"{host}:{port} takes connections")


def _clock(setting: str) -> Finding:
    try:
        now = parse_clock(setting).now()
    except YijuError as error:
        return Finding("clock", False, str(error), "set YIJU_CLOCK=system")
    if now.year < 2025 and setting == "system":
        remedy = "set the machine's clock: apt-get install systemd-timesyncd"
        return Finding("clock", False, f"{now:%Y-%m-%d %H:%M} UTC", remedy)
    return Finding("clock", True, f"{now:%Y-%m-%d %H:%M} UTC, {setting.partition(':')[0]}")


def _browser() -> Finding:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    return Finding("browser for the tests", True, found or "none; the browser tests skip: apt-get install chromium")
