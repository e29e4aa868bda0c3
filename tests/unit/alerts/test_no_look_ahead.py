"""No detector looks ahead, and no learning: a past is judged the same whether or not the future is there already."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from alerts import profile
from alerts.detect.findings import Finding
from alerts.hindsight.play import Hindsight
from alerts.hindsight.readings import READING, Readings, Status
from alerts.hindsight.register import Register, register_of
from alerts.policy import Policy
from core.metrics import BY_NAME
from core.model import AlertKind
from evaluation.simulated import FIRST, arrivals, register_of_seasons
from simulator.season.faults import Chances
from simulator.season.play import play_season

DAY, HOUR, QUARTER = 86_400.0, 3600.0, 900.0
# so touchy that every detector has something to say
TOUCHY = Policy(
    false_alarm_days=1, inactivity_s=7200, inactivity_floor_s=1800, not_risen_margin_s=1, long_stay_s=1200,
    long_stay_floor_s=600, not_returned_s=1800, not_returned_most_s=1800, night_from_s=64_800, left_at_night_s=60,
    door_open_s=5, no_door_s=7200, appliance_w=20, appliance_s=300, water_low_s=3600, water_day_m3=0.05, cold_c=19,
    heat_c=25, climate_s=60, stuck_s=600, mute_s=86_400, silent_mains_s=300, silent_battery_s=3600,
)  # fmt: skip
Verdict = tuple[float, str, str]
ELSEWHERE = {AlertKind.REGIONAL_OUTAGE}  # of the engine's own tables: tests/integration/alerts


class Past(NamedTuple):
    register: Register
    readings: Readings
    statuses: list[Status]
    start: float
    days: int
    step_s: float


@cache
def faulty_homes() -> Past:
    """Thirteen days of five homes with every fault, and what seldom happens besides."""
    days = 13
    seasons = [play_season(5, number, FIRST, days, Chances(), faulty=True) for number in range(1, 6)]
    start = seasons[0].arrival.said[0].at - 1
    register = register_of_seasons(seasons, start, TOUCHY)
    readings, statuses = arrivals(seasons, register)
    day = (readings["time"] - start) / DAY
    home = register.device_home[readings["device"]]
    door, gateway = register.exterior[readings["device"]], register.kind[readings["device"]] == "gateway"
    away = (home == 2) & (day >= 10.2) & (day < 10.7)
    asleep = (home == 3) & ~gateway & (day >= 11) & (day < 11.75) & readings["changed"]
    shut_in = (home == 4) & door & (day >= 5) & readings["changed"]
    stands = (home == 1) & (register.kind[readings["device"]] == "motion") & (day >= 6) & (day < 12)
    stands &= register.room[readings["device"]] == "living"
    readings["value"][stands] = 1.0  # so that a long stay is judged by the movements in the bathroom
    readings = readings[~(away | asleep | shut_in | (stands & readings["changed"]))]
    said = [(0, 9.3 + number / 9, metric, 1.0) for number, metric in
            enumerate(("sos", "fall", "smoke", "gas", "leak", "tamper"))]  # fmt: skip
    said += [(1, 10.5, "silent", 2.0), (1, 10.9, "silent", 0.0)]
    for number in range(30):
        said += [(0, 11 + number / 90, "open", 1.0), (1, 11 + number / 90, "temperature", 40.0)]
    more = np.zeros(len(said), READING)
    for row, (at, after, metric, value) in enumerate(said):
        kind = {"temperature": "climate", "open": "contact"}.get(metric, "motion")
        device = np.flatnonzero((register.device_home == at) & (register.kind == kind))[0]
        moment = start + after * DAY
        more[row] = (moment + 2, moment, moment, value, device, BY_NAME[metric].id, True)
    readings = np.concatenate([readings, more])
    return Past(register, readings[np.argsort(readings["stored"], kind="stable")], statuses, start, days, 5400.0)


@cache
def who_rises_later_and_later() -> Past:
    """Six weeks of one home; in the last two its person rises two hours later."""
    days, start = 44, 1_769_990_400.0
    kinds = (("motion", "kitchen"), ("motion", "bedroom"), ("contact", "entry"), ("gateway", ""))
    register = register_of(
        [{"id": 1, "zone": "UTC"}],
        [{"id": 1, "home_id": 1}],
        [{"id": number, "home_id": 1, "gateway_id": 1, "kind": kind, "room": room, "mains": kind == "gateway",
          "exterior": kind == "contact", "registered_at": start} for number, (kind, room) in enumerate(kinds, 1)],
        [Policy()],
    )  # fmt: skip
    rows = []
    for quarter in range(days * 96):
        at, clock, day = start + quarter * QUARTER, quarter % 96 / 4, quarter // 96
        rows.append((at, 3, "uptime", float(quarter)))
        if (7 if day < days - 15 else 9.5) <= clock < 21:
            rows += [(at + 60, 0, "motion", 1.0), (at + 120, 0, "motion", 0.0)]
        elif clock >= 21 and clock < 22:
            rows += [(at + 60, 1, "motion", 1.0), (at + 120, 1, "motion", 0.0)]
        if clock in (10.0, 11.0):
            rows += [(at + 30, 2, "open", 1.0), (at + 40, 2, "open", 0.0)]
    readings = np.zeros(len(rows), READING)
    for place, (at, device, metric, value) in enumerate(sorted(rows)):
        readings[place] = (at + 1, at, at, value, device, BY_NAME[metric].id, metric != "uptime")
    return Past(register, readings, [Status(start, 0, True)], start, days, 4 * HOUR)


class Watched(Hindsight):
    """Keeps all that was found and learned up to `until`, muted or not, with its figures and its coverage."""

    def __init__(self, past: Past, until: float) -> None:
        super().__init__(past.register, past.start, past.start + past.days * DAY, spy=self._found)
        self.until = until
        self.said: list[Verdict] = []
        self.learned: list[tuple[float, str]] = []

    def _found(self, now: float, findings: Sequence[Finding]) -> None:
        if now <= self.until:
            self.said.extend((now, one.dedup_key, f"{one.parameters} {one.coverage}") for one in findings)

    def _learn(self, now: float) -> None:
        due = np.flatnonzero(self._due <= now).tolist()
        super()._learn(now)
        if now <= self.until:
            for row in due:
                memory, limits = profile.write_memory(self._memories[row]), self._limits
                kept = (memory, limits.minutes[row].tobytes(), limits.alike.usual_min[row].tobytes(), self._kept[row])
                self.learned.append((now, f"{row} {kept}"))


def play(past: Past, readings: Readings, statuses: Sequence[Status], until: float) -> Watched:
    watched = Watched(past, until)
    watched.run(readings, statuses, past.start, until, past.step_s)
    return watched


@pytest.mark.parametrize(("made", "examples"), [(faulty_homes, 2), (who_rises_later_and_later, 2)])
def test_what_is_said_of_and_learned_from_a_prefix_is_what_the_whole_says(
    made: Callable[[], Past], examples: int
) -> None:
    past = made()

    @settings(max_examples=examples, deadline=None, phases=[Phase.generate])
    @given(st.floats(0.7, 0.98), st.integers(0, 2**16))
    def same(share: float, seed: int) -> None:
        until = past.start + share * past.days * DAY
        known = past.readings["stored"] <= until
        future = past.readings[~known].copy()  # another future, not only none
        np.random.default_rng(seed).shuffle(future["value"])
        other = np.concatenate([past.readings[known], future])
        prefix = play(past, past.readings[known], [one for one in past.statuses if one.at <= until], until)
        end = past.start + past.days * DAY
        whole = Watched(past, until)
        whole.run(other, past.statuses, past.start, end, past.step_s)
        assert prefix.said == whole.said
        assert prefix.learned == whole.learned
        assert prefix.learned

    same()


def test_every_detector_has_something_to_say_about_these_pasts() -> None:
    """Else the property above would hold of it without saying anything."""
    spoke = set()
    for past in (faulty_homes(), who_rises_later_and_later()):
        end = past.start + past.days * DAY
        spoke |= {AlertKind(key.split(":")[1]) for _, key, _ in play(past, past.readings, past.statuses, end).said}
    assert spoke == set(AlertKind) - ELSEWHERE
