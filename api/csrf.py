"""Whether a changing request comes from our own pages. A browser adds its cookie to anybody's form, but it
also says where the form stood: `Sec-Fetch-Site`, or at least `Origin`, neither of which a page can forge."""

from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

from core.errors import NotAllowed

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_foreign_form(request: Request, public_url: str) -> None:
    """Raises NotAllowed for a changing request that does not prove that it comes from our own pages."""
    if request.method in SAFE:
        return
    origin = request.headers.get("origin")
    if origin is not None:
        if origin in _own_origins(request, public_url):
            return
    elif request.headers.get("sec-fetch-site") == "same-origin":
        return
    raise NotAllowed("this form was not sent from a page of this platform; open the page again and repeat it there")


def _own_origins(request: Request, public_url: str) -> set[str]:
    parts = urlsplit(public_url)
    host = request.headers.get("host", "")
    return {f"{parts.scheme}://{parts.netloc}", f"{request.url.scheme}://{host}"}
