"""What the documentation says of the code can be found there."""

import re
from pathlib import Path

import msgspec

from alerts.policy import DEFAULTS

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "register.md"
PATH = re.compile(r"`((?:alerts|api|bench|care|core|deploy|docs|evaluation|gateway|ingest|simulator|store|tests|yiju)/"
                  r"[\w/.-]+)`")  # fmt: skip
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


def test_every_file_and_folder_that_is_named_is_there() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = {(page.name, path) for page in pages for path in PATH.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 100
    assert sorted(one for one in named if not (ROOT / one[1]).exists()) == []
