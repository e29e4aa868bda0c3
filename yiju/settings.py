"""`yiju settings`: every setting, of every service, as the services declare them."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from rich.table import Table

from core.settings import Described, describe_settings
from yiju.running import RunningSettings
from yiju.services import SERVICES, CommonSettings, settings_of


class StoreSettings(msgspec.Struct, frozen=True):
    """Settings of `yiju store ...`."""

    database_url: Annotated[str, msgspec.Meta(description="postgresql://... of a login that owns the database")]


class PrepareSettings(msgspec.Struct, frozen=True):
    """Settings of `yiju simulate prepare`."""

    database_url: Annotated[str, msgspec.Meta(description="postgresql://... of a login that owns the database")]
    home: Annotated[str, msgspec.Meta(description="the folder that keeps the demo's passwords")] = ".yiju"


class IncidentSettings(msgspec.Struct, frozen=True):
    """Settings of `yiju simulate incident`."""

    home: Annotated[str, msgspec.Meta(description="the data folder of the running demo")] = ".yiju"
    simulator_folder: Annotated[
        str, msgspec.Meta(description="the simulator's own folder; empty: simulator/ in the data folder")
    ] = ""


class AccountsSettings(msgspec.Struct, frozen=True):
    """Settings of `yiju broker-accounts`."""

    database_url: Annotated[str, msgspec.Meta(description="postgresql://... of a login that may read the register")]
    broker_password: Annotated[str, msgspec.Meta(description="the platform's own password at the broker")]
    alerts_password: Annotated[
        str,
        msgspec.Meta(description="password of the broker's account _alerts, which may listen to alerts; empty: none"),
    ] = ""


def all_settings() -> Iterator[tuple[str, list[Described]]]:
    """(the command, its settings), in the order of `yiju --help`."""
    from yiju.doctor import DoctorSettings
    from yiju.replay_report import ReplaySettings
    from yiju.up import UpSettings
    from yiju.watchdog import WatchdogSettings

    yield "every service", describe_settings(CommonSettings)
    yield "yiju up", describe_settings(UpSettings)
    for service in SERVICES:
        yield f"yiju {service.name}", describe_settings(settings_of(service))
    yield "yiju simulate prepare", describe_settings(PrepareSettings)
    yield "yiju simulate incident", describe_settings(IncidentSettings)
    yield "yiju replay", describe_settings(ReplaySettings)
    yield "yiju import, gateway-password, store, rejected", describe_settings(RunningSettings)
    yield "yiju store migrate", describe_settings(StoreSettings)
    yield "yiju broker-accounts", describe_settings(AccountsSettings)
    yield "yiju watchdog", describe_settings(WatchdogSettings)
    yield "yiju doctor", describe_settings(DoctorSettings)


def settings_table() -> Table:
    """One row a setting."""
    table = Table(title="Settings, read from the environment", title_justify="left")
    for heading in ("setting", "type", "default", "what it is"):
        table.add_column(heading, overflow="fold")
    for command, settings in all_settings():
        table.add_section()
        table.add_row(f"[bold]{command}[/bold]", "", "", "")
        for setting in settings:
            default = "(must be set)" if setting.default is None else setting.default
            table.add_row(setting.variable, setting.type, default, setting.description)
    return table
