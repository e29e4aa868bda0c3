"""The street of the stories: a world with its clock, its webhooks and its outbox, its shifts and its absences."""

from collections.abc import Sequence
from concurrent.futures import wait
from datetime import date, datetime, timedelta
from time import time
from typing import Any

from psycopg.types.json import Jsonb

from alerts.notify.dispatch import Dispatch
from alerts.notify.message import Message
from alerts.notify.outbox import Outbox
from alerts.notify.result import Sent
from core.clock import ManualClock
from tests.acceptance.alerts.receiver import Receiver
from tests.integration.alerts.world import HomeWorld, World

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def impatient(channel: str, message: Message) -> Sent:
    return Dispatch("https://yiju.example", time, timeout_s=1.0)(channel, message)


class Street:
    """`passes` moves the clock, ticks and sends."""

    def __init__(self, world: World, clock: ManualClock, receiver: Receiver, outbox: Outbox) -> None:
        self.world, self.clock, self.receiver, self.outbox = world, clock, receiver, outbox
        self.platform: list[str] = []

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def passes(self, span: timedelta = timedelta(0), *heard: HomeWorld) -> None:
        """`heard`: homes whose gateway speaks meanwhile."""
        now = self.clock.move(span)
        for home in heard:
            home.heard(now)
        self.world.tick(now, self.platform)
        while sending := self.outbox.start_due():
            wait(sending)

    def rings(self) -> dict[str, int]:
        return {name: len(posts) for name, posts in self.receiver.rung.items()}

    def says(self, name: str) -> str:
        """The last message to somebody."""
        post = self.receiver.rung[name][-1]
        return f"{post['title']}\n{post['message']}"

    # People

    def person(self, name: str, role: str = "worker", region: int | None = None) -> int:
        return self.world.person(name, role, region, [self.receiver.channel(name)])

    def family(self, name: str, home: HomeWorld, place: int = 1) -> int:
        person = self.world.family(name, home, [self.receiver.channel(name)])
        self.world.owner.execute("UPDATE consent SET place = %s WHERE person_id = %s", [place, person])
        return person

    def volunteer(self, name: str) -> int:
        person = self.world._insert("person", key=name, name=name, locale="en", channels=[self.receiver.channel(name)])
        self.world.owner.execute("INSERT INTO volunteer VALUES (%s, %s)", [person, self.world.community])
        return person

    # Shifts

    def rotation(
        self, *members: int | None, handovers: Sequence[str] = ("08:00",), every_days: int = 1, zone: str = "UTC",
        duty: str = "first", starts_on: date = date(2026, 3, 1), region: int | None = None,
    ) -> int:  # fmt: skip
        rotation = self.world._insert(
            "rotation", key=f"rotation-{duty}", region_id=region or self.world.community, name="Shifts", duty=duty,
            zone=zone, handovers=list(handovers), every_days=every_days, starts_on=starts_on,
        )  # fmt: skip
        for place, person in enumerate(members):
            self.world.owner.execute("INSERT INTO rotation_member VALUES (%s, %s, %s)", [rotation, place, person])
        return rotation

    def leave(self, person: int, start: datetime, end: datetime) -> None:
        self.world._insert(
            "leave", person_id=person, from_at=start, until_at=end, entered_by=person, entered_at=self.now
        )

    # What is planned

    def absence(self, home: HomeWorld, kind: str, start: datetime, end: datetime) -> int:
        by = self.world._insert("person", key=f"by-{home.id}-{start}", name="somebody", locale="en", channels=[])
        return self.world._insert(
            "absence", home_id=home.id, kind=kind, from_at=start, until_at=end, entered_by=by, entered_at=self.now
        )

    def maintenance(self, start: datetime, end: datetime, **place: int) -> None:
        by = self.world._insert("person", key=f"fitter-{start}", name="fitter", locale="en", channels=[])
        self.world._insert("maintenance", from_at=start, until_at=end, entered_by=by, entered_at=self.now, **place)

    # The elder

    def prompt(self, home: HomeWorld) -> None:
        """The home's gateway can ask "are you all right?"."""
        options = {"prompts": {"ask": {"topic": "zigbee2mqtt/speaker/set", "payload": "1"}}}
        self.world.owner.execute("UPDATE gateway SET options = %s WHERE id = %s", [Jsonb(options), home.gateway])

    def answers(self, answer: str) -> None:
        """What the home says to the question that stands, as ingest writes it."""
        self.world.owner.execute(
            "UPDATE gateway_command SET answer = %s, answered_at = %s WHERE answer IS NULL", [answer, self.now]
        )

    def questions(self) -> list[dict[str, Any]]:
        return self.world.rows("SELECT * FROM gateway_command ORDER BY id")
