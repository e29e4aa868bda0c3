"""What the documentation shows works: its register files import, its messages decode."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from care.register import apply_register, read_document
from core.wire import decode_batch
from store.pool import DatabaseRole
from tests.conftest import NOW, Database

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["README.md", "docs/register.md"])
def test_a_register_file_that_the_documentation_shows_can_be_imported(database: Database, page: str) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    document = read_document(tomllib.loads(blocks[0]), page)
    with database.connect(DatabaseRole.REGISTER) as connection:
        report = apply_register(connection, document, page, NOW)
    assert report.created["home"] == 1
    assert report.created["device"] == 2  # the door, and the gateway about itself


def test_the_batch_that_the_wires_description_shows_is_one() -> None:
    description = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))
    example = description["components"]["messages"]["batch"]["examples"][0]["payload"]
    batch = decode_batch(json.dumps(example).encode())
    assert batch.readings[0].device == "zigbee2mqtt/Front door"
