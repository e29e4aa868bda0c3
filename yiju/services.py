"""The services, each a command of its own: `yiju ingest`, `yiju alerts` ...

A service's package has `service.py` with `Settings` and `run(settings, clock)`. It is imported only when it is
asked for, so that `yiju gateway` on a small box does not load the server.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Final, Literal

import msgspec

from core.clock import parse_clock
from core.logs import configure_logs
from core.settings import read_settings


@dataclass(frozen=True)
class Service:
    """One service: the command's name, where its code is, what it does."""

    name: str
    module: str
    what: str


SERVICES: Final = (
    Service("gateway", "gateway.service", "Runs in the home: devices in, batches out, nothing lost in between."),
    Service("ingest", "ingest.service", "Stores what gateways send."),
    Service("alerts", "alerts.service", "Looks at every home and calls a human."),
    Service("api", "api.service", "Serves the REST API, live events and the web pages."),
    Service("simulate", "simulator.service", "Plays homes: residents, devices and their gateways."),
)


class CommonSettings(msgspec.Struct, frozen=True):
    """What every service reads."""

    clock: Annotated[str, msgspec.Meta(description="system, or scaled:ORIGIN/ANCHOR/FACTOR (a demo's fast time)")] = (
        "system"
    )
    log_format: Annotated[
        Literal["auto", "console", "json"], msgspec.Meta(description="auto: console on a terminal, else json")
    ] = "auto"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], msgspec.Meta(description="the least that is logged")
    ] = "INFO"


def run_service(service: Service, environment: Mapping[str, str] = os.environ) -> None:
    """Runs it in this process until SIGTERM or SIGINT. Raises SettingsError and what the service raises."""
    module = import_module(service.module)
    settings = read_settings(module.Settings, environment)
    clock = parse_clock(read_settings(CommonSettings, environment).clock)
    prepare_logs(service.name, environment)
    module.run(settings, clock)


def prepare_logs(name: str, environment: Mapping[str, str] = os.environ) -> None:
    """One JSON line an event, or colours on a terminal, as the settings say. Raises SettingsError."""
    common = read_settings(CommonSettings, environment)
    as_json = common.log_format == "json" or (common.log_format == "auto" and not sys.stderr.isatty())
    configure_logs(name, as_json=as_json, level=common.log_level)


def settings_of(service: Service) -> type[msgspec.Struct]:
    """The service's `Settings`."""
    kind: type[msgspec.Struct] = import_module(service.module).Settings
    return kind
