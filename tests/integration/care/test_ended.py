"""What was taken away: ended by the register, brought back by it, and never ended because it is not named."""

from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest

from care.enrolment import make_code, redeem
from care.register import RegisterReport, apply_register, not_named, read_document
from core.errors import Conflict, NotFound, RegisterError
from store.pool import DatabaseRole
from tests.conftest import NOW, Database
from yiju.importing import remarks, renew_gateway_password

DOOR, BED = "zigbee2mqtt/Front door", "zigbee2mqtt/Bed"
GATEWAY, FIRST, SECOND = {"key": "gw-old"}, {"gateway": "gw-old", "address": DOOR, "kind": "contact"}, {
    "gateway": "gw-old", "address": BED, "kind": "bed"}  # fmt: skip


def document(*gateways: dict[str, Any], devices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "region": [{"key": "c-1", "name": "东方社区", "level": "community"}],
        "home": [{"key": "home-1", "region": "c-1", "name": "王奶奶家", "commissioned": NOW - timedelta(days=60),
                  "gateway": list(gateways), "device": devices}],
    }  # fmt: skip


BEGIN = document(GATEWAY, devices=[FIRST, SECOND])


def apply(database: Database, values: dict[str, Any]) -> RegisterReport:
    with database.connect(DatabaseRole.REGISTER) as connection:
        return apply_register(connection, read_document(deepcopy(values), "test.toml"), "test.toml", NOW)


def devices(database: Database) -> list[tuple[int, str, str, bool]]:
    """(id, gateway, address, in use) of the home's sensors."""
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT device.id, gateway.key, address, device.ended_at IS NULL AS used FROM device"
            " JOIN gateway ON gateway.id = gateway_id WHERE kind <> 'gateway' ORDER BY device.id"
        ).fetchall()
    return [(row["id"], row["key"], row["address"], row["used"]) for row in rows]


def test_an_ended_gateway_takes_its_devices_with_it_and_comes_back_with_them_but_not_with_those_that_had_ended(
    database: Database,
) -> None:
    apply(database, BEGIN)
    without_bed = document(GATEWAY, devices=[FIRST, {**SECOND, "ended": date(2026, 1, 20)}])
    apply(database, without_bed)
    assert [used for *_, used in devices(database)] == [True, False]
    apply(database, document({**GATEWAY, "ended": NOW - timedelta(hours=2)}, devices=without_bed["home"][0]["device"]))
    assert [used for *_, used in devices(database)] == [False, False]
    again = apply(database, without_bed)
    assert [used for *_, used in devices(database)] == [True, False]
    assert dict(again.updated) == {"gateway": 1}
    assert not apply(database, without_bed).updated


def test_a_day_is_the_homes_own_and_json_says_the_same_as_toml(database: Database) -> None:
    apply(database, document({**GATEWAY, "ended": "2026-01-20"}, devices=[]))
    with database.connect() as connection:
        row = connection.execute("SELECT ended_at FROM gateway").fetchone()
    assert row is not None
    assert row["ended_at"].isoformat() == "2026-01-19T16:00:00+00:00"  # midnight in Shanghai
    moment = document({**GATEWAY, "ended": "2026-01-20T10:00:00+08:00"}, devices=[])
    assert apply(database, moment).updated["gateway"] == 1


@pytest.mark.parametrize(
    ("ended", "sentence"),
    [
        (NOW + timedelta(days=1), "is still to come"),
        ((NOW - timedelta(days=1)).replace(tzinfo=None), "has no zone"),
        ("yesterday", "Invalid isoformat"),
        (7, "is no date or moment"),
    ],
)
def test_an_end_that_cannot_be_says_what_to_write(database: Database, ended: Any, sentence: str) -> None:
    with pytest.raises(RegisterError, match=sentence):
        apply(database, document({**GATEWAY, "ended": ended}, devices=[]))


def test_what_is_not_named_any_more_is_told_each_time_and_not_ended(database: Database) -> None:
    apply(database, BEGIN)
    for _ in range(2):
        report = apply(database, document({"key": "gw-new"}, devices=[FIRST]))
        assert [(one.gateway, one.address) for one in report.missing] == [("gw-old", ""), ("gw-old", BED)]
    assert "device 'zigbee2mqtt/Bed' of gateway 'gw-old' is in the platform but not in the file" in remarks(report)[-1]
    assert all(used for *_, used in devices(database))
    with database.connect() as connection:
        assert [one.address for one in not_named(connection)] == ["", BED]
        apply(database, BEGIN)
        assert [one.gateway for one in not_named(connection)] == ["gw-new"]


