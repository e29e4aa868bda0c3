"""A signed webhook: `webhook+https://:SECRET@host/path`. docs/delivery.md shows how a receiver checks it.

The body is JSON. `Yiju-Id` is the same for each try of a message, so that a receiver takes it once; `Yiju-Timestamp` is
the machine's time in seconds; `Yiju-Signature` is `v1=` and the HMAC-SHA256, in hex, of `{id}.{timestamp}.{body}`.
"""

import hashlib
import hmac
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from alerts.notify.message import Message
from alerts.notify.post import post
from alerts.notify.result import SendReason, Sent

SCHEMES: Final = ("webhook+https", "webhook+http")
TOLERANCE_S: Final = 300


def send_webhook(channel: str, message: Message, at: int, timeout_s: float) -> Sent:
    """Args: at: the machine's time, seconds since 1970."""
    parts = urlsplit(channel)
    try:
        secret, port = unquote(parts.password or ""), parts.port
    except ValueError:
        return Sent(SendReason.BAD_CHANNEL, "webhook")
    if not secret or not parts.hostname:
        return Sent(SendReason.BAD_CHANNEL, "webhook")
    body = msgspec.json.encode(
        {"v": 1, "id": message.id, "title": message.title, "body": message.body, "urgent": message.urgent,
         "url": message.url, **message.facts}
    )  # fmt: skip
    headers = {
        "Content-Type": "application/json",
        "Yiju-Id": message.id,
        "Yiju-Timestamp": str(at),
        "Yiju-Signature": signature(secret.encode(), message.id, at, body),
    }
    host = parts.hostname if ":" not in parts.hostname else f"[{parts.hostname}]"
    netloc = f"{host}:{port}" if port else host
    url = parts._replace(scheme=parts.scheme.removeprefix("webhook+"), netloc=netloc, fragment="").geturl()
    return post(url, body, headers, "webhook", timeout_s)


def signature(secret: bytes, id: str, at: int, body: bytes) -> str:
    """`v1=...` of a message with this id, sent at this time."""
    return "v1=" + hmac.new(secret, f"{id}.{at}.".encode() + body, hashlib.sha256).hexdigest()


def is_genuine(secret: bytes, id: str, timestamp: str, signed: str, body: bytes, now: float) -> bool:
    """What a receiver asks: signed by who has the secret, and not an old message sent again.

    The receiver also remembers the ids that it took within `TOLERANCE_S` and takes none twice.
    """
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now - int(timestamp)) > TOLERANCE_S:
        return False
    return hmac.compare_digest(signature(secret, id, int(timestamp), body).encode(), signed.encode())
