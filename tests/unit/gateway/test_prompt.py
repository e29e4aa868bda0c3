"""Questions to the home: a press in time is the answer, a press that may be a cry for help stays one."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model import Reading
from core.wire import Command, to_ms
from gateway.prompt import Prompt, Said
from tests.unit.gateway.home_parts import ASK, DAY, DOOR, HOUR, MINUTE, SECOND, SOS, START, TEST, THANKS, reading
from tests.unit.gateway.home_parts import configuration as configured


def prompt(folder: Path, **options: object) -> Prompt:
    made = Prompt(folder / "commands.json")
    made.configure(configured(**options))  # type: ignore[arg-type]
    return made


def ask(number: int = 7, *, kind: str = "ask", seconds: int = 60, good_for: timedelta = 30 * SECOND) -> Command:
    return Command(1, number, kind, to_ms(START), to_ms(START + good_for), seconds)


def answers(said: Said) -> list[tuple[str, float]]:
    return [(one.metric, one.value) for one in said.readings if one.device == "gateway"]


def press(asked: Prompt, metric: str, after: timedelta, device: str = SOS) -> tuple[list[str], Said]:
    now = START + after
    kept, said = asked.take([reading(device, metric, now)], now)
    return [one.metric for one in kept], said


def test_an_ok_press_in_time_is_the_answer(tmp_path: Path) -> None:
    asked = prompt(tmp_path)
    assert asked.obey(ask(), START).publish == [ASK]
    kept, said = press(asked, "ok_press", 20 * SECOND)
    assert (kept, answers(said), said.publish) == (["ok_press"], [("answer_ok", 7)], [THANKS])
    assert answers(asked.tick(START + HOUR, START + HOUR)) == []


def test_nobody_presses_and_that_is_said_when_the_time_is_over(tmp_path: Path) -> None:
    asked = prompt(tmp_path)
    asked.obey(ask(), START)
    assert answers(asked.tick(START + 59 * SECOND, START + 59 * SECOND)) == []
    assert answers(asked.tick(START + 60 * SECOND, START + 60 * SECOND)) == [("answer_none", 7)]
    assert answers(asked.tick(START + 61 * SECOND, START + 61 * SECOND)) == []
    kept, said = press(asked, "ok_press", 62 * SECOND)
    assert (kept, answers(said)) == (["ok_press"], [])


def test_sos_is_an_answer_and_a_call_for_help(tmp_path: Path) -> None:
    asked = prompt(tmp_path)
    asked.obey(ask(), START)
    kept, said = press(asked, "sos", 10 * SECOND)
    assert (kept, answers(said), said.publish) == (["sos"], [("answer_help", 7)], [])


def test_where_the_only_button_is_sos_one_press_is_well_and_the_next_is_help(tmp_path: Path) -> None:
    asked = prompt(tmp_path, sos_is_ok=True)
    asked.obey(ask(), START)
    assert press(asked, "sos", 10 * SECOND)[0] == ["ok_press"]
    assert press(asked, "sos", 12 * SECOND)[0] == ["ok_press"]  # the same press, sent again
    assert press(asked, "sos", 20 * SECOND)[0] == ["sos"]
    assert press(asked, "sos", 70 * SECOND)[0] == ["sos"]


def test_a_command_is_obeyed_once_also_over_a_restart(tmp_path: Path) -> None:
    assert prompt(tmp_path).obey(ask(), START).publish == [ASK]
    again = prompt(tmp_path)
    said = again.obey(ask(), START + SECOND)
    assert (said.publish, said.readings, said.refused) == ([], [], {})
    assert answers(again.tick(START + HOUR, START + HOUR)) == [("answer_none", 7)]  # the question outlived the restart


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (ask(good_for=-SECOND), "after its deadline"),
        (ask(kind="dance"), "does not know the command 'dance'"),
        (Command(1, 7, "ask", to_ms(START + 3 * DAY), to_ms(START + 4 * DAY)), "clocks is wrong"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason_once(tmp_path: Path, command: Command, why: str) -> None:
    asked = prompt(tmp_path)
    said = asked.obey(command, START)
    assert why in said.refused[7]
    assert (said.publish, answers(said)) == ([], [("command_refused", 7)])
    assert asked.obey(command, START).readings == []


def test_a_home_without_a_voice_says_so(tmp_path: Path) -> None:
    silent = Prompt(tmp_path / "commands.json")
    assert "options.prompts.ask" in silent.obey(ask(), START).refused[7]


def test_a_test_press_is_asked_for_on_its_day_once_and_is_no_alarm(tmp_path: Path) -> None:
    asked = prompt(tmp_path, days=(3,))
    assert asked.tick(START, START).publish == []
    due = START + DAY + HOUR  # the 3rd, 10:00 in Shanghai
    said = asked.tick(due, due)
    assert said.publish == [TEST]
    assert [(one.device, one.metric) for one in said.readings] == [(SOS, "test_asked")]
    assert asked.tick(due + MINUTE, due + MINUTE).publish == []
    kept, thanked = press(asked, "sos", due - START + MINUTE)
    assert (kept, thanked.publish) == (["sos_test"], [THANKS])
    assert press(asked, "sos", due - START + MINUTE + 10 * SECOND)[0] == ["sos"]  # pressed again: a call
    assert prompt(tmp_path, days=(3,)).tick(due + 10 * MINUTE, due + 10 * MINUTE).publish == []


def test_no_test_is_asked_for_while_the_true_time_is_not_known(tmp_path: Path) -> None:
    asked = prompt(tmp_path, days=(3,))
    due = START + DAY + HOUR
    assert asked.tick(due, None).publish == []
    assert asked.tick(due - 3650 * DAY, due).publish == [TEST]


def test_a_press_measured_before_the_question_does_not_answer_it(tmp_path: Path) -> None:
    asked = prompt(tmp_path, sos_is_ok=True)
    asked.obey(ask(), START)
    now = START + 5 * SECOND
    kept, said = asked.take([reading(SOS, "sos", now, late=MINUTE)], now)
    assert ([one.metric for one in kept], answers(said)) == (["sos"], [])


def test_a_clock_that_was_set_back_does_not_leave_a_question_standing(tmp_path: Path) -> None:
    asked = prompt(tmp_path, sos_is_ok=True)
    asked.obey(ask(), START)
    assert press(asked, "sos", -HOUR)[0] == ["sos"]
    assert answers(asked.tick(START - HOUR, START - HOUR)) == [("answer_none", 7)]


@settings(deadline=None)  # each example writes to a disk
@given(
    events=st.lists(st.tuples(st.integers(0, 200), st.sampled_from(["sos", "ok_press", "ask", "test"])), max_size=25),
    sos_is_ok=st.booleans(),
)
def test_no_call_for_help_is_swallowed_outside_of_a_questions_one_press(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, str]], sos_is_ok: bool
) -> None:
    asked = prompt(tmp_path_factory.mktemp("prompt"), sos_is_ok=sos_is_ok)
    questions = 0
    taken: list[int] = []
    answered: list[float] = []
    for number, (second, what) in enumerate(sorted(events), start=1):
        now = START + second * SECOND
        said = asked.tick(now, now)
        if what in ("ask", "test"):
            questions += 1
            said.readings += asked.obey(ask(number, kind=what, good_for=HOUR), now).readings
        else:
            kept, more = asked.take([reading(SOS if what == "sos" else DOOR, what, now)], now)
            assert len(kept) == 1
            if what == "sos" and kept[0].metric != "sos":
                taken.append(second)
            said.readings += more.readings
        answered += [one.value for one in said.readings if one.metric.startswith("answer")]
    answered += [one.value for one in asked.tick(START + HOUR, START + HOUR).readings]
    presses = sum(1 for before, at in zip([-99, *taken], taken, strict=False) if at - before >= 5)
    assert presses <= questions
    assert len(answered) == len(set(answered)) == questions  # each question has one answer


def test_nothing_is_said_of_a_reading_that_is_no_press(tmp_path: Path) -> None:
    asked = prompt(tmp_path, sos_is_ok=True)
    asked.obey(ask(), START)
    released = Reading(SOS, "sos", START + SECOND, 0.0, START + SECOND)
    assert asked.take([released], START + SECOND)[0] == [released]
