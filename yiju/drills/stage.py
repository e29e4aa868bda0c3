"""The alert drill's platform: PostgreSQL, a broker, ingest, alert workers, the api, the homes; each killed at will."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from care.register import apply_register, read_document
from core.credentials import broker_password_hash, new_password
from store.migrate import migrate
from store.pool import Connection, DatabaseRole, connect
from yiju.drills.desk import LOGIN
from yiju.drills.homes import Plan
from yiju.drills.people import People
from yiju.embedded.broker import ACL, BrokerKind, EmbeddedBroker
from yiju.embedded.child import start_child
from yiju.embedded.postgres import EmbeddedPostgres, free_port

HOMES_USER: Final = "_homes"  # no gateway key can start with "_"
HOMES_A_COMMUNITY: Final = 20
DEVICES: Final = {"sos": "sos", "smoke": "smoke", "gas": "gas", "fall": "radar"}  # metric -> device kind, and address
MOTION: Final = "motion"
DATABASE: Final = "database"
BROKER: Final = "broker"


class Stage:
    """Everything that runs, in `folder`.

    Args:
        clock: `YIJU_CLOCK` of every process.
        workers: how many alert workers.
        durable: whether PostgreSQL syncs to the disk.

    Attributes:
        api_port, desk_password: how the desk (yiju/drills/desk.py) gets in.
    """

    def __init__(self, folder: Path, clock: str, workers: int, *, durable: bool) -> None:
        extra = {} if durable else {"fsync": "off", "full_page_writes": "off"}
        self._folder = folder
        self._postgres = EmbeddedPostgres(folder / "postgres", port=free_port(), extra=extra)
        acl = folder / "acl"
        acl.write_text(
            f"{ACL.read_text(encoding='utf-8')}\nuser {HOMES_USER}\ntopic write yiju/v1/+/up/+\n"
            "topic write yiju/v1/+/status\ntopic read yiju/v1/+/down/ack\n",
            encoding="utf-8",
        )
        self._broker = EmbeddedBroker(folder / "broker", wanted=BrokerKind.AUTO, acl=acl)
        self._clock = clock
        self.api_port = free_port()
        self.desk_password = new_password()
        self._commands: dict[str, tuple[list[str], Mapping[str, str]]] = {
            "ingest": (["yiju", "ingest"], {}),
            **{f"alerts {n}": (["yiju", "alerts"], {"YIJU_ALERTS_WORKER": f"drill-{n}"})
               for n in range(1, workers + 1)},
            "api": (["yiju", "api"], {"YIJU_HOST": "127.0.0.1", "YIJU_PORT": str(self.api_port)}),
            "homes": (["yiju.drills.homes"], {"YIJU_DRILL_FOLDER": str(folder)}),
        }  # fmt: skip
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def parts(self) -> Sequence[str]:
        """What can be taken down, by name."""
        return [*self._commands, BROKER, DATABASE]

    @property
    def workers(self) -> Sequence[str]:
        """The alert workers, by name."""
        return [name for name in self._commands if name.startswith("alerts ")]

    def start(self, now: datetime, gateways: Sequence[str], people: People, policy: Mapping[str, Any]) -> None:
        """Registers a home for each gateway and starts everything; nothing happens yet. Raises StackError."""
        self._write(Plan(list(gateways), []))
        self._postgres.prepare()
        self._postgres.start()
        migrate(self._postgres.url(), now)
        with connect(self._postgres.url(), DatabaseRole.REGISTER, autocommit=True) as connection:
            document = read_document(_register(gateways, people, policy, now, self.desk_password), "drill")
            apply_register(connection, document, "drill", now)
        password = new_password()
        self._broker.prepare()
        self._broker.write_accounts({HOMES_USER: broker_password_hash(password)})
        self._broker.start()
        command, settings = self._commands["homes"]
        self._commands["homes"] = (command, {**settings, "YIJU_BROKER_URL": self._broker.url(HOMES_USER, password)})
        for name in self._commands:
            self.bring_up(name)

    def follow(self, plan: Plan) -> None:
        """From now on the homes live by this plan."""
        self.take_down("homes")
        self._write(plan)
        self.bring_up("homes")

    def take_down(self, name: str, *, cleanly: bool = False) -> None:
        """kill -9; the database is restarted: at once, as after a loss of power, or `cleanly`."""
        if name == DATABASE:
            process = self._postgres.process
            assert process is not None  # it was started
            process.send_signal(signal.SIGINT if cleanly else signal.SIGQUIT)
        else:
            process = self._broker.process if name == BROKER else self._running[name]
            assert process is not None
            process.kill()
        process.wait()

    def bring_up(self, name: str) -> None:
        if name == DATABASE:
            self._postgres.start()
        elif name == BROKER:
            self._broker.start()
        else:
            modules, settings = self._commands[name]
            environment = {
                **os.environ,
                "YIJU_DATABASE_URL": self._postgres.url(),
                "YIJU_BROKER_URL": self._broker.url(),
                "YIJU_CLOCK": self._clock,
                "YIJU_LOG_LEVEL": "WARNING",
                **settings,
            }
            with (self._folder / f"{name.partition(' ')[0]}.log").open("ab") as log:
                self._running[name] = start_child(
                    [sys.executable, "-m", *modules], death_signal=signal.SIGKILL, environment=environment, output=log
                )

    def fell_by_itself(self) -> list[str]:
        """Parts that have ended though nobody took them down."""
        return [name for name, process in self._running.items() if process.poll() is not None]

    def stop(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()
        self._broker.stop()
        self._postgres.stop()

    def _write(self, plan: Plan) -> None:
        (self._folder / "plan.json").write_bytes(msgspec.json.encode(plan))

    def connect(self) -> Connection:
        """As the owner of the database."""
        return connect(self._postgres.url(), DatabaseRole.OWNER, autocommit=True)


def is_quiet(gateway: str) -> bool:
    """Whether the home has a motion sensor: a tenth of them do, and fall silent."""
    return int(gateway.partition("-")[2]) % 10 == 9


def worker_of(gateway: str) -> str:
    """The worker on call for a home, by its gateway's key `gw-N`."""
    return f"worker-{int(gateway.partition('-')[2]) // HOMES_A_COMMUNITY}"


