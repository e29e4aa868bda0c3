"""A manager's trial on a phone."""

from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.integration.api.world import World


def test_what_a_trial_has_found_stands_before_the_eyes(world: World, enter: Enter) -> None:
    page = enter("head", "/try-out", scripts=False)
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("the last 7 days")).to_be_in_viewport()
