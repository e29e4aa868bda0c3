"""The detectors once more, slowly: one row at a time, None for never, plain arithmetic."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

Row = Mapping[str, Any]
QUARTER, DAY = 900, 86_400


def behind(now: float, home: Row, slack: float) -> bool:
    return home["measured_until"] is not None and bool(now - home["measured_until"] > 900 + slack)


def watched(now: float, home: Row, slack: float) -> bool:
    if home["life_devices"] == 0 or home["seen_until"] is None:
        return False
    return bool(now <= home["seen_until"] + slack) and not behind(now, home, slack)


def went_out(home: Row) -> bool:
    if home["resting"]:
        return False
    if home["life_exterior"]:
        return True
    return home["door_at"] is not None and bool(home["life_at"] - home["door_at"] <= 15)


def inactive(now: float, home: Row, slack: float) -> bool:
    if home["life_at"] is None or not watched(now, home, slack) or went_out(home):
        return False
    limit = home["rule_s"]
    if home["usual_s"] is not None:
        limit = min(limit, max(home["margin"] * home["usual_s"], home["floor_s"]))
    return bool(now - home["life_at"] - home["unseen_s"] >= limit + slack)


def not_returned(now: float, home: Row, slack: float) -> bool:
    if home["life_at"] is None or not watched(now, home, slack) or not went_out(home):
        return False
    return bool(now - home["life_at"] - home["unseen_s"] >= home["not_returned_s"] + slack)


def cannot_watch(now: float, home: Row, slack: float) -> bool:
    if home["life_devices"] > 0 and home["seen_until"] is not None and now > home["seen_until"] + slack:
        return True
    if home["online_since"] is None or not behind(now, home, slack):
        return False
    return bool(now - home["online_since"] >= 3600)


def device_silent(now: float, device: Row, slack: float) -> bool:
    if device["gateway_heard_at"] is None:
        return False
    if device["gone_at"] is not None and (device["last_at"] is None or device["gone_at"] >= device["last_at"]):
        return True
    since = max(
        time for time in (device["last_at"], device["registered_at"], device["online_since"]) if time is not None
    )
    return bool(now > since + device["limit_s"] + slack)


def gateway_offline(now: float, gateway: Row, slack: float) -> bool:
    if gateway["heard_at"] is None:
        return False
    limit = gateway["silent_s"] if gateway["online"] else gateway["will_s"]
    return bool(now - gateway["heard_at"] >= limit + slack)


def urgent(now: float, event: Row, metric: int) -> str | None:
    """None: no finding; else its severity's sort: "late" or "now"."""
    age = now - event["time"]
    if event["metric"] != metric or age >= event["past_s"]:
        return None
    stood_up = event["off_at"] is not None and event["off_at"] > event["time"]
    if metric == 5 and event["value"] < 2 and (age < 90 or stood_up):  # a warning of a fall
        return None
    return "late" if age >= event["late_s"] else "now"


def habits(quarters: Sequence[float], life: Sequence[int], offset: float) -> dict[str, Any] | None:
    alive = [index for index, count in enumerate(life) if count > 0]
    if len(alive) < 2 or quarters[alive[-1]] - quarters[alive[0]] < 7 * DAY:
        return None
    known = quarters[alive[0]], quarters[alive[-1]]
    spoken = sum(known[0] <= quarter <= known[1] for quarter in quarters) / ((known[1] - known[0]) / QUARTER + 1)
    silences = []
    for first, last in pairwise(alive):
        length = quarters[last] - quarters[first]
        hole = length - (last - first) * QUARTER
        if spoken < 0.95 or hole <= 1800:
            silences.append((quarters[first], length))
    longest: list[float | None] = []
    for hour in range(24):
        near = []
        for began, length in silences:
            of_day = ((began + offset) % DAY) / 3600
            apart = abs(of_day - hour - 0.5)
            if min(apart, 24 - apart) <= 2:
                near.append(length)
        longest.append(max(near) if near else None)
    return {"longest_s": longest, "longest_any_s": max((length for _, length in silences), default=0.0)}
