"""`yiju gateway status` of a gateway that was killed, and of none."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from core.errors import SettingsError
from core.model import Reading
from gateway.outbox import Outbox
from gateway.status import as_tables, look
from gateway.status_file import DeviceStatus, GatewayStatus, write_status

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DOOR = "zigbee2mqtt/door"


def written(folder: Path, **values: float) -> None:
    devices = [DeviceStatus(DOOR, "contact", registered=True, silent=1, values=values)]
    write_status(
        folder, GatewayStatus("gw-1", NOW, True, True, NOW, True, 0, 0, None, None, ["zigbee2mqtt"], 2, devices)
    )


def test_a_killed_gateways_outbox_is_read_as_it_was_left(tmp_path: Path) -> None:
    running, copy = tmp_path / "running", tmp_path / "copy"
    outbox = Outbox(running / "outbox.sqlite")
    written(running, open=0)
    outbox.append([Reading(DOOR, "open", NOW, 1.0, NOW), Reading(DOOR, "sos", NOW, 1.0, NOW)])
    shutil.copytree(running, copy)  # as kill -9 leaves it: the write-ahead log is not in the file yet
    alive, dead = look(running), look(copy)
    outbox.close()
    assert (alive.running, alive.devices[0].values) == (True, {"open": 0})
    assert (dead.running, dead.outbox_readings, dead.outbox_batches, dead.outbox_since) == (False, 2, 1, NOW)
    assert dead.devices[0].values == {"open": 1, "sos": 1}


def test_a_person_reads_what_is_amiss(tmp_path: Path) -> None:
    written(tmp_path, open=1, battery=50)
    console = Console(width=160)
    with console.capture() as capture:
        console.print(as_tables(look(tmp_path), NOW))
    text = capture.get()
    for words in ("gw-1", "zigbee2mqtt", DOOR, "battery 50 %", "silent"):
        assert words in text


def test_a_folder_without_a_gateway_says_how_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--folder"):
        look(tmp_path)
