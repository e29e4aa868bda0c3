"""Shifts, contacts in order and volunteers through the register's door."""

from typing import Any

import pytest

from alerts.policy import check_policy
from care.register import RegisterReport, apply_register, read_document
from core.errors import RegisterError
from tests.conftest import NOW, Database

REGIONS = [
    {"key": "district", "level": "district", "name": "District"},
    {"key": "north", "level": "community", "name": "North", "parent": "district"},
]
STARTS = {"starts": "2026-03-02"}


def document(**rotation: Any) -> dict[str, Any]:
    return {
        "region": REGIONS,
        "home": [{"key": "home-1", "region": "north", "name": "Home", "commissioned": "2026-01-01T00:00:00+08:00"}],
        "person": [
            {"key": "wang", "name": "Wang", "grant": [{"role": "worker", "region": "north"}]},
            {"key": "zhao", "name": "Zhao", "grant": [{"role": "centre", "region": "district"}]},
            {"key": "qian", "name": "Qian", "grant": [{"role": "volunteer", "region": "north"}]},
            {"key": "mei", "name": "Mei", "consent": [{"home": "home-1", "relation": "daughter", "order": 2}]},
        ],
        "rotation": [
            {
                "key": "north-days",
                "region": "north",
                "members": ["wang", "-", "zhao"],
                "starts": "2026-03-02",
                **rotation,
            }
        ],
    }


def put(database: Database, values: dict[str, Any]) -> RegisterReport:
    with database.connect() as connection:
        return apply_register(connection, read_document(values, "test", check_policy), "test", NOW)


def test_a_rotation_comes_in_once_and_a_change_of_its_members_is_a_change(database: Database) -> None:
    assert put(database, document()).created["rotation"] == 1
    again = put(database, document())
    assert not again.created
    assert not again.updated
    assert put(database, document(members=["zhao"])).updated == {"rotation_member": 1}
    with database.connect() as connection:
        assert connection.execute(
            "SELECT place, key FROM rotation_member JOIN person ON id = person_id"
        ).fetchall() == [{"place": 0, "key": "zhao"}]
        assert connection.execute("SELECT place FROM consent").fetchall() == [{"place": 2}]
        # A volunteer is no staff: a row of its own, no grant.
        assert connection.execute("SELECT count(*) AS n FROM volunteer").fetchall() == [{"n": 1}]
        assert connection.execute("SELECT count(*) AS n FROM role_grant").fetchall() == [{"n": 2}]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"handovers": ["8:00"]}, "not a time of the day"),
        ({"handovers": ["20:00", "08:00"]}, "earliest first"),
        ({"handovers": ["08:00", "20:00"], "every_days": 7}, "every_days = 1"),
        ({"zone": "Mars/Base"}, "not an IANA time zone"),
        ({"ends": "2026-03-02"}, "is not after"),
        ({"members": []}, "length"),
        ({"members": ["mei"]}, "'mei' holds no grant"),
        ({"members": ["nobody"]}, "'nobody' is not known"),
        ({"region": "south"}, "'south' is not known"),
        ({"duty": "third"}, "duty"),
    ],
)
def test_a_rotation_that_cannot_be_is_refused_by_name(database: Database, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(RegisterError, match=says):
        put(database, document(**{"every_days": 1, **wrong}))
