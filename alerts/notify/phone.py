"""Text messages and calls, through a gateway that takes an HTTP form: `sms+https://user:password@host/path?to=NUMBER`.

It gets POST fields: `to`, `text`, `id`, `kind` (`sms`, or `voice` with `&kind=voice`), `callback`; every other field
of the query comes along. Receipts and replies come back (api/routes/phone.py). docs/delivery.md has the form.
"""

import base64
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from alerts.notify.message import Message
from alerts.notify.post import post
from alerts.notify.result import SendReason, Sent

SCHEMES: Final = ("sms+https", "sms+http")


def send_text(channel: str, message: Message, callback: str, timeout_s: float) -> Sent:
    """Posts the form. A text message says less than a letter: title, sentence, link, and how to reply."""
    parts = urlsplit(channel)
    try:
        user, password, port = parts.username, parts.password, parts.port
        fields = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        return Sent(SendReason.BAD_CHANNEL, "sms")
    if not parts.hostname or not fields.get("to"):
        return Sent(SendReason.BAD_CHANNEL, "sms")
    text = "\n".join(part for part in (message.title, message.body, message.reply) if part)
    form = {"kind": "sms", **fields, "text": text, "id": message.id, "callback": callback}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if user is not None:
        login = f"{unquote(user)}:{unquote(password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    host = parts.hostname if ":" not in parts.hostname else f"[{parts.hostname}]"
    netloc = f"{host}:{port}" if port else host
    url = parts._replace(scheme=parts.scheme.removeprefix("sms+"), netloc=netloc, query="", fragment="").geturl()
    return post(url, urlencode(form).encode(), headers, "sms", timeout_s)


def number_of(channel: str) -> str | None:
    """The telephone number that a channel reaches, None when it is another kind of channel."""
    parts = urlsplit(channel)
    if parts.scheme not in SCHEMES:
        return None
    return dict(parse_qsl(parts.query)).get("to")