def manager_of(gateway: str) -> str:
    """Who is told next when the worker does not answer."""
    return f"manager-{int(gateway.partition('-')[2]) // HOMES_A_COMMUNITY}"


def _register(
    gateways: Sequence[str], people: People, policy: Mapping[str, Any], now: datetime, desk_password: str
) -> dict[str, Any]:
    communities = sorted({int(key.partition("-")[2]) // HOMES_A_COMMUNITY for key in gateways})

    def person(role: str, number: int) -> dict[str, Any]:
        key = f"{role}-{number}"
        return {"key": key, "name": key, "channels": [people.channel(key)],
                "grant": [{"role": role, "region": f"community-{number}"}]}  # fmt: skip

    return {
        "region": [
            {"key": "district", "name": "演练区", "level": "district", "policy": dict(policy)},
            {"key": "street", "name": "演练街道", "level": "street", "parent": "district"},
            *({"key": f"community-{n}", "name": f"社区 {n}", "level": "community", "parent": "street"}
              for n in communities),
        ],
        "person": [
            *(person(role, number) for number in communities for role in ("worker", "manager")),
            # who works with the API; on no rung of the ladder
            {"key": LOGIN, "name": LOGIN, "login": LOGIN, "password": desk_password,
             "grant": [{"role": "admin", "region": "district"}]},
        ],
        "home": [
            {
                "key": key.replace("gw", "home"),
                "region": f"community-{int(key.partition('-')[2]) // HOMES_A_COMMUNITY}",
                "name": key,
                "commissioned": now - timedelta(days=30),
                "room": [{"key": "room", "kind": "living"}],
                "gateway": [{"key": key}],
                "device": [
                    *({"gateway": key, "address": metric, "kind": kind, "room": "room"}
                      for metric, kind in DEVICES.items()),
                    *([{"gateway": key, "address": MOTION, "kind": "motion", "room": "room"}] if is_quiet(key) else []),
                    {"gateway": key, "address": "gateway", "kind": "gateway", "room": "room"},
                ],
            }
            for key in gateways
        ],
    }  # fmt: skip
