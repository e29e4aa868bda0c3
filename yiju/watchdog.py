"""The watchdog: on another machine, with nothing of the platform's but its address.

It asks `/health` and, where it is set so, waits for the heartbeat that the platform sends as a signed webhook
(`webhook+http://:SECRET@watchdog:9321/`). When either fails for longer than its patience the operator is told, once,
and once more when it is over.
"""

import http.client
import json
import re
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from time import monotonic, time
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
import structlog

from alerts.notify.dispatch import Dispatch
from alerts.notify.post import connection_to
from alerts.notify.sender import keep_channels_out_of_logs
from alerts.notify.webhook import is_genuine
from alerts.watcher.operator import Incident, Operator
from core.errors import SettingsError
from core.words import load_words

MOST_BODY: Final = 65_536
PATIENCE_S: Final = 10.0


class WatchdogSettings(msgspec.Struct, frozen=True):
    """Settings of `yiju watchdog`."""

    watchdog_channels: Annotated[str, msgspec.Meta(description="channels to call on, separated by spaces")]
    watchdog_url: Annotated[
        str, msgspec.Meta(description="address of the platform's pages, whose /health is asked; empty: not asked")
    ] = ""
    watchdog_token: Annotated[
        str, msgspec.Meta(description="bearer token for /health where a proxy wants one; empty: none")
    ] = ""
    watchdog_every_s: Annotated[float, msgspec.Meta(gt=0, description="seconds between two looks")] = 30.0
    watchdog_patience_s: Annotated[
        float, msgspec.Meta(gt=0, description="/health must be bad or silent for so long before anybody is called")
    ] = 120.0
    watchdog_listen: Annotated[
        str, msgspec.Meta(description="HOST:PORT on which heartbeats are waited for; empty: not waited for")
    ] = ""
    watchdog_secret: Annotated[str, msgspec.Meta(description="the secret that signs the heartbeats")] = ""
    watchdog_heartbeat_s: Annotated[
        float, msgspec.Meta(gt=0, description="a heartbeat must come within so many seconds")
    ] = 90_000.0
    operator_locale: Annotated[Literal["zh_CN", "en"], msgspec.Meta(description="in which language")] = "zh_CN"
    zone: Annotated[str, msgspec.Meta(description="IANA zone of the times in messages to the operator")] = (
        "Asia/Shanghai"
    )


