"""The one door for homes, devices and people: idempotent, whole or not at all, and clear about what is wrong."""

from copy import deepcopy
from typing import Any

import pytest

from care.register import apply_register, read_document
from core.errors import RegisterError
from store.pool import DatabaseRole
from tests.conftest import NOW, Database

DOCUMENT: dict[str, Any] = {
    "region": [
        {"key": "c-1", "name": "东方社区", "level": "community", "parent": "s-1"},
        {"key": "s-1", "name": "江湾街道", "level": "street", "parent": "d-1"},
        {"key": "d-1", "name": "示范区", "level": "district"},
    ],
    "home": [
        {
            "key": "home-1",
            "region": "c-1",
            "name": "王奶奶家",
            "commissioned": NOW,
            "room": [{"key": "hall", "kind": "entry"}],
            "resident": [{"key": "wang", "name": "王秀英"}],
            "gateway": [{"key": "gw-1"}],
            "device": [
                {"gateway": "gw-1", "address": "zigbee2mqtt/Front door", "kind": "contact", "room": "hall",
                 "exterior": True},
            ],
        }
    ],
    "person": [
        {"key": "li", "name": "李明", "login": "li", "password": "not a real one",
         "grant": [{"role": "worker", "region": "c-1"}], "consent": [{"home": "home-1"}]},
    ],
}  # fmt: skip


def apply(database: Database, values: dict[str, Any]) -> Any:
    with database.connect(DatabaseRole.REGISTER) as connection:
        return apply_register(connection, read_document(values, "test.toml"), "test.toml", NOW)


def test_the_same_document_twice_changes_nothing_the_second_time(database: Database) -> None:
    first = apply(database, DOCUMENT)
    assert first.created == {"region": 3, "home": 1, "room": 1, "resident": 1, "gateway": 1, "device": 2,
                             "person": 1, "grant": 1, "consent": 1}  # fmt: skip
    second = apply(database, DOCUMENT)
    assert not second.created
    assert not second.updated


def test_a_changed_entry_is_updated_and_the_others_are_left_alone(database: Database) -> None:
    apply(database, DOCUMENT)
    changed = deepcopy(DOCUMENT)
    changed["home"][0]["name"] = "王家"
    report = apply(database, changed)
    assert dict(report.updated) == {"home": 1}
    with database.connect() as connection:
        row = connection.execute("SELECT name FROM home").fetchone()
    assert row == {"name": "王家"}


def test_an_import_without_a_password_keeps_the_one_that_is_there(database: Database) -> None:
    apply(database, DOCUMENT)
    without = deepcopy(DOCUMENT)
    del without["person"][0]["password"]
    apply(database, without)
    with database.connect() as connection:
        row = connection.execute("SELECT password_hash FROM person").fetchone()
    assert row is not None
    assert row["password_hash"].startswith("$argon2id$")


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("home", 0, "region"), "c-9", "home 'home-1': region 'c-9' is not known"),
        (("home", 0, "zone"), "Mars/Olympus", "zone 'Mars/Olympus' is not an IANA time zone"),
        (("home", 0, "device", 0, "room"), "attic", "room 'attic' is not one of its rooms (hall)"),
        (("home", 0, "device", 0, "kind"), "toaster", "'zigbee2mqtt/Front door' kind: Invalid enum value 'toaster'"),
        (("home", 0, "device", 0, "exteriour"), True, "unknown field `exteriour`"),
        (("home", 0, "gateway", 0, "key"), "GW 1", "gateway 'GW 1' key"),
        (("home", 0, "gateway", 0, "key"), "GW1", "a gateway's key is part of MQTT topics"),
        (("person", 0, "grant", 0, "role"), "family", "write [[person.consent]]"),
        (("region", 2, "parent"), "c-1", "are each other's parents"),
    ],
)
def test_an_error_names_the_file_the_key_and_the_remedy_and_nothing_is_stored(
    database: Database, path: tuple[Any, ...], value: Any, sentence: str
) -> None:
    wrong = deepcopy(DOCUMENT)
    node = wrong
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    with pytest.raises(RegisterError) as error:
        apply(database, wrong)
    assert sentence in str(error.value)
    assert "test.toml" in str(error.value)
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) AS n FROM region").fetchone() == {"n": 0}
