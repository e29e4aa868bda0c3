"""The gateway as a process: killed without warning, run as the service, and what it loads."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.model import Lane
from tests.integration.gateway.platform import Platform, until
from yiju.embedded.broker import EmbeddedBroker
from yiju.embedded.child import start_child, stop_child

REPO = Path(__file__).parents[3]
RUN_SERVICE = """
import os
from core.clock import SystemClock
from core.logs import configure_logs
from core.settings import read_settings
from gateway.service import Settings, run
configure_logs("gateway", as_json=True)
run(read_settings(Settings, os.environ), SystemClock())
"""


class Feeder:
    """A gateway process that is fed with numbers."""

    def __init__(self, folder: Path, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.gateway.feeder", str(folder), url],
            cwd=REPO,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def say(self, line: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def feed(self, numbers: range) -> None:
        """Feeds and waits until each is taken."""
        assert self._process.stdout is not None
        for number in numbers:
            self.say(number)
            assert self._process.stdout.readline() == f"{number}\n"

    def flush(self) -> int:
        """Has it send all; returns how many readings are not acknowledged."""
        self.say("flush")
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def kill(self) -> set[int]:
        """kill -9; returns the numbers that it had still said to have taken."""
        self._process.kill()
        rest, _ = self._process.communicate()
        return {int(line) for line in rest.split()}

    def end(self) -> None:
        self._process.communicate(timeout=30)


def test_a_gateway_killed_in_mid_stream_loses_and_doubles_nothing(broker: EmbeddedBroker, tmp_path: Path) -> None:
    platform = Platform(broker.url())
    url = f"mqtt://127.0.0.1:{broker.port}"
    taken: set[int] = set()
    sent = 0
    for stop in (333, 800, 1201):
        feeder = Feeder(tmp_path / "gateway", url)
        feeder.feed(range(sent, stop))
        for number in range(stop, stop + 50):  # killed while these are being taken
            feeder.say(number)
        taken |= set(range(sent, stop)) | feeder.kill()
        sent = stop + 50
    platform.acknowledging = False  # the last life's backlog is what a restart must find again
    feeder = Feeder(tmp_path / "gateway", url)
    feeder.feed(range(sent, sent + 300))
    taken |= set(range(sent, sent + 300)) | feeder.kill()
    sent += 300
    platform.acknowledging = True
    feeder = Feeder(tmp_path / "gateway", url)
    until(lambda: feeder.flush() == 0, "all is acknowledged")
    feeder.end()
    assert taken <= set(temperatures(platform))
    stored = temperatures(platform)
    assert len(stored) == len(set(stored))  # once each
    assert set(stored) <= set(range(sent))
    assert stored == sorted(stored)
    falls = len([reading for reading in platform.readings(Lane.URGENT) if reading.metric == "fall"])
    assert falls == len([number for number in stored if number % 10 == 0])
    assert len({session for session, _, _ in platform.stored}) == 1
    for lane in Lane:
        assert [seq for _, of, seq in platform.stored if of is lane] == [
            *range(1, 1 + sum(of is lane for _, of, _ in platform.stored))
        ]
    platform.close()


def temperatures(platform: Platform) -> list[int]:
    """The numbers fed, as stored."""
    return [int(reading.value) for reading in platform.readings(Lane.BULK) if reading.metric == "temperature"]


def test_the_service_brings_what_the_home_s_devices_say_and_stops_cleanly(
    broker: EmbeddedBroker, home: int, tmp_path: Path
) -> None:
    platform = Platform(broker.url())
    devices = Client(CallbackAPIVersion.VERSION2)
    devices.loop_start()
    until(lambda: reaches(devices, home), "the home's broker answers")
    devices.publish("zigbee2mqtt/Bedroom", b'{"occupancy":true}', qos=1, retain=True).wait_for_publish(10)
    service = start_child(
        [sys.executable, "-c", RUN_SERVICE],
        environment={
            **os.environ,
            "PYTHONPATH": str(REPO),
            "YIJU_GATEWAY_KEY": "gw-1",
            "YIJU_GATEWAY_PASSWORD": "secret",
            "YIJU_PLATFORM_URL": f"mqtt://127.0.0.1:{broker.port}",
            "YIJU_LOCAL_BROKER_URL": f"mqtt://127.0.0.1:{home}",
            "YIJU_GATEWAY_FOLDER": str(tmp_path / "gateway"),
        },
        output=subprocess.DEVNULL,
    )
    until(lambda: platform.statuses and platform.statuses[-1].online, "birth")

    def pressed() -> bool:
        devices.publish("zigbee2mqtt/Button", b'{"action":"emergency"}', qos=1)
        return 1.0 in platform.values(Lane.URGENT)

    until(pressed, "the SOS is there")
    devices.publish("zigbee2mqtt/Hall", b'{"occupancy":true}', qos=1).wait_for_publish(10)
    devices.publish("zigbee2mqtt/Junk", b"\xff", qos=1).wait_for_publish(10)
    until(lambda: "zigbee2mqtt/Hall" in {r.device for r in platform.readings(Lane.BULK)}, "the movement is there")
    assert stop_child(service, signal.SIGTERM) == 0
    until(lambda: not platform.statuses[-1].online, "goodbye")
    assert "zigbee2mqtt/Bedroom" not in {reading.device for reading in platform.readings()}  # retained
    devices.disconnect()
    devices.loop_stop()
    platform.close()


def reaches(client: Client, port: int) -> bool:
    try:
        client.connect("127.0.0.1", port)
    except OSError:
        return False
    return True


def test_a_killed_gateway_is_announced_by_its_will(broker: EmbeddedBroker, tmp_path: Path) -> None:
    platform = Platform(broker.url())
    feeder = Feeder(tmp_path / "gateway", f"mqtt://127.0.0.1:{broker.port}")
    until(lambda: platform.statuses and platform.statuses[-1].online, "birth")
    feeder.kill()
    until(lambda: not platform.statuses[-1].online, "the will")
    assert platform.statuses[-1].time is None
    platform.close()


def test_the_gateway_loads_nothing_that_a_small_machine_cannot_carry() -> None:
    heavy = {"numpy", "pydantic", "fastapi", "babel", "psycopg", "amqtt", "apprise"}
    code = "import sys, gateway.service; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    assert not heavy & {module.partition(".")[0] for module in done.stdout.split()}
