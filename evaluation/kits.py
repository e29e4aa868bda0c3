"""Recorded homes with other sensors: fewer of them, of other kinds, in rooms that nobody has named."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np

from alerts.detect.arrays import Bools
from evaluation.recorded import Source
from simulator.recordings import RecordedSensor

WASHING: Final = ("bathroom", "toilet")
LIVING: Final = ("living", "kitchen", "work")


def without_each(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    made: list[Source] = []
    for place in range(len(source.recording.sensors)):
        made += _kept(source, np.arange(len(source.recording.sensors)) != place)
    return made


def motion_only(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    return _only(source, lambda sensor: sensor.kind == "motion")


def motion_and_door(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    return _only(source, lambda sensor: sensor.kind == "motion" or sensor.exterior) if _moves(source) else []


def contacts_only(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    return _only(source, lambda sensor: sensor.kind == "contact")


def no_bed(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    return _only(source, lambda sensor: sensor.kind != "pressure")


def no_door(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    return _only(source, lambda sensor: not sensor.exterior)


def rooms_unknown(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    sensors = tuple(msgspec.structs.replace(sensor, room="other") for sensor in source.recording.sensors)
    return [replace(source, recording=source.recording._replace(sensors=sensors))]


def small(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    """What a first kit holds: of the sensors for washing and for living the one that says most, motion first."""
    said = np.bincount(source.recording.sensor, minlength=len(source.recording.sensors))

    def best(rooms: Sequence[str]) -> set[str]:
        mine = [
            (sensor.kind == "motion", said[place], sensor.name)
            for place, sensor in enumerate(source.recording.sensors)
            if sensor.room in rooms and sensor.kind in ("motion", "contact")
        ]
        return {max(mine)[2]} if mine else set()

    kept = best(WASHING) | best(LIVING)
    return _only(
        source,
        lambda sensor: (
            sensor.exterior or (sensor.kind == "pressure" and sensor.room == "bedroom") or sensor.name in kept
        ),
    )


def _moves(source: Source) -> bool:
    return any(sensor.kind == "motion" for sensor in source.recording.sensors)


def _only(source: Source, wanted: Callable[[RecordedSensor], bool]) -> Sequence[Source]:
    """The home with these sensors alone; none where that is all of them, or where they say nothing."""
    return _kept(source, np.array([wanted(sensor) for sensor in source.recording.sensors], dtype=np.bool_))


def _kept(source: Source, kept: Bools) -> Sequence[Source]:
    recording = source.recording
    rows = kept[recording.sensor]
    if kept.all() or not rows.any():
        return []
    part = recording._replace(
        sensors=tuple(sensor for sensor, keep in zip(recording.sensors, kept, strict=True) if keep),
        wall=recording.wall[rows],
        sensor=(np.cumsum(kept) - 1)[recording.sensor[rows]],
        value=recording.value[rows],
    )
    return [replace(source, recording=part)]
