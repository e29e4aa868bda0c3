"""Web Push: `webpush://{host}/{subscription}`, encrypted for one browser (RFC 8291), signed with our key (RFC 8292).

The push service of the browser's maker carries it and cannot read it. A lock screen shows the least there is: what kind
of alarm, nothing of whom. What is behind it opens in the browser.
"""

import base64
import hashlib
import json
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from alerts.notify.keys import Keys
from alerts.notify.message import Message
from alerts.notify.post import post
from alerts.notify.result import SendReason, Sent

SCHEME: Final = "webpush"
TOKEN_S: Final = 12 * 3600
KEPT_S: Final = {
    True: 3600,
    False: 12 * 3600,
}  # urgent or not: how long the push service keeps it for a phone that is off


class Subscription(NamedTuple):
    """A browser: where it is reached, its public key and its secret, both base64url."""

    endpoint: str
    p256dh: str
    auth: str


def send_push(
    subscription: Subscription, message: Message, keys: Keys, contact: str, at: int, timeout_s: float
) -> Sent:
    """Args: contact: `mailto:` or `https:` of who runs the platform; at: the machine's time, seconds since 1970."""
    # A third of the time that the service takes to start, for what most platforms send seldom.
    from py_vapid import Vapid02
    from pywebpush import WebPusher, WebPushException

    data = {"title": message.brief or message.title, "url": message.answer_url or message.url, "tag": message.id,
            "urgent": message.urgent}  # fmt: skip
    try:
        pusher = WebPusher({"endpoint": subscription.endpoint,
                            "keys": {"p256dh": subscription.p256dh, "auth": subscription.auth}})  # fmt: skip
        body: bytes = pusher.encode(json.dumps(data, ensure_ascii=False).encode())["body"]
    except (WebPushException, ValueError):  # a key that is no key
        return Sent(SendReason.GONE, "webpush")
    parts = urlsplit(subscription.endpoint)
    signer = Vapid02.from_raw(base64.urlsafe_b64encode(keys.vapid).rstrip(b"="))
    signed = signer.sign({"aud": f"{parts.scheme}://{parts.netloc}", "exp": at + TOKEN_S, "sub": contact})
    headers = {
        **signed,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(KEPT_S[message.urgent]),
        "Urgency": "high" if message.urgent else "normal",
        # of two with the same topic that wait for a phone, it gets the later one
        "Topic": base64.urlsafe_b64encode(hashlib.sha256(message.id.encode()).digest())[:32].decode(),
    }
    sent = post(subscription.endpoint, body, headers, "webpush", timeout_s)
    if sent.detail in ("webpush 404", "webpush 410"):
        return Sent(SendReason.GONE, sent.detail)
    return sent


def subscription_of(channel: str) -> int | None:
    """The id of the subscription that a channel names; None when it is another kind of channel."""
    parts = urlsplit(channel)
    number = parts.path.strip("/")
    return int(number) if parts.scheme == SCHEME and number.isascii() and number.isdigit() else None
