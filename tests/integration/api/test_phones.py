"""The demo's phones: a message really goes out, arrives signed, and is shown to those who may see its home only."""

import json
import re
import stat
import time
from pathlib import Path
from typing import Final

import httpx
import numpy as np
import pytest

from alerts.notify.dispatch import Dispatch
from alerts.notify.outbox import Outbox
from alerts.notify.webhook import signature
from api.access import DEMO_PHONES
from api.demo.phones import Phones
from api.settings import Settings
from core.clock import ManualClock
from core.errors import SettingsError
from core.words import load_words
from store.pool import DatabaseRole, open_pool
from tests.conftest import NOW, Database
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World

SECRET: Final = "of-this-demo-alone"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "phones.json").write_text(json.dumps({"secret": SECRET, "pages": ""}))
    return tmp_path


class TestWithoutADemo:
    def test_there_are_no_phones_whoever_asks(self, browser: SignIn, stranger: httpx.Client, site: str) -> None:
        assert browser("root").get("/phones").status_code == 404
        assert "/phones" not in browser("root").get("/alerts").text
        assert send(stranger, site, "anna", {"id": "1-1"}).status_code == 404

    def test_a_folder_of_no_demo_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="is no folder of a demo"):
            Phones(tmp_path, time.time)

    def test_a_message_that_could_not_be_kept_is_taken_when_it_is_sent_again(self, folder: Path) -> None:
        phones, kept = Phones(folder, lambda: 1000.0), folder / "phones.jsonl"
        body = b'{"id": "7-1"}'
        arrives = ("anna", "7-1", "1000", signature(SECRET.encode(), "7-1", 1000, body), body, NOW)
        kept.mkdir()  # as a disk that refuses
        with pytest.raises(OSError, match=r"phones\.jsonl"):
            phones.take(*arrives)
        kept.rmdir()
        phones.take(*arrives)
        phones.take(*arrives)
        assert [one.body["id"] for one in phones.received()] == ["7-1"]


class TestInADemo:
    @pytest.fixture
    def settings(self, settings: Settings, folder: Path) -> Settings:
        given = {name: getattr(settings, name) for name in settings.__struct_fields__}
        return Settings(**{**given, "demo_phones": str(folder)})

    def test_a_message_goes_out_arrives_and_its_link_answers(
        self, world: World, browser: SignIn, stranger: httpx.Client, site: str, database: Database, clock: ManualClock,
        folder: Path,
    ) -> None:  # fmt: skip
        channel = f"webhook+{site.replace('://', f'://:{SECRET}@')}{DEMO_PHONES}anna"
        alert = world.alert("1", clock.now(), room="bedroom", measured_at=clock.now().isoformat())
        world.connection.execute(
            "INSERT INTO delivery (alert_id, rung, person_id, channel, created_at, next_try_at)"
            " VALUES (%s, 1, %s, %s, %s, %s)", [alert, world.people["anna"], channel, clock.now(), clock.now()],
        )  # fmt: skip
        with open_pool(database.url, DatabaseRole.ALERTS, size=3) as pool:
            outbox = Outbox(pool, clock, load_words(), site, np.random.default_rng(1), Dispatch(site, time.time))
            assert [future.result() for future in outbox.start_due()] == ["sent"]
            outbox.close()
        shown = browser("root").get("/phones").text
        assert "Home of Wang" in shown
        assert ">sent<" in shown
        (ticket,) = set(re.findall(rf'href="{site}(/a/[^"]+)"', shown))
        stranger.headers["Origin"] = site
        assert stranger.post(ticket, data={"answer": "acknowledge"}).status_code == 200
        assert ">answered<" in browser("root").get("/phones/now").text
        row = world.connection.execute("SELECT state, ack_by FROM alert").fetchone()
        assert row == {"state": "acknowledged", "ack_by": world.people["anna"]}
        assert stat.S_IMODE((folder / "phones.jsonl").stat().st_mode) == 0o600
        assert [one.phone for one in Phones(folder, time.time).received()] == ["anna"]  # after a restart too

    def test_each_sees_the_homes_that_they_may_see_and_their_own_messages(
        self, world: World, browser: SignIn, stranger: httpx.Client, site: str
    ) -> None:
        for phone, facts in (("mei", {"home": "1"}), ("bo", {"home": "3"}), ("head", {})):
            body = {"id": f"b-{phone}", "title": f"For {phone}", "body": "x <b>", "urgent": False, **facts}
            for _ in range(2):  # the second is the same, tried again
                assert send(stranger, site, phone, body).status_code == 204
        saw = {who: re.findall(r"For \w+", browser(who).get("/phones").text) for who in ("root", "head", "anna", "bo")}
        assert saw == {
            "root": ["For head", "For bo", "For mei"], "head": ["For head", "For bo", "For mei"],
            "anna": ["For mei"], "bo": ["For bo"],
        }  # fmt: skip
        assert "<b>" not in re.sub(r"<b>For", "", browser("anna").get("/phones/now").text)
        assert browser("mei").get("/phones").status_code == 403
        assert stranger.get("/phones").status_code == 303

    def test_what_is_not_signed_by_this_demo_or_is_old_is_refused(self, stranger: httpx.Client, site: str) -> None:
        body = {"id": "1-1", "title": "t", "body": "b", "urgent": False}
        assert send(stranger, site, "anna", body, secret="another").status_code == 403
        assert send(stranger, site, "anna", body, at=int(time.time()) - 3600).status_code == 403
        assert stranger.post(f"{site}{DEMO_PHONES}anna", json=body).status_code == 422


def send(
    client: httpx.Client, site: str, phone: str, body: dict[str, object], secret: str = SECRET, at: int | None = None
) -> httpx.Response:
    """As the webhook sends it."""
    moment, content = at or int(time.time()), json.dumps(body).encode()
    headers = {"Yiju-Id": str(body["id"]), "Yiju-Timestamp": str(moment), "Content-Type": "application/json",
               "Yiju-Signature": signature(secret.encode(), str(body["id"]), moment, content)}  # fmt: skip
    return client.post(f"{site}{DEMO_PHONES}{phone}", content=content, headers=headers)
