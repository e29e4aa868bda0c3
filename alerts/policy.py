"""Thresholds and the ladder's delays: inherited district -> street -> community -> home.

A region's or home's `policy` holds only what it sets itself; the nearest value wins. `ladder` is inherited ladder by
ladder: a home that sets its own for `fall` keeps the street's for `sos`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Final, Literal

import msgspec

from alerts.rungs import NAMES, Ladders
from core.daytime import parse_time
from core.errors import RegisterError
from core.model import AlertKind, Severity

Seconds = Annotated[float, msgspec.Meta(gt=0, le=366 * 86_400)]
ClockTime = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one home. Spans in seconds of the platform's clock."""

    # when silence becomes a finding
    false_alarm_days: Annotated[float, msgspec.Meta(ge=1, le=10_000)] = 50  # budget: at most one false alarm in so many
    inactivity_s: Seconds = 12 * 3600  # the rule until a home is known, and the longest that one indoors may be silent
    inactivity_floor_s: Annotated[float, msgspec.Meta(ge=1800, le=366 * 86_400)] = (
        90 * 60
    )  # a personal limit is never shorter
    inactivity_stretch: Annotated[float, msgspec.Meta(ge=1, le=10)] = 1.0  # x the personal limit
    routine_margin: Annotated[float, msgspec.Meta(ge=1, le=10)] = 1.5  # x the longest usual stay, absence, run of power
    not_risen_s: Annotated[float, msgspec.Meta(ge=5 * 3600, le=16 * 3600)] = 11 * 3600  # local time; no habit known
    not_risen_margin_s: Seconds = 150 * 60  # later than the latest usual rising
    long_stay_s: Seconds = 4 * 3600  # in the bathroom; with a habit `routine_margin` x the longest usual stay
    long_stay_floor_s: Seconds = 75 * 60
    not_returned_s: Seconds = 24 * 3600
    not_returned_most_s: Seconds = 48 * 3600  # who is often away for days is waited for so long, not longer
    night_from_s: Annotated[float, msgspec.Meta(ge=18 * 3600, le=24 * 3600)] = 22.5 * 3600  # local time
    night_until_s: Annotated[float, msgspec.Meta(ge=2 * 3600, le=8 * 3600)] = 5 * 3600
    left_at_night_s: Seconds = 20 * 60
    door_open_s: Seconds = 45 * 60
    no_door_s: Seconds = 96 * 3600  # though somebody moves; with the door alone Hong Kong waits 48 h, Shanghai 24 h
    visit_s: Seconds = 4 * 3600  # a carer's visit that nobody has ended is over by then
    # power, water, climate
    appliance_w: Annotated[float, msgspec.Meta(gt=0, le=20_000)] = 500.0  # above the home's base load
    appliance_s: Seconds = 60 * 60
    water_low_s: Seconds = 12 * 3600
    water_low_m3: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.01
    water_running_s: Seconds = 24 * 3600  # used in every half hour of so long
    water_day_m3: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 2.0
    cold_c: Annotated[float, msgspec.Meta(ge=-10, le=25)] = 12.0
    heat_c: Annotated[float, msgspec.Meta(ge=25, le=60)] = 34.0
    climate_s: Seconds = 2 * 3600
    # a sensor that says what cannot be
    stuck_s: Seconds = 6 * 3600
    mute_s: Seconds = 8 * 86_400  # a sensor that speaks but sees nobody, in a home where others do
    silent_mains_s: Seconds = 25 * 60  # they speak every 10 min; a gateway's clock may be some minutes off
    silent_battery_s: Seconds = 26 * 3600  # battery devices check in about once a day
    gateway_offline_s: Seconds = 10 * 60
    gateway_will_s: Seconds = 60
    # urgent events
    urgent_late_s: Seconds = 6 * 3600  # measured longer ago: a look today, not an alarm
    urgent_past_s: Seconds = 3 * 86_400  # measured longer ago: nothing is raised
    urgent_repeat_s: Seconds = 60  # the same device again within this time is the same press
    # who has it, and for how long
    ack_urgent_s: Seconds = 15 * 60
    ack_s: Seconds = 2 * 3600
    rung_urgent_s: Seconds = 5 * 60  # unanswered for so long: the next rung is told
    rung_s: Seconds = 30 * 60
    remind_s: Seconds = 12 * 3600  # what a person has resolved and still lasts comes up again
    tell_notices: bool = False  # notices stand on the page only
    ladder: Ladders = {}  # what was set, by alert kind or severity; alerts/rungs.py has the defaults
    quiet_from: ClockTime = "22:00"  # in the home's zone; what is not urgent waits for the morning
    quiet_until: ClockTime = "07:00"
    quiet_rings: tuple[AlertKind, ...] = (AlertKind.LEAK, AlertKind.NOT_RETURNED)  # told at night too: it grows worse
    message_detail: Literal["minimal", "home", "full"] = "home"  # how much of a person a message says: notify/detail.py
    # many gateways of a region gone at once: one incident
    outage_homes: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 5  # at least so many ...
    outage_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.3  # ... and this share of the region's homes
    outage_window_s: Seconds = 10 * 60  # "at once"

    def ack_for(self, severity: Severity) -> float:
        """How long an acknowledgement holds, seconds."""
        return self.ack_urgent_s if severity is Severity.URGENT else self.ack_s

    def rung_for(self, severity: Severity) -> float:
        """How long a rung of the ladder is waited on, seconds."""
        return self.rung_urgent_s if severity is Severity.URGENT else self.rung_s

    @property
    def quiet(self) -> tuple[time, time]:
        """From when until when what is not urgent waits, times of the day in the home's zone."""
        return parse_time(self.quiet_from), parse_time(self.quiet_until)


