"""Homes as arrays: their last sign of life, how well they are seen, what is usual there."""

from collections.abc import Callable, Set
from typing import Final

import numpy as np

from alerts.detect import arrays, cannot_watch, device_silent, personal, visits
from alerts.detect.alike import look_up
from alerts.detect.arrays import Bools, Floats, Ints
from alerts.detect.coverage import QUARTER_S
from alerts.detect.power import Usual
from alerts.detect.power import unseen_s as outages_s
from alerts.detect.spells import Began, Codes, how_began, room_codes
from alerts.detect.visits import Visited
from alerts.observe.columns import Columns, latest
from alerts.observe.devices import online_since
from alerts.profile import Limits
from core.model import DeviceKind, RoomKind

RADIO_TIMES: Final = 2.0  # x the usual longest quiet of all sensors of life together
RADIO_LEAST_S: Final = 5400.0
SPEAKS_S: Final = 900.0  # sensors of life that are never quiet for longer speak in every quarter of an hour
# A motion sensor that has said "somebody" for as long as the floor of inactivity is stuck, or will be found to be; one
# that is silent or blind shows nobody. What is usual was learned with it, so a silence indoors may be twice as long, up
# to the rule, until it is right again or two weeks without it have taught what is usual now.
BLINDED_TIMES: Final = 2.0
# A motion sensor that clears says so within minutes of the last movement. One that says "somebody" again so long after
# it said so first sees somebody, or it is stuck. One that only did not clear may have lost that one word: in a recorded
# home two of them stand for hours each day, and what is usual there was learned with them.
STANDING_S: Final = 600.0
RELEARNED_S: Final = 14 * 86_400.0
# (home ids, since, of sensors of life only) -> whole quarters in which anything was received
Received = Callable[[Ints, Floats, Bools], Ints]


def homes(
    now: float, columns: Columns, known: Limits, devices: arrays.Devices, at: Ints, gateway_columns: Columns,
    gateway_at: Ints, limits: Columns, received: Received, visited: Visited, slack_s: float,
) -> arrays.Homes:  # fmt: skip
    """`at`, `gateway_at`: row of each device's and gateway's home, -1 = none; `limits`: the policy's columns."""
    count = len(columns["id"])
    last = visits.last_signs(visited, columns["life_at"], columns["door_at"], columns["inside_at"])
    life_at, room = last.life_at, np.where(last.roomless, "", columns["life_room"]).astype(np.object_)
    offset = columns["zone_offset_s"]
    leaves, here = _leaves(devices), at >= 0
    no_bed = _none_of(now, count, at, devices, _rests(devices), slack_s)
    resting = columns["resting"] & ~no_bed
    began = how_began(life_at, last.door_at, last.inside_at, resting, room_codes(room))
    # What its bed or its door cannot say any more is judged as if they had said it.
    began[no_bed & (began == Began.BEDROOM)] = Began.RESTING
    no_door = _none_of(now, count, at, devices, leaves, slack_s)
    hall = here & devices.life & (devices.room == RoomKind.ENTRY) & ~leaves
    no_hall = np.bincount(at[hall], minlength=count) == 0
    began[no_door & (began == Began.INDOORS) & (no_hall | (room == RoomKind.ENTRY))] = Began.LEFT
    metered = np.bincount(at[here & devices.life & (devices.kind == DeviceKind.METER)], minlength=count) > 0
    unseen_s = _unseen_s(now, columns, life_at, known.speaks, limits["inactivity_floor_s"], received)
    unseen_s = np.where(metered, np.maximum(unseen_s, _not_shown_s(now, columns, life_at)), unseen_s)
    few = look_up(known.alike.count, began, life_at, offset)
    few[few == 0] = np.nan
    # Sensors, summed up for each home. A gateway that is away shows nothing, however young its last readings are.
    sensors = np.flatnonzero(devices.life & (at >= 0))
    mine = at[sensors]
    somebody_s = np.full(len(sensors), np.nan) if devices.somebody_s is None else devices.somebody_s[sensors]
    blinded = columns["blinded"] > 0  # NaN compares false
    doubted = _lost(now, devices, slack_s) | standing(devices)
    blinded[mine[doubted[sensors] | (somebody_s >= limits["inactivity_floor_s"][mine])]] = True
    installed = ~np.isnan(devices.gateway_heard_at[sensors])
    until = np.where(installed, device_silent.heard_until(devices)[sensors], -np.inf)
    until = np.minimum(until, np.where(installed, devices.gateway_heard_at[sensors], -np.inf) + cannot_watch.BEHIND_S)
    until = np.where(somebody_s >= limits["stuck_s"][mine] + slack_s, -np.inf, until)  # sensor_stuck: it is no witness
    flat_at = columns["meter_changed_at"] + Usual(np.nan, columns["meter_still_s"]).flat_s
    until = np.fmin(until, np.where(devices.kind[sensors] == DeviceKind.METER, flat_at[mine], np.inf))
    seen_until = np.full(count, -np.inf)
    np.maximum.at(seen_until, mine, until)
    # Sensors that are never all silent for long, and now are: the radio hangs, though each alone may yet speak.
    heard_at = latest(count, np.where(devices.life, at, -1), devices.last_at)
    radio = heard_at + np.maximum(RADIO_TIMES * columns["radio_s"], RADIO_LEAST_S)
    seen_until = np.where(np.isnan(radio), seen_until, np.minimum(seen_until, radio))
    seen = np.bincount(mine, weights=until + slack_s >= now, minlength=count).astype(np.int64)
    return arrays.Homes(
        home_id=columns["id"],
        life_at=life_at,
        life_room=room,
        door_at=columns["door_at"],
        resting=resting,
        began=began,
        personal_s=visits.errand_s(
            last.after,
            personal_s(known, life_at, began, unseen_s, offset)
            * limits["inactivity_stretch"]
            * np.where(blinded & (began != Began.LEFT), BLINDED_TIMES, 1.0),
            limits["inactivity_s"],
        ),
        alike=few,
        alike_shorter=np.where(np.isnan(few), np.nan, look_up(known.alike.shorter, began, life_at, offset)),
        usual_s=np.where(np.isnan(few), np.nan, look_up(known.alike.usual_min, began, life_at, offset) * 60),
        twice_s=known.twice_s,
        profile=known.version,
        away_until=columns["away_until"],
        unseen_s=unseen_s,
        life_devices=np.bincount(mine, minlength=count).astype(np.int64),
        life_devices_seen=seen,
        seen_until=np.where(np.isinf(seen_until), np.nan, seen_until),
        heard_at=latest(count, gateway_at, gateway_columns["heard_at"]),
        online_since=latest(count, gateway_at, online_since(gateway_columns)),
        measured_until=latest(count, gateway_at, gateway_columns["measured_until"]),
        rule_s=limits["inactivity_s"],
        floor_s=limits["inactivity_floor_s"],
        margin=limits["routine_margin"],
        not_returned_s=limits["not_returned_s"],
    )


