"""The detectors of rooms, doors, supplies and sensors once more, slowly: one row at a time, None for never."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
HOUR, DAY = 3600.0, 86_400.0


def later(one: float | None, other: float | None) -> bool:
    """Whether `one` is after `other`; never is after nothing."""
    return one is not None and other is not None and one > other


def not_risen(now: float, home: Row, slack: float) -> bool:
    dawn = home["midnight"] + 4 * HOUR
    limit = home["not_risen_s"] if home["rise_s"] is None else home["rise_s"] + home["not_risen_margin_s"]
    clock = now - home["midnight"]
    if not (limit + slack <= clock < 18 * HOUR) or home["out"] or not home["watched"] or home["day_sensors"] == 0:
        return False
    if home["life_at"] is None or (home["day_at"] is not None and home["day_at"] >= dawn):
        return False
    since = home["seen_since"]
    return since is not None and (since <= dawn or now - since >= 3 * HOUR)


def long_stay(now: float, home: Row, slack: float) -> bool:
    if not later(home["bath_at"], home["elsewhere_at"]) or home["resting"] or not home["watched"]:
        return False
    if home["elsewhere_sensors"] == 0 or not home["elsewhere_whole"]:
        return False
    back = home["seen_since"]
    if back is None or (back > home["elsewhere_at"] and now - back < HOUR):
        return False
    limit = home["long_stay_s"]
    walked_in = home["bath_from"] is not None and home["bath_from"] - home["elsewhere_at"] <= 900
    if home["doubtful"] or not walked_in:
        if home["bath_hours"] < limit / HOUR:
            return False
    elif home["stay_s"] is not None:
        limit = min(limit, max(home["margin"] * home["stay_s"], home["long_stay_floor_s"]))
    return bool(now - home["elsewhere_at"] >= limit + slack)


def bath_moves(moved: Sequence[float], since: float, now: float) -> tuple[float | None, int]:
    """The first quarter of the clock with a movement, of those that ended after `since` and began not after `now`;
    hours of the clock with a movement, of quarters that began after `since`.
    """
    first, hours = None, []
    for moment in moved:
        quarter = moment - moment % 900
        hour = moment - moment % 3600
        if since - 900 < quarter <= now and (first is None or quarter < first):
            first = quarter
        if since < quarter <= now and hour not in hours:
            hours.append(hour)
    return first, len(hours)


def left_at_night(now: float, home: Row, slack: float) -> bool:
    if not home["out"] or not home["watched"] or home["life_at"] is None:
        return False
    clock = (home["life_at"] - home["midnight"]) % DAY
    night = clock >= home["night_from_s"] or clock < home["night_until_s"]
    if not night or home["night_out"][int(clock // HOUR)]:
        return False
    return bool(home["left_at_night_s"] + slack <= now - home["life_at"] < DAY)


def door_open(now: float, home: Row, slack: float) -> bool:
    if not home["watched"] or home["open_since"] is None:
        return False
    return bool(now - home["open_since"] >= home["door_open_s"] + slack)


def no_door(now: float, home: Row, slack: float) -> bool:
    if not home["watched"] or home["out"] or home["life_at"] is None or now - home["life_at"] >= DAY:
        return False
    if home["door_at"] is None or home["door_from"] is None:
        return False
    longest = 8 * DAY if home["door_gap_s"] is None else min(3 * home["door_gap_s"], 8 * DAY)
    return bool(now - max(home["door_at"], home["door_from"]) >= max(longest, home["no_door_s"]) + slack)


def appliance_on(now: float, row: Row, slack: float) -> bool:
    if not row["watched"] or row["still_since"] is None or now - row["still_since"] < 1200 + slack:
        return False
    if row["known"] and row["above_since"] is not None and now - row["above_since"] >= row["appliance_s"] + slack:
        return True
    limit = 4 * HOUR
    if row["known"]:
        limit = (
            row["appliance_s"] if row["usual_s"] is None else max(row["margin"] * row["usual_s"], row["appliance_s"])
        )
    return bool(row["high_since"] is not None and now - row["high_since"] >= limit + slack)


def water_low(now: float, row: Row, slack: float) -> bool:
    if row["low_since"] is None or row["out"] or not row["watched"]:
        return False
    since = row["low_since"] if row["door_at"] is None else max(row["low_since"], row["door_at"])
    limit = row["water_low_s"] if row["dry_s"] is None else max(min(1.2 * row["dry_s"], 14 * HOUR), row["water_low_s"])
    return bool(row["seen_s"] >= 0.9 * (now - row["low_since"]) and now - since >= limit + slack)


def water_running(now: float, row: Row, slack: float) -> bool:
    endless = row["running_since"] is not None and now - row["running_since"] >= row["water_running_s"] + slack
    much = row["day_m3"] > row["water_day_m3"] and row["recent_m3"] >= row["water_day_m3"] / 8
    return bool(endless or much)


def temperature(now: float, rows: Sequence[Row], since: str, slack: float) -> dict[int, int]:
    """Home -> the row of the sensor that speaks for it: the one for which it has lasted longest, of two the first."""
    speaks: dict[int, int] = {}
    for at, row in enumerate(rows):
        if row[since] is None or now - row[since] < row["climate_s"] + slack:
            continue
        best = speaks.get(row["home_id"])
        if best is None or row[since] < rows[best][since]:
            speaks[row["home_id"]] = at
    return speaks


def beyond_since(extremes: Sequence[float | None], fine: Callable[[float], bool], end: float) -> float | None:
    """Start of the first quarter that was heard after the last fine one; None = nothing was heard since.

    Args:
        extremes: of each quarter the value that was nearest to being fine.
    """
    since = None
    for at, value in reversed(list(enumerate(extremes))):
        if value is not None and fine(value):
            break
        if value is not None:
            since = end - (len(extremes) - at) * 900
    return since


def hub_down(rows: Sequence[Row]) -> dict[int, tuple[float, int]]:
    """Home -> (since when, how many devices): those that cannot be heard as their hub is down, and were not since."""
    found: dict[int, tuple[float, int]] = {}
    for row in rows:
        gone = row["gone_at"]
        if row["with_hub"] and gone is not None and (row["last_at"] is None or gone >= row["last_at"]):
            since, count = found.get(row["home_id"], (gone, 0))
            found[row["home_id"]] = (min(since, gone), count + 1)
    return found


def sensor_stuck(now: float, row: Row, slack: float) -> str | None:
    """What is wrong with it, None = nothing."""
    kind, value = row["kind"], row["value"]
    if not row["alive"]:
        return None
    if kind == "climate" and value is not None and not -15 <= value <= 55:
        return "wild"
    same = None if row["time"] is None or row["changed_at"] is None else row["time"] - row["changed_at"]
    patience = row["stuck_s"] * (4 if kind == "radar" else 1)
    if (
        kind in ("motion", "radar")
        and value is not None
        and value > 0
        and same is not None
        and same >= patience + slack
    ):
        return "stuck"
    times = {"meter": 1, "climate": 6}.get(kind)
    if times is not None and same is not None and same >= times * row["stuck_s"] + slack:
        return "flat"
    if kind == "motion" and value == 0:
        witness = row["door_at"] if row["room"] == "entry" else row["elsewhere_at"]
        since = row["registered_at"] if row["life_at"] is None else max(row["life_at"], row["registered_at"])
        if witness is not None and now - witness < DAY and now - since >= row["mute_s"] + slack:
            return "blind"
    return None


def fall(now: float, event: Row) -> str | None:
    """ "urgent", "moved", "waits" or None = nobody is called, or long gone."""
    age, measured, off = now - event["time"], event["time"], event["off_at"]
    stood = off is not None and off > measured
    moved = event["elsewhere_at"] is not None and event["elsewhere_at"] > measured + 3
    if event["ok_at"] is not None and event["ok_at"] > measured:
        return None
    if event["value"] < 2:
        if stood or moved:
            return None
    elif stood and event["life_at"] is not None and event["life_at"] >= off:
        return None
    if now - event["stored_at"] < (600 if event["value"] >= 2 and stood else 90):
        return "waits"
    if age >= event["past_s"]:
        return None
    return "moved" if moved else "urgent"


def high_since(lows: list[float | None], threshold: float, end: float) -> float | None:
    """Start of the run of quarters up to the end that stayed above; the last two may have said nothing yet."""
    left = list(lows)
    for _ in range(2):
        if left and left[-1] is None:
            left.pop()
            end -= 900
    since = None
    while left and left[-1] is not None and left[-1] >= threshold:
        left.pop()
        end -= 900
        since = end
    return since


def water_uses(lows: list[float | None], highs: list[float | None]) -> list[float]:
    """What ran in each quarter: the counter's rise over what it said before, at first over its own lowest."""
    uses, before = [], None
    for low, high in zip(lows, highs, strict=True):
        if high is None:
            uses.append(0.0)
            continue
        assert low is not None
        uses.append(high - low if before is None else max(high - before, 0.0))
        before = high if before is None else max(before, high)
    return uses
