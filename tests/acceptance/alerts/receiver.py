"""A webhook receiver on 127.0.0.1 that a story starts: it keeps what rings, and fails or hangs when told to."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self


class Receiver:
    """Posts to `channel("wang")` are kept in `rung["wang"]`, oldest first.

    Attributes:
        status: what it answers, by name; 200 where nothing is set.
        taken: headers and body of each post, for what is no JSON.
        hanging: names that get no answer until `let_go` is set.
    """

    def __init__(self) -> None:
        self.rung: dict[str, list[dict[str, Any]]] = {}
        self.status: dict[str, int] = {}
        self.taken: dict[str, list[tuple[dict[str, str], bytes]]] = {}
        self.hanging: set[str] = set()
        self.let_go = Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                name = self.path.strip("/").partition("?")[0]
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                body = json.loads(raw) if "json" in self.headers.get("Content-Type", "") else {}
                if name in receiver.hanging:
                    receiver.let_go.wait(30)
                receiver.rung.setdefault(name, []).append(body)
                receiver.taken.setdefault(name, []).append((dict(self.headers), raw))
                try:
                    self.send_response(receiver.status.get(name, 200))
                    self.end_headers()
                except BrokenPipeError:
                    return  # the sender lost patience

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def channel(self, name: str) -> str:
        return f"json://127.0.0.1:{self._server.server_port}/{name}"

    def url(self, name: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self._server.server_port}/{name}"

    def count(self, name: str) -> int:
        return len(self.rung.get(name, []))
