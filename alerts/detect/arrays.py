"""What detectors look at: one array a column, one row a home, device, gateway or event.

Times are float64 seconds since 1970 in UTC; NaN = never. Spans are float64 seconds. Ids are int64.
Room and kind columns are object arrays of str, "" = unknown. All columns of one class have the same length.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Homes:
    """Homes in use (at least one gateway registered).

    Attributes:
        home_id: int64 [homes].
        life_at: last sign of life, measured; NaN = never.
        life_room: kind of the room that it came from, "" = unknown.
        door_at: last change of an exterior door; NaN = none.
        resting: somebody is on a bed or seat that can tell.
        began: int8, how the silence since `life_at` began, see detect/spells.py.
        personal_s: how long it may last by what the home's own past says; NaN = not known yet, inf = for ever.
        alike, alike_shorter, usual_s: of so many quiet spells that began so at this hour so many were no longer than
            `usual_s`; for the explanation. NaN = none known.
        twice_s: so long, or longer, a silence that began indoors has lasted twice in the home's past; NaN = not known.
        profile: version of the profile that says so; 0 = none.
        away_until: end of a planned absence that has begun (a stay with a child, in hospital); NaN = none. It is over
            by itself when somebody moves in the home.
        unseen_s: how much of the time since `life_at` nothing at all was received from the home; 0 where not known.
        life_devices: how many devices of the home can show life.
        life_devices_seen: how many of them can be believed to be alive now.
        seen_until: until when at least one of them could be seen; NaN = never yet.
        heard_at: last batch or status of a gateway of the home; NaN = never.
        online_since: since when its gateway is connected; NaN = it is not, or never was.
        measured_until: how far the gateway's own readings have arrived (behind `now` while a backlog drains);
            NaN = it sends none.
        rule_s, floor_s, margin, not_returned_s: the home's policy.
    """

    home_id: Ints
    life_at: Floats
    life_room: Texts
    door_at: Floats
    resting: Bools
    began: NDArray[np.int8]
    personal_s: Floats
    alike: Floats
    alike_shorter: Floats
    usual_s: Floats
    twice_s: Floats
    profile: Ints
    away_until: Floats
    unseen_s: Floats
    life_devices: Ints
    life_devices_seen: Ints
    seen_until: Floats
    heard_at: Floats
    online_since: Floats
    measured_until: Floats
    rule_s: Floats
    floor_s: Floats
    margin: Floats
    not_returned_s: Floats


@dataclass(frozen=True)
class Devices:
    """Every device but the gateways themselves.

    Attributes:
        device_id, home_id: int64 [devices].
        kind: core.model.DeviceKind.
        room: kind of its room, "" = unknown.
        last_at: last heard of at all, its own "I am gone" not counted; NaN = never.
        gone_at: when it was declared offline (metric `online` 0, or `silent`) and still is; NaN = is not.
        registered_at: never NaN.
        online_since: since when its gateway is connected; NaN = is not.
        gateway_heard_at: last batch or status of its gateway; NaN = never.
        limit_s: how long it may be silent: what the gateway has learned of it, else the policy.
        life: whether it can show signs of life.
        somebody_s: for how long a motion sensor has said "somebody" again and again without a change, up to the last
            time it said so; NaN = it does not, or is none. None = not known of any.
        with_hub: bool [devices]: it cannot be heard since its hub is down, says the gateway; None = none is.
        standing_since: since when a motion sensor says "somebody", of one that has said "nobody" before; NaN = it does
            not. None = not known of any.
        exterior: bool [devices]: watches a door through which people leave the home; None = none does.
    """

    device_id: Ints
    home_id: Ints
    kind: Texts
    room: Texts
    last_at: Floats
    gone_at: Floats
    registered_at: Floats
    online_since: Floats
    gateway_heard_at: Floats
    limit_s: Floats
    life: Bools
    with_hub: Bools | None = None
    somebody_s: Floats | None = None
    standing_since: Floats | None = None
    exterior: Bools | None = None


@dataclass(frozen=True)
class Gateways:
    """Every gateway.

    Attributes:
        gateway_id, home_id: int64 [gateways].
        online: what its birth or will last said; False where nothing was ever said.
        heard_at: last batch or status; NaN = never, which is a gateway not yet installed.
        silent_s: how long it may be silent.
        will_s: how long it may be away after its will said so, so that a short reconnect is no finding.
    """

    gateway_id: Ints
    home_id: Ints
    online: Bools
    heard_at: Floats
    silent_s: Floats
    will_s: Floats


@dataclass(frozen=True)
class UrgentEvents:
    """Urgent readings with a value above 0 that nobody has handled, oldest first.

    Attributes:
        event_id, home_id, device_id: int64 [events].
        metric: a number of core/metrics.py.
        room: kind of the device's room, "" = unknown.
        time: when measured; never NaN.
        value: > 0.
        off_at: when the device last said 0 for this metric; NaN = never.
        late_s: from which age on it is late, by the home's policy.
        past_s: from which age on it is a moment long gone: nothing is raised.
    """

    event_id: Ints
    home_id: Ints
    device_id: Ints
    metric: Ints
    room: Texts
    time: Floats
    value: Floats
    off_at: Floats
    late_s: Floats
    past_s: Floats
