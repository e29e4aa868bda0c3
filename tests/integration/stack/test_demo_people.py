"""The demo's people and their phones: where the pages are, and gone elsewhere when the pages go."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import ManualClock
from tests.conftest import NOW, Database
from yiju.demo import PHONES, prepare_demo
from yiju.doctor import DoctorSettings, examine
from yiju.folder import DataFolder
from yiju.screen import Screen
from yiju.stack_clock import StackClock
from yiju.up import Stack, UpSettings

SHORT = timedelta(hours=1)


def test_the_phones_follow_the_pages_and_nothing_else_is_registered_again(database: Database, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "home")
    for port in (9001, 9002, 9002):
        prepare_demo(folder, database.url, ManualClock(NOW), Screen(), SHORT, f"http://127.0.0.1:{port}")
        secret = str(folder.read_json(PHONES)["secret"])
        with database.connect() as connection:
            rows = connection.execute("SELECT key, channels FROM person ORDER BY id").fetchall()
            home = connection.execute("SELECT min(commissioned_at) AS at FROM home").fetchone()
        assert all(
            row["channels"] == [f"webhook+http://:{secret}@127.0.0.1:{port}/demo/phones/{row['key']}"] for row in rows
        )
        assert home == {"at": NOW - SHORT}
    # What the last file about a home left out is a problem to the doctor.
    settings = DoctorSettings(str(tmp_path), database.url)
    assert {finding.what: finding.ok for finding in examine(settings)}["register"]
    with database.connect() as connection:
        connection.execute("UPDATE gateway SET missing_since = %s WHERE key IN ('gw-3', 'gw-4')", [NOW])
    (found,) = (finding for finding in examine(settings) if finding.what == "register")
    assert not found.ok
    assert found.found == "in the platform but not in the file: home-3: gateway 'gw-3'; home-4: gateway 'gw-4'"


def test_without_a_demo_no_service_is_told_of_phones_whatever_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIJU_DEMO_PHONES", "/somewhere")
    folder = DataFolder(tmp_path / "home")
    for server in ("postgres", "broker"):
        (folder.path / server).mkdir()
        (folder.path / server / "password").write_text("x")
    stack = Stack(folder, UpSettings(str(folder.path)), StackClock(ManualClock(NOW), "system", ""), 0, Screen(), {})
    assert stack.environment()["YIJU_DEMO_PHONES"] == ""
    assert stack.environment(phones=True)["YIJU_DEMO_PHONES"] == str(folder.path / "demo")
