"""One message over one channel, through Apprise. The answer says why it failed and whether a retry helps."""

import logging
import re
from typing import Final

import apprise

from alerts.notify.message import Message
from alerts.notify.result import SendReason, Sent, judge_status

__all__ = ["SendReason", "Sent", "keep_channels_out_of_logs", "send"]

TIMEOUT_S: Final = 15.0
_STATUS: Final = re.compile(r"error=(\d{3})\b")  # how Apprise's services name the HTTP status that they got


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


def keep_channels_out_of_logs() -> None:
    """Apprise's own log names channels, which may hold tokens and phone numbers. For an entry point, once."""
    logger = logging.getLogger("apprise")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False


def _judge(name: str, said: str) -> Sent:
    """From what the service logged: only a status is taken over, for the text may hold the URL."""
    status = _STATUS.search(said)
    if status is None:
        return Sent(SendReason.UNREACHABLE, name)
    return judge_status(int(status[1]), name)


def _with_timeouts(channel: str, timeout_s: float) -> str:
    if "cto=" in channel or "rto=" in channel:
        return channel
    return f"{channel}{'&' if '?' in channel else '?'}cto={timeout_s / 3:g}&rto={timeout_s * 0.6:g}"
