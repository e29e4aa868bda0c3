"""Recorded homes as the protocol looks at them: signs of life, when the person was out, which days can be scored.

Wall time is taken as UTC, so that a day of the recording is a day of the arrays.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from alerts.detect import power
from alerts.detect.arrays import Floats
from alerts.detect.spells import ROOMS, UNKNOWN, Signs, signs_of
from core.errors import RegisterError
from core.metrics import BY_NAME
from core.model import Flag
from evaluation.labels import labelled_out, seen_out
from ingest.rows import READING, signs_of_life
from simulator.recordings import Recording, load_recording

DAY_S: Final = 86_400.0
TEACH_DAYS: Final = 7
METRIC: Final = {"motion": "motion", "contact": "open", "pressure": "occupied", "power_w": "power"}
NO_SPANS: Final = np.zeros((0, 2))


@dataclass(frozen=True)
class Source:
    """What is on the disk of a home.

    Attributes:
        recording: its rows.
        out: float64 [outings, 2], from and to, epoch seconds, as annotated; None = nobody has.
        holes: float64 [holes, 2], the same of what is known not to have been received.
    """

    recording: Recording
    out: Floats | None
    holes: Floats


@dataclass(frozen=True)
class RecordedHome:
    """One recorded home.

    Attributes:
        name, residents: as homes.toml has them.
        signs: its signs of life.
        out: float64 [outings, 2], from and to, epoch seconds.
        holes: float64 [holes, 2], the same of what was not received, in order and apart.
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

    def seen_for(self, since: Floats, seconds: Floats) -> Floats:
        """float64 [silences]: when so many seconds that were received have passed since then; inf = never."""
        moments = since + seconds
        for start, end in self.holes:
            moments = np.where((start < moments) & (since < end), moments + end - np.maximum(start, since), moments)
        return np.asarray(moments, dtype=np.float64)

    def is_out(self, moments: Floats) -> "np.typing.NDArray[np.bool_]":
        """bool [moments]."""
        within = (moments[:, None] >= self.out[None, :, 0]) & (moments[:, None] < self.out[None, :, 1])
        return np.asarray(within.any(axis=1), dtype=np.bool_)


def load_sources(folder: Path) -> list[Source]:
    """Every home of the folder's homes.toml, in its order.

    Raises:
        RegisterError: a file is missing or wrong; names it, the line, the value and the remedy.
    """
    path = folder / "homes.toml"
    try:
        names = list(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RegisterError(f"{path} cannot be read ({error.strerror}): give the folder of the recordings") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegisterError(f"{path} is no TOML file: {error}") from error
    return [_load(folder, name, path) for name in names]


def _load(folder: Path, name: str, homes_toml: Path) -> Source:
    file, labels = folder / f"{name}.csv.gz", folder / f"{name}.labels.csv.gz"
    recording = load_recording(file, homes_toml)
    if not len(recording.wall):
        raise RegisterError(f"{file} has no row but its header: fetch it again, or take [{name}] out of {homes_toml}")
    return Source(recording, labelled_out(labels) if labels.exists() else None, NO_SPANS)


def home_of(source: Source) -> RecordedHome:
    """What the protocol needs of a home."""
    recording = source.recording
    signs, holes = _signs(recording), source.holes
    if not any(sensor.kind != "power_w" for sensor in recording.sensors):
        signs, holes = _metered(recording)
    first = float(recording.wall[0].astype(np.int64)) / 1000
    last = float(recording.wall[-1].astype(np.int64)) / 1000
    return RecordedHome(
        name=recording.name,
        residents=recording.residents,
        signs=signs,
        out=seen_out(signs) if source.out is None else source.out,
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
        np.array([codes.get(sensor.room.strip().lower(), UNKNOWN) for sensor in recording.sensors], dtype=np.int8),
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
    """bool [rows]: whether the sensor said something else before; its first word is compared with nothing.

    Each later 1 of a motion sensor that has not said 0 yet is one, as the gateway marks it (gateway/outbox.py).
    """
    changed = np.zeros(len(recording.wall), dtype=np.bool_)
    for place, sensor in enumerate(recording.sensors):
        mine = np.flatnonzero(recording.sensor == place)
        value = recording.value[mine]
        changed[mine[1:]] = value[1:] != value[:-1]
        if sensor.kind == "motion":
            later = np.diff(recording.wall[mine]) > np.timedelta64(0, "ms")
            changed[mine[1:]] |= later & (np.cumsum(value == 0)[1:] == 0)
    return changed
