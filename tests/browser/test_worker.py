"""A worker's phone."""

import re

from playwright.sync_api import expect

from alerts import lifecycle
from core.clock import ManualClock
from tests.browser.conftest import Enter
from tests.integration.api.world import World


def sos(world: World, clock: ManualClock, home: str = "1", kind: str = "sos") -> int:
    """An alert as the engine raises it: announced with its commit."""
    with world.connection.transaction():
        alert = world.alert(home, clock.now(), kind, room="bedroom", measured_at=clock.now().isoformat())
        lifecycle.announce(world.connection, alert, world.homes[home])
    return alert


def test_an_alert_appears_without_a_reload_and_is_taken_and_ended_by_thumb(
    world: World, clock: ManualClock, enter: Enter
) -> None:
    world.seen("1", clock.now())
    page = enter("anna", "/alerts")
    expect(page.get_by_text("All is quiet")).to_be_visible()
    expect(page.locator("#live-state")).to_have_attribute("data-state", "on")
    alert = sos(world, clock)
    card = page.locator(f"#alert-{alert}")
    expect(card).to_be_visible(timeout=2000)
    expect(card).to_contain_text("bedroom")
    card.get_by_role("button", name="I have it").click()
    expect(page.get_by_text("Anna has it")).to_be_visible()
    page.locator(f"#alert-{alert} summary").click()
    page.get_by_role("textbox").fill("She is well")
    page.get_by_role("button", name="false alarm").click()
    expect(page.get_by_text("All is quiet")).to_be_visible()
    row = world.connection.execute("SELECT state, outcome, note FROM alert").fetchone()
    assert row == {"state": "resolved", "outcome": "false_alarm", "note": "She is well"}


def test_another_alert_does_not_wipe_out_what_is_being_written(world: World, clock: ManualClock, enter: Enter) -> None:
    first = sos(world, clock)
    page = enter("anna", "/alerts")
    page.locator(f"#alert-{first} summary").click()
    page.get_by_role("textbox").type("Half a sent")
    second = sos(world, clock, "2")
    expect(page.locator(f"#alert-{second}")).to_be_visible()
    page.keyboard.type("ence")
    expect(page.locator(f"#note-{first}")).to_have_value("Half a sentence")


def test_another_regions_alert_never_arrives(world: World, clock: ManualClock, enter: Enter) -> None:
    page = enter("anna", "/alerts")
    expect(page.locator("#live-state")).to_have_attribute("data-state", "on")
    sos(world, clock, "3")
    own = sos(world, clock, "2")
    expect(page.locator(f"#alert-{own}")).to_be_visible()
    assert page.locator("[data-alert]").count() == 1


def test_a_lost_connection_is_said(world: World, enter: Enter) -> None:
    page = enter("anna", "/alerts")
    expect(page.locator("#live-state")).to_have_attribute("data-state", "on")
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(page.locator("#live-state")).to_contain_text(re.compile(r"Connection lost, last update \d\d:\d\d"))


def test_without_scripts_everything_still_works(world: World, clock: ManualClock, enter: Enter) -> None:
    alert = sos(world, clock)
    page = enter("anna", "/alerts", scripts=False)
    page.locator(f"#alert-{alert}").get_by_role("button", name="I have it").click()
    expect(page.get_by_text("Anna has it")).to_be_visible()


def test_no_page_is_wider_than_the_phone_and_every_target_is_large_enough(
    world: World, clock: ManualClock, enter: Enter
) -> None:
    alert = sos(world, clock)
    home = world.homes["1"]
    world.plan("1", clock.now())
    page = enter("root", "/alerts")
    for path in (
        "/alerts",
        f"/alerts/{alert}",
        "/homes",
        f"/homes/{home}",
        f"/homes/{home}/policy",
        "/overview",
        "/shifts",
    ):
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        small = page.evaluate(
            "[...document.querySelectorAll('main button, main .button, .tabs a, main summary')]"
            ".filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 44).map(one => one.outerHTML)"
        )
        assert small == [], path


def test_the_keyboard_reaches_the_first_deed(world: World, clock: ManualClock, enter: Enter) -> None:
    sos(world, clock)
    page = enter("anna", "/alerts")
    expect(page.get_by_role("button", name="I have it")).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == "I have it":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("Anna has it")).to_be_visible()


def test_an_alert_is_handed_on_by_name_and_the_page_says_that_nobody_has_it_yet(
    world: World, clock: ManualClock, enter: Enter
) -> None:
    alert = sos(world, clock)
    page = enter("anna", f"/alerts/{alert}")
    page.get_by_text("Hand it on").first.click()
    page.get_by_label("To whom").select_option(label="Head · manager")
    page.get_by_role("button", name="Hand it on").click()
    expect(page.get_by_text("Head was asked to take it over and has not answered yet")).to_be_visible()
    expect(page.get_by_text("Anna asked Head to take it over")).to_be_visible()


def test_a_worker_enters_an_absence_and_takes_over_a_shift_by_thumb(
    world: World, clock: ManualClock, enter: Enter
) -> None:
    world.plan("2", clock.now())
    page = enter("anna", f"/homes/{world.homes['1']}")
    page.get_by_text("Enter an absence or a visitor").click()
    form = page.locator("form", has=page.locator("select[name=kind]"))
    form.locator("select").select_option("hospital")
    form.locator("input[name=until_at]").fill("2026-03-09T12:00")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("in hospital", exact=True).first).to_be_visible()
    page.goto(page.url.split("/homes")[0] + "/shifts")
    expect(page.get_by_text("nobody: Anna is on leave").first).to_be_visible()
    page.get_by_text("Enter a cover").click()
    page.get_by_role("button", name="Save").first.click()
    row = world.connection.execute("SELECT count(*) AS n FROM shift_cover WHERE person_id = %s", [world.people["anna"]])
    assert row.fetchone() == {"n": 2}
