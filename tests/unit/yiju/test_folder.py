"""The data folder belongs to one stack at a time and keeps its ports."""

import socket
import stat
from pathlib import Path

import pytest

from core.errors import StackError
from yiju.folder import DataFolder
from yiju.parts import LOG_LIMIT_BYTES, turn_log


def test_a_second_stack_in_the_same_folder_is_told_who_has_it(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path / "home"), DataFolder(tmp_path / "home")
    first.lock()
    with pytest.raises(StackError, match=r"already runs in .*process \d+.*YIJU_HOME="):
        second.lock()
    first.unlock()
    second.lock(patience_s=0)
    second.unlock()


def test_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "home")
    folder.write_json("demo/logins.json", {"a": "b"})
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder.path / "demo/logins.json").stat().st_mode) == 0o600


def test_a_port_is_kept_until_somebody_else_has_taken_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    port = folder.port("broker")
    assert folder.port("broker") == port
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", port))
        taker.listen()
        assert folder.port("broker") != port


def test_a_broken_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    (tmp_path / "ports.json").write_text("{")
    with pytest.raises(StackError, match=r"ports\.json cannot be read.*Remove it"):
        folder.port("broker")


def test_a_long_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_bytes(b"x" * (LOG_LIMIT_BYTES + 1))
    turn_log(log)
    assert not log.exists()
    assert (tmp_path / "api.log.1").stat().st_size == LOG_LIMIT_BYTES + 1