def test_a_device_in_use_is_with_one_gateway(database: Database) -> None:
    apply(database, BEGIN)
    both = document(GATEWAY, {"key": "gw-new"}, devices=[FIRST, {**FIRST, "gateway": "gw-new"}])
    with pytest.raises(RegisterError, match="is with gateway 'gw-old' and with 'gw-new': what both hear"):
        apply(database, both)
    with database.connect() as connection:  # as before this rule
        connection.execute("INSERT INTO gateway (key, home_id, registered_at) SELECT 'gw-new', id, %s FROM home", [NOW])
        connection.execute(
            "INSERT INTO device (gateway_id, address, home_id, kind, registered_at) SELECT gateway.id, %s, home_id,"
            " 'contact', %s FROM gateway WHERE key = 'gw-new'", [DOOR, NOW],
        )  # fmt: skip
    with pytest.raises(RegisterError, match="is with gateway 'gw-new' and with 'gw-old'"):
        apply(database, BEGIN)


@pytest.mark.parametrize("old_entries", [False, True])
def test_devices_come_to_the_new_box_as_they_are_and_the_same_file_again_changes_nothing(
    database: Database, old_entries: bool
) -> None:
    apply(database, BEGIN)
    before = devices(database)
    old: list[dict[str, Any]] = [{**FIRST, "ended": NOW - timedelta(hours=1)}, SECOND] if old_entries else []
    moved = [{**FIRST, "gateway": "gw-new"}, {**SECOND, "gateway": "gw-new"}]
    exchanged = document({**GATEWAY, "ended": NOW - timedelta(hours=1)}, {"key": "gw-new"}, devices=old + moved)
    report = apply(database, exchanged)
    assert {(one.address, one.gateway) for one in report.moved} == {(DOOR, "gw-old"), (BED, "gw-old")}
    assert "came from gateway 'gw-old', with its history" in remarks(report)[0]
    assert not report.missing
    assert devices(database) == [(number, "gw-new", address, True) for number, _, address, _ in before]
    again = apply(database, exchanged)
    assert [again.created, again.updated, again.moved, again.missing] == [{}, {}, [], []]


def test_a_gateway_that_was_taken_away_gets_no_password_and_no_code(database: Database) -> None:
    apply(database, {**BEGIN, "person": [{"key": "me", "name": "我"}]})
    with database.connect(DatabaseRole.REGISTER) as connection, database.connect() as owner:
        ids = owner.execute("SELECT home.id, person.id AS person FROM home, person").fetchone()
        assert ids is not None
        code = make_code(connection, ids["id"], "gw-old", ids["person"], NOW)
        apply(database, document({**GATEWAY, "ended": NOW}, devices=[]))
        with pytest.raises(Conflict, match="was taken away"):
            redeem(connection, code.code, NOW)
        with pytest.raises(NotFound, match="no gateway 'gw-old'"):
            make_code(connection, ids["id"], "gw-old", ids["person"], NOW)
    with pytest.raises(NotFound, match="no gateway 'gw-old' is in use"):
        renew_gateway_password(database.url, "gw-old")


def test_a_box_that_goes_on_in_a_new_home_has_devices_of_its_own_there(database: Database) -> None:
    """The second home never had a device: those of the box's first home are none of its."""
    apply(database, BEGIN)
    exchanged = document({"key": "gw-new"}, devices=[{**FIRST, "gateway": "gw-new"}, {**SECOND, "gateway": "gw-new"}])
    second = {**exchanged["home"][0], "key": "home-2", "gateway": [GATEWAY], "device": [FIRST, SECOND]}
    report = apply(database, {**exchanged, "home": [exchanged["home"][0], second]})
    assert len(report.moved) == 2
    assert [(gateway, address) for _, gateway, address, _ in devices(database)] == [
        ("gw-new", DOOR), ("gw-new", BED), ("gw-old", DOOR), ("gw-old", BED),
    ]  # fmt: skip
