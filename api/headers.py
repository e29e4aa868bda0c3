"""Around every request: the headers that protect a reader, and the count for /metrics."""

from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.house import House

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
    " manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # "no-referrer" would hide the origin of our own forms too
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
}


class Headers:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house
        self._headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        if house.settings.secure_cookie:
            self._headers.append((b"strict-transport-security", b"max-age=31536000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(self._headers)
                if not scope["path"].startswith("/static/"):
                    own.append((b"cache-control", b"no-store"))  # a resident's data stays in nobody's cache
                message["headers"] = [*message["headers"], *own]
                self._count(scope, message["status"], perf_counter() - started)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = pattern(scope)
        counters = self._house.counters
        counters.requests.labels(scope["method"], route, str(status)).inc()
        counters.seconds.labels(route).observe(seconds)


def pattern(scope: Scope) -> str:
    """The path with names in place of ids, so that no id becomes a label; `other` for what no route answers."""
    if "route" not in scope:
        return "static" if scope["path"].startswith("/static/") else "other"
    places = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(places.get(part, part) for part in scope["path"].split("/"))
