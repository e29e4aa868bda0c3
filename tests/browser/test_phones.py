"""The demo's phones on a phone."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from api.settings import Settings
from tests.browser.conftest import PHONE, Enter
from tests.integration.api.world import World


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "phones.json").write_text(json.dumps({"secret": "of-this-demo-alone", "pages": ""}))
    given = {name: getattr(settings, name) for name in settings.__struct_fields__}
    return Settings(**{**given, "demo_phones": str(tmp_path)})


def test_what_to_try_while_no_message_has_come_fits_the_screen(world: World, enter: Enter) -> None:
    page = enter("anna", "/phones")
    expect(page.get_by_text("yiju simulate incident")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
