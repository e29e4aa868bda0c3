"""A real Chromium on the real app. The fixtures of the api's tests serve it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.integration.api.conftest import app, pool, settings, site, world
from tests.integration.api.world import PASSWORD

__all__ = ["app", "pool", "settings", "site", "world"]
PHONE = {"width": 390, "height": 844}
Enter = Callable[..., Page]


@pytest.fixture
def enter(chromium: Browser, site: str) -> Iterator[Enter]:
    """Signs somebody in on a phone and opens a page; fails the test for any error in the browser's console."""
    contexts = []
    complaints: list[str] = []

    def sign_in(login: str, path: str = "/", *, scripts: bool = True) -> Page:
        context = chromium.new_context(viewport=PHONE, locale="en", java_script_enabled=scripts)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{site}/login?next={path}")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.click("button.main")
        return page

    yield sign_in
    for context in contexts:
        context.close()
    assert complaints == []
