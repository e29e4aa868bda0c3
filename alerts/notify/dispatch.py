"""Finds the way for a channel: our own kinds, and Apprise for all others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from alerts.notify import phone, webhook
from alerts.notify.keys import Keys
from alerts.notify.message import Message
from alerts.notify.push import Subscription, send_push, subscription_of
from alerts.notify.result import SendReason, Sent
from alerts.notify.sender import TIMEOUT_S, send

RECEIPTS: Final = "/api/v1/phone/receipts"


@dataclass(frozen=True)
class Pushing:
    """What Web Push needs: `find` looks a subscription up and gives None when it is gone."""

    keys: Callable[[], Keys]
    contact: str
    find: Callable[[int], Subscription | None]


class Dispatch:
    """Sends one message over one channel; blocks for at most about `timeout_s` real seconds.

    Args:
        public_url: where receipts and replies of text messages come back.
        wall: the machine's time, seconds since 1970. Receivers compare it with their own, so a demo's clock is no use.
        pushing: None where no browser is reached (the platform's own operator).
    """

    def __init__(
        self, public_url: str, wall: Callable[[], float], pushing: Pushing | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._callback = public_url.rstrip("/") + RECEIPTS
        self._wall = wall
        self._pushing = pushing
        self._timeout_s = timeout_s

    def __call__(self, channel: str, message: Message) -> Sent:
        scheme = channel.partition(":")[0].lower()
        if scheme in webhook.SCHEMES:
            return webhook.send_webhook(channel, message, int(self._wall()), self._timeout_s)
        if scheme in phone.SCHEMES:
            return phone.send_text(channel, message, self._callback, self._timeout_s)
        if scheme == "webpush":
            return self._push(channel, message)
        return send(channel, message, self._timeout_s)

    def _push(self, channel: str, message: Message) -> Sent:
        number = subscription_of(channel)
        if self._pushing is None or number is None:
            return Sent(SendReason.BAD_CHANNEL, "webpush")
        subscription = self._pushing.find(number)
        if subscription is None:
            return Sent(SendReason.GONE, "webpush")
        at = int(self._wall())
        return send_push(subscription, message, self._pushing.keys(), self._pushing.contact, at, self._timeout_s)
