"""`yiju up`: the whole platform on one machine, in one data folder, without root and without Docker.

PostgreSQL -> migrations -> broker -> accounts -> (demo: homes and their past) -> ingest, alerts, api, simulator.
"""

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import psycopg
from psycopg.sql import SQL, Identifier

from core.errors import StackError
from store.migrate import migrate
from yiju.accounts import LOOK_EVERY_S, AccountsWatch
from yiju.embedded.broker import BrokerKind, EmbeddedBroker
from yiju.embedded.postgres import EmbeddedPostgres
from yiju.folder import DataFolder, is_free
from yiju.parts import BrokerPart, PostgresPart, ServicePart
from yiju.running import DATABASE
from yiju.screen import Screen
from yiju.stack_clock import Lived, StackClock, choose_clock
from yiju.supervisor import Supervisor

if TYPE_CHECKING:
    from yiju.demo import Demo

LOOK_AGAIN_S: Final = 0.2
HEALTH_PATIENCE_S: Final = 60.0
SERVICES: Final = ("ingest", "alerts", "api")


class UpSettings(msgspec.Struct, frozen=True):
    """Settings of `yiju up`. Its services read their own, too: what is set here reaches them."""

    home: Annotated[str, msgspec.Meta(description="the data folder; everything that must survive is in it")] = ".yiju"
    host: Annotated[str, msgspec.Meta(description="the address that the web pages listen on")] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(description="the port of the web pages", ge=1, le=65535)] = 8080
    broker: Annotated[
        BrokerKind, msgspec.Meta(description="auto (mosquitto when it is installed), mosquitto or amqtt")
    ] = BrokerKind.AUTO
    clock: Annotated[str, msgspec.Meta(description="see `yiju settings`; empty: the machine's time, or --speed")] = ""
    public_url: Annotated[str, msgspec.Meta(description="how people reach the pages; empty: http://host:port")] = ""
    alerts_password: Annotated[
        str,
        msgspec.Meta(description="password of the broker's account _alerts, which may listen to alerts; empty: none"),
    ] = ""


class Asked(BaseException):
    """Somebody asked the stack to end (Ctrl-C, SIGTERM)."""


def up(
    settings: UpSettings,
    *,
    demo: timedelta | None,
    speed: float | None,
    screen: Screen,
    commands: "Commands | None" = None,
) -> None:
    """Runs the stack until Ctrl-C or SIGTERM.

    Args:
        demo: also registers the demo's homes, gives them a past of this length and plays them.
        speed: how many times as fast as real time the stack lives.
        commands: what to run as a service instead of `python -m yiju {name}` (tests).

    Raises:
        StackError, SettingsError: it cannot start; what had started has been stopped.
    """
    folder = DataFolder(Path(settings.home))
    lock = folder.lock()
    stack: Stack | None = None
    try:
        with ended_by_signals():
            if not is_free(settings.port, settings.host):
                raise StackError(
                    f"port {settings.port} is taken by another program: choose another one,"
                    f" e.g. `make run PORT={settings.port + 1}` or YIJU_PORT={settings.port + 1}"
                )
            clock = open_clock(folder, settings.clock, speed)
            stack = Stack(folder, settings, clock, lock, screen, commands or {})
            stack.bring_up(demo=demo)
            stack.watch()
    except Asked:
        pass
    finally:
        if stack is not None:
            stack.down()
        folder.unlock()


Commands = Mapping[str, Sequence[str]]


