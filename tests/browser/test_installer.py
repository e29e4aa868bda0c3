"""An installer's phone, on a ladder."""

from playwright.sync_api import expect
from psycopg.types.json import Jsonb

from core.clock import ManualClock
from core.wire import to_ms
from tests.browser.conftest import Enter
from tests.integration.api.world import World


def report(world: World, clock: ManualClock, *addresses: str) -> None:
    """The gateway of home 1 says what it hears and nobody has registered."""
    found = [
        {"address": address, "model": "Aqara MCCGQ11LM", "values": {"open": 1, "battery": 97}, "at": to_ms(clock.now())}
        for address in addresses
    ]
    sample = {
        "topic": "tele/strange/SENSOR",
        "payload": '{"XYZ":{"a":1}}',
        "why": "no_reading",
        "at": to_ms(clock.now()),
    }
    world.connection.execute(
        "INSERT INTO gateway_report"
        " (gateway_id, reported_at, stored_at, software, version, digest, state, found, samples)"
        " SELECT id, %(now)s, %(now)s, '0.1.0', 3, 'abc', 'applied', %(found)s, %(samples)s"
        " FROM gateway WHERE key = 'gw-1'"
        " ON CONFLICT (gateway_id) DO UPDATE SET found = excluded.found",
        {"now": clock.now(), "found": Jsonb(found), "samples": Jsonb([sample])},
    )
    world.connection.execute(
        "INSERT INTO gateway_configuration SELECT id, 3, 'abc', '{}', %s FROM gateway WHERE key = 'gw-1'"
        " ON CONFLICT DO NOTHING",
        [clock.now()],
    )


def test_a_new_sensors_first_message_appears_without_a_reload(world: World, clock: ManualClock, enter: Enter) -> None:
    report(world, clock)
    page = enter("anna", f"/homes/{world.homes['1']}/gateways")
    expect(page.get_by_text("Configuration applied (version 3)")).to_be_visible()
    expect(page.get_by_text("zigbee2mqtt/Hall door")).to_have_count(0)
    report(world, clock, "zigbee2mqtt/Hall door")
    expect(page.get_by_text("zigbee2mqtt/Hall door")).to_be_visible(timeout=8000)
    expect(page.get_by_text("1 device is not registered")).to_be_visible()


def test_a_code_is_made_by_thumb_and_nothing_is_wider_than_the_phone(
    world: World, clock: ManualClock, enter: Enter
) -> None:
    report(world, clock, "zigbee2mqtt/A door with a very long name that somebody has chosen in the app of the vendor")
    page = enter("root", f"/homes/{world.homes['1']}/gateways")
    page.locator("summary").filter(has_text="not understood").click()
    page.get_by_role("button", name="Code for a new gateway").click()
    expect(page.get_by_text("Enrolment code")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        "[...document.querySelectorAll('main button, main .button, main summary')]"
        ".filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 44).map(one => one.outerHTML)"
    )
    assert small == []


def test_a_sensor_that_was_taken_away_is_reported_by_two_taps_and_comes_back_by_one(
    world: World, clock: ManualClock, enter: Enter
) -> None:
    report(world, clock)
    page = enter("root", f"/homes/{world.homes['1']}/gateways")
    row = page.locator("li", has_text="zigbee2mqtt/BathRadar")
    row.get_by_text("Report as taken away").click()
    row.get_by_role("button", name="Yes, it was taken away").click()
    page.get_by_text("One device taken away").click()
    gone = page.locator(".former li", has_text="zigbee2mqtt/BathRadar")
    expect(gone).to_be_visible()
    gone.get_by_role("button", name="It is back").click()
    expect(page.locator(".former")).to_have_count(0)
    expect(row.get_by_text("Report as taken away")).to_be_visible()