class Watchdog:
    """Call `look` now and then.

    Args:
        ask: what is wrong with /health: None, `health_bad` or `no_answer`; None itself = it is not asked.
        steady: the machine's steady time, seconds.
        now: its wall clock.
    """

    def __init__(
        self, settings: WatchdogSettings, operator: Operator, ask: Callable[[], str | None] | None,
        steady: Callable[[], float], now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._operator = operator
        self._ask = ask
        self._steady = steady
        self._now = now
        self._lock = Lock()
        self._heard = (steady(), now())
        self._bad_since: tuple[float, datetime] | None = None
        self._open: dict[str, Incident] = {}

    def heartbeat(self) -> None:
        """One has come."""
        with self._lock:
            self._heard = (self._steady(), self._now())

    def look(self) -> None:
        """Looks once; tells what has begun and what is over."""
        self._operator.send_waiting()
        wrong: dict[str, datetime] = {}
        if self._ask is not None:
            problem = self._ask()
            if problem is None:
                self._bad_since = None
            else:
                self._bad_since = self._bad_since or (self._steady(), self._now())
                if self._steady() - self._bad_since[0] >= self._settings.watchdog_patience_s:
                    # one incident, whether it answers badly or not at all
                    wrong[next((kind for kind in HEALTH if kind in self._open), problem)] = self._bad_since[1]
        if self._settings.watchdog_listen:
            with self._lock:
                at, since = self._heard
            if self._steady() - at > self._settings.watchdog_heartbeat_s:
                wrong["no_heartbeat"] = since
        now = self._now()
        for kind, since in wrong.items():
            if kind not in self._open:
                self._open[kind] = Incident(kind, since, "watchdog")
                self._operator.began(self._open[kind], now)
        for kind in [kind for kind in self._open if kind not in wrong]:
            self._operator.ended(self._open.pop(kind), now)


HEALTH: Final = ("no_answer", "health_bad")


def ask_health(url: str, token: str, patience_s: float = PATIENCE_S) -> str | None:
    """What is wrong with the platform's /health: None, `health_bad` or `no_answer`. Raises ValueError: no address."""
    connection = connection_to(url, patience_s)
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request("GET", f"{urlsplit(url).path.rstrip('/')}/health", headers=headers)
        answer = connection.getresponse()
        said = json.loads(answer.read(MOST_BODY))
        well = answer.status == 200 and isinstance(said, dict) and said.get("status") == "ok"
        return None if well else "health_bad"
    except (OSError, http.client.HTTPException):
        return "no_answer"
    except ValueError:  # no JSON: something else answers at this address
        return "health_bad"
    finally:
        connection.close()


class HeartbeatServer:
    """Takes signed heartbeats while the `with` block lasts. Raises SettingsError when it cannot listen."""

    def __init__(self, listen: str, secret: str, wall: Callable[[], float], came: Callable[[], None]) -> None:
        host, _, port = listen.rpartition(":")
        if not secret:
            raise SettingsError("YIJU_WATCHDOG_SECRET is not set: anybody could send a heartbeat")
        taken: dict[str, float] = {}

        class Handler(BaseHTTPRequestHandler):
            timeout = PATIENCE_S

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                counted = re.fullmatch("[0-9]{1,9}", length) is not None  # "²" is a digit, too
                body = self.rfile.read(int(length)) if counted and int(length) <= MOST_BODY else b""
                id = self.headers.get("Yiju-Id", "")
                at, signed = self.headers.get("Yiju-Timestamp", ""), self.headers.get("Yiju-Signature", "")
                genuine = id.startswith("heartbeat-") and is_genuine(secret.encode(), id, at, signed, body, wall())
                if genuine and id not in taken:
                    taken[id] = wall()
                    for old in sorted(taken, key=taken.__getitem__)[:-1000]:
                        del taken[old]
                    came()
                self.send_response(204 if genuine else 403)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        try:
            self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), Handler)
        except (OSError, ValueError, OverflowError) as error:
            raise SettingsError(f"YIJU_WATCHDOG_LISTEN is {listen!r}: {error}. Write HOST:PORT") from error
        self.port = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def __enter__(self) -> "HeartbeatServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def run(settings: WatchdogSettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises SettingsError."""
    if not (settings.watchdog_url or settings.watchdog_listen):
        raise SettingsError("there is nothing to watch: set YIJU_WATCHDOG_URL, YIJU_WATCHDOG_LISTEN or both")
    if settings.watchdog_url and urlsplit(settings.watchdog_url).scheme not in ("http", "https"):
        raise SettingsError(f"YIJU_WATCHDOG_URL is {settings.watchdog_url!r}: write http://... or https://...")
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keep_channels_out_of_logs()
    words = load_words()[settings.operator_locale]
    operator = Operator(settings.watchdog_channels.split(), words, settings.zone, Dispatch("", time))
    ask = (lambda: ask_health(settings.watchdog_url, settings.watchdog_token)) if settings.watchdog_url else None
    watchdog = Watchdog(settings, operator, ask, monotonic, lambda: datetime.now(UTC))
    log = structlog.get_logger()
    log.info("watchdog_started", asks=bool(ask), listens=bool(settings.watchdog_listen))
    if settings.watchdog_listen:
        with HeartbeatServer(settings.watchdog_listen, settings.watchdog_secret, time, watchdog.heartbeat):
            _watch(watchdog, settings.watchdog_every_s, stop)
    else:
        _watch(watchdog, settings.watchdog_every_s, stop)
    log.info("watchdog_stopped")


def _watch(watchdog: Watchdog, every_s: float, stop: Event) -> None:
    while not stop.is_set():
        watchdog.look()
        stop.wait(every_s)
