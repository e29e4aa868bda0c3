"""`yiju import` and `yiju gateway-password`, on a real database."""

from pathlib import Path

import pytest

from core.credentials import broker_password_matches
from core.errors import NotFound, RegisterError
from tests.conftest import NOW, Database
from yiju.importing import import_file, renew_gateway_password

FILE = """
[[region]]
key = "community"
level = "community"
name = "东方社区"

[[home]]
key = "mother"
region = "community"
name = "妈妈家"
commissioned = 2026-01-01T00:00:00+08:00

  [[home.gateway]]
  key = "gw-mother"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my-home.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_file_is_brought_in_once_and_its_gateway_gets_a_password_that_the_broker_knows(
    database: Database, file: Path
) -> None:
    assert import_file(database.url, file, NOW).created["gateway"] == 1
    assert not import_file(database.url, file, NOW).created
    first = renew_gateway_password(database.url, "gw-mother")
    second = renew_gateway_password(database.url, "gw-mother")
    with database.connect() as connection:
        row = connection.execute("SELECT password_hash FROM gateway").fetchone()
    assert row is not None
    assert broker_password_matches(second, row["password_hash"])
    assert not broker_password_matches(first, row["password_hash"])  # the old one has ended


def test_a_gateway_that_nobody_registered_gets_none(database: Database) -> None:
    with pytest.raises(NotFound, match="no gateway 'gw-nobody' is in use"):
        renew_gateway_password(database.url, "gw-nobody")


def test_a_misspelt_threshold_names_the_file_and_the_home(database: Database, file: Path) -> None:
    file.write_text(FILE + "\n  [home.policy]\n  inactivty_s = 3600\n", encoding="utf-8")
    with pytest.raises(RegisterError, match=r"my-home\.toml: home 'mother': there is no policy 'inactivty_s'"):
        import_file(database.url, file, NOW)
