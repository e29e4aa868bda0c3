"""What `yiju replay` shows: a bar while it runs, then the counts and the alerts."""

import json
import os
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from rich.console import Console
from rich.table import Table

from alerts.explain import explain
from core.errors import SettingsError
from core.logs import configure_logs
from core.settings import read_settings
from core.words import DEFAULT_LOCALE, load_words
from simulator.recordings import load_recording
from yiju.embedded.broker import BrokerKind
from yiju.replay import Replayed, replay
from yiju.screen import Screen

COLUMNS: Final = ("kind", "opened", "began", "ended", "why")


class ReplaySettings(msgspec.Struct, frozen=True):
    """Settings of `yiju replay`."""

    broker: Annotated[
        BrokerKind, msgspec.Meta(description="auto (mosquitto when it is installed), mosquitto or amqtt")
    ] = BrokerKind.AUTO


def run_replay(
    recording: Path,
    homes: Path | None,
    cut: datetime | None,
    speed: str,
    zone: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Runs the command. Raises SettingsError, RegisterError, StackError: each says what to do."""
    configure_logs("replay", as_json=not sys.stderr.isatty(), level="ERROR")
    pace = _pace(speed)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"--zone {zone!r} is no time zone: write one such as Asia/Shanghai") from error
    played = load_recording(recording, homes or recording.with_name("homes.toml"))
    screen = Screen()
    broker = read_settings(ReplaySettings, os.environ).broker
    with screen.steps(1) as begin:
        begin(played.name)
        with screen.work("days played") as advance:
            done = replay(played, zone=zone, cut=cut, speed=pace, folder=folder, broker=broker, advance=advance)
    if as_json:
        print(json.dumps(asdict(done), default=str, ensure_ascii=False))
    else:
        _show(done, zone)


def _pace(speed: str) -> float | None:
    if speed == "max":
        return None
    try:
        pace = float(speed)
    except ValueError:
        pace = 0.0
    if pace <= 0:
        raise SettingsError(f"--speed {speed!r} is no speed: write a number above 0 such as 3600, or max")
    return pace


def _show(done: Replayed, zone: str) -> None:
    console, words = Console(), load_words()[DEFAULT_LOCALE]
    same = "each exactly once" if done.rows == done.stored == done.distinct else "NOT each exactly once"
    console.print(
        f"{done.rows} rows in the recording, {done.stored} in the database ({same}), {done.rejected} rejected"
    )
    if not done.alerts:
        console.print("no alert")
        return
    table = Table(title=f"{len(done.alerts)} alert(s), times in {zone}", title_justify="left")
    for heading in COLUMNS:
        table.add_column(heading, overflow="fold")
    for alert in done.alerts:
        why = explain(words, alert.message, alert.parameters, zone, alert.opened_at)
        table.add_row(alert.kind, *(_shown(at, zone) for at in (alert.opened_at, alert.began_at, alert.ended_at)), why)
    console.print(table)


def _shown(moment: Any, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") if moment else "still open"
