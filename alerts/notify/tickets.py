"""Signed tickets for answer links, and the reply codes of text messages.

A ticket is `base64url(link id, expiry, HMAC-SHA256)`. It says which row of `answer_link` it opens; the row says for
whom and which alerts, and remembers that it was used. Nobody can make one without the platform's secret, and a stolen
copy of the table opens nothing.
"""

import base64
import hashlib
import hmac
import re
import struct
from datetime import UTC, datetime
from typing import Final, NamedTuple

from core.errors import NotFound

_FORM: Final = struct.Struct(">QQ")
_MAC_BYTES: Final = 20
_LETTERS: Final = re.compile(r"[A-Za-z0-9_-]{48}")  # 36 bytes: no letter of it is without meaning
CODE_DIGITS: Final = 6


class Ticket(NamedTuple):
    """What a genuine ticket says."""

    link_id: int
    expires_at: datetime


def make_ticket(key: bytes, link_id: int, expires_at: datetime) -> str:
    """48 letters that fit into a URL. `expires_at` is cut to whole seconds."""
    said = _FORM.pack(link_id, int(expires_at.timestamp()))
    return base64.urlsafe_b64encode(said + _mac(key, b"link", said)).decode()


def read_ticket(key: bytes, text: str) -> Ticket:
    """Raises NotFound when it is not one of ours, letter by letter. Whether it has expired the caller asks."""
    if not _LETTERS.fullmatch(text):
        raise NotFound("this link is not complete, or was never one of ours")
    raw = base64.urlsafe_b64decode(text)
    said, mac = raw[: _FORM.size], raw[_FORM.size :]
    if not hmac.compare_digest(mac, _mac(key, b"link", said)):
        raise NotFound("this link was never one of ours")
    link_id, expires = _FORM.unpack(said)
    return Ticket(link_id, datetime.fromtimestamp(expires, UTC))


def reply_code(key: bytes, link_id: int) -> str:
    """Six digits that stand for a link in a reply. They count only together with the number they were sent to."""
    number = int.from_bytes(_mac(key, b"code", link_id.to_bytes(8, "big"))[:8], "big")
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def sender_hash(key: bytes, number: str) -> bytes:
    """Knows a telephone number again, without keeping it: `+86 138...`, `0086138...` and `138...` are the same."""
    digits = re.sub(r"\D", "", number)[-11:]
    return _mac(key, b"sender", digits.encode())


def _mac(key: bytes, purpose: bytes, said: bytes) -> bytes:
    return hmac.new(key, b"yiju " + purpose + b" 1 " + said, hashlib.sha256).digest()[:_MAC_BYTES]
