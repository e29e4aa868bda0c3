"""The embedded stack that runs in a data folder, for commands that want to reach it from another terminal."""

from pathlib import Path
from typing import Annotated, Final

import msgspec

from core.errors import SettingsError
from yiju.embedded.postgres import EmbeddedPostgres
from yiju.folder import DataFolder

DATABASE: Final = "yiju"  # the name of the stack's database in its server


class RunningSettings(msgspec.Struct, frozen=True):
    """Settings of the commands that look for a database."""

    home: Annotated[str, msgspec.Meta(description="the data folder of the stack that runs here")] = ".yiju"
    database_url: Annotated[
        str,
        msgspec.Meta(description="postgresql://... of a login that owns the database; empty: the stack in YIJU_HOME"),
    ] = ""


def database_url(settings: RunningSettings) -> str:
    """The database to work on. Raises SettingsError when none is named and none runs."""
    if settings.database_url:
        return settings.database_url
    folder = _folder(settings.home)
    server = EmbeddedPostgres(folder.path / "postgres")
    server.port = _port(folder, "postgres")
    if not server.answers():
        raise SettingsError(_nothing(settings.home))
    return server.url(DATABASE)


def gateway_settings(settings: RunningSettings, key: str, password: str) -> dict[str, str]:
    """What a gateway needs to reach the platform, as environment variables; its URL only where the stack runs here."""
    found = {"YIJU_GATEWAY_KEY": key, "YIJU_GATEWAY_PASSWORD": password}
    if not settings.database_url:
        found["YIJU_PLATFORM_URL"] = f"mqtt://127.0.0.1:{_port(_folder(settings.home), 'broker')}"
    return found


def _folder(home: str) -> DataFolder:
    if not (Path(home) / "ports.json").exists():
        raise SettingsError(_nothing(home))
    return DataFolder(Path(home))


def _port(folder: DataFolder, name: str) -> int:
    port = folder.read_json("ports.json").get(name)
    if not isinstance(port, int):
        raise SettingsError(_nothing(str(folder.path)))
    return port


def _nothing(home: str) -> str:
    return (
        f"no platform runs in {home}: start one there with `yiju up`, name its data folder with YIJU_HOME,"
        " or name a database with YIJU_DATABASE_URL"
    )
