"""How an attempt to send ended."""

from enum import StrEnum
from typing import Final, NamedTuple


class SendReason(StrEnum):
    """How an attempt ended. A closed list (`delivery_attempt.reason`), also a metric label."""

    SENT = "sent"
    UNREACHABLE = "unreachable"  # no connection, it broke, or it fell silent
    TIMED_OUT = "timed_out"  # over the limit for the whole message
    THROTTLED = "throttled"  # 429
    SERVER_FAULT = "server_fault"  # 5xx, 408
    REFUSED = "refused"  # any other status: a wrong token, a channel that is gone
    BAD_CHANNEL = "bad_channel"  # not a URL that a service knows
    GONE = "gone"  # a browser that takes no messages any more; its channel is removed
    UNDELIVERABLE = "undeliverable"  # the service took it and says later that it never reached the device
    BROKEN = "broken"  # a fault in the service's plugin or in ours; logged with its kind
    NOT_NEEDED = "not_needed"  # the alert was resolved before the message went out


RETRY_HELPS: Final = frozenset(
    {
        SendReason.UNREACHABLE,
        SendReason.TIMED_OUT,
        SendReason.THROTTLED,
        SendReason.SERVER_FAULT,
        SendReason.BROKEN,
    }
)
# The service itself is in trouble, not this message: others that it should carry would fare no better.
SERVICE_TROUBLE: Final = frozenset({SendReason.UNREACHABLE, SendReason.TIMED_OUT, SendReason.SERVER_FAULT})


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


def judge_status(code: int, name: str) -> Sent:
    """What an HTTP status of a service called `name` says."""
    if 200 <= code < 300:
        return Sent(SendReason.SENT, name)
    if code == 429:
        reason = SendReason.THROTTLED
    elif code >= 500 or code == 408:
        reason = SendReason.SERVER_FAULT
    else:
        reason = SendReason.REFUSED
    return Sent(reason, f"{name} {code}")
