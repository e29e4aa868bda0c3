"""The api as a service of its own."""

import signal
from threading import Event, Thread
from types import FrameType
from typing import Final

import structlog
import uvicorn

from alerts.notify.sender import keep_channels_out_of_logs
from api.app import create_app
from api.guard import ApiGuard
from api.house import House
from api.settings import Settings
from core.clock import Clock
from core.errors import StackError
from store.pool import DatabaseRole, open_pool

__all__ = ["Settings", "run"]
GRACE_S: Final = 5  # for requests under way when it is told to stop
log = structlog.get_logger(__name__)


def run(settings: Settings, clock: Clock) -> None:
    """Serves until SIGTERM or SIGINT; open streams are ended first, so a stop takes moments.

    Raises:
        StackError: the server could not start, e.g. its port is taken.
    """
    asked_to_stop = Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        asked_to_stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    keep_channels_out_of_logs()
    with open_pool(settings.database_url, DatabaseRole.API, size=settings.pool_size) as pool:
        app = create_app(settings, clock, pool)
        house = app.state.house
        with ApiGuard(house), Serving(house, uvicorn_server(app, settings)) as serving:
            log.info("the api listens", host=settings.host, port=settings.port)
            while not asked_to_stop.wait(0.5) and serving.alive:
                pass
    if not asked_to_stop.is_set():
        raise StackError(f"the api stopped by itself: is port {settings.port} of {settings.host} taken?")


def uvicorn_server(app: object, settings: Settings) -> uvicorn.Server:
    """The web server, with its own logging off: requests are counted in /metrics, and paths hold ids."""
    return uvicorn.Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]  # any ASGI app
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_S,
        )
    )


class Serving:
    """Runs a server in a thread for as long as the `with` block lasts."""

    def __init__(self, house: House, server: uvicorn.Server) -> None:
        self._house = house
        self._server = server
        self._thread = Thread(target=self._serve, name="web-server", daemon=True)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def __enter__(self) -> "Serving":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._house.switchboard.hang_up()
        self._server.should_exit = True
        self._thread.join()

    def _serve(self) -> None:
        try:
            self._server.run()
        except SystemExit as end:  # how uvicorn says that it could not listen; it has logged why
            log.error("the web server ended", code=end.code)