class Stack:
    """Everything that runs, in order."""

    def __init__(
        self, folder: DataFolder, settings: UpSettings, clock: StackClock, lock: int, screen: Screen, commands: Commands
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._lock = lock
        self._screen = screen
        self._commands = commands
        self._supervisor = Supervisor(screen.tell)
        self._postgres = EmbeddedPostgres(
            folder.path / "postgres", folder.port("postgres"), log=folder.logs / "postgres.log", keep_open=[lock]
        )
        self._broker = EmbeddedBroker(
            folder.path / "broker", folder.port("broker"), settings.broker, folder.logs / "broker.log", [lock]
        )
        self._accounts: AccountsWatch | None = None
        self._next_look = 0.0
        self._disk_trouble = False  # told already

    def bring_up(self, *, demo: timedelta | None) -> None:
        """Starts everything and waits until it is healthy. Raises StackError."""
        if self._clock.remark:
            self._screen.tell(self._clock.remark)
        with self._screen.steps(8 if demo else 6) as step:
            step("PostgreSQL")
            self._postgres.prepare()
            self._supervisor.start(PostgresPart(self._postgres))
            step("the schema")
            self._make_database()
            step("the broker")
            self._broker.prepare()
            self._accounts = AccountsWatch(
                self._postgres.url(DATABASE), listener_password=self._settings.alerts_password
            )
            self._broker.write_accounts(self._accounts.changes() or {})
            self._supervisor.start(BrokerPart(self._broker))
            prepared = None
            if demo:
                step("the demo's homes")
                from yiju.demo import prepare_demo  # brings the simulator, which a server does not need

                prepared = prepare_demo(
                    self._folder, self._postgres.url(DATABASE), self._clock.clock, self._screen, demo, self._inside()
                )
            step("services")
            self._follow_register()
            environment = self.environment(phones=prepared is not None)
            for name in SERVICES:
                self._start_service(name, environment)
            if prepared is not None:
                from yiju.demo import demo_environment

                step("the simulator")
                extra = demo_environment(self._folder, self._broker.port, prepared)
                self._start_service("simulate", {**environment, **extra})
            step("health")
            self._await_health()
        self._screen.say(self.greeting(prepared))

    def watch(self) -> None:
        """Keeps it running for ever."""
        while True:
            self._look()
            time.sleep(LOOK_AGAIN_S)

    def down(self) -> None:
        """Stops everything, the last one first."""
        if self._accounts is not None:
            self._accounts.close()
        self._supervisor.stop()
        self._write_lived(stopped=True)

    def environment(self, *, phones: bool = False) -> dict[str, str]:
        """What a service of this stack finds in its environment; what the person has set comes through.

        Args:
            phones: the demo's phones are shown. They never are where there is no demo, whatever is set.
        """
        return {
            **os.environ,
            "YIJU_DATABASE_URL": self._postgres.url(DATABASE),
            "YIJU_BROKER_URL": self._broker.url(),
            "YIJU_GATEWAY_BROKER_URL": os.environ.get("YIJU_GATEWAY_BROKER_URL")
            or f"mqtt://127.0.0.1:{self._broker.port}",
            "YIJU_CLOCK": self._clock.text,
            "YIJU_HOST": self._settings.host,
            "YIJU_PORT": str(self._settings.port),
            "YIJU_PUBLIC_URL": self.address(),
            "YIJU_DEMO_PHONES": str(self._folder.path / "demo") if phones else "",
            "YIJU_SECURE_COOKIE": "true" if self.address().startswith("https:") else "false",
        }

    def address(self) -> str:
        """Where the pages are."""
        host = "localhost" if self._settings.host in ("127.0.0.1", "0.0.0.0") else self._settings.host  # noqa: S104
        return self._settings.public_url or f"http://{host}:{self._settings.port}"

    def _inside(self) -> str:
        """Where the pages are for this machine's own services."""
        host = "127.0.0.1" if self._settings.host == "0.0.0.0" else self._settings.host  # noqa: S104
        return f"http://{host}:{self._settings.port}"

    def greeting(self, demo: "Demo | None") -> str:
        """The one line that says where to go."""
        logins = [f"{login.role} {login.name} / {login.password}" for login in demo.logins] if demo else []
        return " · ".join([f"Yiju: {self.address()}", *logins, "Ctrl-C stops it"])

    def _make_database(self) -> None:
        with psycopg.connect(self._postgres.url(), autocommit=True) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(SQL("CREATE DATABASE {}").format(Identifier(DATABASE)))
        migrate(self._postgres.url(DATABASE), self._clock.clock.now())

    def _start_service(self, name: str, environment: Mapping[str, str]) -> None:
        part = ServicePart(
            name, environment, self._folder.logs, command=self._commands.get(name), keep_open=[self._lock]
        )
        self._supervisor.start(part)

    def _await_health(self) -> None:
        until = time.monotonic() + HEALTH_PATIENCE_S
        while True:
            self._look()
            health = ask_health(self._settings.host, self._settings.port)
            if health.get("status") == "ok":
                return
            if time.monotonic() > until:
                self._screen.tell(
                    f"not healthy after {HEALTH_PATIENCE_S:g} s ({json.dumps(health)}): the logs are in"
                    f" {self._folder.logs}"
                )
                return
            time.sleep(LOOK_AGAIN_S)

    def _look(self) -> None:
        self._supervisor.look()
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_EVERY_S
            self._write_down()

    def _write_down(self) -> None:
        """Writes the accounts and the time; a full disk is told once, and must not end the watch over the homes."""
        try:
            self._follow_register()
            self._write_lived()
        except OSError as error:
            if self._accounts is not None:
                self._accounts.forget()
            if not self._disk_trouble:
                self._screen.tell(f"{self._folder.path} cannot be written ({error}): make room on its disk")
            self._disk_trouble = True
        else:
            self._disk_trouble = False

    def _follow_register(self) -> None:
        changed = self._accounts.changes() if self._accounts is not None else None
        if changed is not None:
            self._broker.write_accounts(changed)

    def _write_lived(self, *, stopped: bool = False) -> None:
        lived = self._clock.lived(stopped=stopped)
        self._folder.write_json("clock.json", {"lived_to": lived.to.isoformat(), "clock": lived.clock})


def open_clock(folder: DataFolder, setting: str, speed: float | None) -> StackClock:
    """The clock for this folder (yiju/stack_clock.py). Raises SettingsError, StackError."""
    written = folder.read_json("clock.json")
    lived = None
    if written:
        lived = Lived(datetime.fromisoformat(str(written["lived_to"])), str(written["clock"]))
    return choose_clock(setting, speed, lived, datetime.now(UTC))


def ask_health(host: str, port: int) -> dict[str, object]:
    """What `/health` says, {"status": "no answer"} when it does not."""
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=5)  # noqa: S104
    try:
        connection.request("GET", "/health")
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {"status": "no answer"}
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else {"status": "no answer"}


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raises `Asked` here on the first SIGINT, SIGTERM or SIGHUP; the ones after it are ignored: it is ending."""

    def ask(number: int, frame: object) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Asked

    for each in _SIGNALS:
        signal.signal(each, ask)
    yield


_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
