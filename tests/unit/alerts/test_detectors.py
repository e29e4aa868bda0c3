"""Every detector says what its naive twin in tests/oracles says."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.detect import (
    cannot_watch,
    device_silent,
    gateway_offline,
    inactivity,
    not_returned,
    sos,
    urgent,
)
from alerts.detect.arrays import Devices, Gateways, Homes, UrgentEvents
from alerts.detect.findings import Findings
from alerts.detect.spells import Began
from core.metrics import BY_NAME
from core.model import AlertKind
from tests.oracles import detectors as oracle

NOW = 1_770_000_000.0
HOUR = 3600
# few different values, so that limits are met exactly
ages = st.sampled_from([0, 15, 16, 59, 60, 89, 90, 599, 600, 900, 901, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR, 30 * HOUR])
past = ages.map(lambda age: NOW - age)
maybe = st.none() | past
slacks = st.sampled_from([0.0, 10.0])
spans = st.sampled_from([60.0, 900.0, 4.0 * HOUR, 12.0 * HOUR])

homes = st.fixed_dictionaries(
    {
        "life_at": maybe,
        "door_at": maybe,
        "began": st.sampled_from(Began),
        "personal_s": st.none() | spans | st.just(math.inf),
        "twice_s": st.none() | st.sampled_from([12.0 * HOUR, 13.0 * HOUR, 30.0 * HOUR]),
        "away_until": st.none() | past | st.just(NOW + HOUR),
        "unseen_s": st.sampled_from([0.0, 900.0, 8.0 * HOUR]),
        "life_devices": st.integers(0, 2),
        "seen_until": st.none() | past | past.map(lambda time: 2 * NOW - time),
        "online_since": maybe,
        "measured_until": maybe,
        "rule_s": st.just(12.0 * HOUR),
        "floor_s": st.just(4.0 * HOUR),
        "not_returned_s": st.just(24.0 * HOUR),
    }
)
devices = st.fixed_dictionaries(
    {
        "last_at": maybe,
        "gone_at": maybe,
        "registered_at": past,
        "online_since": maybe,
        "gateway_heard_at": maybe,
        "limit_s": spans,
    }
)
gateways = st.fixed_dictionaries(
    {"heard_at": maybe, "online": st.booleans(), "silent_s": st.just(600.0), "will_s": st.just(60.0)}
)
events = st.fixed_dictionaries(
    {
        "metric": st.integers(5, 10),
        "time": past,
        "value": st.sampled_from([1.0, 2.0]),
        "off_at": maybe,
        "late_s": st.just(6.0 * HOUR),
        "past_s": st.just(24.0 * HOUR),
    }
)


def floats(rows: Sequence[dict[str, Any]], name: str) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.array([row[name] for row in rows], dtype=np.float64)


def texts(rows: Sequence[dict[str, Any]]) -> "np.ndarray[Any, np.dtype[np.object_]]":
    return np.array(["kitchen"] * len(rows), dtype=np.object_)


def home_arrays(rows: Sequence[dict[str, Any]]) -> Homes:
    numbers = (
        "life_at door_at personal_s twice_s away_until unseen_s seen_until online_since measured_until rule_s floor_s"
        " not_returned_s"
    )
    blank = np.full(len(rows), np.nan)
    return Homes(
        home_id=np.arange(len(rows)),
        life_room=texts(rows),
        resting=np.zeros(len(rows), dtype=np.bool_),
        began=np.array([row["began"] for row in rows], dtype=np.int8),
        alike=blank,
        alike_shorter=blank,
        usual_s=blank,
        profile=np.ones(len(rows), dtype=np.int64),
        margin=blank,
        life_devices=np.array([row["life_devices"] for row in rows], dtype=np.int64),
        life_devices_seen=np.zeros(len(rows), dtype=np.int64),
        heard_at=np.full(len(rows), NOW),
        **{name: floats(rows, name) for name in numbers.split()},
    )


def device_arrays(rows: Sequence[dict[str, Any]]) -> Devices:
    numbers = "last_at gone_at registered_at online_since gateway_heard_at limit_s"
    return Devices(
        device_id=np.arange(len(rows)),
        home_id=np.arange(len(rows)),
        kind=texts(rows),
        room=texts(rows),
        life=np.ones(len(rows), dtype=np.bool_),
        with_hub=np.array([row.get("with_hub", False) for row in rows], dtype=np.bool_),
        exterior=None,
        **{name: floats(rows, name) for name in numbers.split()},
    )


def gateway_arrays(rows: Sequence[dict[str, Any]]) -> Gateways:
    return Gateways(
        gateway_id=np.arange(len(rows)),
        home_id=np.arange(len(rows)),
        online=np.array([row["online"] for row in rows], dtype=np.bool_),
        **{name: floats(rows, name) for name in ("heard_at", "silent_s", "will_s")},
    )


def event_arrays(rows: Sequence[dict[str, Any]]) -> UrgentEvents:
    return UrgentEvents(
        event_id=np.arange(len(rows)),
        home_id=np.arange(len(rows)),
        device_id=np.arange(len(rows)),
        metric=np.array([row["metric"] for row in rows], dtype=np.int64),
        room=texts(rows),
        **{name: floats(rows, name) for name in ("time", "value", "off_at", "late_s", "past_s")},
    )


@pytest.mark.parametrize(
    ("find", "slowly"),
    [
        (inactivity.find, oracle.inactive),
        (not_returned.find, oracle.not_returned),
        (cannot_watch.find, oracle.cannot_watch),
    ],
)
@given(st.lists(homes, max_size=6), slacks)
def test_homes(
    find: Callable[[float, Homes, float], Findings],
    slowly: Callable[[float, oracle.Row, float], bool],
    rows: list[dict[str, Any]],
    slack: float,
) -> None:
    found = find(NOW, home_arrays(rows), slack)
    assert found.home_id.tolist() == [index for index, row in enumerate(rows) if slowly(NOW, row, slack)]
    assert all(finding.began_at.timestamp() <= NOW for finding in found.each())


@given(st.lists(homes, max_size=6), slacks)
def test_a_home_that_cannot_be_watched_is_never_inactive(rows: list[dict[str, Any]], slack: float) -> None:
    arrays = home_arrays(rows)
    silent = set(inactivity.find(NOW, arrays, slack).home_id) | set(not_returned.find(NOW, arrays, slack).home_id)
    assert not silent & set(cannot_watch.find(NOW, arrays, slack).home_id)


@given(st.lists(devices, max_size=6), slacks)
def test_devices(rows: list[dict[str, Any]], slack: float) -> None:
    found = device_silent.find(NOW, device_arrays(rows), slack)
    assert found.subject_id.tolist() == [
        index for index, row in enumerate(rows) if oracle.device_silent(NOW, row, slack)
    ]


@given(st.lists(gateways, max_size=6), slacks)
def test_gateways(rows: list[dict[str, Any]], slack: float) -> None:
    found = gateway_offline.find(NOW, gateway_arrays(rows), slack)
    assert found.home_id.tolist() == [
        index for index, row in enumerate(rows) if oracle.gateway_offline(NOW, row, slack)
    ]


@given(st.lists(events, max_size=8))
def test_urgent_events(rows: list[dict[str, Any]]) -> None:
    arrays = event_arrays(rows)
    by_kind = {AlertKind.SOS: sos.find(NOW, arrays)}
    by_kind |= {kind: urgent.find(NOW, arrays, kind) for kind in urgent.SEVERITY}
    for kind, found in by_kind.items():
        said = [(index, oracle.urgent(NOW, row, BY_NAME[kind].id)) for index, row in enumerate(rows)]
        assert [(finding.event_id, "late" if finding.late else "now") for finding in found.each()] == [
            one for one in said if one[1] is not None
        ]
