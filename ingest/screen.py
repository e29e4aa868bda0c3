"""Which readings of many messages can be stored: all of them looked at together, as numpy columns.

The reasons are found again one by one (`_problem`) for the few that cannot.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.errors import Reason
from core.metrics import BY_NAME, METRICS
from core.model import Flag
from core.wire import VERSION, Batch, DirectReading, WireReading, encode, from_ms
from ingest.decode import UNTIMED, Decoded, Rejection
from ingest.directory import KnownDevice, KnownGateway
from ingest.rows import READING, Readings

AHEAD_MS: Final = 10 * 60 * 1000  # further ahead of the platform's clock than this is not believed
UNSURE_MS: Final = 2 * 60 * 1000  # a cry for help whose clock may be wrong and that looks older is taken for one of now
LATEST_MS: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)
_WRONG_TIME: Final = (Reason.TOO_EARLY, Reason.IN_THE_FUTURE)
_ANOTHERS: Final = (Reason.UNKNOWN_DEVICE, Reason.OTHER_GATEWAY)
_NOBODY: Final = KnownDevice(-1, -1, 0)
_NO_METRIC: Final = 0
_METRIC_IDS: Final = {metric.name: metric.id for metric in METRICS}
_URGENT: Final = frozenset(metric.id for metric in METRICS if metric.urgent)
_LOW: Final = np.full(max(_METRIC_IDS.values()) + 1, np.inf)  # by metric id; nothing is within no metric's bounds
_HIGH: Final = np.full(len(_LOW), -np.inf)
for _metric in METRICS:
    _LOW[_metric.id], _HIGH[_metric.id] = _metric.low, _metric.high


@dataclass(frozen=True)
class Screened:
    """What of some messages is stored.

    Attributes:
        readings: shape (n,), dtype READING; `batch` is the place of its message among those screened.
        refused: what of each message is not, by its place.
    """

    readings: Readings
    refused: dict[int, list[Rejection]] = field(default_factory=dict)


def screen(work: Sequence[Decoded], now_ms: int) -> Screened:
    """Looks at every reading: known device, known metric, a number that can be, a time that can be.

    Args:
        work: decoded messages.
        now_ms: the platform's present, milliseconds since 1970.
    """
    refused: dict[int, list[Rejection]] = {}
    stored: list[tuple[int, Decoded, KnownGateway]] = []
    for at, decoded in enumerate(work):
        if decoded.rejection is not None:
            refused[at] = [decoded.rejection]
        elif decoded.gateway is not None and decoded.readings:
            stored.append((at, decoded, decoded.gateway))
    sent = [reading for _, decoded, _ in stored for reading in decoded.readings]
    registered = [gateway.devices.get(reading.device, _NOBODY)
                  for _, decoded, gateway in stored for reading in decoded.readings]  # fmt: skip
    rows = _columns(sent)
    counts = [len(decoded.readings) for _, decoded, _ in stored]
    rows["batch"] = np.repeat(np.array([at for at, _, _ in stored], dtype=np.int64), counts)
    _stamp(
        rows,
        np.repeat(np.array([decoded.direct is not None for _, decoded, _ in stored], dtype=np.bool_), counts),
        now_ms,
    )
    devices = registered
    if any(gateway.moved for _, _, gateway in stored):
        devices = [device.at(time_ms) for device, time_ms in zip(registered, rows["time"].tolist(), strict=True)]
    rows["device"] = [device.id for device in devices]
    rows["home"] = [device.home_id for device in devices]
    good = _good(rows, devices, now_ms)
    if any(gateway.bounded for _, _, gateway in stored):
        spans = np.array([device.span_ms for device in devices], dtype=np.int64).reshape(-1, 2)
        good &= (rows["time"] >= spans[:, 0]) & (rows["time"] < spans[:, 1])
    if not good.all():
        wrong: dict[int, dict[Reason, list[tuple[WireReading, str]]]] = {}
        for place in np.flatnonzero(~good).tolist():
            reading, device, time_ms = sent[place], devices[place], int(rows["time"][place])
            reason, detail = _problem(reading, device, time_ms, now_ms)
            sender = work[int(rows["batch"][place])].gateway
            if reason in _ANOTHERS and sender is not None and reading.device in sender.elsewhere:
                registered[place] = sender.elsewhere[reading.device]
                device = registered[place].at(time_ms)
                reason, detail = _problem(reading, device, time_ms, now_ms, through_another=True)
                rows["device"][place], rows["home"][place] = device.id, device.home_id
            if reason is Reason.OTHER_GATEWAY and _calls_for_help(reading):
                good[place] = True  # the box that it belongs to may be the one that is gone
            elif reason in _WRONG_TIME and _calls_for_help(reading) and not registered[place].is_over(now_ms):
                _restamp(rows, place, registered[place], now_ms)
                good[place] = True
            else:
                wrong.setdefault(int(rows["batch"][place]), {}).setdefault(reason, []).append((reading, detail))
        refused |= {at: [_rejection(work[at], reason, found) for reason, found in reasons.items()]
                    for at, reasons in wrong.items()}  # fmt: skip
    for place in np.flatnonzero(good & _unsure(rows, now_ms)).tolist():
        if rows["metric"][place] in _URGENT:
            _restamp(rows, place, registered[place], now_ms)
    return Screened(rows if good.all() else rows[good], refused)


def _columns(sent: Sequence[WireReading]) -> Readings:
    """What they say themselves; whose they are is filled in later."""
    rows = np.empty(len(sent), READING)
    rows["metric"] = [_METRIC_IDS.get(reading.metric, _NO_METRIC) for reading in sent]
    rows["time"] = _times([reading.time for reading in sent])
    rows["received"] = _times([reading.received for reading in sent])
    rows["value"] = [reading.value for reading in sent]
    rows["flags"] = [reading.flags for reading in sent]
    return rows


def _stamp(rows: Readings, direct: NDArray[Any], now_ms: int) -> None:
    """What a direct device cannot know: when its message arrived, and when it measured if it has no clock."""
    if direct.any():
        rows["received"][direct] = now_ms
        untimed = direct & (rows["time"] == UNTIMED)
        rows["time"][untimed] = now_ms
        rows["flags"][untimed] |= Flag.RESTAMPED


def _times(values: list[int]) -> NDArray[np.int64]:
    """A number too large for 64 bits is as wrong a time as the largest that they hold."""
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        most = np.iinfo(np.int64)
        return np.array([min(max(value, most.min), most.max) for value in values], dtype=np.int64)


def _good(rows: Readings, devices: Sequence[KnownDevice], now_ms: int) -> NDArray[np.bool_]:
    """What `_problem` says slowly: True where it finds none."""
    commissioned = np.array([device.commissioned_ms for device in devices], dtype=np.int64)
    low, high = _LOW[rows["metric"]], _HIGH[rows["metric"]]
    good: NDArray[np.bool_] = (
        (rows["device"] != _NOBODY.id)
        & (rows["value"] >= low)  # false for NaN
        & (rows["value"] <= high)
        & (rows["time"] >= commissioned)
        & (rows["time"] <= now_ms + AHEAD_MS)
        & (rows["received"] >= 0)
        & (rows["received"] < LATEST_MS)
    )
    return good


def _problem(
    reading: WireReading, device: KnownDevice, time_ms: int, now_ms: int, *, through_another: bool = False
) -> tuple[Reason, str]:
    """Why this reading cannot be stored.

    Args:
        time_ms: when it was measured, as it would be stored.
        through_another: it came through a gateway that is not the device's.
    """
    if device is _NOBODY:
        return Reason.UNKNOWN_DEVICE, f"{reading.device} is not registered with this gateway"
    metric = BY_NAME.get(reading.metric)
    if metric is None:
        return Reason.UNKNOWN_METRIC, f"{reading.device}: {reading.metric} is no metric of core/metrics.py"
    if not math.isfinite(reading.value) or not metric.low <= reading.value <= metric.high:
        return (
            Reason.NOT_A_NUMBER,
            f"{reading.device}: {metric.name} is {reading.value}; it can be {metric.low:g} to {metric.high:g}",
        )
    if time_ms < device.commissioned_ms:
        return Reason.TOO_EARLY, f"{reading.device}: measured before the home was commissioned"
    if time_ms > now_ms + AHEAD_MS or not 0 <= reading.received < LATEST_MS:
        return Reason.IN_THE_FUTURE, f"{reading.device}: measured more than 10 minutes ahead of the platform's clock"
    if not through_another and not device.now_with and time_ms >= device.span_ms[1]:
        ended = from_ms(device.span_ms[1])
        return Reason.ENDED, f"{reading.device} was taken away on {ended:%Y-%m-%d %H:%M} UTC; this was measured later"
    return (
        Reason.OTHER_GATEWAY,
        f"{reading.device} was with another gateway of its home; it is with {device.now_with or 'none'} now",
    )


def _calls_for_help(reading: WireReading) -> bool:
    return BY_NAME[reading.metric].urgent and reading.value > 0


def _unsure(rows: Readings, now_ms: int) -> NDArray[np.bool_]:
    """Where something is said to be on, long ago, by a clock that its gateway could not be sure of."""
    unsure: NDArray[np.bool_] = (
        (rows["flags"] & Flag.UNSURE != 0) & (rows["time"] < now_ms - UNSURE_MS) & (rows["value"] > 0)
    )
    return unsure


def _restamp(rows: Readings, place: int, registered: KnownDevice, now_ms: int) -> None:
    """A cry for help from a home whose clock is wrong is one of now: better a bell that rings late than none.

    Of now is also where its device is: it may have been in another home at the time that the clock showed.
    """
    device = registered.at(now_ms)
    rows["time"][place] = rows["received"][place] = now_ms
    rows["flags"][place] |= Flag.RESTAMPED
    rows["device"][place], rows["home"][place] = device.id, device.home_id


def _rejection(decoded: Decoded, reason: Reason, found: list[tuple[WireReading, str]]) -> Rejection:
    """The readings of one message that are refused for one reason, as a message of just those."""
    readings = [reading for reading, _ in found]
    if decoded.direct is not None:
        kept = encode(msgspec.structs.replace(decoded.direct, readings=[_direct(reading) for reading in readings]))
    else:
        session, _, seq = decoded.numbered or (UUID(int=0), None, 1)
        kept = encode(Batch(VERSION, session, seq, readings))
    return Rejection(reason, found[0][1], kept, len(found))


def _direct(reading: WireReading) -> DirectReading:
    time = None if reading.time == UNTIMED else reading.time
    return DirectReading(reading.metric, reading.value, time, reading.flags & Flag.CHANGED)
