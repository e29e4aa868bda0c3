"""The gateway as a service of its own, in a home."""

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Final

import structlog

from core.address import parse_broker_url
from core.clock import Clock, SystemClock
from gateway import self_discovery
from gateway.gateway import Gateway
from gateway.home import HomeBroker
from gateway.settings import Settings
from gateway.steward import Steward
from gateway.true_time import this_machine

__all__ = ["Settings", "run"]

_TICK_S: Final = 1.0  # of the machine's time


def run(settings: Settings, clock: Clock) -> None:
    """Runs until SIGTERM or SIGINT, then stops cleanly. Raises SettingsError."""
    log = structlog.get_logger().bind(gateway=settings.gateway_key)
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    home_address = parse_broker_url(settings.local_broker_url, "YIJU_LOCAL_BROKER_URL")
    # a scaled clock is the whole stack's and is never wrong
    gateway = Gateway(settings, clock, this_machine() if isinstance(clock, SystemClock) else None)
    key = settings.gateway_key
    home = HomeBroker(home_address, gateway, clock, f"yiju-{key}-home", will=self_discovery.will(key))
    steward = Steward(gateway, key, Path(settings.gateway_folder), home)
    steward.join()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    gateway.start()
    home.start()
    log.info("gateway_runs")
    while not stopping.wait(_TICK_S):
        try:
            gateway.tick(clock.now())
        except Exception as error:  # noqa: BLE001  # the edge: a full disk must not end the watch
            log.error("tick_failed", error=f"{type(error).__name__}: {error}")
    steward.stop(clock.now())
    home.stop()
    gateway.stop()
    log.info("gateway_stopped", ignored=gateway.ignored())
