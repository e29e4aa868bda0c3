import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import NotFound, StackError
from simulator.control import Answer, ControlServer, Request, ask


def obey(request: Request) -> str:
    if request.home > 24:
        raise NotFound(f"there is no home {request.home}")
    if request.incident == "bug":
        raise RuntimeError("a mistake of ours")
    return f"home {request.home}: {request.incident}"


@pytest.fixture
def serve() -> Iterator[Callable[[Path], None]]:
    servers: list[ControlServer] = []

    def start(folder: Path) -> None:
        servers.append(ControlServer(folder, obey))
        servers[-1].start()

    yield start
    for server in servers:
        server.stop()


def test_a_request_is_carried_out_and_answered(tmp_path: Path, serve: Callable[[Path], None]) -> None:
    serve(tmp_path)
    assert ask(tmp_path, "fall", 3) == Answer(True, "home 3: fall")
    assert ask(tmp_path, "sos", 4).ok


def test_a_folder_with_a_very_long_path_works_too(tmp_path: Path, serve: Callable[[Path], None]) -> None:
    folder = tmp_path / ("deep" * 40)
    folder.mkdir()
    serve(folder)
    assert ask(folder, "fall", 3).ok


def test_an_unknown_home_is_answered_with_its_sentence(tmp_path: Path, serve: Callable[[Path], None]) -> None:
    serve(tmp_path)
    assert ask(tmp_path, "fall", 99) == Answer(False, "there is no home 99")


def test_a_mistake_of_ours_is_told_and_the_next_request_is_served(
    tmp_path: Path, serve: Callable[[Path], None]
) -> None:
    serve(tmp_path)
    assert not ask(tmp_path, "bug", 1).ok
    assert ask(tmp_path, "fall", 1).ok


@pytest.mark.parametrize("line", [b"junk\n", b'{"incident": 5}\n', b"\xff\xfe\n", b"[" * 5000])
def test_junk_is_refused_and_the_next_request_is_served(
    tmp_path: Path, serve: Callable[[Path], None], line: bytes
) -> None:
    serve(tmp_path)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect((tmp_path / "control").read_text())
        connection.sendall(line)
        assert json.loads(connection.recv(4096))["ok"] is False
    assert ask(tmp_path, "fall", 1).ok


def test_without_a_demo_the_error_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"no demo runs in .*yiju up --demo"):
        ask(tmp_path, "fall", 3)


def test_a_demo_that_was_killed_leaves_a_socket_that_the_next_one_replaces(
    tmp_path: Path, serve: Callable[[Path], None]
) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "control.sock"))
    (tmp_path / "control").write_text(str(tmp_path / "control.sock"))
    with pytest.raises(StackError):
        ask(tmp_path, "fall", 3)
    serve(tmp_path)
    assert ask(tmp_path, "fall", 3).ok


def test_only_the_owner_may_use_the_socket(tmp_path: Path, serve: Callable[[Path], None]) -> None:
    serve(tmp_path)
    assert (tmp_path / "control.sock").stat().st_mode & 0o077 == 0
