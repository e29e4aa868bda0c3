"""The demo: 24 simulated homes with their people, registered through the same door as real ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from care.register import apply_register, read_document
from simulator.neighbourhood import PEOPLE
from simulator.register import LOGINS, SEED, demo_document, gateway_keys

from core.clock import Clock
from core.credentials import broker_password_hash, new_password
from store.pool import DatabaseRole, connect
from yiju.backfill import backfill
from yiju.folder import DataFolder
from yiju.screen import Screen

GATEWAY_PASSWORDS: Final = "demo/gateways.json"  # gateway key -> broker password
LOGIN_PASSWORDS: Final = "demo/logins.json"  # login -> password
STORY: Final = "demo/story.json"  # when the demo began, and whether all of it is in the database
PAST: Final = timedelta(days=30)
SOURCE: Final = "the demo"


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


def prepare_demo(folder: DataFolder, database_url: str, clock: Clock, screen: Screen) -> Demo:
    """Registers the demo's homes and people and gives the homes their past.

    Passwords are made once and kept in the folder, readable by its owner alone. A second call changes nothing;
    one that was cut off goes on where it stopped.
    """
    story = folder.read_json(STORY)
    began = datetime.fromisoformat(str(story["began"])) if story else clock.now()
    gateways = _kept_passwords(folder, GATEWAY_PASSWORDS, gateway_keys())
    passwords = _kept_passwords(folder, LOGIN_PASSWORDS, [member.login for member in PEOPLE])
    if not story.get("ready"):
        folder.write_json(STORY, {"began": began.isoformat()})
        hashes = {key: broker_password_hash(password) for key, password in gateways.items()}
        document = read_document(demo_document(began - PAST, hashes, passwords), SOURCE)
        with connect(database_url, DatabaseRole.OWNER, autocommit=True) as connection:
            apply_register(connection, document, SOURCE, began)
        with screen.work("the homes' last 30 days") as advance:
            backfill(database_url, began, PAST, SEED, advance)
        folder.write_json(STORY, {"began": began.isoformat(), "ready": True})
    return Demo(began, [Login(role, login, passwords[login]) for role, login in LOGINS])


def demo_environment(folder: DataFolder, broker_port: int, demo: Demo) -> Mapping[str, str]:
    """What the simulator needs besides what every service of the stack gets."""
    return {
        "YIJU_PLATFORM_URL": f"mqtt://127.0.0.1:{broker_port}",
        "YIJU_SIMULATOR_PASSWORDS": str(folder.path / GATEWAY_PASSWORDS),
        "YIJU_SIMULATOR_FOLDER": str(folder.simulator),
        "YIJU_SIMULATOR_START": demo.began.isoformat(),  # where the past ends
    }


def _kept_passwords(folder: DataFolder, file: str, names: list[str]) -> dict[str, str]:
    kept = {name: str(password) for name, password in folder.read_json(file).items()}
    missing = {name: new_password() for name in names if name not in kept}
    if missing:
        folder.write_json(file, {**kept, **missing})
    return {**kept, **missing}
