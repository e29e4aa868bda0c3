"""A recorded month through gateway, broker, ingest and engine: every row once, and the alarms that are due."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.recorded import recorded

ROOT = Path(__file__).parents[3]


def replay(*arguments: str) -> dict[str, Any]:
    """Runs `yiju replay --json` as a person would."""
    broker = {"YIJU_BROKER": os.environ["YIJU_TEST_BROKER"]} if "YIJU_TEST_BROKER" in os.environ else {}
    done = subprocess.run(
        [sys.executable, "-m", "yiju", "replay", *arguments, "--json"],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, **broker}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.timeout(600)
def test_every_row_of_a_month_is_stored_exactly_once_and_a_usual_month_raises_no_inactivity_alarm() -> None:
    done = replay(str(recorded("home_1.csv.gz")))
    assert (done["rows"], done["stored"], done["distinct"], done["rejected"]) == (61_578, 61_578, 61_578, 0)
    assert [alert for alert in done["alerts"] if alert["kind"] == "inactivity"] == []


@pytest.mark.timeout(600)
def test_a_person_who_collapses_is_found_by_one_alarm() -> None:
    done = replay(str(recorded("home_1.csv.gz")), "--cut", "2011-07-01T09:44")
    assert done["rows"] == done["stored"] == done["distinct"]
    alarms = [alert for alert in done["alerts"] if alert["kind"] == "inactivity"]
    assert len(alarms) == 1
    assert alarms[0]["opened_at"] < "2011-07-01 09:44"  # 17:44 local, 8 h after the collapse, in UTC


def test_a_cut_outside_the_recording_is_one_sentence_that_says_what_would_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "yiju", "replay", str(recorded("home_1.csv.gz")), "--cut", "2031-01-01T00:00"],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "choose one from 2011-06-15" in done.stderr
    assert "Traceback" not in done.stderr
