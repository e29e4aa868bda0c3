"""docs/register.md tells the truth about the policy."""

import re
from pathlib import Path

import msgspec

from alerts.policy import DEFAULTS

PAGE = Path(__file__).parents[3] / "docs" / "register.md"
ROW = re.compile(r"^\| (`[a-z0-9_`, ]+`) \| ([^|]+) \|", re.MULTILINE)


def test_every_default_in_the_table_is_the_policys_own() -> None:
    defaults = {name: str(value).removesuffix(".0") for name, value in msgspec.to_builtins(DEFAULTS).items()}
    told: dict[str, str] = {}
    for names, values in ROW.findall(PAGE.read_text(encoding="utf-8")):
        written = re.findall(r"`(\w+)`", names)
        told |= dict(zip(written, values.strip().split(", ") if len(written) > 1 else [values.strip()], strict=True))
    assert len(told) > 30
    by_words = {"ladder", "quiet_rings"}  # neither is a plain value
    assert {name: told[name] for name in told.keys() - by_words} == {
        name: defaults.get(name) for name in told.keys() - by_words
    }
