"""The protocol counts what it says: false alarms once, delays from the collapse, nothing while the person is out."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from alerts.detect.arrays import Floats
from alerts.detect.spells import UNKNOWN, Codes, Signs
from core.errors import RegisterError
from evaluation.baselines import BASELINES, FixedRule
from evaluation.evaluate import evaluate, judge
from evaluation.ours import Ours
from evaluation.plot import plot
from evaluation.protocol import figures, prepare, score
from evaluation.recorded import DAY_S, RecordedHome, home_of, load_sources
from evaluation.report import table
from tests.recorded import recorded

START = 1_769_990_400.0  # a midnight


def home(times: list[float], *, out: list[tuple[float, float]] | None = None, days: int = 10) -> RecordedHome:
    at = START + np.array(sorted(times))
    no = np.zeros(len(at), np.bool_)
    return RecordedHome(
        name="made-up",
        residents=1,
        signs=Signs(at, no, np.full(len(at), UNKNOWN, np.int8), no),
        out=START + np.array(out or [], dtype=np.float64).reshape(-1, 2),
        holes=np.zeros((0, 2)),
        has_door=True,
        first_day=START + 7 * DAY_S,
        last_day=START + days * DAY_S,
    )


class Hours:
    """Knows nothing and waits so many hours."""

    def limit_s(self, at: Floats, began: Codes, unseen_s: Floats, setting: float) -> Floats:
        return np.full(len(at), setting * 3600)


def test_one_silence_is_one_false_alarm_however_many_days_it_lasts() -> None:
    moves = [day * DAY_S + hour * 3600.0 for day in range(8) for hour in range(24)] + [9.8 * DAY_S]
    trial = prepare(home(moves, days=12), 1)
    found = score(trial, [Hours()] * 5, 12.0)
    assert found.days == 5
    assert (found.false_alarms - START).tolist() == pytest.approx([8 * DAY_S + 11 * 3600, 9.8 * DAY_S + 12 * 3600])


def test_a_delay_runs_from_the_collapse_and_is_capped_at_two_days() -> None:
    moves = [day * DAY_S + step * 60.0 for day in range(10) for step in range(1440)]
    trial = prepare(home(moves), 1)
    assert trial.collapse.shape == (3, 20)
    delay = score(trial, [Hours()] * 3, 5.0).delay_s
    assert (delay <= 5 * 3600).all()
    assert (delay > 5 * 3600 - 61).all()  # the last sign of life was less than a minute before
    assert (score(trial, [Hours()] * 3, 100.0).delay_s == 48 * 3600).all()


def test_nobody_collapses_at_home_while_out() -> None:
    moves = [day * DAY_S + step * 60.0 for day in range(10) for step in range(1440)]
    away = [(day * DAY_S + 6 * 3600, day * DAY_S + 20 * 3600) for day in range(10)]
    collapses = prepare(home(moves, out=away), 1).collapse
    hours = (collapses % DAY_S) / 3600
    assert ((hours < 6) | (hours >= 20)).all()


def test_a_day_of_which_nothing_was_received_is_not_scored_and_teaches_nothing() -> None:
    moves = [day * DAY_S + hour * 3600.0 for day in range(10) for hour in range(24) if not 8 <= day < 9]
    seen = home(moves)
    unseen = RecordedHome(**{**vars(seen), "holes": np.array([[START + 8 * DAY_S, START + 9 * DAY_S]])})
    assert len(seen.days) == 3
    assert len(unseen.days) == 2
    trial = prepare(unseen, 1)
    assert score(trial, [Hours()] * 2, 12.0).false_alarms.tolist() == []


def test_what_was_not_received_is_no_silence_after_a_collapse_either() -> None:
    moves = [day * DAY_S + step * 60.0 for day in range(10) for step in range(1440)]
    hole = np.array([[START + 8 * DAY_S, START + 8 * DAY_S + 6 * 3600.0]])
    seen = home([move for move in moves if not 8 * DAY_S <= move < 8 * DAY_S + 6 * 3600])
    broken = RecordedHome(**{**vars(seen), "holes": hole})
    trial = prepare(broken, 1)
    found = score(trial, [Hours()] * 3, 5.0)
    into_it = (trial.collapse > START + 8 * DAY_S - 5 * 3600) & (trial.collapse < START + 8 * DAY_S)
    assert into_it.any()
    delay_h = found.delay_s / 3600
    np.testing.assert_allclose(delay_h[into_it.ravel()], 11, atol=0.02)
    np.testing.assert_allclose(delay_h[~into_it.ravel()], 5, atol=0.02)
    assert not len(found.false_alarms)


def test_a_hole_is_judged_as_the_product_judges_it() -> None:
    """After it the silence may be any that begins indoors at its end: a night, where somebody lay down meanwhile."""
    moves = [day * DAY_S + 7 * 3600 + step * 60.0 for day in range(12) for step in range(15 * 60)]  # 07:00 to 22:00
    made = home(moves, days=12)
    resting = (made.signs.time - START) % DAY_S > 21.9 * 3600  # each night begins on the bed
    signs = Signs(made.signs.time, made.signs.exterior, made.signs.room, resting)
    hole = np.array([[START + 10 * DAY_S + 19 * 3600, START + 10 * DAY_S + 22 * 3600]])
    known = Ours().follow(RecordedHome(**{**vars(made), "signs": signs}))[3]
    at, began = hole[:, 0] - 60, np.zeros(1, np.int8)
    (usual,), (holed,) = (known.limit_s(at, began, np.array([unseen]), 50.0) for unseen in (0.0, 3 * 3600.0))
    assert usual < 4 * 3600
    assert holed > 8 * 3600


def test_the_longest_so_far_is_that_of_the_past_alone() -> None:
    moves = [day * DAY_S + hour * 3600.0 for day in range(10) for hour in range(24)]
    moves = [move for move in moves if not 8 * DAY_S < move < 8 * DAY_S + 6 * 3600]
    made = home(moves)
    (limit,) = (
        BASELINES[2].follow(made)[0].limit_s(np.array([START + 8 * DAY_S]), np.zeros(1, np.int8), np.zeros(1), 1.1)
    )
    assert limit == pytest.approx(1.1 * 3600)


def test_what_happens_after_a_day_changes_nothing_that_was_known_before_it() -> None:
    rng = np.random.default_rng(3)
    moves = np.sort(rng.uniform(0, 12 * DAY_S, 2000)).tolist()
    whole, prefix = home(moves, days=12), home([move for move in moves if move < 9 * DAY_S], days=9)
    at, began = whole.signs.time[:500], np.zeros(500, np.int8)
    for one, other in zip(Ours().follow(prefix), Ours().follow(whole), strict=False):
        assert one.limit_s(at, began, 0 * at, 50.0).tolist() == other.limit_s(at, began, 0 * at, 50.0).tolist()


def test_the_recorded_homes_meet_the_goal_and_two_runs_are_the_same() -> None:
    folder = recorded("homes.toml").parent
    found = evaluate(folder, 1, lambda done, total: None)
    pooled = found["inactivity"]["pooled"]
    assert pooled["home_days"] == 61
    assert pooled["false_alarms_per_home_day"] <= 0.02
    assert pooled["delay_h"]["median"] <= 4
    assert pooled["delay_h"]["p90"] <= 8
    for baseline in found["baselines"].values():  # better than each at its own rate of false alarms
        rate = baseline["pooled"]["false_alarms_per_home_day"]
        ours = [one for one in found["inactivity"]["curve"] if one["false_alarms_per_home_day"] <= rate]
        assert min(one["delay_h"]["median"] for one in ours) < baseline["pooled"]["delay_h"]["median"]
    assert found["left_out"] == ["meter_1", "meter_2"]
    assert table(found).row_count == 8
    assert plot(found).count("<polyline") == 4
    trial = prepare(next(home_of(one) for one in load_sources(folder) if one.recording.name == "home_4"), 1)
    again = judge(Ours(), [trial]).scores["home_4"]
    assert figures([again]) == found["inactivity"]["homes"]["home_4"]


def test_a_folder_in_which_nothing_can_be_scored_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "homes.toml").write_text('[a]\nresidents = 2\n[a.sensors]\nx = { kind = "motion", room = "kitchen" }\n')
    with gzip.open(tmp_path / "a.csv.gz", "wt") as file:
        file.write("ts,sensor,value\n2026-01-01T00:00:00,x,ON\n")
    with pytest.raises(RegisterError, match="no home has one resident"):
        evaluate(tmp_path, 1, lambda done, total: None)


def test_a_fixed_rule_is_named_by_its_hours() -> None:
    assert FixedRule(12.0).name == "no_activity_12h"
