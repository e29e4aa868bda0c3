"""A gateway's way in by a one-time code, and what staff see of gateways."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from psycopg.types.json import Jsonb

from api.settings import Settings
from core.clock import ManualClock
from core.credentials import broker_password_matches
from core.errors import SettingsError
from core.metrics import BY_NAME
from core.wire import to_ms
from gateway.enrolment import Enrolled, enroll, is_safe, read_settings_file, write_settings
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import World

HOUR = timedelta(hours=1)
CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "ca.pem").write_text(CA)
    return Settings(
        **{
            **{name: getattr(settings, name) for name in settings.__struct_fields__},
            "gateway_broker_url": "mqtts://broker.example:8883",
            "gateway_ca": str(tmp_path / "ca.pem"),
        }
    )


def code_for(client: httpx.Client, home: int, gateway: str | None = None) -> str:
    answer = client.post(f"/api/v1/homes/{home}/gateway-codes", json={"gateway": gateway})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def redeem(client: httpx.Client, code: str) -> httpx.Response:
    return client.post("/api/v1/enroll", json={"code": code})


def test_a_new_gateway_gets_its_credential_once(
    world: World, program: SignIn, stranger: httpx.Client, site: str, tmp_path: Path
) -> None:
    code = code_for(program("head"), world.homes["1"])
    assert len(code.replace("-", "")) == 12
    enrolled = enroll(site, code.lower().replace("0", "o"))
    assert (enrolled.broker_url, enrolled.ca) == ("mqtts://broker.example:8883", CA)
    rows = world.connection.execute("SELECT home_id, password_hash FROM gateway WHERE key = %s", [enrolled.gateway])
    (row,) = rows.fetchall()
    assert row["home_id"] == world.homes["1"]
    assert broker_password_matches(enrolled.password, row["password_hash"])
    own = world.connection.execute(
        "SELECT kind FROM device WHERE address = 'gateway' AND home_id = %s", [row["home_id"]]
    )
    assert len(own.fetchall()) == 2
    with pytest.raises(SettingsError, match="wrong, was used, or is too old"):
        enroll(site, code)
    file = write_settings(tmp_path / "box", enrolled, {"YIJU_LOCAL_BROKER_URL": "mqtt://127.0.0.1:1883"})
    assert file.stat().st_mode & 0o777 == 0o600
    read = read_settings_file(tmp_path / "box")
    assert (read["YIJU_GATEWAY_KEY"], read["YIJU_GATEWAY_PASSWORD"]) == (enrolled.gateway, enrolled.password)
    assert Path(read["YIJU_PLATFORM_CA"]).read_text() == CA
    kept = world.connection.execute("SELECT * FROM enrolment_code").fetchall()
    assert code.replace("-", "") not in str(kept)


def test_a_box_that_is_replaced_keeps_its_key_and_the_old_password_ends(
    world: World, program: SignIn, stranger: httpx.Client
) -> None:
    client = program("root")
    first = redeem(stranger, code_for(client, world.homes["2"], "gw-2")).json()
    second = redeem(stranger, code_for(client, world.homes["2"], "gw-2")).json()
    assert (first["gateway"], second["gateway"]) == ("gw-2", "gw-2")
    (row,) = world.connection.execute("SELECT password_hash FROM gateway WHERE key = 'gw-2'").fetchall()
    assert broker_password_matches(second["password"], row["password_hash"])
    assert not broker_password_matches(first["password"], row["password_hash"])
    answer = client.post(f"/api/v1/homes/{world.homes['2']}/gateway-codes", json={"gateway": "gw-1"})
    assert answer.status_code == 404


def test_a_code_grows_old_and_of_two_who_come_at_once_one_gets_in(
    world: World, program: SignIn, new_client: Callable[[], httpx.Client], clock: ManualClock
) -> None:
    client = program("root")
    code = code_for(client, world.homes["1"])
    clients = [new_client() for _ in range(4)]
    with ThreadPoolExecutor() as crowd:
        answers = list(crowd.map(lambda one: redeem(one, code).status_code, clients))
    assert sorted(answers) == [201, 403, 403, 403]
    old = code_for(client, world.homes["1"])
    clock.move(24 * HOUR)
    assert redeem(new_client(), old).status_code == 403


def test_guessing_is_slowed_down(world: World, program: SignIn, stranger: httpx.Client, clock: ManualClock) -> None:
    code = code_for(program("root"), world.homes["1"])
    assert [redeem(stranger, f"AAAA-AAAA-AAA{n}").status_code for n in range(8)] == [403] * 8
    assert redeem(stranger, code).status_code == 429


@pytest.mark.parametrize(("who", "status"), [("anna", 403), ("mei", 403), ("bo", 404), ("nobody", 404), ("head", 201)])
def test_codes_are_for_managers_and_admins_of_the_home(world: World, program: SignIn, who: str, status: int) -> None:
    answer = program(who).post(f"/api/v1/homes/{world.homes['1']}/gateway-codes", json={})
    assert answer.status_code == status


def report(world: World, clock: ManualClock, **more: Any) -> None:
    """What gateway gw-1 said last."""
    sample = {"topic": "tele/x/SENSOR", "payload": "<b>{", "why": "unreadable", "at": to_ms(clock.now())}
    found = {
        "address": "zigbee2mqtt/New door",
        "model": "Aqara MCCGQ11LM",
        "values": {"open": 1},
        "at": to_ms(clock.now()),
    }
    row = {
        "reported_at": clock.now(), "stored_at": clock.now(), "software": "0.1.0", "version": 1, "digest": "abc",
        "state": "applied", "reason": "", "found": Jsonb([found]),
        "samples": Jsonb([sample]),
        **more,
    }  # fmt: skip
    names = ", ".join(row)
    world.connection.execute(
        f"INSERT INTO gateway_report (gateway_id, {names}) SELECT id, {', '.join(['%s'] * len(row))} FROM gateway"
        " WHERE key = 'gw-1'".encode(),
        list(row.values()),
    )
    world.connection.execute(
        "INSERT INTO gateway_configuration SELECT id, 1, 'abc', '{}', %s FROM gateway WHERE key = 'gw-1'", [clock.now()]
    )


def test_staff_see_what_the_gateway_hears_and_family_and_strangers_do_not(
    world: World, program: SignIn, browser: SignIn, clock: ManualClock
) -> None:
    report(world, clock)
    home = world.homes["1"]
    (one,) = program("anna").get(f"/api/v1/homes/{home}/gateways").json()["gateways"]
    assert (one["key"], one["current"], one["state"]) == ("gw-1", True, "applied")
    assert one["found"][0]["values"] == {"open": 1}
    assert one["samples"][0]["payload"] == "<b>{"
    assert len(one["devices"]) == 6
    assert program("mei").get(f"/api/v1/homes/{home}/gateways").status_code == 403
    assert program("bo").get(f"/api/v1/homes/{home}/gateways").status_code == 404
    page = browser("anna").get(f"/homes/{home}/gateways").text
    assert "zigbee2mqtt/New door" in page
    assert "<b>{" not in page
    assert "gateways/code" not in page  # a worker makes no codes
    assert "1 device is not registered" in browser("anna").get(f"/homes/{home}").text


def test_a_refused_configuration_is_seen_with_its_reason(world: World, browser: SignIn, clock: ManualClock) -> None:
    report(world, clock, state="refused", reason="topic 'siren/#' cannot be published to")
    page = browser("anna").get(f"/homes/{world.homes['1']}/gateways").text
    assert "Configuration refused: topic &#39;siren/#&#39; cannot be published to" in page


def test_a_code_is_shown_on_the_page_this_once(world: World, browser: SignIn, site: str) -> None:
    client, home = browser("head"), world.homes["1"]
    shown = client.post(f"/homes/{home}/gateways/code", data={})
    assert shown.status_code == 200
    assert f"yiju gateway enroll --url {site} --code " in shown.text
    assert "--code" not in client.get(f"/homes/{home}/gateways").text


def test_buttons_that_nobody_pressed_for_five_weeks_are_listed_until_somebody_does(
    world: World, program: SignIn, browser: SignIn, clock: ManualClock
) -> None:
    assert program("anna").get("/api/v1/buttons?overdue=true").json() == {"buttons": []}
    clock.move(36 * 24 * HOUR)
    client = program("anna")
    overdue = client.get("/api/v1/buttons?overdue=true").json()["buttons"]
    assert [one["home_id"] for one in overdue] == [world.homes["1"], world.homes["2"]]
    assert "2 SOS buttons are to be tested" in browser("anna").get("/homes").text
    world.connection.execute(
        "INSERT INTO device_state (device_id, metric, home_id, time, value, on_at, received_at)"
        " VALUES (%s, %s, %s, %s, 1, %s, %s)",
        [world.devices["1", "Sos"], BY_NAME["sos_test"].id, world.homes["1"], *[clock.now()] * 3],
    )
    overdue = client.get("/api/v1/buttons?overdue=true").json()["buttons"]
    assert [one["home_id"] for one in overdue] == [world.homes["2"]]
    assert len(client.get("/api/v1/buttons").json()["buttons"]) == 2


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://yiju.example", True), ("http://localhost:8080", True), ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True), ("http://yiju.example", False), ("http://127.0.0.1.example", False),
        ("ftp://yiju.example", False), ("file:///etc/passwd", False), ("https://", False), ("", False),
    ],
)  # fmt: skip
def test_a_password_is_fetched_over_tls_or_from_this_machine_alone(url: str, safe: bool) -> None:
    assert is_safe(url) is safe
    if not safe:
        with pytest.raises(SettingsError, match="https"):
            enroll(url, "AAAA")


def test_a_setting_with_a_line_break_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="YIJU_PLATFORM_URL"):
        write_settings(tmp_path, Enrolled("gw-1", "secret", "mqtts://x\nYIJU_CLOCK=bad"), {})
