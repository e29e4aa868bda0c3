"""`yiju bench sweep`: one look at very many homes, beside one plain numpy pass over the same bytes.

The sweep is the product's: how each silence began, its personal limit looked up, and the three detectors that look at
every home. The state is made up, with a few homes in a thousand silent for too long. Time is CPU time of this process.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from statistics import median
from time import process_time
from typing import Any, Final

import numpy as np

from alerts.detect import cannot_watch, inactivity, not_returned, personal
from alerts.detect.arrays import Bools, Floats, Homes
from alerts.detect.hazard import HALVES, KINDS
from alerts.detect.personal import Minutes
from alerts.detect.spells import ROOMS, Codes, how_began

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
NOW: Final = 1_770_000_000.0
ROUNDS: Final = 5


@dataclass(frozen=True)
class State:
    """What a sweep reads: one row a home."""

    homes: Homes
    minutes: Minutes
    inside_at: Floats
    room: Codes
    zone_offset_s: Floats

    def arrays(self) -> list["np.ndarray[Any, Any]"]:
        """Every array of it."""
        mine: list[np.ndarray[Any, Any]] = [self.minutes, self.inside_at, self.room, self.zone_offset_s]
        return mine + [getattr(self.homes, field.name) for field in fields(self.homes)]


def measure(advance: Callable[[float, float], None], sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """`sweeps`: one entry a size with homes, seconds, bytes_per_home and ratio_to_numpy_pass.

    Args:
        advance: called with (sizes done, sizes in all).
    """
    sweeps = []
    for place, homes in enumerate(sizes):
        sweeps.append(measure_one(homes))
        advance(place + 1, len(sizes))
    return {"sweeps": sweeps}


def measure_one(homes: int) -> dict[str, Any]:
    """One size; medians of ROUNDS."""
    state = make_state(homes, np.random.default_rng(homes))
    sweep(state)  # once to touch every page
    passes = [_timed(lambda: plain_pass(state)) for _ in range(ROUNDS)]
    sweeps = [_timed(lambda: sweep(state)) for _ in range(ROUNDS)]
    seconds, plain = median(sweeps), median(passes)
    size = sum(array.nbytes for array in state.arrays())
    return {
        "homes": homes,
        "seconds": round(seconds, 6),
        "bytes_per_home": round(size / homes, 1),
        "ratio_to_numpy_pass": round(seconds / plain, 2) if plain > 0 else None,
        "found": sweep(state),
    }


def sweep(state: State) -> int:
    """One look at every home; how many findings there were."""
    homes = state.homes
    began = how_began(homes.life_at, homes.door_at, state.inside_at, homes.resting, state.room)
    limit = personal.limit_s(state.minutes, homes.life_at, began, state.zone_offset_s)
    looked = Homes(**{field.name: getattr(homes, field.name) for field in fields(homes)}
                   | {"began": began, "personal_s": limit})  # fmt: skip
    detectors = (cannot_watch.find, inactivity.find, not_returned.find)
    return sum(len(find(NOW, looked)) for find in detectors)


def plain_pass(state: State) -> int:
    """Reads every byte once: the sum of each array, taken as whole 64-bit words."""
    total = 0
    for array in state.arrays():
        flat = array.reshape(-1)
        words = (flat.astype(np.bool_) if flat.dtype == np.object_ else flat).view(np.uint8)
        words = words[: len(words) // 8 * 8].view(np.uint64)
        total += int(words.sum())
    return total


def make_state(homes: int, rng: np.random.Generator) -> State:
    """Made-up homes, most of which moved within the last half hour."""
    ago = rng.exponential(1500.0, homes)
    lost = rng.random(homes) < 0.003
    life_at = NOW - np.where(lost, 40_000.0, ago)
    nothing, zeros = np.full(homes, np.nan), np.zeros(homes)
    resting: Bools = rng.random(homes) < 0.2

    def rule(seconds: float) -> Floats:
        return np.full(homes, seconds)

    state = Homes(
        home_id=np.arange(homes, dtype=np.int64),
        life_at=life_at,
        life_room=np.full(homes, "kitchen", dtype=np.object_),
        door_at=life_at - rng.exponential(9000.0, homes),
        resting=resting,
        began=np.zeros(homes, dtype=np.int8),
        personal_s=nothing,
        alike=rule(50.0),
        alike_shorter=rule(49.0),
        usual_s=rule(6000.0),
        twice_s=nothing,
        profile=np.ones(homes, dtype=np.int64),
        away_until=nothing,
        unseen_s=zeros,
        life_devices=np.full(homes, 6, dtype=np.int64),
        life_devices_seen=np.full(homes, 6, dtype=np.int64),
        seen_until=np.where(rng.random(homes) < 0.001, NOW - 600.0, NOW + 600.0),
        heard_at=rule(NOW),
        online_since=rule(NOW - 100_000.0),
        measured_until=rule(NOW),
        rule_s=rule(43_200.0),
        floor_s=rule(5400.0),
        margin=rule(1.5),
        not_returned_s=rule(86_400.0),
    )
    return State(
        homes=state,
        minutes=rng.integers(90, 720, (homes, KINDS, HALVES), dtype=np.int16),
        inside_at=life_at,
        room=rng.integers(0, len(ROOMS), homes, dtype=np.int8),
        zone_offset_s=rule(28_800.0),
    )


def _timed(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began
