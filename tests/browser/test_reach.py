"""Messages in a browser: switched on from the page, shown by the worker; and answering from a telephone's link."""

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from alerts.notify.keys import make_keys
from alerts.notify.tickets import make_ticket
from core.clock import ManualClock
from store.pool import DatabaseRole
from tests.browser.conftest import PHONE
from tests.conftest import Database
from tests.integration.api.world import World

Enter = Callable[..., Page]
# Chromium without Google's keys has no push service: the page's own part is tested with this in its place.
PUSH_SERVICE = """
PushManager.prototype.subscribe = async function (options) {
  window.asked = { visible: options.userVisibleOnly, key: options.applicationServerKey.length };
  const keys = { p256dh: 'B' + 'A'.repeat(86), auth: 'QUFBQUFBQUFBQUFBQUFBQQ' };
  const endpoint = 'https://fcm.googleapis.com/fcm/send/abc';
  return { toJSON: () => ({ endpoint, keys }), unsubscribe: async () => true };
};
Notification.requestPermission = async () => 'granted';
Object.defineProperty(Notification, 'permission', { get: () => 'default' });
"""


@pytest.fixture
def answer_key(database: Database, clock: ManualClock) -> bytes:
    with database.connect(DatabaseRole.ALERTS) as connection:
        return make_keys(connection, clock.now()).answer


def test_a_worker_switches_messages_on_in_this_browser(world: World, answer_key: bytes, enter: Enter) -> None:
    page = enter("anna", "/me")
    page.context.add_init_script(PUSH_SERVICE)
    page.goto(page.url)
    expect(page.locator("#push .state")).to_have_text("Off in this browser.")
    page.click("#push .on")
    expect(page.locator(".channels")).to_contain_text("Browser")
    expect(page.locator(".channels")).to_contain_text("Chrome")
    rows = world.connection.execute("SELECT person_id, endpoint FROM push_subscription").fetchall()
    assert rows == [{"person_id": world.people["anna"], "endpoint": "https://fcm.googleapis.com/fcm/send/abc"}]
    workers = page.context.service_workers
    assert [worker.url.rsplit("/", 1)[1] for worker in workers] == ["push-worker.js"]


def test_the_worker_shows_the_kind_alone_and_says_that_it_arrived(
    world: World, answer_key: bytes, clock: ManualClock, enter: Enter, site: str
) -> None:
    ticket = ticket_for(world, answer_key, clock)
    page = enter("anna", "/me")
    page.context.grant_permissions(["notifications"], origin=site)
    page.evaluate("navigator.serviceWorker.register('/static/push-worker.js').then(() => navigator.serviceWorker)")
    page.wait_for_function(
        "navigator.serviceWorker.getRegistration('/static/').then((one) => Boolean(one && one.active))"
    )
    (worker,) = page.context.service_workers
    said = json.dumps({"title": "fall", "url": f"{site}/a/{ticket}", "tag": "1-1", "urgent": True})
    shown = worker.evaluate(
        """async (said) => {
          const shown = [];
          const real = self.registration.showNotification;
          const show = async (title, options) => { shown.push([title, options]); };
          ServiceWorkerRegistration.prototype.showNotification = show;
          const waits = [];
          const event = new PushEvent('push', { data: said });
          event.waitUntil = (one) => waits.push(one);
          self.dispatchEvent(event);
          await Promise.all(waits);
          ServiceWorkerRegistration.prototype.showNotification = real;
          return shown;
        }""",
        said,
    )
    ((title, options),) = shown
    assert (title, options["requireInteraction"], options["data"]) == ("fall", True, {"url": f"{site}/a/{ticket}"})
    assert "body" not in options
    row = world.connection.execute("SELECT status FROM delivery").fetchone()
    assert row == {"status": "accepted"}


def ticket_for(world: World, key: bytes, clock: ManualClock) -> str:
    now = clock.now()
    alert = world.alert("1", now, room="bedroom", measured_at=now.isoformat())
    delivery = world.add(
        "INSERT INTO delivery (alert_id, rung, person_id, channel, created_at, state, sent_at)"
        " VALUES (%(alert)s, 1, %(person)s, 'json://x', %(now)s, 'sent', %(now)s) RETURNING id",
        alert=alert, person=world.people["anna"], now=now,
    )  # fmt: skip
    expires = now + timedelta(hours=24)
    link = world.add(
        "INSERT INTO answer_link (delivery_id, person_id, alert_ids, made_at, expires_at)"
        " VALUES (%(delivery)s, %(person)s, ARRAY[%(alert)s]::bigint[], %(now)s, %(expires)s) RETURNING id",
        delivery=delivery, person=world.people["anna"], alert=alert, now=now, expires=expires,
    )  # fmt: skip
    return make_ticket(key, link, expires)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_tap_on_the_link_answers_without_signing_in(
    world: World, answer_key: bytes, clock: ManualClock, chromium: Browser, site: str, scripts: bool
) -> None:
    ticket = ticket_for(world, answer_key, clock)
    context = chromium.new_context(viewport=PHONE, locale="en", java_script_enabled=scripts)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{site}/a/{ticket}")
    expect(page.locator("h2").first).to_have_text(re.compile("call for help"))
    page.click("button.main")
    expect(page.locator("h1")).to_contain_text("You have it")
    status = world.connection.execute("SELECT status FROM delivery").fetchone()
    assert status == {"status": "answered"}
    page.goto(f"{site}/a/{ticket}")
    expect(page.locator("h1")).to_contain_text("You have answered this already")
    context.close()
