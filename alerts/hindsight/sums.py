"""The quarter-hour sums that ingest keeps (rollup), as far as detectors and learning ask for them."""

from typing import Final

import numpy as np

from alerts.detect.arrays import Bools, Floats, Ints
from alerts.detect.quarters import Quarters
from alerts.detect.witnesses import Witnesses
from alerts.hindsight.readings import Readings, signs_of_life
from alerts.hindsight.register import SUPPLIES, Register
from alerts.observe.supplies import Grid, grid_end
from alerts.observe.whereabouts import HOUR_S
from core.metrics import BY_NAME
from core.model import DeviceKind, RoomKind

QUARTER_S: Final = 900
_OPEN: Final = BY_NAME["open"].id


class Sums:
    """From `start` to `end` (epoch seconds, whole quarters). Readings outside are left out."""

    def __init__(self, register: Register, start: float, end: float) -> None:
        self.register = register
        self.start = start // QUARTER_S * QUARTER_S
        self.quarters = int((end - self.start) // QUARTER_S) + 2
        shape = (len(register.home_id), self.quarters)
        self.seen = np.zeros(shape, dtype=np.bool_)
        self.counts = {name: np.zeros(shape, dtype=np.int32) for name in ("life", "day", "bath", "kitchen", "door")}
        night = register.in_rooms(RoomKind.BEDROOM, RoomKind.BATHROOM, RoomKind.TOILET)
        self._part_of = {
            "life": np.ones(len(register.device_id), dtype=np.bool_),
            "day": ~night,
            "bath": register.in_rooms(RoomKind.BATHROOM, RoomKind.TOILET),
            "kitchen": register.in_rooms(RoomKind.KITCHEN),
            "door": register.exterior,
        }
        self.radio = np.zeros(shape, dtype=np.int32)
        self._metric = np.array([SUPPLIES.get(kind, 0) for kind in register.kind], dtype=np.int64)
        self._supply = np.flatnonzero(self._metric)
        self._contact = register.exterior & (register.kind == DeviceKind.CONTACT)
        self._mover = (register.kind == DeviceKind.MOTION) & ~register.in_rooms(RoomKind.ENTRY)
        self.witness = np.zeros((len(register.device_id), self.quarters), dtype=np.bool_)
        self._row = np.full(len(register.device_id), -1, dtype=np.int64)
        self._row[self._supply] = np.arange(len(self._supply))
        self.low = np.full((len(self._supply), self.quarters), np.nan)
        self.high = self.low.copy()

    def feed(self, readings: Readings) -> None:
        """Adds them up; any order gives the same."""
        quarter = ((readings["time"] - self.start) // QUARTER_S).astype(np.int64)
        inside = (quarter >= 0) & (quarter < self.quarters)
        if not inside.all():
            readings, quarter = readings[inside], quarter[inside]
        device = readings["device"]
        home = self.register.device_home[device]
        self.seen[home, quarter] = True
        radio = np.flatnonzero(self.register.life[device])
        np.add.at(self.radio, (home[radio], quarter[radio]), 1)
        alive = np.flatnonzero(signs_of_life(readings))
        for name, counts in self.counts.items():
            mine = alive[self._part_of[name][device[alive]]]
            np.add.at(counts, (home[mine], quarter[mine]), 1)
        seen = alive[self._mover[device[alive]]]
        told = np.flatnonzero(self._contact[device] & (readings["metric"] == _OPEN))
        for mine in (seen, told):
            self.witness[device[mine], quarter[mine]] = True
        supply = np.flatnonzero((self._row[device] >= 0) & (readings["metric"] == self._metric[device]))
        if len(supply):
            at = (self._row[device[supply]], quarter[supply])
            np.fmin.at(self.low, at, readings["value"][supply])
            np.fmax.at(self.high, at, readings["value"][supply])

    def received(self, now: float, home: Ints, since: Floats, radio: Bools) -> Ints:
        """As the query `received_since`: whole quarters in which anything was received. `home`: rows."""
        last = int((now - QUARTER_S - self.start) // QUARTER_S)
        first = ((since - self.start) // QUARTER_S).astype(np.int64) + 1
        return np.array(
            [
                ((self.radio if of_life else self.seen)[row, max(begin, 0) : last + 1] > 0).sum()
                for row, begin, of_life in zip(home, first, radio, strict=True)
            ],
            dtype=np.int64,
        )

    def bath_moves(self, now: float, home: Ints, since: Floats) -> tuple[Floats, Ints]:
        """As the query `bath_moves`. `home`: rows."""
        last = int((now - self.start) // QUARTER_S)
        begin = np.maximum((since - self.start) // QUARTER_S, 0).astype(np.int64)
        moved = [
            self.start + (own + np.flatnonzero(self.counts["bath"][row, own : last + 1])) * float(QUARTER_S)
            for row, own in zip(home, begin, strict=True)
        ]
        first = np.array([quarters[0] if len(quarters) else np.nan for quarters in moved], dtype=np.float64)
        later = (quarters[quarters > moment] for quarters, moment in zip(moved, since, strict=True))
        return first, np.array([len(np.unique(quarters // HOUR_S)) for quarters in later], dtype=np.int64)

    def day_before(self, home: Ints, before: Floats) -> Floats:
        """As the query `day_before`. `home`: rows."""
        found = np.full(len(home), np.nan)
        for place, (row, moment) in enumerate(zip(home.tolist(), before.tolist(), strict=True)):
            first = max(int(np.ceil((moment - 86_400 - self.start) / QUARTER_S)), 0)
            last = int((moment - self.start) // QUARTER_S)  # the first that is not whole
            moved = np.flatnonzero(self.counts["day"][row, first : max(last, first)])
            if len(moved):
                found[place] = self.start + (first + moved[-1]) * QUARTER_S
        return found

    def quarters_seen(self, home: int, since: float, now: float) -> Floats:
        """As the query `quarters`: starts of the quarters in which anything was received. `home`: a row."""
        first = max(int(np.ceil((since - self.start) / QUARTER_S)), 0) if np.isfinite(since) else 0
        last = int(np.ceil((now - QUARTER_S - self.start) / QUARTER_S))
        return np.asarray(self.start + (first + np.flatnonzero(self.seen[home, first:last])) * 900.0, dtype=np.float64)

    def past(self, home: int, since: float, now: float) -> Quarters:
        """As the query `past_quarters` gives it. `home`: a row."""
        first = max(int(np.ceil((since - self.start) / QUARTER_S)), 0)
        last = int(np.ceil((now - QUARTER_S - self.start) / QUARTER_S))
        at = first + np.flatnonzero(self.seen[home, first:last])
        meters = self._rows_of(home, DeviceKind.METER)
        waters = self._rows_of(home, DeviceKind.WATER_METER)
        nothing = np.full(len(at), np.nan)
        return Quarters(
            quarter=(self.start + at * float(QUARTER_S)).astype(np.float64),
            **{name: counts[home, at].astype(np.int64) for name, counts in self.counts.items()},
            radio=self.radio[home, at].astype(np.int64),
            power_low=np.fmin.reduce(self.low[meters][:, at], axis=0) if len(meters) else nothing,
            water_m3=_sum(_risen(self.low[waters, first:last], self.high[waters, first:last])[:, at - first])
            if len(waters)
            else nothing,
        )

    def witnesses(self, home: int, since: float, now: float) -> Witnesses:
        """As the query `witness_quarters` gives them. `home`: a row."""
        first = max(int(np.ceil((since - self.start) / QUARTER_S)), 0)
        last = int(np.ceil((now - QUARTER_S - self.start) / QUARTER_S))
        mine = self.register.device_home == home

        def quarters(rows: Bools) -> list[Floats]:
            found = (np.flatnonzero(self.witness[row, first:last]) for row in np.flatnonzero(rows))
            return [np.asarray(self.start + (first + at) * float(QUARTER_S)) for at in found if len(at)]

        movers = np.flatnonzero(mine & self._mover & self.witness[:, first:last].any(axis=1))
        ids = self.register.device_id[movers].tolist()
        return Witnesses(doors=quarters(mine & self._contact), movers=quarters(mine & self._mover), mover_ids=ids)

    def grid(self, now: float, device: Ints, quarters: int) -> Grid:
        """As observe.supplies.grid_of lays the query `supply_quarters` out. `device`: rows of the register, rising."""
        end = grid_end(now)
        last = round((end - self.start) / QUARTER_S)
        first = last - quarters
        rows = self._row[device]
        low, high = np.full((len(device), quarters), np.nan), np.full((len(device), quarters), np.nan)
        begin, until = max(first, 0), min(last, self.quarters)
        low[:, begin - first : until - first] = self.low[rows, begin:until]
        high[:, begin - first : until - first] = self.high[rows, begin:until]
        return Grid(self.register.device_id[device], end, low, high)

    def _rows_of(self, home: int, kind: DeviceKind) -> Ints:
        mine = (self.register.device_home[self._supply] == home) & (self.register.kind[self._supply] == kind)
        return np.flatnonzero(mine)


def _risen(low: Floats, high: Floats) -> Floats:
    """How much each counter has risen since the column before that it was heard in; NaN = it was not heard."""
    before = np.maximum.accumulate(np.where(np.isnan(high), -np.inf, high), axis=1)
    before = np.concatenate([np.full((len(high), 1), -np.inf), before[:, :-1]], axis=1)
    return np.maximum(high - np.where(np.isfinite(before), before, low), 0)


def _sum(values: Floats) -> Floats:
    """Over the first axis; NaN only where all are."""
    return np.where(np.isnan(values).all(axis=0), np.nan, np.nansum(values, axis=0))
