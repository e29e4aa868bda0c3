"""What OpenAPI says of `/api/v1`."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from api.app import create_app
from api.errors import ANSWERS, answer_to
from api.settings import Settings
from core import errors
from core.clock import SystemClock
from store.pool import Connection, DatabaseRole


@pytest.fixture(scope="module")
def described() -> Iterator[dict[str, Any]]:
    """The description needs no database: its pool is never opened."""
    pool: ConnectionPool[Connection] = ConnectionPool(
        "postgresql://nowhere", connection_class=Connection, open=False, name=DatabaseRole.API
    )
    yield create_app(Settings(database_url="postgresql://nowhere"), SystemClock(), pool).openapi()
    pool.close()


def test_the_routes_of_the_first_version_are_described(described: dict[str, Any]) -> None:
    paths = {(method, path) for path, methods in described["paths"].items() for method in methods}
    assert {
        ("post", "/api/v1/tokens"),
        ("get", "/api/v1/me"),
        ("get", "/api/v1/regions"),
        ("get", "/api/v1/homes"),
        ("get", "/api/v1/homes/{home_id}"),
        ("get", "/api/v1/homes/{home_id}/timeline"),
        ("get", "/api/v1/homes/{home_id}/week"),
        ("get", "/api/v1/alerts"),
        ("get", "/api/v1/alerts/{alert_id}"),
        ("post", "/api/v1/alerts/{alert_id}/acknowledge"),
        ("post", "/api/v1/alerts/{alert_id}/on-site"),
        ("post", "/api/v1/alerts/{alert_id}/resolve"),
        ("get", "/api/v1/events"),
    } <= paths


def test_every_operation_says_what_it_does_and_how_it_fails(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), (method, path)
            if path.startswith("/api/"):
                shape = operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"]
                assert shape.endswith("/ErrorAnswer"), (method, path)


def test_pages_are_not_part_of_it(described: dict[str, Any]) -> None:
    assert [path for path in described["paths"] if not path.startswith(("/api/v1/", "/health", "/metrics"))] == []


def test_every_error_of_the_tree_has_an_answer() -> None:
    raised_here = (errors.NotFound, errors.NotAllowed, errors.Conflict, errors.RegisterError, errors.StoreError)
    assert {answer_to(kind("x")).status for kind in raised_here} == {404, 403, 409, 422, 503}
    assert answer_to(RuntimeError("x")).status == 500
    for place, (kind, _) in enumerate(ANSWERS):
        assert not any(issubclass(kind, earlier) for earlier, _ in ANSWERS[:place]), f"{kind} stands after its parent"
