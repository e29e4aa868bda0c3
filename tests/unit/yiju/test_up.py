"""The stack goes on when its folder cannot be written."""

import io
from errno import ENOSPC
from pathlib import Path

import pytest
from rich.console import Console

from tests.conftest import NOW
from yiju.folder import DataFolder
from yiju.screen import Screen
from yiju.stack_clock import choose_clock
from yiju.up import Stack, UpSettings


class EnoughError(Exception):
    """Ends `watch`."""


def test_a_full_disk_is_told_once_and_the_stack_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, rounds = io.StringIO(), iter(range(3))
    folder = DataFolder(tmp_path)
    screen = Screen(remarks=Console(file=said, soft_wrap=True))
    stack = Stack(folder, UpSettings(), choose_clock("", None, None, NOW), folder.lock(), screen, {})

    def full(name: str, content: dict[str, object]) -> None:
        if next(rounds, None) is None:
            raise EnoughError
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(folder, "write_json", full)
    monkeypatch.setattr("yiju.up.LOOK_EVERY_S", 0)
    monkeypatch.setattr("yiju.up.LOOK_AGAIN_S", 0)
    with pytest.raises(EnoughError):
        stack.watch()
    folder.unlock()
    assert said.getvalue().count("No space left on device): make room on its disk") == 1
