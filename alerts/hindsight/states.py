"""The tables that ingest keeps (device_state, home_state, gateway_status, urgent_event), as arrays."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from alerts.detect.arrays import Bools, Floats, Ints
from alerts.hindsight.readings import Readings, Status, pressing, signs_of_life
from alerts.hindsight.register import Register
from alerts.observe.whereabouts import room_kinds
from core.metrics import BY_NAME, METRICS
from core.model import DeviceKind

SLOTS: Final = max(metric.id for metric in METRICS) + 1
_ONLINE: Final = BY_NAME["online"].id
_SILENT: Final = BY_NAME["silent"].id
_LIMIT: Final = BY_NAME["silence_limit"].id
_BY_GATEWAY: Final = (_SILENT, _LIMIT, BY_NAME["test_asked"].id)  # what a gateway says of a device, not the device
# bool [metrics]: what a device says of itself, but that it is online: that counts only while it says so.
_SPEAKS: Final = ~np.isin(np.arange(SLOTS), (*_BY_GATEWAY, _ONLINE))
_WITH_HUB: Final = 2  # of _SILENT: its hub is down
_MOTION: Final = BY_NAME["motion"].id
_SOS: Final = BY_NAME["sos"].id
_OK: Final = BY_NAME["ok_press"].id
_CHANGES: Final = (BY_NAME["open"].id, BY_NAME["occupied"].id)
_TURNS_ON: Final = (BY_NAME["motion"].id, BY_NAME["presence"].id)
_MAIN: Final = {
    "contact": (2,), "bed": (3,), "seat": (3,), "motion": (1,), "radar": (1, 4), "meter": (20,), "plug": (20,),
    "water_meter": (22,), "climate": (30,),
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """A row of urgent_event; `device` is a row of the register."""

    id: int
    device: int
    metric: int
    time: float
    value: float
    stored: float


class States:
    """As after the readings that were fed so far. Times are epoch seconds, NaN = never."""

    def __init__(self, register: Register) -> None:
        self.register = register
        shape = (len(register.device_id), SLOTS)
        never = np.full(shape, -np.inf)
        self._time = never.copy()
        # When each device was last heard, and when it last said whether it is online.
        self._heard, self._online = (np.full(shape[0], -np.inf) for _ in range(2))
        self._life: Floats | None = None  # of each device, since the last feed
        self._on, self._off, self._changed = never.copy(), never.copy(), never.copy()
        self._value = np.full(shape, np.nan)
        homes, gateways = len(register.home_id), len(register.gateway_id)
        self.life_at = np.full(homes, np.nan)
        self.life_device = np.full(homes, -1, dtype=np.int64)
        self.online = np.zeros(gateways, dtype=np.bool_)
        self.since = np.full(gateways, np.nan)
        self.heard_at = np.full(gateways, np.nan)
        self.pending: list[Event] = []
        self._events = 0
        rows = register.watched
        # One or two main metrics a device: metric 0 is never said.
        self._main = np.zeros((2, len(rows)), dtype=np.int64)
        for kind, metrics in _MAIN.items():
            for place, metric in enumerate(metrics):
                self._main[place, register.kind[rows] == kind] = metric
        self._fixed: dict[str, Any] = {
            "id": register.device_id[rows],
            "home_id": register.home_id[register.device_home[rows]],
            "gateway_id": register.gateway_id[register.device_gateway[rows]],
            "kind": register.kind[rows],
            "room": register.room[rows],
            **room_kinds(register.room[rows]),
            "life": register.life[rows],
            "mains": register.mains[rows],
            "exterior": register.exterior[rows],
            "registered_at": register.registered_at[rows],
        }

    def feed(self, readings: Readings) -> None:
        """One transaction of ingest, or the many of a time in which nobody looks. Any order ends in the same states."""
        if not len(readings):
            return
        self._raise_events(readings)
        flat = readings["device"].astype(np.int64) * SLOTS + readings["metric"]
        time, value = readings["time"], readings["value"]
        order = np.lexsort((value, time, flat))
        last = order[np.append(np.diff(flat[order]) != 0, True)]
        slot = flat[last]
        old_time, old_value = self._time.reshape(-1)[slot], self._value.reshape(-1)[slot]
        newer = (time[last] > old_time) | ((time[last] == old_time) & (value[last] >= old_value))
        self._time.reshape(-1)[slot[newer]] = time[last][newer]
        self._value.reshape(-1)[slot[newer]] = value[last][newer]
        self._life = None
        for heard, which in ((self._heard, _SPEAKS[readings["metric"]]), (self._online, readings["metric"] == _ONLINE)):
            np.maximum.at(heard, readings["device"][which], readings["received"][which])
        for table, which in ((self._on, value > 0), (self._off, value == 0), (self._changed, readings["changed"])):
            np.maximum.at(table.reshape(-1), flat[which], time[which])
        alive = np.flatnonzero(signs_of_life(readings))
        if len(alive):
            self._live(readings["device"][alive].astype(np.int64), time[alive])
        gateway = self.register.device_gateway[readings["device"]]
        new = np.unique(gateway)
        first, last = np.full(len(self.heard_at), np.inf), np.full(len(self.heard_at), -np.inf)
        np.minimum.at(first, gateway, readings["stored"])
        np.maximum.at(last, gateway, readings["stored"])
        unknown = new[np.isnan(self.since[new])]
        self.online[unknown], self.since[unknown] = True, first[unknown]
        self.heard_at[new] = np.fmax(self.heard_at[new], last[new])

    def status(self, status: Status) -> None:
        """A gateway's birth or will."""
        at = status.gateway
        if np.isnan(self.since[at]) or self.online[at] != status.online:
            self.since[at] = status.at
        self.online[at] = status.online
        if status.online:
            self.heard_at[at] = np.fmax(self.heard_at[at], status.at)

    def handle(self, kept: Bools) -> None:
        """Marks the pending events as handled, all but those that are kept."""
        self.pending = [event for event, keep in zip(self.pending, kept, strict=True) if keep]

    def gateway_columns(self) -> dict[str, Any]:
        """As the query `gateways` gives them."""
        register = self.register
        own = register.kind == "gateway"
        latest = np.full(len(register.gateway_id), -np.inf)
        np.maximum.at(latest, register.device_gateway[own], self._time[own].max(axis=1, initial=-np.inf))
        return {
            "id": register.gateway_id,
            "home_id": register.home_id[register.gateway_home],
            "online": self.online,
            "since": self.since,
            "heard_at": self.heard_at,
            "measured_until": _known(latest),
        }

    def device_columns(self) -> dict[str, Any]:
        """As the query `devices` gives them."""
        rows = self.register.watched
        online_at, silent, moves = self._time[rows, _ONLINE], self._value[rows, _SILENT], self._value[rows, _MOTION]
        said_gone = (self._value[rows, _ONLINE] == 0) & (online_at > -np.inf)
        heard = np.maximum(self._heard[rows], np.where(said_gone, -np.inf, self._online[rows]))
        gone = np.where(said_gone, online_at, -np.inf)
        return {
            **self._fixed,
            "last_at": _known(heard),
            "gone_at": _known(np.where(silent > 0, np.maximum(gone, self._time[rows, _SILENT]), gone)),
            "limit_s": self._value[rows, _LIMIT],
            "with_hub": silent == _WITH_HUB,
            "somebody_s": self._somebody_s(self._time[rows, _MOTION], moves),
            "standing_since": self._standing_since(moves),
        }

    def value_columns(self) -> dict[str, Any]:
        """As the query `device_values` gives them."""
        rows = self.register.watched

        def most(table: Floats) -> Floats:
            return _known(np.fmax(table[rows, self._main[0]], table[rows, self._main[1]]))

        return {
            "value": most(self._value),
            "time": most(self._time),
            "changed_at": most(self._changed),
            "life_at": _known(self._life_of_devices()[rows]),
        }

    def home_columns(self, zone_offset_s: Floats) -> dict[str, Any]:
        """As the query `homes` gives them."""
        register = self.register
        homes = len(register.home_id)
        known = self.life_device >= 0
        device = np.where(known, self.life_device, 0)
        door, bed = np.full(homes, -np.inf), np.zeros(homes, dtype=np.bool_)
        np.maximum.at(door, register.device_home[register.exterior], self._changed[register.exterior, 2])
        inside = np.full(homes, -np.inf)
        lives = np.maximum(self._life_of_devices(), self._ok_at())
        np.maximum.at(inside, register.device_home[~register.exterior], lives[~register.exterior])
        np.logical_or.at(bed, register.device_home, self._value[:, 3] > 0)
        return {
            "id": register.home_id,
            "zone_offset_s": zone_offset_s,
            "life_at": self.life_at,
            "life_room": np.where(known, register.room[device], "").astype(np.object_),
            "door_at": _known(door),
            "inside_at": _known(inside),
            "away_until": np.full(homes, np.nan),
            "resting": bed,
        }

    def event_columns(self) -> dict[str, Any]:
        """The pending events, as the query `claim_urgent_events` gives them."""
        register, pending = self.register, self.pending
        device = np.array([event.device for event in pending], dtype=np.int64)
        metric = np.array([event.metric for event in pending], dtype=np.int64)
        return {
            "id": np.array([event.id for event in pending], dtype=np.int64),
            "home_id": register.home_id[register.device_home[device]],
            "device_id": register.device_id[device],
            "metric": metric,
            "room": register.room[device],
            "time": np.array([event.time for event in pending], dtype=np.float64),
            "value": np.array([event.value for event in pending], dtype=np.float64),
            "off_at": _known(self._off[device, metric]),
        }

    def aftermath_columns(self) -> tuple[Floats, Floats, Floats, Floats]:
        """(stored_at, life_at, elsewhere_at, ok_at) of the pending events, as the query `aftermath` gives them."""
        register = self.register
        lives = self._life_of_devices() if self.pending else np.zeros(0)
        life, elsewhere, ok = [], [], []
        for event in self.pending:
            home = register.device_home[event.device]
            mine = register.device_home == home
            other = mine & (register.room != register.room[event.device])
            life.append(self.life_at[home])
            elsewhere.append(lives[other].max(initial=-np.inf))
            ok.append(self._on[mine, _OK].max(initial=-np.inf))
        stored = np.array([event.stored for event in self.pending], dtype=np.float64)
        return stored, np.array(life, dtype=np.float64), _known(np.array(elsewhere)), _known(np.array(ok))

    def cleared(self, metric: int, home: int, device: int | None, since: float) -> bool:
        """As the query `cleared_alerts`: whether the home's (or that one device's) metric has gone back to 0 since."""
        mine = self.register.device_home == home
        if device is not None:
            mine &= np.arange(len(mine)) == device
        mine &= self._time[:, metric] > -np.inf
        return bool(mine.any() and np.nanmax(self._value[mine, metric]) == 0 and self._off[mine, metric].max() > since)

    def _somebody_s(self, time: Floats, value: Floats) -> Floats:
        """As `Devices.somebody_s`, of watched devices; `time`, `value`: what each last said of motion."""
        changed = self._changed[self.register.watched, _MOTION]
        says = (self._fixed["kind"] == DeviceKind.MOTION) & (value > 0) & np.isfinite(changed)  # NaN compares false
        return np.where(says, time - np.where(says, changed, 0.0), np.nan)

    def _standing_since(self, value: Floats) -> Floats:
        """As `Devices.standing_since`, of watched devices; `value`: what each last said of motion."""
        rows = self.register.watched
        cleared = np.isfinite(self._off[rows, _MOTION])
        stands = (self._fixed["kind"] == DeviceKind.MOTION) & (value > 0) & cleared  # NaN compares false
        return np.where(stands, _known(self._changed[rows, _MOTION]), np.nan)

    def _life_of_devices(self) -> Floats:
        """float64 [devices], -inf = never: a change, or where only turning on counts the beginning of it."""
        if self._life is not None:
            return self._life
        life: Floats = self._changed[:, _CHANGES].max(axis=1)
        for metric in _TURNS_ON:
            known = np.isfinite(self._changed[:, metric]) & np.isfinite(self._on[:, metric])
            began = np.minimum(self._on[:, metric], self._changed[:, metric])
            life = np.maximum(life, np.where(known, began, -np.inf))
        self._life = life
        return life

    def _ok_at(self) -> Floats:
        known = np.isfinite(self._changed[:, _OK]) & np.isfinite(self._on[:, _OK])
        return np.where(known, np.minimum(self._on[:, _OK], self._changed[:, _OK]), -np.inf)

    def _live(self, device: Ints, time: Floats) -> None:
        home = self.register.device_home[device]
        order = np.lexsort((self.register.device_id[device], time, home))
        last = order[np.append(np.diff(home[order]) != 0, True)]
        at, when, who = home[last], time[last], device[last]
        old = np.where(np.isnan(self.life_at[at]), -np.inf, self.life_at[at])
        later = (when > old) | ((when == old) & (who >= self.life_device[at]))
        self.life_at[at[later]], self.life_device[at[later]] = when[later], who[later]

    def _raise_events(self, readings: Readings) -> None:
        """A state is an event when it begins; a press of a button that never says 0 is one each time."""
        for row in np.flatnonzero(pressing(readings)).tolist():
            device, metric, value = (int(readings[name][row]) for name in ("device", "metric", "value"))
            same = self._value[device, metric] == value
            said_before = same and (metric != _SOS or np.isfinite(self._off[device, metric]))
            if readings["changed"][row] or not said_before:
                self._events += 1
                self.pending.append(
                    Event(
                        self._events, device, metric, float(readings["time"][row]), value,
                        float(readings["stored"][row]),
                    )
                )  # fmt: skip


def _known(values: Floats) -> Floats:
    return np.asarray(np.where(np.isfinite(values), values, np.nan), dtype=np.float64)
