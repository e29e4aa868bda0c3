"""A carer's phone: one tap on coming, one on leaving."""

from datetime import timedelta

from playwright.sync_api import expect

from core.clock import ManualClock
from tests.browser.conftest import Enter
from tests.integration.api.world import World


def test_a_visit_is_two_taps_of_the_thumb_and_works_without_scripts(
    world: World, clock: ManualClock, enter: Enter
) -> None:
    world.seen("1", clock.now())
    page = enter("anna", f"/homes/{world.homes['1']}", scripts=False)
    expect(page.get_by_text("No visit in the last month")).to_be_visible()
    page.get_by_role("button", name="I am here", exact=True).click()
    expect(page.get_by_text("You have been here since")).to_be_visible()
    assert page.locator("#visit").evaluate("box => box.scrollWidth <= document.documentElement.clientWidth")
    for button in page.locator("#visit button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, button.inner_text()
    clock.move(timedelta(minutes=35))
    page.get_by_role("button", name="met, needs attention").click()
    expect(page.locator(".visits")).to_contain_text("Anna · met, needs attention")
    expect(page.locator(".visits")).to_contain_text("35 minutes")
    row = world.connection.execute("SELECT found, ended_at - began_at AS took FROM care_visit").fetchone()
    assert row == {"found": "needs_attention", "took": timedelta(minutes=35)}
