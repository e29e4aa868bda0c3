"""A gateway's life with real brokers and a real database: told what to be, asked, left alone, and looked at."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from alerts.asking import Answer, Asked, answer_of, ask_home
from core.clock import ManualClock
from core.model import Reading
from core.wire import Command, command_topic, encode, to_ms
from gateway.settings import Settings
from gateway.status import look
from ingest.service import Ingest
from store.pool import Connection, DatabaseRole
from tests.conftest import Database
from tests.integration.life.conftest import ASK, SIREN, Box, HomeDevices
from yiju.embedded.broker import EmbeddedBroker

Rows = Callable[..., list[dict[str, Any]]]
SOS, PRESS = "zigbee2mqtt/sos", b'{"action":"emergency"}'
MINUTE = timedelta(minutes=1)


def report(rows: Rows) -> dict[str, Any]:
    found = rows("SELECT * FROM gateway_report")
    return found[0] if found else {}


def in_step(rows: Rows) -> bool:
    """Whether the gateway has what it shall have."""
    return bool(
        rows("SELECT FROM gateway_report JOIN gateway_configuration USING (gateway_id, digest) WHERE state = 'applied'")
    )


def test_the_register_reaches_the_gateway_and_each_change_is_a_new_version(
    ingest: Ingest, box: Box, rows: Rows, registered: Connection
) -> None:
    box.until(lambda: in_step(rows), "the first configuration is applied")
    assert report(rows)["version"] == 1
    kept = json.loads((box.folder / "configuration.json").read_bytes())["configuration"]
    assert {device["address"] for device in kept["devices"]} >= {"zigbee2mqtt/door", SOS, "gateway"}
    registered.execute("UPDATE device SET mains = true WHERE address = 'zigbee2mqtt/motion'")
    registered.execute("UPDATE region SET policy = '{\"silent_mains_s\": 1200}'")
    box.until(lambda: in_step(rows) and box.steward.status(box.clock.now()).configured is not None
              and "1200" in (box.folder / "configuration.json").read_text(), "the change is applied")  # fmt: skip
    assert report(rows)["version"] >= 2


def test_what_a_gateway_cannot_do_is_refused_with_its_reason_and_seen(
    ingest: Ingest, box: Box, rows: Rows, registered: Connection
) -> None:
    box.until(lambda: in_step(rows), "applied")
    registered.execute(
        'UPDATE gateway SET options = \'{"rules": [{"when": ["sos"], "publish": [{"topic": "siren/#"}]}]}\''
        " WHERE key = 'gw-1'"
    )
    box.until(lambda: report(rows).get("state") == "refused", "refused")
    assert "siren/#" in report(rows)["reason"]
    assert box.steward.status(box.clock.now()).configured is not None


def test_a_device_that_nobody_registered_and_a_message_that_nobody_understands_are_seen_within_seconds(
    ingest: Ingest, box: Box, rows: Rows, home_devices: HomeDevices
) -> None:
    box.until(lambda: in_step(rows), "applied")
    began = box.clock.now()
    home_devices.speak("zigbee2mqtt/New door 🚪", b'{"contact":false,"battery":97}')
    home_devices.speak("zigbee2mqtt/Odd", b"\xff\x00junk")
    box.until(lambda: report(rows)["found"] and report(rows)["samples"], "reported")
    assert box.clock.now() - began < timedelta(seconds=10)
    (found,) = report(rows)["found"]
    assert (found["address"], found["values"]["open"]) == ("zigbee2mqtt/New door 🚪", 1)
    assert report(rows)["samples"][0]["topic"] == "zigbee2mqtt/Odd"


def asked(database: Database, home_id: int, clock: ManualClock) -> int:
    with database.connect(DatabaseRole.ALERTS, autocommit=True) as connection:
        number = ask_home(connection, home_id, 60, clock.now())
    assert number is not None
    return number


def answer(database: Database, number: int, clock: ManualClock) -> Asked:
    with database.connect(DatabaseRole.ALERTS, autocommit=True) as connection:
        found = answer_of(connection, number, clock.now())
    assert found is not None
    return found


def test_a_home_is_asked_once_and_a_press_answers(
    ingest: Ingest, box: Box, rows: Rows, home_devices: HomeDevices, database: Database, broker: EmbeddedBroker
) -> None:
    box.until(lambda: in_step(rows), "applied")
    home = rows("SELECT home_id FROM gateway WHERE key = 'gw-1'")[0]["home_id"]
    number = asked(database, home, box.clock)
    assert answer(database, number, box.clock).answer is Answer.WAITING
    box.until(lambda: home_devices.heard(ASK), "the prompt sounds")
    box.until(lambda: rows("SELECT FROM gateway_command WHERE sent_at > created_at + interval '6 s'"), "sent again")
    home_devices.speak(SOS, PRESS)
    box.until(lambda: answer(database, number, box.clock).answer is not Answer.WAITING, "answered")
    assert answer(database, number, box.clock).answer is Answer.HELP
    assert home_devices.heard(ASK) == 1
    events = rows("SELECT metric FROM urgent_event ORDER BY id")
    assert 6 in [event["metric"] for event in events]  # a press of SOS is a call for help, always


def test_nobody_answers_and_the_platform_hears_it_when_the_time_is_over(
    ingest: Ingest, box: Box, rows: Rows, home_devices: HomeDevices, database: Database
) -> None:
    box.until(lambda: in_step(rows), "applied")
    home = rows("SELECT home_id FROM gateway WHERE key = 'gw-1'")[0]["home_id"]
    number = asked(database, home, box.clock)
    box.until(lambda: home_devices.heard(ASK), "the prompt sounds")
    box.tick(MINUTE)
    box.until(lambda: answer(database, number, box.clock).answer is Answer.NONE, "nobody pressed")


def test_a_home_without_a_gateway_that_is_there_cannot_be_asked(
    ingest: Ingest, rows: Rows, database: Database, clock: ManualClock
) -> None:
    home = rows("SELECT home_id FROM gateway WHERE key = 'gw-2'")[0]["home_id"]
    with database.connect(DatabaseRole.ALERTS, autocommit=True) as connection:
        assert ask_home(connection, home, 60, clock.now()) is None


def test_no_gateway_answers_for_another(ingest: Ingest, box: Box, rows: Rows, registered: Connection) -> None:
    box.until(lambda: in_step(rows), "applied")
    registered.execute(
        "INSERT INTO gateway_command (gateway_id, kind, seconds, created_at, expires_at)"
        " SELECT id, 'ask', 60, %s, %s FROM gateway WHERE key = 'gw-2'",
        [box.clock.now(), box.clock.now() + 60 * MINUTE],
    )
    (command,) = rows("SELECT id FROM gateway_command")
    now = box.clock.now()
    box.gateway.report([Reading("gateway", "answer_ok", now, float(command["id"]), now)])
    box.until(lambda: box.gateway.unacknowledged() == 0, "stored")
    assert rows("SELECT answer FROM gateway_command") == [{"answer": None}]


def test_without_the_platform_the_home_is_warned_on_the_spot_and_the_platform_hears_one_call_later(
    ingest: Ingest, box: Box, rows: Rows, home_devices: HomeDevices, broker: EmbeddedBroker
) -> None:
    box.until(lambda: in_step(rows), "applied")
    broker.stop()
    box.until(lambda: not box.gateway.connected, "the line is down")
    home_devices.speak(SOS, PRESS)
    box.until(lambda: home_devices.heard(SIREN), "the siren sounds")
    broker.start()
    box.until(lambda: rows("SELECT FROM device_state WHERE metric = 59 AND value = 1"), "the platform learns of it")
    box.until(lambda: box.gateway.unacknowledged() == 0, "all is stored")
    assert [event["metric"] for event in rows("SELECT metric FROM urgent_event")] == [6]
    box.tick(MINUTE)
    box.until(lambda: rows("SELECT FROM device_state WHERE metric = 67 AND value = 1"), "one reconnect is reported")
    assert home_devices.heard(SIREN) == 1


def test_with_the_platform_there_no_siren_sounds(
    ingest: Ingest, box: Box, rows: Rows, home_devices: HomeDevices
) -> None:
    box.until(lambda: in_step(rows), "applied")
    home_devices.speak(SOS, PRESS)
    box.until(lambda: rows("SELECT FROM urgent_event WHERE metric = 6"), "the call is stored")
    box.until(lambda: box.gateway.urgent_since() is None, "acknowledged")
    for _ in range(60):
        box.tick()
    assert home_devices.heard(SIREN) == 0


def test_a_broker_that_forgets_everything_gets_configuration_and_report_again(
    ingest: Ingest, box: Box, rows: Rows, broker: EmbeddedBroker, registered: Connection
) -> None:
    box.until(lambda: in_step(rows), "applied")
    broker.stop()
    for kept in Path(broker.folder).glob("mosquitto.db*"):
        kept.unlink()
    (box.folder / "configuration.json").unlink()
    registered.execute("DELETE FROM gateway_report")
    registered.execute("UPDATE device SET mains = true WHERE address = 'zigbee2mqtt/bed'")
    broker.start()
    box.until(lambda: in_step(rows) and (box.folder / "configuration.json").exists(), "told again")


def test_a_command_that_comes_too_late_is_refused_and_says_so(
    ingest: Ingest, box: Box, rows: Rows, registered: Connection, home_devices: HomeDevices
) -> None:
    box.until(lambda: in_step(rows), "applied")
    now = box.clock.now()
    registered.execute(
        "INSERT INTO gateway_command (gateway_id, kind, seconds, created_at, expires_at, sent_at)"
        " SELECT id, 'ask', 60, %s, %s, %s FROM gateway WHERE key = 'gw-1'",
        [now - 10 * MINUTE, now - 9 * MINUTE, now],
    )
    (command,) = rows("SELECT id FROM gateway_command")
    late = Command(1, command["id"], "ask", to_ms(now - 10 * MINUTE), to_ms(now - 9 * MINUTE))
    ingest._downlink._client.publish(command_topic("gw-1"), encode(late), qos=1)  # a broker that kept it too long
    box.until(lambda: rows("SELECT FROM gateway_command WHERE answer = 'refused'"), "refused")
    box.until(lambda: rows("SELECT FROM gateway_command WHERE reason LIKE %s", "%deadline%"), "with its reason")
    assert home_devices.heard(ASK) == 0


def test_home_assistant_sees_the_gateway_on_the_homes_broker(
    ingest: Ingest, box: Box, rows: Rows, home_devices: HomeDevices
) -> None:
    box.until(lambda: in_step(rows), "applied")

    def last(topic: str) -> Any:
        found = [payload for said, payload, _ in home_devices.said if said == topic]
        return found and json.loads(found[-1])

    box.until(lambda: last("yiju/gateway/gw-1/state") and last("yiju/gateway/gw-1/state")["connected"] == "ON", "state")
    discovery = last("homeassistant/binary_sensor/yiju_gw-1/connected/config")
    assert discovery["state_topic"] == "yiju/gateway/gw-1/state"
    assert last("yiju/gateway/gw-1/state")["problem"] == "OFF"
    box.until(lambda: report(rows), "reported")
    assert report(rows)["found"] == []  # it does not discover itself


def test_the_status_is_read_while_it_runs_and_when_it_does_not(
    ingest: Ingest, box: Box, rows: Rows, home_devices: HomeDevices, broker: EmbeddedBroker
) -> None:
    box.until(lambda: in_step(rows), "applied")
    home_devices.speak("zigbee2mqtt/door", b'{"contact":false,"battery":88}')
    box.until(lambda: rows("SELECT FROM device_state WHERE metric = 2"), "stored")
    box.tick(timedelta(seconds=11))
    running = look(box.folder)
    assert (running.running, running.connected, running.gateway) == (True, True, "gw-1")
    door = next(device for device in running.devices if device.address == "zigbee2mqtt/door")
    assert (door.registered, door.kind, door.values["open"], door.values["battery"]) == (True, "contact", 1, 88)
    before = sorted(path.name for path in box.folder.iterdir())
    broker.stop()
    box.until(lambda: not box.gateway.connected, "the line is down")
    home_devices.speak("zigbee2mqtt/door", b'{"contact":true}')
    box.until(lambda: box.gateway.unacknowledged() > 0, "it waits")
    box.stop()
    stopped = look(box.folder)
    assert (stopped.running, stopped.connected) == (False, False)
    assert stopped.outbox_readings >= 1
    assert next(one for one in stopped.devices if one.address == "zigbee2mqtt/door").values["open"] == 0
    assert set(before) >= {"configuration.json", "outbox.sqlite", "status.json"}


def test_a_gateway_that_starts_without_a_line_acts_by_the_configuration_it_had(
    ingest: Ingest, box: Box, rows: Rows, home_devices: HomeDevices, broker: EmbeddedBroker, box_settings: Settings
) -> None:
    box.until(lambda: in_step(rows), "applied")
    box.stop()
    broker.stop()
    again = Box(box_settings, home_devices, box.clock)
    again.until(lambda: again.home.connected, "the home's broker is there")
    home_devices.speak(SOS, PRESS)
    again.until(lambda: home_devices.heard(SIREN), "the siren sounds")
    again.stop()
    broker.start()
