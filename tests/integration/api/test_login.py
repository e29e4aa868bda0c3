"""Signing in and out, guessing, and forms from elsewhere."""

from datetime import timedelta

import httpx

from api.auth import TRIES_PER_LOGIN, Throttle
from api.errors import TooManyTries
from core.clock import ManualClock
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import PASSWORD, World


class PacedClock(ManualClock):
    """A manual clock whose seconds count as the machine's."""

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


def test_each_role_lands_on_its_own_page(browser: SignIn) -> None:
    landed = {who: browser(who).get("/").headers.get("location") for who in ("anna", "head", "mei", "root", "nobody")}
    assert landed == {"anna": "/alerts", "head": "/overview", "mei": "/family", "root": "/alerts", "nobody": None}


def test_the_cookie_is_out_of_reach_and_only_its_hash_kept(world: World, stranger: httpx.Client, site: str) -> None:
    answer = stranger.post("/login", data={"login": "anna", "password": PASSWORD}, headers={"Origin": site})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    token = stranger.cookies["yiju_session"]
    row = world.connection.execute("SELECT token_hash, kind FROM login_session").fetchone()
    assert row is not None
    assert len(row["token_hash"]) == 32
    assert token.encode() not in row["token_hash"]


def test_a_wrong_password_and_an_unknown_name_answer_alike(stranger: httpx.Client) -> None:
    answers = [
        stranger.post("/api/v1/tokens", json={"login": login, "password": "wrong"}) for login in ("anna", "no-such")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_guessing_is_stopped_for_that_name_alone(stranger: httpx.Client, site: str) -> None:
    for _ in range(TRIES_PER_LOGIN):
        stranger.post("/api/v1/tokens", json={"login": "anna", "password": "wrong"})
    right = stranger.post("/api/v1/tokens", json={"login": "anna", "password": PASSWORD})
    assert (right.status_code, right.json()["error"]["code"]) == (429, "too_many_tries")
    assert stranger.post("/api/v1/tokens", json={"login": "bo", "password": PASSWORD}).status_code == 201
    page = stranger.post("/login", data={"login": "anna", "password": PASSWORD}, headers={"Origin": site})
    assert page.status_code == 429


def test_the_throttle_forgets_after_a_quarter_of_an_hour(clock: ManualClock) -> None:
    paced = PacedClock(clock.now())
    throttle = Throttle(paced)
    for _ in range(TRIES_PER_LOGIN):
        throttle.check("anna", "10.0.0.1")
        throttle.failed("anna", "10.0.0.1")
    refused = False
    try:
        throttle.check("anna", "10.0.0.2")
    except TooManyTries:
        refused = True
    assert refused
    paced.move(timedelta(minutes=15))
    throttle.check("anna", "10.0.0.1")


def test_signing_out_ends_the_session_in_the_database_too(world: World, browser: SignIn) -> None:
    client = browser("anna")
    token = client.cookies["yiju_session"]
    assert client.post("/logout").headers["location"] == "/login"
    client.cookies.set("yiju_session", token)
    assert client.get("/alerts").status_code == 303
    assert world.connection.execute("SELECT * FROM login_session").fetchall() == []


def test_a_session_ends_by_itself(clock: ManualClock, browser: SignIn) -> None:
    client = browser("anna")
    assert client.get("/alerts").status_code == 200
    clock.move(timedelta(days=15))
    assert client.get("/alerts").status_code == 303


def test_a_programs_token_is_no_cookie_and_can_be_given_back(program: SignIn, stranger: httpx.Client) -> None:
    client = program("anna")
    token = client.headers["Authorization"].removeprefix("Bearer ")
    stranger.cookies.set("yiju_session", token)
    assert stranger.get("/alerts").status_code == 303
    assert client.delete("/api/v1/tokens/current").status_code == 204
    assert client.get("/api/v1/me").status_code == 401


def test_a_form_from_another_site_is_refused(world: World, clock: ManualClock, browser: SignIn) -> None:
    alert = world.alert("1", clock.now(), room="bedroom", measured_at=clock.now().isoformat())
    client = browser("anna")
    path = f"/alerts/{alert}/acknowledge"
    foreign: list[dict[str, str]] = [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ]
    assert [client.post(path, headers=headers).status_code for headers in foreign] == [403, 403, 403]
    del client.headers["Origin"]
    assert client.post(path).status_code == 403
    assert client.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post(f"/api/v1/alerts/{alert}/acknowledge").status_code == 403
    assert world.connection.execute("SELECT state FROM alert").fetchall() == [{"state": "open"}]
    assert client.post(path, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_nobody_is_signed_in_by_a_foreign_form(stranger: httpx.Client) -> None:
    answer = stranger.post(
        "/login", data={"login": "anna", "password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403


def test_a_login_leads_nobody_to_another_site(stranger: httpx.Client, site: str) -> None:
    for path in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        answer = stranger.post(
            "/login", data={"login": "anna", "password": PASSWORD, "next": path}, headers={"Origin": site}
        )
        assert answer.headers["location"] == "/"


def test_the_browser_then_the_person_chooses_the_language(
    world: World, stranger: httpx.Client, browser: SignIn
) -> None:
    assert 'lang="zh-CN"' in stranger.get("/login").text
    assert 'lang="en"' in stranger.get("/login", headers={"Accept-Language": "fr;q=0.9, en-GB;q=0.8"}).text
    client = browser("anna")
    assert "Open alerts" in client.get("/alerts").text
    assert client.post("/language", data={"locale": "zh_CN", "next": "/alerts"}).headers["location"] == "/alerts"
    assert "待处理提醒" in client.get("/alerts").text
    assert client.post("/language", data={"locale": "xx"}).status_code == 403


def test_pages_carry_the_headers_that_protect_a_reader(browser: SignIn) -> None:
    headers = browser("anna").get("/alerts").headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
