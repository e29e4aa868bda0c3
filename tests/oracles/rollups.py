"""What ingest derives from readings, said slowly: one reading at a time, no numpy, no SQL."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from core.metrics import BY_ID, is_sign_of_life
from core.model import Flag

BUCKET_MS = 15 * 60 * 1000


@dataclass
class Slow:
    """Rollups, device states and home states of all readings that were added."""

    rollup: dict[tuple[int, int, int, int], dict[str, float]] = field(default_factory=dict)
    device: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    life: dict[int, tuple[int, int]] = field(default_factory=dict)  # home -> (time, device)
    events: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, home: int, device: int, time: int, received: int, value: float, metric: int, flags: int) -> None:
        changed = bool(flags & Flag.CHANGED)
        alive = is_sign_of_life(BY_ID[metric], value, changed)
        key = (home, time // BUCKET_MS * BUCKET_MS, device, metric)
        old = self.rollup.setdefault(
            key, {"n": 0, "life": 0, "ons": 0, "total": 0.0, "low": float("inf"), "high": float("-inf")}
        )
        old["n"] += 1
        old["life"] += alive
        old["ons"] += changed and value > 0
        old["total"] += value
        old["low"] = min(old["low"], value)
        old["high"] = max(old["high"], value)
        state = self.device.setdefault(
            (device, metric),
            {"time": time, "value": value, "on_at": None, "off_at": None, "changed_at": None, "received_at": received},
        )
        if (time, value) >= (state["time"], state["value"]):
            state["time"], state["value"] = time, value
        for name, holds in (("on_at", value > 0), ("off_at", value == 0), ("changed_at", changed)):
            if holds and (state[name] is None or time > state[name]):
                state[name] = time
        state["received_at"] = max(state["received_at"], received)
        if alive:
            self.life[home] = max(self.life.get(home, (-1, -1)), (time, device))
