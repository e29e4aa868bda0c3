"""Power, water and climate from quarter-hour sums, laid out as one row a device and one column a quarter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, Floats, Ints
from alerts.detect.supplies import Climate, Power, Water
from alerts.detect.water import RECENT_S
from alerts.observe.columns import Columns

QUARTER_S: Final = 900
POWER_QUARTERS: Final = 48
WATER_QUARTERS: Final = 144  # 36 h; even, so that half hours fit
CLIMATE_QUARTERS: Final = 96
DAY_QUARTERS: Final = 96
RECENT_QUARTERS: Final = int(RECENT_S // QUARTER_S)
HEARD_QUARTERS: Final = 8  # a counter that was heard is known for two hours: nothing is lost between two readings
TRICKLE_M3: Final = 0.0005  # less in half an hour is the meter's noise


@dataclass(frozen=True)
class Grid:
    """Lowest and highest value of each quarter.

    Attributes:
        device_id: int64 [devices]. end: epoch seconds, end of the last column, which may still be going on.
        low, high: float64 [devices, quarters]; NaN = nothing was said.
    """

    device_id: Ints
    end: float
    low: Floats
    high: Floats


def grid_of(now: float, device_id: Ints, quarters: int, columns: Columns) -> Grid:
    """Lays rows of the rollup out.

    Args:
        device_id: the wanted devices, rising.
        columns: device_id, bucket (epoch seconds), low, high.
    """
    end = grid_end(now)
    low: Floats = np.full((len(device_id), quarters), np.nan, dtype=np.float64)
    high: Floats = low.copy()
    if len(columns["device_id"]):
        row = np.asarray(np.searchsorted(device_id, columns["device_id"]), dtype=np.int64)
        column = np.asarray(quarters - (end - columns["bucket"]) // QUARTER_S, dtype=np.int64)
        inside = np.flatnonzero((column >= 0) & (column < quarters))
        low[row[inside], column[inside]] = columns["low"][inside]
        high[row[inside], column[inside]] = columns["high"][inside]
    return Grid(device_id, end, low, high)


def grid_end(now: float) -> float:
    """End of the half hour that `now` is in, epoch seconds: columns pair up to clock half hours."""
    return float((now // (2 * QUARTER_S) + 1) * 2 * QUARTER_S)


def power(
    grid: Grid, homes: Mapping[str, Floats | Bools | Ints], watts: Floats, threshold_w: Floats,
    zone_offset_s: Floats, high_s: Floats, high_w: Floats,
) -> Power:  # fmt: skip
    """One row a row of `grid`.

    Args:
        homes: home_id, base_w, still_since, out, watched, margin, appliance_s of each row's home.
        watts, threshold_w: the last value, and from where on power is high.
        high_s, high_w: float64 [rows, 24], usual runs by hour, and what they draw.
    """
    gap = _gap(grid.low)

    def since_above(limit_w: Floats) -> Floats:
        run = trailing(grid.low >= limit_w[:, None], gap)  # NaN compares false
        return np.where(run > 0, grid.end - gap * QUARTER_S - run * QUARTER_S, np.nan)

    since = since_above(threshold_w)
    hour = np.nan_to_num((since + zone_offset_s) % 86_400 // 3600).astype(np.int64)
    usual_w = high_w[np.arange(len(hour)), hour]
    return Power(
        device_id=grid.device_id,
        watts=watts,
        high_since=np.asarray(since, dtype=np.float64),
        above_since=since_above(usual_w + threshold_w - np.asarray(homes["base_w"])),
        usual_s=high_s[np.arange(len(hour)), hour],
        **homes,  # type: ignore[arg-type]
    )


def water(grid: Grid, homes: Mapping[str, Floats | Bools | Ints]) -> Water:
    """One row a row of `grid`; `homes`: home_id, door_at, dry_s, out, watched, and the policy's water columns."""
    heard = ~np.isnan(grid.high)
    count = grid.high.shape[1]
    counter = np.maximum.accumulate(_going_on(grid), axis=1)
    before = np.concatenate([np.full((len(heard), 1), -np.inf), counter[:, :-1]], axis=1)
    first = heard & ~np.isfinite(before)
    with np.errstate(invalid="ignore"):
        used = np.where(np.isfinite(before), counter - before, 0.0)
    used = np.where(first, grid.high - grid.low, used)
    since_end = used[:, ::-1].cumsum(axis=1)[:, ::-1]
    limit = np.asarray(homes["water_low_m3"])[:, None]
    quiet = (since_end < limit).sum(axis=1)
    known = np.where(heard.any(axis=1), heard.argmax(axis=1), count)
    column = np.maximum(count - quiet, known)
    low_since = np.where(column < count, grid.end - (count - column) * QUARTER_S, np.nan)
    place = np.minimum(column, count - 1)
    said = np.where(heard, np.arange(count), -HEARD_QUARTERS)
    believed = np.arange(count) - np.maximum.accumulate(said, axis=1) < HEARD_QUARTERS
    seen = (believed & (np.arange(count) >= column[:, None])).sum(axis=1) * float(QUARTER_S)
    halves = used.reshape(len(used), count // 2, 2).sum(axis=2)[:, :-1] > TRICKLE_M3  # the last half hour goes on
    run = trailing(halves, 0)
    return Water(
        device_id=grid.device_id,
        low_since=low_since,
        low_m3=since_end[np.arange(len(used)), place] if len(used) else np.zeros(0),
        seen_s=seen,
        running_since=np.where(run > 0, grid.end - 2 * QUARTER_S - run * 2 * QUARTER_S, np.nan),
        day_m3=used[:, -DAY_QUARTERS:].sum(axis=1),
        recent_m3=used[:, -RECENT_QUARTERS:].sum(axis=1),
        **homes,  # type: ignore[arg-type]
    )


def _going_on(grid: Grid) -> Floats:
    """float64 [devices, quarters]: counters that go on where they began anew (a meter was exchanged, or what counts its
    pulses was started anew); -inf = nothing was said. A counter that falls and is back later has not begun anew."""
    high = np.where(np.isnan(grid.high), -np.inf, grid.high)
    later = np.maximum.accumulate(high[:, ::-1], axis=1)[:, ::-1]
    before = np.maximum.accumulate(high, axis=1)[:, :-1]
    fell = np.flatnonzero(((later[:, 1:] < before) & np.isfinite(later[:, 1:])).any(axis=1))
    for row in fell.tolist():  # hardly ever any
        said, lifted = -np.inf, 0.0
        for column in np.flatnonzero(np.isfinite(high[row])).tolist():
            value = high[row, column]
            if later[row, column] < said:
                lifted += said - grid.low[row, column]
                said = value
            said = max(said, value)
            high[row, column] = value + lifted
    return high


def climate(grid: Grid, columns: Mapping[str, Floats | Ints]) -> Climate:
    """One row a row of `grid`; `columns`: home_id, room, time, celsius and the policy's climate columns."""
    heard = ~np.isnan(grid.high)
    starts = grid.end - (grid.high.shape[1] - np.arange(grid.high.shape[1])) * QUARTER_S

    def since(fine: Bools) -> Floats:
        """Start of the first quarter heard after the last fine one."""
        last_fine = np.where(fine.any(axis=1), fine.shape[1] - 1 - fine[:, ::-1].argmax(axis=1), -1)
        after = heard & (np.arange(fine.shape[1]) > last_fine[:, None])
        return np.where(after.any(axis=1), starts[after.argmax(axis=1)], np.nan)

    cold, hot = np.asarray(columns["cold_c"]), np.asarray(columns["heat_c"])
    celsius = np.asarray(columns["celsius"])
    return Climate(
        device_id=grid.device_id,
        cold_since=np.where(celsius < cold, since(heard & (grid.high >= cold[:, None])), np.nan),
        hot_since=np.where(celsius > hot, since(heard & (grid.low <= hot[:, None])), np.nan),
        **columns,  # type: ignore[arg-type]
    )


def trailing(holds: Bools, skip: "Ints | int") -> Ints:
    """int64 [rows]: how many columns in a row hold, counted back from the last but `skip`."""
    count = holds.shape[1]
    back = holds[:, ::-1]
    skipped = np.arange(count) < np.asarray(skip).reshape(-1, 1)
    broken = ~back & ~skipped
    first = np.where(broken.any(axis=1), broken.argmax(axis=1), count)
    return np.asarray(np.maximum(first - np.asarray(skip), 0), dtype=np.int64)


def _gap(values: Floats) -> Ints:
    """How many of the last columns, two at most, say nothing yet: the quarter that has just begun, and the next."""
    last, before = np.isnan(values[:, -1]), np.isnan(values[:, -2])
    return np.asarray(last.astype(np.int64) + (last & before), dtype=np.int64)
