"""Devices, gateways and urgent events as arrays."""

import numpy as np

from alerts.detect import arrays, device_silent
from alerts.detect.arrays import Bools, Floats, Ints, Texts
from alerts.detect.sensors import Sensors
from alerts.observe.columns import Columns, latest
from core.model import LIFE_KINDS, DeviceKind


def witnesses(kind: Texts, home_id: Ints) -> Bools:
    """bool [devices]: whether each can show signs of life; a meter can where its home has no other witness."""
    life = np.isin(kind, list(LIFE_KINDS))
    alone = (kind == DeviceKind.METER) & ~np.isin(home_id, home_id[life])
    return np.asarray(life | alone, dtype=np.bool_)


def gateways(columns: Columns, limits: Columns) -> arrays.Gateways:
    """`limits` are the policy's columns, one row a gateway."""
    return arrays.Gateways(
        gateway_id=columns["id"],
        home_id=columns["home_id"],
        online=columns["online"],
        heard_at=columns["heard_at"],
        silent_s=limits["gateway_offline_s"],
        will_s=limits["gateway_will_s"],
    )


def online_since(gateway_columns: Columns) -> Floats:
    """float64 [gateways]: since when each is connected; NaN = it is not."""
    return np.where(gateway_columns["online"], gateway_columns["since"], np.nan)


def devices(columns: Columns, gateway_columns: Columns, behind: Ints, limits: Columns) -> arrays.Devices:
    """`behind`: row of each device's gateway; `limits`: the policy's columns, one row a device."""
    by_policy = np.where(columns["mains"], limits["silent_mains_s"], limits["silent_battery_s"])
    return arrays.Devices(
        device_id=columns["id"],
        home_id=columns["home_id"],
        kind=columns["kind"],
        room=columns["room"],
        last_at=columns["last_at"],
        gone_at=columns["gone_at"],
        registered_at=columns["registered_at"],
        online_since=online_since(gateway_columns)[behind],
        gateway_heard_at=gateway_columns["heard_at"][behind],
        limit_s=np.where(np.isnan(columns["limit_s"]), by_policy, columns["limit_s"]),
        life=columns["life"],
        with_hub=columns["with_hub"],
        somebody_s=columns["somebody_s"],
        standing_since=columns["standing_since"],
        exterior=columns["exterior"],
    )


def sensors(now: float, columns: Columns, found: arrays.Devices, homes: arrays.Homes, at: Ints,
            limits: Columns, slack_s: float) -> Sensors:  # fmt: skip
    """`at`: row of each device's home in `homes`, -1 = none; `limits` as in `devices`."""
    life_at = columns["life_at"]
    best = latest(len(homes.home_id), at, life_at)
    here = np.where(at >= 0, at, 0)
    mine = (life_at == best[here]) if len(best) else np.zeros(0, dtype=np.bool_)
    second = latest(len(homes.home_id), np.where(mine, -1, at), life_at)
    elsewhere = np.where(mine, second[here], best[here]) if len(best) else np.full(len(at), np.nan)
    alive = (device_silent.heard_until(found) + slack_s >= now) & ~device_silent.gone(found)
    return Sensors(
        device_id=found.device_id,
        home_id=found.home_id,
        kind=found.kind,
        room=found.room,
        value=columns["value"],
        time=columns["time"],
        changed_at=columns["changed_at"],
        life_at=life_at,
        alive=np.asarray(alive & (at >= 0), dtype=np.bool_),
        registered_at=found.registered_at,
        elsewhere_at=np.where(at >= 0, elsewhere, np.nan),
        door_at=np.where(at >= 0, homes.door_at[here], np.nan) if len(best) else np.full(len(at), np.nan),
        stuck_s=limits["stuck_s"],
        mute_s=limits["mute_s"],
    )


def events(columns: Columns, limits: Columns) -> arrays.UrgentEvents:
    """`limits`: the policy's columns, one row an event."""
    return arrays.UrgentEvents(
        event_id=columns["id"],
        home_id=columns["home_id"],
        device_id=columns["device_id"],
        metric=columns["metric"],
        room=columns["room"],
        time=columns["time"],
        value=columns["value"],
        off_at=columns["off_at"],
        late_s=limits["urgent_late_s"],
        past_s=limits["urgent_past_s"],
    )
