"""`yiju gateway status`: how the gateway of a folder is, read-only, while it runs and when it does not."""

import sqlite3
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Group
from rich.table import Table

from core.errors import SettingsError
from core.metrics import BY_NAME
from core.wire import from_ms
from gateway.status_file import DeviceStatus, GatewayStatus, read_status

SILENT = {0: "", 1: "silent", 2: "hub down"}


def look(folder: Path) -> GatewayStatus:
    """The status that the gateway last wrote; of one that does not run the outbox is read as well.

    Raises:
        SettingsError: no gateway ever ran in this folder.
    """
    status = read_status(folder)
    if status is None:
        raise SettingsError(f"no gateway has run in {folder}: name its folder with --folder or YIJU_GATEWAY_FOLDER")
    outbox = folder / "outbox.sqlite"
    if not outbox.exists():
        return msgspec.structs.replace(status, running=False, connected=False, home_broker_connected=False)
    try:
        batches, readings, since, values = _read_outbox(outbox)
    except sqlite3.OperationalError:  # held by the gateway that runs
        return status
    return msgspec.structs.replace(
        status,
        running=False,
        connected=False,
        home_broker_connected=False,
        outbox_batches=batches,
        outbox_readings=readings,
        outbox_since=since,
        devices=[_with(device, values) for device in status.devices],
    )


def _read_outbox(path: Path) -> tuple[int, int, datetime | None, dict[str, dict[str, float]]]:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0)
    try:
        batches, readings = db.execute("SELECT sum(batches), sum(readings) FROM lane").fetchone()
        waiting, oldest_waiting = db.execute("SELECT total(n), min(since) FROM waiting").fetchone()
        (oldest,) = db.execute("SELECT min(since) FROM batch").fetchone()
        times = [time for time in (oldest, oldest_waiting) if time is not None]
        values: dict[str, dict[str, float]] = {}
        for device, metric, value in db.execute("SELECT device, metric, value FROM last_value"):
            values.setdefault(device, {})[metric] = value
    finally:
        db.close()
    return batches, readings + int(waiting), from_ms(min(times)) if times else None, values


def _with(device: DeviceStatus, values: dict[str, dict[str, float]]) -> DeviceStatus:
    return msgspec.structs.replace(device, values=values.get(device.address, device.values))


def as_tables(status: GatewayStatus, now: datetime) -> Group:
    """For a person at a terminal."""
    facts = Table(show_header=False, box=None)
    facts.add_row("gateway", status.gateway)
    facts.add_row("runs", "yes" if status.running else f"no, last seen {_ago(status.at, now)}")
    facts.add_row(
        "platform", "connected" if status.connected else f"away, last contact {_ago(status.last_contact, now)}"
    )
    facts.add_row("home's broker", "connected" if status.home_broker_connected else "away")
    waits = f", the oldest from {_ago(status.outbox_since, now)}" if status.outbox_since else ""
    facts.add_row("outbox", f"{status.outbox_readings} readings in {status.outbox_batches} batches{waits}")
    facts.add_row("configuration", _configuration(status))
    facts.add_row("hubs down", ", ".join(status.hubs_down) or "none")
    facts.add_row("not understood", f"{status.samples} kinds of messages")
    devices = Table(title="Devices", title_justify="left")
    for heading in ("address", "kind", "heard", "last values", ""):
        devices.add_column(heading, overflow="fold")
    for device in status.devices:
        notes = [SILENT.get(device.silent, "silent"), "" if device.registered else "not registered"]
        values = ", ".join(f"{name} {_value(name, value)}" for name, value in sorted(device.values.items()))
        heard = _ago(device.heard_at, now) if device.heard_at else "not since the start"
        devices.add_row(device.address, device.kind, heard, values, " ".join(note for note in notes if note))
    return Group(facts, devices)


def _configuration(status: GatewayStatus) -> str:
    configured = status.configured
    if configured is None:
        return "none has come yet"
    why = f": {configured.reason}" if configured.reason else ""
    return f"version {configured.version} {configured.state}{why}"


def _value(name: str, value: float) -> str:
    metric = BY_NAME.get(name)
    return f"{value:g} {metric.unit}".strip() if metric else f"{value:g}"


def _ago(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never"
    seconds = int((now - moment).total_seconds())
    if seconds < 120:
        return f"{max(0, seconds)} s ago"
    if seconds < 7200:
        return f"{seconds // 60} min ago"
    return f"{seconds // 3600} h ago" if seconds < 2 * 86_400 else f"{seconds // 86_400} days ago"
