"""A first start that is cut off begins anew."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from yiju.embedded.postgres import EmbeddedPostgres


def test_a_first_start_that_was_killed_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(command: Sequence[str | Path], **_: Any) -> None:
        folder = Path(command[command.index("-D") + 1])
        folder.mkdir()
        (folder / "PG_VERSION").write_text("18\n")  # initdb writes it first
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("yiju.embedded.postgres.start_child", killed)
        with pytest.raises(KeyboardInterrupt):
            EmbeddedPostgres(tmp_path).prepare()
    again = EmbeddedPostgres(tmp_path)
    again.prepare()
    again.start()
    again.stop()
