"""Recorded homes whose sensors and radio are worse: blind for minutes, never clear, lossy, doubled, bouncing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evaluation.recorded import DAY_S, Source
from simulator.recordings import Recording

TWICE_SHARE: Final = 0.2  # of the messages that come twice
TWICE_S: Final = 5.0  # so late at most
OFF_S: Final = 2.0  # so wrong is a time at most
BOUNCES: Final = 3  # pairs of open and shut at most, after a true one
BOUNCE_S: Final = 1.0
FOR_NOTHING_A_DAY: Final = 3.0


def resting(rest_s: float, source: Source, rng: np.random.Generator) -> Sequence[Source]:
    """A motion sensor says nothing for `rest_s` after it has said "somebody"; "nobody" is said once, after it."""
    recording = source.recording
    keep = np.ones(len(recording.wall), np.bool_)
    time = _seconds(recording)
    found = False
    for place, sensor in enumerate(recording.sensors):
        if sensor.kind != "motion":
            continue
        mine = np.flatnonzero(recording.sensor == place)
        found |= len(mine) > 0
        until, waits = -np.inf, False
        for row in mine:
            if recording.value[row] and time[row] >= until:
                until, waits = time[row] + rest_s, True
            elif not recording.value[row] and waits:
                waits = False
            else:
                keep[row] = False
    return [_rows(source, keep)] if found else []


def never_clear(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    recording = source.recording
    motion = np.array([sensor.kind == "motion" for sensor in recording.sensors])[recording.sensor]
    return [_rows(source, ~motion | (recording.value > 0))] if motion.any() else []


def lossy(kept: float, source: Source, rng: np.random.Generator) -> Sequence[Source]:
    return [_rows(source, rng.random(len(source.recording.wall)) < kept)]


def doubled(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    recording = source.recording
    twice = np.flatnonzero(rng.random(len(recording.wall)) < TWICE_SHARE)
    time = _seconds(recording) + rng.uniform(-OFF_S, OFF_S, len(recording.wall))
    return [_sorted(
        source,
        np.append(time, time[twice] + rng.uniform(0, TWICE_S, len(twice))),
        np.append(recording.sensor, recording.sensor[twice]),
        np.append(recording.value, recording.value[twice]),
    )]  # fmt: skip


def chattering(source: Source, rng: np.random.Generator) -> Sequence[Source]:
    """The exterior door's contact says more than happens: after each use, and out of nothing."""
    recording = source.recording
    door = np.flatnonzero([sensor.exterior and sensor.kind == "contact" for sensor in recording.sensors])
    if not len(door):
        return []
    time = _seconds(recording)
    used = np.flatnonzero(np.isin(recording.sensor, door))
    bounced = np.repeat(used, rng.integers(0, BOUNCES + 1, len(used)))
    after = time[bounced] + rng.uniform(0, 30, len(bounced))
    nothing = rng.uniform(time[0], time[-1], rng.poisson(FOR_NOTHING_A_DAY * (time[-1] - time[0]) / DAY_S))
    begins = np.append(after, nothing)
    which = np.append(recording.sensor[bounced], rng.choice(door, len(nothing)))
    first = np.append(1 - recording.value[bounced], np.ones(len(nothing)))
    return [_sorted(
        source,
        np.concatenate([time, begins, begins + rng.uniform(0.1, BOUNCE_S, len(begins))]),
        np.concatenate([recording.sensor, which, which]),
        np.concatenate([recording.value, first, 1 - first]),
    )]  # fmt: skip


def _seconds(recording: Recording) -> NDArray[np.float64]:
    return recording.wall.astype(np.int64) / 1000


def _rows(source: Source, keep: NDArray[np.bool_]) -> Source:
    recording = source.recording
    part = recording._replace(wall=recording.wall[keep], sensor=recording.sensor[keep], value=recording.value[keep])
    return replace(source, recording=part)


def _sorted(source: Source, time: NDArray[np.float64], sensor: NDArray[np.int64], value: NDArray[np.float64]) -> Source:
    order = np.argsort(time, kind="stable")
    wall = np.round(time[order] * 1000).astype(np.int64).astype("datetime64[ms]")
    return replace(source, recording=source.recording._replace(wall=wall, sensor=sensor[order], value=value[order]))
