"""`yiju evaluate` refuses what could not be judged, before it works for minutes."""

import pytest
from typer.testing import CliRunner

from yiju.cli import app


@pytest.mark.parametrize(("option", "value", "least"), [("--days", "7", 8), ("--seed", "-1", 0), ("--homes", "0", 1)])
def test_a_number_that_leaves_nothing_to_score_is_named(option: str, value: str, least: int) -> None:
    answer = CliRunner().invoke(app, ["evaluate", "--simulated", option, value], color=False)
    assert answer.exit_code == 2
    assert option in answer.output
    assert f"greater than or equal to {least}" in answer.output
