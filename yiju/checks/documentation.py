"""The documentation: its links lead somewhere, and the commands and settings that it names exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer

from yiju.cli import app
from yiju.settings import all_settings

LINK: Final = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
COMMAND: Final = re.compile(r"(?:^|[`\s/])yiju((?: [a-z][a-z-]+)+)", re.MULTILINE)
SETTING: Final = re.compile(r"\bYIJU_[A-Z0-9_]+\b")
FENCE: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE: Final = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
TEST_SETTINGS: Final = {
    "YIJU_TEST_ALL", "YIJU_TEST_BROKER", "YIJU_TEST_DATABASE_URL", "YIJU_TEST_TIMESCALEDB_URL",
}  # fmt: skip


def faults(root: Path) -> Iterator[str]:
    """One sentence for each link, command or setting in *.md and docs/ that does not exist."""
    settings = {setting.variable for _, group in all_settings() for setting in group} | TEST_SETTINGS
    commands = known_commands()
    for page in pages(root):
        text = page.read_text(encoding="utf-8")
        name = page.relative_to(root)
        yield from (f"{name}: the link to {target} leads nowhere" for target in broken_links(page, text))
        yield from (f"{name}: there is no command `yiju {words}`" for words in unknown_commands(text, commands))
        yield from (f"{name}: there is no setting {word}" for word in sorted(set(SETTING.findall(text)) - settings))


def pages(root: Path) -> list[Path]:
    """README.md and its neighbours, and everything under docs/."""
    return sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")])


def broken_links(page: Path, text: str) -> list[str]:
    """Relative links of the page to files that are not there."""
    targets = [first or second for first, second in LINK.findall(FENCE.sub("", text))]
    relative = [target for target in targets if not re.match(r"[a-z]+:|#|/", target)]
    return [target for target in relative if not (page.parent / target.partition("#")[0]).exists()]


def unknown_commands(text: str, commands: dict[str, set[str]]) -> list[str]:
    """What stands in code as `yiju ...` and is no command."""
    code = "\n".join(CODE.findall(text))
    written = [words.split() for words in COMMAND.findall(code)]
    return [" ".join(words) for words in written if not _is_known(words, commands)]


def known_commands() -> dict[str, set[str]]:
    """Command -> its own commands, if it has any."""
    group = typer.main.get_group(app)
    return {name: set(getattr(command, "commands", {})) for name, command in group.commands.items()}


def _is_known(words: list[str], commands: dict[str, set[str]]) -> bool:
    inner = commands.get(words[0])
    return inner is not None and (not inner or len(words) == 1 or words[1] in inner)
