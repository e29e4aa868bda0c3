"""How much a request may bring. The app reads a body before it asks who sends it, so the limit stands before both."""

from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES: Final = 1_048_576  # a register document of a thousand homes is about 500 KB


class BodyLimit:
    """ASGI middleware: refuses a body over MOST_BYTES, by its announced length or by what has come."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"")
        if announced.isdigit() and int(announced) > MOST_BYTES:
            body = {"error": {"code": "too_large", "message": f"a request brings at most {MOST_BYTES} bytes"}}
            await JSONResponse(body, 413)(scope, receive, send)
            return
        came = 0

        async def receive_some() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            return {"type": "http.disconnect"} if came > MOST_BYTES else message

        await self._app(scope, receive_some, send)