def of_carers(visited: Visited, homes: arrays.Homes) -> Set[int]:
    """The homes whose last sign of life may be a carer's who has not met the resident."""
    return frozenset(homes.home_id[visits.unmet_carers(visited, homes.life_at)].tolist())


def personal_s(known: Limits, life_at: Floats, began: Codes, unseen_s: Floats, zone_offset_s: Floats) -> Floats:
    """float64 [homes]: the personal limits, where so much of each silence was not received."""
    return personal.limit_with_holes_s(known.minutes, life_at, began, unseen_s, zone_offset_s)


def _rests(devices: arrays.Devices) -> Bools:
    return np.isin(devices.kind, (DeviceKind.BED, DeviceKind.SEAT))


def _leaves(devices: arrays.Devices) -> Bools:
    none = np.zeros(len(devices.device_id), dtype=np.bool_)
    return none if devices.exterior is None else devices.exterior & (devices.kind == DeviceKind.CONTACT)


def _none_of(now: float, count: int, at: Ints, devices: arrays.Devices, which: Bools, slack_s: float) -> Bools:
    """bool [homes]: whether the home has some of `which`, and none of them can be believed to be alive."""
    alive = (device_silent.heard_until(devices) + slack_s >= now) & ~device_silent.gone(devices)
    here = which & (at >= 0)
    some, left = (np.bincount(at[mine], minlength=count) > 0 for mine in (here, here & alive))
    return np.asarray(some & ~left, dtype=np.bool_)


def standing(devices: arrays.Devices) -> Bools:
    """bool [devices]: whether it is a motion sensor that clears and now says "somebody" again and again."""
    if devices.standing_since is None or devices.somebody_s is None:
        return np.zeros(len(devices.device_id), dtype=np.bool_)
    return np.asarray(~np.isnan(devices.standing_since) & (devices.somebody_s >= STANDING_S), dtype=np.bool_)


def _lost(now: float, devices: arrays.Devices, slack_s: float) -> Bools:
    """bool [devices]: whether it is a motion sensor or radar that has fallen silent, not long ago."""
    silent = (now > device_silent.heard_until(devices) + slack_s) | device_silent.gone(devices)
    moves = np.isin(devices.kind, (DeviceKind.MOTION, DeviceKind.RADAR))
    return np.asarray(moves & silent & (now - devices.last_at < RELEARNED_S), np.bool_)


def _not_shown_s(now: float, columns: Columns, life_at: Floats) -> Floats:
    """What a meter alone did not show of the time since the last sign of life: outages, and what it has said since its
    value last changed, which may be the beginning of one. Seconds."""
    not_shown = np.nan_to_num(now - np.maximum(columns["meter_changed_at"], life_at))
    for row, over in enumerate(columns["meter_outages"]):
        if over is not None and not np.isnan(life_at[row]):
            not_shown[row] += outages_s(over, life_at[row], now)
    return np.asarray(not_shown, dtype=np.float64)


def _unseen_s(
    now: float, columns: Columns, life_at: Floats, speaks: Bools, floor_s: Floats, received: Received
) -> Floats:
    """Empty quarters of the hour since the last sign of life, in seconds.

    Asked only of homes that have been silent for their floor and usually send something in every quarter: of
    others an empty quarter says nothing.
    """
    home_id = columns["id"]
    radio = columns["radio_s"] <= SPEAKS_S  # NaN compares false
    asked = np.flatnonzero((speaks | radio) & (now - life_at >= floor_s))
    unseen = np.zeros(len(home_id))
    if len(asked):
        quarter = QUARTER_S
        # whole quarters between the one that life_at is in and the one that is not over yet
        whole = np.maximum(now // quarter - life_at[asked] // quarter - 1, 0)
        unseen[asked] = np.maximum(whole - received(home_id[asked], life_at[asked], radio[asked]), 0) * quarter
    return unseen
