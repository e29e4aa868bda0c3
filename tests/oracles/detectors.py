"""The detectors once more, slowly: one row at a time, None for never, plain arithmetic."""

import math
from collections.abc import Mapping
from typing import Any

from alerts.detect.spells import Began

Row = Mapping[str, Any]


def behind(now: float, home: Row, slack: float) -> bool:
    return home["measured_until"] is not None and bool(now - home["measured_until"] > 900 + slack)


def watched(now: float, home: Row, slack: float) -> bool:
    if home["life_devices"] == 0 or home["seen_until"] is None:
        return False
    return bool(now <= home["seen_until"] + slack) and not behind(now, home, slack)


def went_out(home: Row) -> bool:
    return home["began"] in (Began.LEFT, Began.CAME)


def planned_away(now: float, home: Row) -> bool:
    return home["away_until"] is not None and bool(now < home["away_until"])


def limit(home: Row) -> float:
    """How long the present silence may last; inf = for ever."""
    personal, rule, floor = home["personal_s"], home["rule_s"], home["floor_s"]
    if home["began"] in (Began.LEFT, Began.CAME) and personal is None:
        return math.inf
    if personal is None:
        return float(rule)
    if home["began"] in (Began.LEFT, Began.DOOR_RESTING):
        return float(max(personal, rule / 2))
    if home["began"] is Began.CAME:
        return float(max(personal, floor))
    longest = max(rule, home["not_returned_s"]) if home["door_at"] is None else rule
    if home["door_at"] is not None and home["twice_s"] is not None and home["twice_s"] > rule:
        longest = min(1.1 * home["twice_s"], max(rule, home["not_returned_s"]))
    return float(min(max(personal, floor), longest))


def inactive(now: float, home: Row, slack: float) -> bool:
    if home["life_at"] is None or not watched(now, home, slack) or planned_away(now, home):
        return False
    return bool(now - home["life_at"] - home["unseen_s"] >= limit(home) + slack)


def not_returned(now: float, home: Row, slack: float) -> bool:
    if home["life_at"] is None or not watched(now, home, slack) or planned_away(now, home) or not went_out(home):
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