DEFAULTS: Final = Policy()
FIELDS: Final = {field.name: field for field in msgspec.structs.fields(Policy)}
# The episode of these lasts as long as nobody moves, or as nobody can be seen; a person's word about it holds for
# `remind_s`: a home must not go unwatched for good because of one tap.
REMINDED: Final = frozenset(
    {
        AlertKind.INACTIVITY,
        AlertKind.NOT_RETURNED,
        AlertKind.HUB_DOWN,
        AlertKind.GATEWAY_OFFLINE,
        AlertKind.CANNOT_WATCH,
        AlertKind.NOT_RISEN,
        AlertKind.LONG_STAY,
        AlertKind.LEFT_AT_NIGHT,
        AlertKind.APPLIANCE_ON,
    }
)


@dataclass(frozen=True)
class Level:
    """One step of the inheritance: a region or home, by key, and what it sets itself."""

    key: str
    policy: Mapping[str, Any]


@dataclass(frozen=True)
class Resolved:
    """The policy that holds, and where each value comes from.

    Attributes:
        sources: field name -> key of the region or home that set it; absent = the default. A ladder's name is
            `ladder.{kind or severity}`.
        faults: `{key}.{field}: why` for values that cannot be used; the value above them holds.
    """

    policy: Policy
    sources: Mapping[str, str]
    faults: tuple[str, ...] = ()


def inherit(levels: Iterable[Level], above: Resolved | None = None) -> Resolved:
    """What holds below `levels`, given from the district down. A wrong value never stops the watch: see `faults`."""
    values: dict[str, Any] = {} if above is None else msgspec.structs.asdict(above.policy)
    sources: dict[str, str] = {} if above is None else dict(above.sources)
    faults: list[str] = [] if above is None else list(above.faults)
    for level in levels:
        for name, value in level.policy.items():
            try:
                found = _value(name, value)
                if name == "ladder":
                    values[name] = {**values.get(name, {}), **found}
                    sources.update({f"ladder.{part}": level.key for part in found})
                else:
                    values[name] = found
                    sources[name] = level.key
            except RegisterError as error:
                faults.append(f"{level.key}.{name}: {error}")
    return Resolved(Policy(**values), sources, tuple(faults))


def check_policy(policy: Mapping[str, Any]) -> None:
    """For the register's door: raises RegisterError naming the first field that is unknown or out of bounds."""
    for name, value in policy.items():
        _value(name, value)


def _value(name: str, value: Any) -> Any:
    if name not in FIELDS:
        raise RegisterError(f"there is no policy {name!r}: write one of {', '.join(sorted(FIELDS))}")
    if name == "ladder" and isinstance(value, Mapping):
        for part in value:
            if part not in NAMES:
                raise RegisterError(f"there is no ladder {part!r}: write one of {', '.join(NAMES)}")
    try:
        return msgspec.convert(value, FIELDS[name].type)
    except msgspec.ValidationError as error:
        raise RegisterError(f"the policy {name} is {value!r}: {error}") from error
