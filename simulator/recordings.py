"""Recordings of real homes: NAME.csv.gz with `ts,sensor,value`, and homes.toml that says what the sensors are."""

import gzip
import math
import tomllib
import warnings
import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from core.errors import RegisterError
from core.wire import to_ms

KINDS: Final = ("motion", "contact", "pressure", "power_w")
_STATES: Final = {"ON": 1.0, "OPEN": 1.0, "OFF": 0.0, "CLOSE": 0.0}
_HOUR_MS: Final = 3_600_000


class RecordedSensor(msgspec.Struct, frozen=True):
    """One sensor of homes.toml: kind is one of KINDS, room as the recording calls it."""

    name: str
    kind: str
    room: str
    exterior: bool = False


class Recording(NamedTuple):
    """A recorded home.

    Attributes:
        name: the file's name without .csv.gz.
        residents: how many people lived there.
        sensors: those of homes.toml, in its order.
        wall: local wall time of each row, datetime64[ms], sorted.
        sensor: index into `sensors` of each row.
        value: 1 on/open, 0 off/close; watts for power_w.
    """

    name: str
    residents: int
    sensors: tuple[RecordedSensor, ...]
    wall: npt.NDArray[np.datetime64]
    sensor: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]

    @property
    def states(self) -> int:
        """How many rows are states (ON, OFF, OPEN, CLOSE), so how many readings the database must get."""
        watts = np.array([sensor.kind == "power_w" for sensor in self.sensors])
        return int((~watts[self.sensor]).sum())

    def times(self, zone: ZoneInfo) -> npt.NDArray[np.int64]:
        """The rows' times in ms since 1970 (UTC), the wall time taken for that of `zone`."""
        wall = self.wall.astype(np.int64)
        hours, which = np.unique(wall // _HOUR_MS, return_inverse=True)
        offsets = [
            to_ms(datetime(1970, 1, 1, tzinfo=zone) + timedelta(hours=int(hour))) - int(hour) * _HOUR_MS
            for hour in hours
        ]  # adding to an aware datetime moves its wall time
        times: npt.NDArray[np.int64] = wall + np.array(offsets, np.int64)[which]
        return times


def load_recording(csv: Path, homes_toml: Path) -> Recording:
    """Reads a recording.

    Raises:
        RegisterError: a file is missing or wrong; names the file, the line and the remedy.
    """
    name = csv.name.removesuffix(".gz").removesuffix(".csv")
    residents, sensors = _read_home(homes_toml, name)
    index = {sensor.name: place for place, sensor in enumerate(sensors)}
    lines = _read_lines(csv)
    if not lines or lines[0] != "ts,sensor,value":
        raise RegisterError(f"{csv}, line 1: the header must be `ts,sensor,value`. Is this a recording?")
    stamps: list[str] = []
    which: list[int] = []
    values: list[float] = []
    for number, line in enumerate(lines[1:], start=2):
        parts = line.split(",")
        if len(parts) != 3:
            raise RegisterError(f"{csv}, line {number}: {line!r} has {len(parts)} columns: write ts,sensor,value")
        place = index.get(parts[1])
        if place is None:
            raise RegisterError(
                f"{csv}, line {number}: {homes_toml} has no sensor {parts[1]!r} in [{name}.sensors]: add it there"
            )
        stamps.append(parts[0])
        which.append(place)
        values.append(_value(parts[2], sensors[place], csv, number))
    return Recording(name, residents, sensors, _times(stamps, csv), np.array(which, np.int64), np.array(values))


def _read_home(path: Path, name: str) -> tuple[int, tuple[RecordedSensor, ...]]:
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RegisterError(
            f"{path} cannot be read ({error.strerror}): name the file that lists the recordings' sensors with --homes"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegisterError(f"{path} is no TOML file: {error}") from error
    if name not in document:
        raise RegisterError(f"{path} has no table [{name}]: add one with the sensors of {name}.csv.gz")
    home = document[name]
    listed = home.get("sensors", {}) if isinstance(home, dict) else None
    if not isinstance(listed, dict):
        raise RegisterError(f"{path}, {name}: is {home!r}: write a table [{name}] and one [{name}.sensors]")
    residents = home.get("residents", 1)
    if not isinstance(residents, int) or isinstance(residents, bool) or residents < 1:
        raise RegisterError(
            f"{path}, [{name}]: residents is {residents!r}: write how many people live there, 1 or more"
        )
    sensors = []
    for sensor, about in listed.items():
        kind = about.get("kind") if isinstance(about, dict) else None
        if kind not in KINDS:
            raise RegisterError(
                f"{path}, [{name}.sensors], {sensor!r}: kind is {kind!r}: write one of {', '.join(KINDS)}"
            )
        where = f"{path}, [{name}.sensors], {sensor!r}"
        exterior, room = about.get("exterior", False), about.get("room", "other")
        if not isinstance(exterior, bool):
            raise RegisterError(f"{where}: exterior is {exterior!r}: write true or false, without quotes")
        if not isinstance(room, str):
            raise RegisterError(f"{where}: room is {room!r}: write what the room is called, in quotes")
        sensors.append(RecordedSensor(sensor, kind, room, exterior))
    return residents, tuple(sensors)


def _read_lines(csv: Path) -> list[str]:
    try:
        with gzip.open(csv, "rt", encoding="utf-8", newline=None) as file:
            return file.read().splitlines()
    except (gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise RegisterError(f"{csv} is no whole gzip file of text ({error}): fetch it again") from error
    except OSError as error:
        raise RegisterError(f"{csv} cannot be read ({error.strerror}): give the path of a NAME.csv.gz") from error


def _value(text: str, sensor: RecordedSensor, csv: Path, number: int) -> float:
    if sensor.kind != "power_w":
        if text in _STATES:
            return _STATES[text]
        wanted = "ON, OFF, OPEN or CLOSE"
    else:
        try:
            watts = float(text)
        except ValueError:
            watts = math.nan
        if math.isfinite(watts):
            return watts
        wanted = "watts"
    raise RegisterError(f"{csv}, line {number}: {sensor.name!r} is {text!r}: a {sensor.kind} says {wanted}")


def _times(stamps: list[str], csv: Path) -> npt.NDArray[np.datetime64]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpy only warns of a time with a zone, and takes it for another moment
        try:
            times = np.array(stamps, "datetime64[ms]")
        except (ValueError, UserWarning, DeprecationWarning):
            times = np.array([_time(stamp, csv, number) for number, stamp in enumerate(stamps, start=2)])
    unknown = np.flatnonzero(np.isnat(times))
    if len(unknown):  # numpy reads nothing at all, and NaT, as a time that is not known
        _time("", csv, int(unknown[0]) + 2)
    back = np.flatnonzero(np.diff(times) < np.timedelta64(0, "ms"))
    if len(back):
        line = int(back[0]) + 3
        raise RegisterError(f"{csv}, line {line}: earlier than the line before: sort the file by time")
    return times


def _time(stamp: str, csv: Path, number: int) -> np.datetime64:
    try:
        times = np.array([stamp], "datetime64[ms]")
    except (ValueError, UserWarning, DeprecationWarning):
        times = np.array(["NaT"], "datetime64[ms]")
    if np.isnat(times[0]):
        raise RegisterError(
            f"{csv}, line {number}: {stamp!r} is no time: write local wall time such as 2011-06-15T01:03:39.149"
        )
    time: np.datetime64 = times[0]
    return time
