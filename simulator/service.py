"""The simulator as a service: 24 homes in real or scaled time, each with the real gateway."""

import signal
import threading
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import Meta

from core.clock import Clock
from core.errors import SettingsError
from gateway.gateway import Gateway
from gateway.settings import Settings as GatewaySettings
from simulator.control import ControlServer, Request
from simulator.homes import HOMES, DemoHome, demo_homes
from simulator.live import LiveDemo

_LONGEST_WAIT_S: Final = 1.0  # of the machine's time: the gateways tick about so often
_SHORTEST_WAIT_S: Final = 0.2  # messages that are closer together are played together


class Settings(msgspec.Struct, frozen=True):
    """Settings of the simulator."""

    platform_url: Annotated[
        str, Meta(description="the platform's broker: mqtts://host:port, or mqtt://host:port without encryption")
    ]
    simulator_passwords: Annotated[
        str, Meta(description="JSON file {gateway key: broker password}, readable by its owner alone")
    ]
    simulator_folder: Annotated[
        str, Meta(description="folder of the simulator: outboxes, what was played, what really happened")
    ] = ".yiju/simulator"
    simulator_seed: Annotated[int, Meta(description="another number gives other residents", ge=0)] = 1
    simulator_homes: Annotated[int, Meta(description="how many homes are played", ge=1, le=HOMES)] = HOMES
    simulator_start: Annotated[
        str, Meta(description="ISO 8601 time with zone at which homes never played before begin; empty: the present")
    ] = ""
    simulator_catch_up_s: Annotated[
        float, Meta(description="the longest pause, in seconds of the clock, that is played afterwards", ge=0)
    ] = 6 * 3600


def run(settings: Settings, clock: Clock) -> None:
    """Plays until SIGTERM or SIGINT, then stops cleanly.

    Raises:
        SettingsError: a setting or the passwords file is wrong.
    """
    stopping = threading.Event()
    wake = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()
        wake.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    play(settings, clock, stopping, wake)


def play(settings: Settings, clock: Clock, stopping: threading.Event, wake: threading.Event) -> None:
    """Plays until `stopping` is set; setting `wake` ends the wait for the next message at once."""
    log = structlog.get_logger()
    folder = Path(settings.simulator_folder)
    folder.mkdir(parents=True, exist_ok=True)
    passwords = read_passwords(Path(settings.simulator_passwords))

    def make_gateway(home: DemoHome) -> Gateway:
        if home.gateway not in passwords:
            raise SettingsError(
                f"YIJU_SIMULATOR_PASSWORDS names {settings.simulator_passwords}: no {home.gateway} in it"
            )
        return Gateway(
            GatewaySettings(
                gateway_key=home.gateway,
                gateway_password=passwords[home.gateway],
                platform_url=settings.platform_url,
                gateway_folder=str(folder / "gateways" / home.gateway),
            ),
            clock,
        )

    homes = demo_homes(settings.simulator_seed, settings.simulator_homes)
    demo = LiveDemo(homes, make_gateway, folder, timedelta(seconds=settings.simulator_catch_up_s))

    def answer(request: Request) -> str:
        sentence = demo.inject(request, clock.now())
        wake.set()
        return sentence

    with ExitStack() as ending:
        ending.callback(demo.stop)
        now = clock.now()
        demo.start(now, _first(settings, now))
        control = ControlServer(folder, answer)
        control.start()
        ending.callback(control.stop)
        log.info("simulator_runs", homes=len(homes))
        while not stopping.is_set():
            wake.clear()
            now = clock.now()
            wait = clock.real_seconds(demo.step(now) - now)
            wake.wait(min(max(wait, _SHORTEST_WAIT_S), _LONGEST_WAIT_S))
    log.info("simulator_stopped")


def read_passwords(path: Path) -> dict[str, str]:
    """The gateways' broker passwords.

    Raises:
        SettingsError: the file is missing, readable by others, or not of that form.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsError(f"YIJU_SIMULATOR_PASSWORDS names {path}, which others can read: run chmod 600 {path}")
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except OSError as error:
        raise SettingsError(
            f"YIJU_SIMULATOR_PASSWORDS names {path}, which cannot be read ({error.strerror}):"
            " `yiju up --demo` writes it"
        ) from error
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"YIJU_SIMULATOR_PASSWORDS names {path}, which is no JSON object of passwords: {error}"
        ) from error


def _first(settings: Settings, now: datetime) -> datetime:
    if not settings.simulator_start:
        return now
    try:
        first = datetime.fromisoformat(settings.simulator_start)
    except ValueError:
        first = None
    if first is None or first.tzinfo is None:
        raise SettingsError(
            f"YIJU_SIMULATOR_START is {settings.simulator_start!r}:"
            " write an ISO 8601 time with its zone, e.g. 2026-03-02T17:00:00+08:00"
        )
    return first
