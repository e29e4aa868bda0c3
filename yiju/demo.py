"""The demo: 24 simulated homes with their people, registered through the same door as real ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any, Final

from core.clock import Clock
from core.credentials import broker_password_hash, new_password
from store.pool import DatabaseRole, connect
from yiju.folder import DataFolder
from yiju.screen import Screen

GATEWAYS: Final = "demo/gateways.json"  # gateway key -> broker password
LOGINS: Final = "demo/logins.json"  # login -> password
PAST: Final = timedelta(days=30)


@dataclass(frozen=True)
class Login:
    """Somebody of the demo who can log in."""

    role: str
    name: str
    password: str


@dataclass(frozen=True)
class Demo:
    """What `yiju up --demo` made: one login for each role."""

    logins: list[Login]


def prepare_demo(folder: DataFolder, database_url: str, clock: Clock, screen: Screen) -> Demo:
    """Registers the demo's homes and people and gives the homes their past. Does nothing twice.

    The passwords are made once and kept in the folder, readable by its owner alone.
    """
    register, care = import_module("simulator.register"), import_module("care.register")
    gateways = _kept_passwords(folder, GATEWAYS, register.gateway_keys())
    logins = _kept_passwords(folder, LOGINS, [login for _, login in register.LOGINS])
    begins = clock.now() - PAST
    document: Any = care.read_document(
        register.demo_document(
            begins, {key: broker_password_hash(password) for key, password in gateways.items()}, logins
        ),
        "the demo",
    )
    with connect(database_url, DatabaseRole.OWNER, autocommit=True) as connection:
        care.apply_register(connection, document, "the demo", clock.now())
    with screen.work("the homes' last 30 days") as advance:
        import_module("yiju.backfill").backfill(database_url, clock.now(), PAST, advance)
    return Demo([Login(role, login, logins[login]) for role, login in register.LOGINS])


def demo_environment(folder: DataFolder, broker_port: int) -> Mapping[str, str]:
    """What the simulator needs besides what every service of the stack gets."""
    return {
        "YIJU_GATEWAY_PASSWORDS": str(folder.path / GATEWAYS),
        "YIJU_GATEWAY_FOLDER": str(folder.path / "gateways"),
        "YIJU_PLATFORM_URL": f"mqtt://127.0.0.1:{broker_port}",
        "YIJU_SIMULATOR_FOLDER": str(folder.path / "demo"),
    }


def _kept_passwords(folder: DataFolder, file: str, names: list[str]) -> dict[str, str]:
    kept = {name: str(password) for name, password in folder.read_json(file).items()}
    missing = {name: new_password() for name in names if name not in kept}
    if missing:
        folder.write_json(file, {**kept, **missing})
    return {**kept, **missing}
