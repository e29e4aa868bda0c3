"""Tells who runs the platform, over channels that need neither the database nor the broker."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog

from alerts.notify.message import Message
from alerts.notify.result import Sent
from core.words import Words

Send = Callable[[str, Message], Sent]
MOST_WAITING: Final = 100


class Incident(NamedTuple):
    """Something wrong with the platform: `kind` has a word `watch.trouble.{kind}`."""

    kind: str
    since: datetime
    seen_by: str


class Operator:
    """Sends a message over each channel, and again at the next `send_waiting` where that failed."""

    def __init__(self, channels: Sequence[str], words: Words, zone: str, send: Send) -> None:
        self._channels = tuple(channels)
        self._words = words
        self._zone = zone
        self._send = send
        self._waiting: list[tuple[str, Message]] = []

    def began(self, incident: Incident, now: datetime) -> None:
        said = self._words
        what = said(f"watch.trouble.{incident.kind}")
        at = said.moment(incident.since, self._zone, now)
        body = "\n".join([said("watch.since", at=at, seen_by=incident.seen_by), said("watch.meanwhile")])
        self._say(incident, "began", Message(said("watch.began", what=what), body, True))

    def ended(self, incident: Incident, now: datetime) -> None:
        said = self._words
        what = said(f"watch.trouble.{incident.kind}")
        lasted = said("watch.lasted", span=said.span(max(timedelta(0), now - incident.since)))
        self._say(incident, "ended", Message(said("watch.ended", what=what), lasted, False))

    def send_waiting(self) -> None:
        """What could not be sent before, oldest first."""
        waiting, self._waiting = self._waiting, []
        for channel, message in waiting:
            self._try(channel, message)

    def _say(self, incident: Incident, what: str, message: Message) -> None:
        id = f"trouble-{incident.kind}-{int(incident.since.timestamp())}-{what}"
        facts = {"kind": "trouble", "trouble": incident.kind, "event": what, "since": incident.since.isoformat(),
                 "seen_by": incident.seen_by}  # fmt: skip
        whole = Message(message.title, message.body, message.urgent, id=id, brief=message.title, facts=facts)
        structlog.get_logger().warning("platform_trouble", trouble=incident.kind, event_is=what)
        for channel in self._channels:
            self._try(channel, whole)

    def _try(self, channel: str, message: Message) -> None:
        try:
            sent = self._send(channel, message)
        except Exception as error:  # noqa: BLE001 - the edge to a service's plugin: logged and tried again
            structlog.get_logger().error("operator_not_told", error=type(error).__name__)
            self._keep(channel, message)
            return
        if not sent.ok:
            structlog.get_logger().error("operator_not_told", reason=sent.reason.value)
            if sent.retry_helps:
                self._keep(channel, message)

    def _keep(self, channel: str, message: Message) -> None:
        self._waiting = [*self._waiting, (channel, message)][-MOST_WAITING:]
