"""The app on a real database with a small district in it, served by the real web server; clients who are signed in."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.service import Serving, uvicorn_server
from api.settings import Settings
from core.clock import ManualClock
from store.pool import DatabaseRole, Pool, open_pool
from tests.conftest import Database
from tests.integration.api.world import PASSWORD, World, make_world
from yiju.embedded.postgres import free_port

PATIENCE_S = 20.0
SignIn = Callable[[str], httpx.Client]


def wait_for(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Looks again and again until it is so; fails with `what` when it never is."""
    until = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < until, f"not within {patience_s} s: {what}"
        time.sleep(0.01)


@pytest.fixture
def world(database: Database, clock: ManualClock) -> Iterator[World]:
    with database.connect() as connection:
        yield make_world(connection, clock.now())


@pytest.fixture
def pool(database: Database) -> Iterator[Pool]:
    with open_pool(database.url, DatabaseRole.API, size=4) as pool:
        yield pool


@pytest.fixture
def settings(database: Database) -> Settings:
    port = free_port()
    return Settings(database_url=database.url, port=port, public_url=f"http://127.0.0.1:{port}", metrics_token="scrape")


@pytest.fixture
def app(settings: Settings, pool: Pool, clock: ManualClock, world: World) -> FastAPI:
    return create_app(settings, clock, pool)


@pytest.fixture
def site(app: FastAPI, settings: Settings) -> Iterator[str]:
    """The address at which the app is served while the test lasts."""
    server = uvicorn_server(app, settings)
    with Serving(app.state.house, server):
        wait_for(lambda: server.started and app.state.house.switchboard.listens.is_set(), "the server listens")
        yield settings.public_url


@pytest.fixture
def new_client(site: str) -> Iterator[Callable[[], httpx.Client]]:
    """Makes clients that follow no redirect."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(httpx.Client(base_url=site, trust_env=False, timeout=PATIENCE_S))


@pytest.fixture
def stranger(new_client: Callable[[], httpx.Client]) -> httpx.Client:
    """Nobody in particular."""
    return new_client()


@pytest.fixture
def program(new_client: Callable[[], httpx.Client]) -> SignIn:
    """A program with a person's bearer token."""

    def sign_in(login: str) -> httpx.Client:
        client = new_client()
        answer = client.post("/api/v1/tokens", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client

    return sign_in


@pytest.fixture
def browser(new_client: Callable[[], httpx.Client], site: str) -> SignIn:
    """A person's browser: it has the session's cookie and names the page that a form stood on."""

    def sign_in(login: str) -> httpx.Client:
        client = new_client()
        client.headers["Origin"] = site
        answer = client.post("/login", data={"login": login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client

    return sign_in
