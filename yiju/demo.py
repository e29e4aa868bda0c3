"""The demo: 24 simulated homes with their people, registered through the same door as real ones."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from care.register import apply_register, read_document
from core.clock import Clock
from core.credentials import broker_password_hash, new_password
from simulator.register import LOGINS as DEMO_LOGINS
from simulator.register import SEED, demo_document, gateway_keys
from store.pool import DatabaseRole, connect
from yiju.backfill import backfill
from yiju.folder import DataFolder
from yiju.screen import Screen

GATEWAYS: Final = "demo/gateways.json"  # gateway key -> broker password
LOGINS: Final = "demo/logins.json"  # login -> password
PHONES: Final = "demo/phones.json"  # the secret that signs what the demo's phones get, and where they are
MADE: Final = "demo/made.json"  # when, and whether all of it


@dataclass(frozen=True)
class Login:
    """Somebody of the demo who can log in."""

    role: str
    name: str
    password: str


@dataclass(frozen=True)
class Demo:
    """What `yiju up --demo` made: when the homes' present began, and one login for each role."""

    began: datetime
    logins: list[Login]


def prepare_demo(
    folder: DataFolder, database_url: str, clock: Clock, screen: Screen, past: timedelta, pages: str = ""
) -> Demo:
    """Registers the demo's homes and people and gives the homes their past. Does nothing twice.

    The passwords are made once and kept in the folder, readable by its owner alone.

    Args:
        past: how long; a folder whose homes have a past already keeps that one.
        pages: where the stack's own pages are reached from this machine; the demo's people have their phones there.
            "" = they have none.
    """
    gateways = _kept_passwords(folder, GATEWAYS, gateway_keys(), new_password)
    logins = _kept_passwords(folder, LOGINS, [login for _, login in DEMO_LOGINS], _short_password)
    made = folder.read_json(MADE)
    # One present for the whole of it, also when it is cut off and goes on later.
    now = datetime.fromisoformat(str(made.get("now") or clock.now().isoformat()))
    kept = folder.read_json(PHONES)
    phones = {"secret": str(kept.get("secret") or new_password()), "pages": pages}
    if not made.get("complete"):
        folder.write_json(MADE, {"now": now.isoformat(), "complete": False})
        hashes = {key: broker_password_hash(password) for key, password in gateways.items()}
        _register(database_url, demo_document(now - past, hashes, logins, phones=_channel(phones)), now)
        with screen.work(f"the homes' last {past.days} days") as advance:
            backfill(database_url, now, past, SEED, advance)
        folder.write_json(MADE, {"now": now.isoformat(), "complete": True})
    elif kept != phones:  # the pages are elsewhere now: so are the phones
        people = demo_document(now, {}, logins, phones=_channel(phones))["person"]
        _register(database_url, {"person": people}, clock.now())
    if kept != phones:
        folder.write_json(PHONES, dict(phones))
    return Demo(now, [Login(role, login, logins[login]) for role, login in DEMO_LOGINS])


def demo_environment(folder: DataFolder, broker_port: int, demo: Demo) -> Mapping[str, str]:
    """What the simulator needs besides what every service of the stack gets."""
    return {
        "YIJU_PLATFORM_URL": f"mqtt://127.0.0.1:{broker_port}",
        "YIJU_SIMULATOR_PASSWORDS": str(folder.path / GATEWAYS),
        "YIJU_SIMULATOR_FOLDER": str(folder.simulator),
        "YIJU_SIMULATOR_SEED": str(SEED),
        "YIJU_SIMULATOR_START": demo.began.isoformat(),  # where the past ends
    }


def _register(database_url: str, values: dict[str, Any], now: datetime) -> None:
    with connect(database_url, DatabaseRole.REGISTER, autocommit=True) as connection:
        apply_register(connection, read_document(values, "the demo"), "the demo", now)


def _channel(phones: Mapping[str, str]) -> str:
    """Before a person's key: where the signed webhook finds the demo's phones (api/demo/)."""
    scheme, _, rest = phones["pages"].partition("://")
    return f"webhook+{scheme}://:{phones['secret']}@{rest}/demo/phones" if rest else ""


def _kept_passwords(folder: DataFolder, file: str, names: list[str], new: Callable[[], str]) -> dict[str, str]:
    kept = {name: str(password) for name, password in folder.read_json(file).items()}
    missing = {name: new() for name in names if name not in kept}
    if missing:
        folder.write_json(file, {**kept, **missing})
    return {**kept, **missing}


def _short_password() -> str:
    """One that a person can type from a terminal into a phone: the demo holds nobody's data."""
    return secrets.token_hex(4)
