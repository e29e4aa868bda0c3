"""The family's phone."""

from playwright.sync_api import expect

from alerts import lifecycle
from core.clock import ManualClock
from tests.browser.conftest import Enter
from tests.integration.api.test_pages import usual_days
from tests.integration.api.world import World


def test_family_sees_at_once_that_something_is_wrong_and_that_somebody_has_it(
    world: World, clock: ManualClock, enter: Enter
) -> None:
    usual_days(world, clock.now())
    page = enter("mei")
    expect(page.get_by_role("heading", name="Today is as usual")).to_be_visible()
    expect(page.locator("#live-state")).to_have_attribute("data-state", "on")
    with world.connection.transaction():
        alert = world.alert("1", clock.now(), "fall", room="bathroom", measured_at=clock.now().isoformat())
        lifecycle.announce(world.connection, alert, world.homes["1"])
    expect(page.get_by_role("heading", name="Not as usual")).to_be_visible(timeout=2000)
    with world.connection.transaction():
        lifecycle.acknowledge(world.connection, alert, world.people["anna"], clock.now())
    expect(page.get_by_text("Anna has taken it on")).to_be_visible(timeout=2000)


def test_the_language_is_switched_from_the_page(world: World, enter: Enter) -> None:
    page = enter("mei")
    page.locator(".me summary").click()
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    row = world.connection.execute("SELECT locale FROM person WHERE key = 'mei'").fetchone()
    assert row == {"locale": "zh_CN"}


def test_what_is_being_entered_outlives_the_pages_own_refresh(world: World, clock: ManualClock, enter: Enter) -> None:
    world.seen("1", clock.now())
    page = enter("mei", "/family")
    page.get_by_text("Enter an absence or a visitor").click()
    form = page.locator("form[action$='/absences']")
    form.locator("[name=kind]").select_option("hospital")
    form.locator("[name=until_at]").fill("2026-03-09T10:00")
    form.locator("[name=note]").type("Left hi")
    with page.expect_response("**/family/now"):
        page.evaluate("window.dispatchEvent(new Event('online'))")
    page.keyboard.type("p")
    expect(form.locator("[name=note]")).to_have_value("Left hip")
    expect(form.locator("[name=until_at]")).to_have_value("2026-03-09T10:00")
    expect(form.locator("[name=kind]")).to_have_value("hospital")
