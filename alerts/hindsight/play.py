"""Plays a past from its beginning to its end: at each moment only what had arrived by then is known."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts import calibrate, profile, routine
from alerts.detect import coverage, fall, memory, spells
from alerts.detect.aftermath import Aftermath
from alerts.detect.arrays import Bools, Floats, Ints
from alerts.detect.findings import Finding
from alerts.detect.memory import EMPTY, Memory
from alerts.detect.visits import Past
from alerts.engine import detect
from alerts.hindsight.alarms import Alarm, Alarms, Judge
from alerts.hindsight.meters import Meters
from alerts.hindsight.readings import Readings, Status, pressing
from alerts.hindsight.register import Register
from alerts.hindsight.signs import Signs
from alerts.hindsight.states import States
from alerts.hindsight.sums import Sums
from alerts.inhibit import inhibit
from alerts.observe import View
from alerts.observe import columns as of
from alerts.observe import devices as device_arrays
from alerts.observe import homes as home_arrays
from alerts.observe.slow import KINDS, slow
from alerts.observe.supplies import Grid
from alerts.planned import Plans
from alerts.policy import DEFAULTS, Policy
from alerts.profile import Limits
from alerts.visits import NOBODY, VisitLog, mutes
from core.metrics import BY_NAME
from core.model import AlertKind

STEP_S: Final = 300.0  # between two sweeps; urgent events are looked at when they are stored
DAY_S: Final = 86_400.0
NOTHING_PLANNED: Final = Plans()
_FALL: Final = BY_NAME["fall"].id
Progress = Callable[[float], None]  # the share that is done
Spy = Callable[[float, Sequence[Finding]], None]  # (now, everything found, before inhibition)


class Hindsight:
    """One past.

    Args:
        register: the homes.
        start, end: epoch seconds; readings from before `start` teach when they are fed with `teach`.
        judge: what people do about an alert.
        plans: absences and maintenance of that time; they mute what they explain.
        visits: what carers said, and when.
        slack_s: how long a reading may be under way, as for engine.tick.
        calibrates: whether a home's false alarms make its limits longer, as in production.
    """

    def __init__(
        self, register: Register, start: float, end: float, judge: Judge = lambda alarm: None, *,
        plans: Plans = NOTHING_PLANNED, visits: VisitLog = NOBODY, slack_s: float = 10.0, calibrates: bool = True,
        spy: Spy | None = None,
    ) -> None:  # fmt: skip
        self.register = register
        self.states = States(register)
        self.sums = Sums(register, start, end)
        self.alarms = Alarms(judge)
        self.meters = Meters(register)
        self._plans, self._visits = plans, visits
        self._start, self._slack_s, self._spy, self._calibrates = start, slack_s, spy, calibrates
        homes = len(register.home_id)
        self._memories: list[Memory] = [EMPTY] * homes
        self._limits = profile.read([None] * homes, [None] * homes)
        self._signs = Signs(register)
        self._kept: list[dict[str, Any] | None] = [None] * homes
        self._due = start + 3600.0 * (np.arange(homes) % 24)  # spread over the day, as production does
        self._false: dict[tuple[int, AlertKind], list[datetime]] = {}
        self._policies = list(register.policies)
        self._offsets: tuple[float, Floats] = (-np.inf, np.zeros(homes))
        self._renew()
        self._renew_limits()

    def teach(self, readings: Readings, until: float) -> None:
        """Readings of the time before `until`: nothing is raised, and in the end every home is learned."""
        for chunk in np.array_split(readings, max(len(readings) // 100_000, 1)):
            self.feed(chunk)
        self.states.handle(np.zeros(len(self.states.pending), dtype=np.bool_))
        self._due = np.full(len(self._due), until)
        self._learn(until)

    def feed(self, readings: Readings) -> None:
        """Readings that were stored next."""
        self.states.feed(readings)
        self.sums.feed(readings)
        self._signs.feed(readings)
        self.meters.feed(readings)

    def know(self, profiles: Sequence[Mapping[str, Any] | None], versions: Sequence[int | None]) -> None:
        """Judges by these profiles (`profile.data`, one a home), until a home is learned anew."""
        self._limits = profile.read([profile.part_of(data) for data in profiles], versions)
        self._kept = [None if data is None else data.get("routine") for data in profiles]
        self._renew()

    @property
    def limits(self) -> Limits:
        """The personal limits that homes are judged by."""
        return self._limits

    def signs_of_life(self, home: int, since: float, until: float) -> spells.Signs:
        """Those measured in [since, until), epoch seconds. `home`: a row."""
        if home in self.meters.rows:
            return self.meters.signs(home, since, until)
        return self._signs.of_home(home, since, until)

    def run(
        self, readings: Readings, statuses: Iterable[Status], start: float, end: float, step_s: float = STEP_S,
        progress: Progress = lambda share: None,
    ) -> list[Alarm]:  # fmt: skip
        """Plays from `start` to `end`, `readings` in the order stored; may be called again for what follows."""
        waiting = iter(sorted(statuses))
        said = next(waiting, None)
        stored = np.ascontiguousarray(readings["stored"])
        urgent = pressing(readings)
        moments = {float(moment): False for moment in np.unique(stored[urgent])}
        falls = urgent & (readings["metric"] == _FALL)
        for patience in (fall.GET_UP_S, fall.WITHDRAWN_S):
            moments |= {float(moment) + patience + 5: False for moment in np.unique(stored[falls])}
        sweeps = np.arange(start + step_s, end + 0.5, step_s)
        moments |= dict.fromkeys(sweeps.tolist(), True)
        fed = 0
        for number, now in enumerate(sorted(moment for moment in moments if moment <= end)):
            until = int(np.searchsorted(stored, now, side="right"))
            self.feed(readings[fed:until])
            fed = until
            while said is not None and said.at <= now:
                self.states.status(said)
                said = next(waiting, None)
            self.tick(now, sweep=moments[now])
            if number % 256 == 0:
                progress((now - start) / (end - start))
        return self.alarms.all

    def tick(self, now: float, *, sweep: bool = True) -> None:
        """One look, as engine.tick takes it; the minute's look with `sweep`."""
        at = datetime.fromtimestamp(now, UTC)
        for alarm in self.alarms.resolve_due(at):
            self._remember(alarm, at)
        if sweep:
            self._learn(now)
        view = self.view(now, sweep=sweep)
        findings = detect(view, at, self._slack_s)
        if self._spy is not None:
            self._spy(now, findings)
        installed = view.gateways.home_id[~np.isnan(view.gateways.heard_at)]
        standing, _ = inhibit(
            findings,
            Counter(installed.tolist()),
            (partial(self._plans.at(at).cause, carers=view.carers), partial(mutes, view.there)),
        )
        self.alarms.take(at, standing, view)
        if self.states.pending:
            self.states.handle(fall.waiting(now, view.events, view.aftermath))
        self.alarms.end(at, {finding.dedup_key for finding in findings}, view, self.states)

    def view(self, now: float, *, sweep: bool = True) -> View:
        """What the platform would have seen at `now`."""
        register, states = self.register, self.states
        gateways, devices_now, offset_s = states.gateway_columns(), states.device_columns(), self._offset_s(now)
        if sweep:
            self.meters.follow(now)
        home_now = self._home_columns(offset_s) | self._learned(now)
        watched = register.watched
        at, behind = register.device_home[watched], register.device_gateway[watched]
        devices = device_arrays.devices(devices_now, gateways, behind, self._device_limits)

        def received(home_id: Ints, since: Floats, radio: Bools) -> Ints:
            return self.sums.received(now, np.searchsorted(register.home_id, home_id), since, radio)

        longest_s = self._home_limits["visit_s"]
        visited = self._visits.visited(register.home_id, now, longest_s)
        homes = home_arrays.homes(
            now, home_now, self._limits, devices, at, gateways, register.gateway_home, self._home_limits, received,
            visited, self._slack_s,
        )  # fmt: skip

        def grid(device_id: Ints, quarters: int) -> Grid:
            return self.sums.grid(now, np.searchsorted(register.device_id, device_id), quarters)

        def moved(home_id: Ints, since: Floats) -> tuple[Floats, Ints]:
            return self.sums.bath_moves(now, np.searchsorted(register.home_id, home_id), since)

        def day_before(home_id: Ints, before: Floats) -> Floats:
            return self.sums.day_before(np.searchsorted(register.home_id, home_id), before)

        minute = None
        if sweep:
            minute = slow(
                now, devices_now | states.value_columns(), devices, at, homes, self._routines, offset_s,
                self._home_limits, self._device_limits, grid, moved, visited, day_before, self._slack_s,
            )  # fmt: skip
        event_home = register.device_home[[event.device for event in states.pending] or []].astype(np.int64)
        return View(
            homes=homes,
            devices=devices,
            gateways=device_arrays.gateways(gateways, self._gateway_limits),
            events=device_arrays.events(
                states.event_columns(), {name: column[event_home] for name, column in self._home_limits.items()}
            ),
            aftermath=Aftermath(*states.aftermath_columns()),
            slow=minute,
            looked=frozenset(AlertKind) if minute else frozenset(AlertKind) - KINDS,
            policies=self._by_id,
            raised=self._raised,
            zones={},
            there=self._visits.there(register.home_id, now, longest_s),
            carers=home_arrays.of_carers(visited, homes),
            open=[],
        )

    def _home_columns(self, offset_s: Floats) -> dict[str, Any]:
        """As the query `homes` gives them: of a home with nothing but a meter, what that shows too."""
        columns, shown = self.states.home_columns(offset_s), self.meters.life_at
        later = shown > columns["life_at"]  # NaN compares false
        shows = self.meters.columns()
        return columns | shows | {
            "life_at": np.fmax(columns["life_at"], shown),
            "life_room": np.where(later, "", columns["life_room"]).astype(np.object_),
        }  # fmt: skip

    def _learn(self, now: float) -> None:
        due = np.flatnonzero(self._due <= now)
        for row in due.tolist():
            self._due[row] += DAY_S
            offset = float(self._offset_s(now)[row])
            past = self.sums.past(row, now - routine.TREND_DAYS * DAY_S, now)
            witnesses = self.sums.witnesses(row, now - routine.WITNESS_DAYS * DAY_S, now)
            visited = self._visits.past(int(self.register.home_id[row]), now, self._policies[row].visit_s)
            self._kept[row] = routine.fit(past, witnesses, now, offset, DEFAULTS.appliance_w, visited)
            self._learn_inactivity(row, now, offset, visited)
        if len(due):
            self._renew()

    def _learn_inactivity(self, row: int, now: float, offset_s: float, visited: Past) -> None:
        """As learn.remember_home does it, and profile.write and read."""
        before = self._memories[row]
        since = memory.read_from(before, now)
        quarters = self.sums.quarters_seen(row, since, now)
        holes = coverage.holes(quarters)
        if row in self.meters.rows:
            signs, outages = self.meters.learn(row, since, now, offset_s)
            holes = np.concatenate([holes, outages])
        else:
            signs = self._signs.of_home(row, since, now)
        after = memory.remember(before, signs, now, holes, visited)
        part = profile.write(after, coverage.spoken(quarters), self._policies[row].false_alarm_days, offset_s)
        known = profile.read([part], [int(self._limits.version[row]) + 1])
        for mine, its in ((self._limits.minutes, known.minutes), (self._limits.version, known.version),
                          (self._limits.speaks, known.speaks), (self._limits.twice_s, known.twice_s),
                          (self._limits.alike.count, known.alike.count),
                          (self._limits.alike.shorter, known.alike.shorter),
                          (self._limits.alike.usual_min, known.alike.usual_min)):  # fmt: skip
            mine[row] = its[0]
        self._memories[row] = after

    def _renew(self) -> None:
        self._routines = routine.table_of(self.register.home_id, self._kept)

    def _renew_limits(self) -> None:
        register = self.register
        self._home_limits = of.limits(self._policies)
        self._device_limits = self._of_homes(register.device_home[register.watched])
        self._gateway_limits = self._of_homes(register.gateway_home)
        self._by_id: dict[int, Policy] = dict(zip(register.home_id.tolist(), self._policies, strict=True))
        self._raised = {key: len(moments) for key, moments in self._false.items() if moments}

    def _of_homes(self, rows: Ints) -> dict[str, Floats]:
        return {name: column[rows] for name, column in self._home_limits.items()}

    def _remember(self, alarm: Alarm, now: datetime) -> None:
        """A person said that it was false: its home's limits grow, and shrink again after a month."""
        if not self._calibrates or alarm.kind not in calibrate.FIELDS:
            return
        self._false.setdefault((alarm.home_id, alarm.kind), []).append(now)
        self._false = {
            key: [moment for moment in moments if now - moment <= calibrate.LOOK_BACK]
            for key, moments in self._false.items()
        }
        counts: dict[int, dict[AlertKind, int]] = {}
        for (home, kind), moments in self._false.items():
            counts.setdefault(home, {})[kind] = len(moments)
        self._policies = [
            calibrate.calibrated(policy, counts.get(int(home), {}))
            for home, policy in zip(self.register.home_id, self.register.policies, strict=True)
        ]
        self._renew_limits()

    def _learned(self, now: float) -> dict[str, Floats]:
        """As the query `homes` gives it: of homes that have been silent for an hour."""
        silent = self.states.life_at < now - 3600
        return {name: np.where(silent, self._routines.scalars[name], np.nan) for name in ("radio_s", "blinded")}

    def _offset_s(self, now: float) -> Floats:
        """Seconds east of UTC; asked anew each hour, as a zone may change its clocks."""
        hour = now // 3600
        if self._offsets[0] != hour:
            at = datetime.fromtimestamp(now, UTC)
            known = {zone: (at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()).total_seconds()
                     for zone in set(self.register.zones)}  # fmt: skip
            self._offsets = (hour, np.array([known[zone] for zone in self.register.zones], dtype=np.float64))
        return self._offsets[1]
