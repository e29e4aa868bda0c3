"""What a gateway says about itself each minute: its uptime, its disk, its outbox, its clock, its heat, its line."""

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from core.wire import from_ms
from gateway.outbox import Depth

THERMAL: Final = Path("/sys/class/thermal")


class Line(NamedTuple):
    """What the uplink has counted since its start."""

    sent: int = 0  # batches, each time one was sent
    again: int = 0  # of these, how many were sent again
    connections: int = 0


class Health:
    """Puts a gateway's figures together.

    Args:
        folder: of the outbox, whose disk is looked at.
        started: when the gateway began.
        thermal: where Linux tells the machine's temperatures.
    """

    def __init__(self, folder: Path, started: datetime, thermal: Path = THERMAL) -> None:
        self._folder = folder
        self._started = started
        self._thermal = thermal
        self._line = Line()

    def figures(
        self, now: datetime, depth: Depth, line: Line = Line(), clock_offset_s: float | None = None  # noqa: B008
    ) -> Mapping[str, float]:  # fmt: skip
        """Metric -> value; what this machine cannot tell is left out.

        Args:
            depth: of the outbox.
            line: the uplink's counts; `line_loss` is about what was sent since the last call.
            clock_offset_s: the platform's clock less ours, where it is known.
        """
        age = 0.0 if depth.since is None else max(0.0, (now - from_ms(depth.since)).total_seconds())
        values = {
            "uptime": max(0.0, (now - self._started).total_seconds()),
            "outbox_depth": float(depth.batches),
            "outbox_age": age,
            "disk_free": shutil.disk_usage(self._folder).free / 1e6,
            "reconnects": float(max(0, line.connections - 1)),
        }
        sent, again = line.sent - self._line.sent, line.again - self._line.again
        self._line = line
        if sent > 0:
            values["line_loss"] = min(100.0, 100.0 * again / sent)
        heat = cpu_temperature(self._thermal)
        if heat is not None:
            values["cpu_temperature"] = heat
        if clock_offset_s is not None:
            values["clock_offset"] = clock_offset_s
        return values


def cpu_temperature(thermal: Path = THERMAL) -> float | None:
    """The hottest of the machine's sensors in °C; None where the machine tells none that can be true."""
    heats = []
    for file in sorted(thermal.glob("thermal_zone*/temp")):
        try:
            heat = int(file.read_text(encoding="ascii")) / 1000
        except (OSError, ValueError):  # a sensor that is switched off says so by an error
            continue
        if -40 <= heat <= 150:
            heats.append(heat)
    return max(heats, default=None)
