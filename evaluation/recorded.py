"""Recorded homes as the protocol looks at them: signs of life, when the person was out, which days can be scored.

Wall time is taken as UTC, so that a day of the recording is a day of the arrays.
"""

import csv
import gzip
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from alerts.detect import power
from alerts.detect.arrays import Floats
from alerts.detect.spells import ROOMS, UNKNOWN, Signs, signs_of
from core.errors import RegisterError
from core.metrics import BY_NAME
from core.model import Flag
from ingest.rows import READING, signs_of_life
from simulator.recordings import Recording, load_recording

DAY_S: Final = 86_400.0
TEACH_DAYS: Final = 7
METRIC: Final = {"motion": "motion", "contact": "open", "pressure": "occupied", "power_w": "power"}
# Without labels: out = nothing between two uses of the exterior door that are at least so far apart.
OUT_S: Final = 300.0


@dataclass(frozen=True)
class RecordedHome:
    """One recorded home.

    Attributes:
        name, residents: as homes.toml has them.
        signs: its signs of life.
        out: float64 [outings, 2], from and to, epoch seconds.
        holes: float64 [holes, 2], the same of what was not received.
        has_door: whether a sensor watches the exterior door.
        first_day, last_day: midnights of the days to score, the second not included.
    """

    name: str
    residents: int
    signs: Signs
    out: Floats
    holes: Floats
    has_door: bool
    first_day: float
    last_day: float

    @property
    def days(self) -> Floats:
        """float64 [days]: the midnights at which scored days begin; of each more than half was received."""
        days = np.arange(self.first_day, self.last_day, DAY_S)
        return days[self.unseen_s(days, days + DAY_S) < DAY_S / 2]

    def unseen_s(self, start: Floats, end: Floats) -> Floats:
        """float64 [spans]: how much of each span was not received."""
        overlap = np.minimum(end[:, None], self.holes[:, 1]) - np.maximum(start[:, None], self.holes[:, 0])
        return np.asarray(np.maximum(overlap, 0).sum(axis=1), dtype=np.float64)

    def is_out(self, moments: Floats) -> "np.typing.NDArray[np.bool_]":
        """bool [moments]."""
        within = (moments[:, None] >= self.out[None, :, 0]) & (moments[:, None] < self.out[None, :, 1])
        return np.asarray(within.any(axis=1), dtype=np.bool_)


def load_homes(folder: Path) -> list[RecordedHome]:
    """Every home of the folder's homes.toml, in its order.

    Raises:
        RegisterError: a file is missing or wrong; names it and the remedy.
    """
    path = folder / "homes.toml"
    try:
        names = list(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RegisterError(f"{path} cannot be read ({error.strerror}): give the folder of the recordings") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegisterError(f"{path} is no TOML file: {error}") from error
    return [read_home(load_recording(folder / f"{name}.csv.gz", path), folder) for name in names]


def read_home(recording: Recording, folder: Path) -> RecordedHome:
    """What the protocol needs of a recording; its labels are read where there are any."""
    signs, holes = _signs(recording), np.zeros((0, 2))
    if not any(sensor.kind != "power_w" for sensor in recording.sensors):
        signs, holes = _metered(recording)
    labels = folder / f"{recording.name}.labels.csv.gz"
    first = float(recording.wall[0].astype(np.int64)) / 1000
    last = float(recording.wall[-1].astype(np.int64)) / 1000
    return RecordedHome(
        name=recording.name,
        residents=recording.residents,
        signs=signs,
        out=_labelled_out(labels) if labels.exists() else _seen_out(signs),
        holes=holes,
        has_door=any(sensor.exterior for sensor in recording.sensors),
        first_day=first // DAY_S * DAY_S + TEACH_DAYS * DAY_S,
        last_day=last // DAY_S * DAY_S,
    )


def _signs(recording: Recording) -> Signs:
    """As ingest would see them: a change of a sensor's state, by the rule of core/metrics.py."""
    rows = np.zeros(len(recording.wall), READING)
    rows["time"] = recording.wall.astype(np.int64)
    rows["device"] = recording.sensor
    rows["value"] = recording.value
    rows["metric"] = np.array([BY_NAME[METRIC[sensor.kind]].id for sensor in recording.sensors])[recording.sensor]
    rows["flags"] = np.where(_changed(recording), Flag.CHANGED, Flag.NONE)
    rows = rows[signs_of_life(rows)]
    codes = {str(kind): code for code, kind in enumerate(ROOMS)}
    return signs_of(
        rows["time"] / 1000.0,
        rows["device"].astype(np.int64),
        rows["metric"].astype(np.int64),
        rows["value"],
        np.array([sensor.exterior for sensor in recording.sensors], dtype=np.bool_),
        np.array([codes.get(sensor.room, UNKNOWN) for sensor in recording.sensors], dtype=np.int8),
    )


def _metered(recording: Recording) -> tuple[Signs, Floats]:
    """Signs of life of a home with nothing but its mains meter, and its outages."""
    names = [sensor.name for sensor in recording.sensors]
    mains = recording.sensor == (names.index("power_w") if "power_w" in names else 0)
    time, watts = recording.wall[mains].astype(np.int64) / 1000.0, recording.value[mains]
    usual = power.usual_of_values(time, watts)
    at = power.signs(power.steps(time, watts, usual), 0.0)
    nowhere = np.zeros(len(at), np.bool_)
    return Signs(at, nowhere, np.full(len(at), UNKNOWN, np.int8), nowhere), power.outages(time, watts, usual)


def _changed(recording: Recording) -> "np.typing.NDArray[np.bool_]":
    """bool [rows]: whether the sensor said something else before; its first word is compared with nothing."""
    changed = np.zeros(len(recording.wall), dtype=np.bool_)
    for place in range(len(recording.sensors)):
        mine = np.flatnonzero(recording.sensor == place)
        changed[mine[1:]] = recording.value[mine[1:]] != recording.value[mine[:-1]]
    return changed


def _labelled_out(path: Path) -> Floats:
    """Outings as annotated: an activity that is called leaving lasts until it ends, or until home is entered."""
    spans: list[tuple[float, float]] = []
    left: float | None = None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = sorted((row["start"], row["end"], row["activity"].lower()) for row in csv.DictReader(file))
    entered = any("enter" in activity for _, _, activity in rows)
    for start, end, activity in rows:
        if "enter" in activity and left is not None:
            spans.append((left, _seconds(start)))
            left = None
        elif "leav" in activity and entered:
            left = _seconds(end)
        elif "leav" in activity:
            spans.append((_seconds(start), _seconds(end)))
    return np.array(spans, dtype=np.float64).reshape(-1, 2)


def _seen_out(signs: Signs) -> Floats:
    door = signs.exterior
    alone = np.flatnonzero(door[:-1] & door[1:] & (np.diff(signs.time) >= OUT_S))
    return np.column_stack([signs.time[alone], signs.time[alone + 1]])


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp()
