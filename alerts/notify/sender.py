"""One message over one channel, through Apprise. The answer says why it failed and whether a retry helps."""

import re
from enum import StrEnum
from typing import Final, NamedTuple

import apprise

from alerts.notify.message import Message

TIMEOUT_S: Final = 15.0
_STATUS: Final = re.compile(r"error=(\d{3})\b")  # how Apprise's services name the HTTP status that they got


class SendReason(StrEnum):
    """How an attempt ended. A closed list (`delivery_attempt.reason`), also a metric label."""

    SENT = "sent"
    UNREACHABLE = "unreachable"  # no connection, or it broke
    TIMED_OUT = "timed_out"
    THROTTLED = "throttled"  # 429
    SERVER_FAULT = "server_fault"  # 5xx, 408
    REFUSED = "refused"  # any other status: a wrong token, a channel that is gone
    BAD_CHANNEL = "bad_channel"  # not a URL that a service knows
    NOT_NEEDED = "not_needed"  # the alert was resolved before the message went out


RETRY_HELPS: Final = frozenset(
    {SendReason.UNREACHABLE, SendReason.TIMED_OUT, SendReason.THROTTLED, SendReason.SERVER_FAULT}
)


class Sent(NamedTuple):
    """Attributes: detail holds nothing secret: a status or the service's name, never the URL."""

    reason: SendReason
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.reason is SendReason.SENT

    @property
    def retry_helps(self) -> bool:
        return self.reason in RETRY_HELPS


def send(channel: str, message: Message, timeout_s: float = TIMEOUT_S) -> Sent:
    """Sends `message` over `channel`, an Apprise URL. Blocks for at most about `timeout_s` real seconds."""
    # The service's own limits come first, so that a hanging one ends by itself and leaves no thread behind.
    service = apprise.Apprise.instantiate(_with_timeouts(channel, timeout_s), suppress_exceptions=True)
    if service is None:
        return Sent(SendReason.BAD_CHANNEL)
    sender = apprise.Apprise()
    sender.add(service)
    kind = apprise.NotifyType.FAILURE if message.urgent else apprise.NotifyType.WARNING
    result = sender.notify(body=message.body, title=message.title, notify_type=kind, timeout=timeout_s)
    name = str(service.service_name)
    if result:
        return Sent(SendReason.SENT, name)
    if result.status == apprise.AppriseResultStatus.TIMEOUT:
        return Sent(SendReason.TIMED_OUT, name)
    said = " ".join(entry.message for entry in result.logs())
    return _judge(name, said)


def _judge(name: str, said: str) -> Sent:
    """From what the service logged: only a status is taken over, for the text may hold the URL."""
    status = _STATUS.search(said)
    if status is None:
        return Sent(SendReason.UNREACHABLE, name)
    code = int(status[1])
    if code == 429:
        reason = SendReason.THROTTLED
    elif code >= 500 or code == 408:
        reason = SendReason.SERVER_FAULT
    else:
        reason = SendReason.REFUSED
    return Sent(reason, f"{name} {code}")


def _with_timeouts(channel: str, timeout_s: float) -> str:
    if "cto=" in channel or "rto=" in channel:
        return channel
    return f"{channel}{'&' if '?' in channel else '?'}cto={timeout_s / 3:g}&rto={timeout_s * 0.6:g}"
