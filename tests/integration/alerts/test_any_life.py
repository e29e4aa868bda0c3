"""Whatever homes, people and the line do, in whatever order: a tick ends well, and no open alert is forgotten.

One broken comparison in one home is a look at no home (docs/adr/0028). So homes that are learned, metered and new are
driven through random days: what each sensor can say, at once, late or never, what people do about alerts, absences.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from psycopg.sql import SQL, Identifier

from alerts import lifecycle
from care import visits
from core.errors import YijuError
from core.metrics import BY_NAME
from core.model import AlertState, FalseReason, Found, Outcome, Severity
from store.pool import Connection, DatabaseRole
from tests.conftest import NOW, Database, Server
from tests.integration.alerts.world import HomeWorld, World

PAST: Final = timedelta(days=9)
# kind, room, exterior, metric, what it can say
DEVICES: Final = (
    ("motion", "bedroom", False, "motion", (0, 1)),
    ("motion", "kitchen", False, "motion", (0, 1)),
    ("motion", "bathroom", False, "motion", (0, 1)),
    ("contact", "entry", True, "open", (0, 1)),
    ("bed", "bedroom", False, "occupied", (0, 1)),
    ("radar", "living", False, "presence", (0, 1)),
    ("radar", "bathroom", False, "fall", (0, 1, 2)),
    ("sos", "bedroom", False, "sos", (0, 1)),
    ("smoke", "kitchen", False, "smoke", (0, 1)),
    ("gas", "kitchen", False, "gas", (0, 1)),
    ("leak", "bathroom", False, "leak", (0, 1)),
    ("meter", None, False, "power", (0, 40, 41, 2000, 3500)),
    ("water_meter", None, False, "water", (0, 1.5, 9.25)),
    ("climate", "living", False, "temperature", (-10, 21, 21.5, 38)),
    ("sos", "bathroom", False, "tamper", (0, 1)),
)
SPANS: Final = st.sampled_from(
    [timedelta(seconds=seconds) for seconds in (1, 40, 660, 3600, 18_000, 46_800, 108_000, 345_600)]
)
LATE: Final = st.sampled_from([timedelta(0)] * 4 + [timedelta(minutes=20), timedelta(hours=7), timedelta(days=2)])
AT: Final = st.integers(0, 99)


def furnish(world: World, key: str, *kinds: str) -> HomeWorld:
    """A home with the devices of these kinds; of all when none is named."""
    home = world.home(key, zone="Asia/Shanghai")
    for kind, room, exterior, _, _ in DEVICES:
        if not kinds or kind in kinds:
            home.device(kind, room, exterior=exterior, mains=kind == "meter")
    return home


@pytest.fixture(scope="module")
def lived_in(server: Server, template: str) -> Iterator[tuple[World, Sequence[HomeWorld]]]:
    """A world to clone: two homes with nine learned days, of which one has nothing but a meter, and two new ones."""
    name = f"yiju_lived_{uuid4().hex[:12]}"
    server.run(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
    world = World(Database(server.url(name)), NOW - PAST)
    for person, role, region in (("wang", "worker", world.community), ("li", "manager", world.street)):
        world.person(person, role, region, ["json://127.0.0.1:1/x"])
    homes = [furnish(world, "known"), furnish(world, "metered", "meter"), furnish(world, "new"),
             furnish(world, "bare", "motion")]  # fmt: skip
    kitchen, meter = devices_of(world, homes[0])[1], devices_of(world, homes[1])[0]
    homes[0].routine(kitchen, NOW - PAST, PAST.days)
    for quarter in range(PAST.days * 96):
        at = NOW - PAST + quarter * timedelta(minutes=15)
        homes[1].speaks(at)
        homes[1].state(meter, "power", 40, at)
        if at.hour in (7, 12, 18) and at.minute == 15:
            homes[1].state(meter, "power", 2000, at + timedelta(minutes=1))
    world.tick(NOW)
    known = world.rows("SELECT home_id FROM profile WHERE (data ->> 'known')::boolean ORDER BY home_id")
    assert [row["home_id"] for row in known] == [home.id for home in homes[:2]]
    world.close()
    server.shut(name)
    yield world, homes
    server.run(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def devices_of(world: World, home: HomeWorld) -> list[int]:
    """In the order of DEVICES."""
    rows = world.rows("SELECT id FROM device WHERE home_id = %s AND kind <> 'gateway' ORDER BY id", home.id)
    return [row["id"] for row in rows]


class AnyLife(RuleBasedStateMachine):
    """Four homes, two people, and a clock that only goes forward."""

    server: Server
    lived_in: tuple[World, Sequence[HomeWorld]]

    def __init__(self) -> None:
        super().__init__()
        world, homes = self.lived_in
        self.name = f"test_{uuid4().hex[:12]}"
        old = urlsplit(world.database.url).path.strip("/")
        self.server.run(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(self.name), Identifier(old)))
        self.world = world.on(Database(self.server.url(self.name)))
        self.homes = [home.on(self.world) for home in homes]
        self.devices = [
            (home, device, metric, says)
            for home, kind in zip(self.homes, (None, "meter", None, "motion"), strict=True)
            for device, (metric, says) in zip(
                devices_of(self.world, home),
                [one[3:] for one in DEVICES if kind in (None, one[0])],
                strict=True,
            )
        ]
        self.people = [row["id"] for row in self.world.rows("SELECT id FROM person ORDER BY id")]
        self.now = NOW

    def teardown(self) -> None:
        self.world.close()
        self.server.run(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(self.name)))

    @rule(span=SPANS, speak=st.booleans())
    def look(self, span: timedelta, speak: bool) -> None:
        """Time goes on; the gateways speak or not; everything is looked at."""
        self.now += span
        if speak:
            for home in self.homes:
                home.heard(self.now - timedelta(seconds=5))
        self.world.tick(self.now)
        for alert in self.world.alerts():
            due = alert["state"] == AlertState.OPEN and alert["severity"] != Severity.NOTICE
            assert not due or alert["rung_at"] > self.now, "an open alert that nobody will be told of"
            assert self.world.history(alert["id"])[0] == "opened"

    @rule(number=AT, said=AT, late=LATE)
    def a_device_speaks(self, number: int, said: int, late: timedelta) -> None:
        home, device, metric, says = self.devices[number % len(self.devices)]
        value, at = says[said % len(says)], self.now - late
        if BY_NAME[metric].urgent and value > 0:
            home.urgent(device, metric, at, value=value, stored=self.now)
        elif BY_NAME[metric].life is not None and value == 1:
            home.life(device, at, metric)
        else:
            home.state(device, metric, value, at, changed=True)

    @rule(number=AT, online=st.booleans())
    def the_line_changes(self, number: int, online: bool) -> None:
        self.homes[number % len(self.homes)].heard(self.now, online=online)

    @rule(number=AT, kind=st.sampled_from(["away", "hospital", "visitor"]), span=SPANS)
    def an_absence_is_entered(self, number: int, kind: str, span: timedelta) -> None:
        self.world.owner.execute(
            "INSERT INTO absence (home_id, kind, from_at, until_at, entered_by, entered_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [self.homes[number % len(self.homes)].id, kind, self.now, self.now + span, self.people[0], self.now],
        )

    @rule(number=AT, act=AT, found=st.sampled_from(list(Found)), late=LATE)
    def a_carer_says_something(self, number: int, act: int, found: Found, late: timedelta) -> None:
        """That they are there, have left, were there, or were not after all."""
        home, carer, door = self.homes[number % len(self.homes)].id, self.people[0], self.world.owner
        said = visits.visits_to(door, home, NOW)
        past = visits.Past(self.now - late - timedelta(minutes=30), self.now - late, found)
        acts: Sequence[Callable[[], object]] = (
            lambda: visits.arrive(door, home, carer, self.now),
            lambda: visits.leave(door, home, carer, self.now, found),
            lambda: visits.log(door, home, carer, self.now, past),
            lambda: visits.undo(door, home, said[0]["id"], carer, self.now) if said else None,
        )
        with suppress(YijuError):
            acts[act % len(acts)]()

    @precondition(lambda self: self.world.alerts())
    @rule(number=AT, act=AT, who=st.booleans())
    def somebody_acts(self, number: int, act: int, who: bool) -> None:
        alerts = self.world.alerts()
        alert, person, others = alerts[number % len(alerts)]["id"], self.people[who], self.people[not who]
        acts: Sequence[Callable[[Connection], object]] = (
            lambda door: lifecycle.acknowledge(door, alert, person, self.now),
            lambda door: lifecycle.on_site(door, alert, person, self.now),
            lambda door: lifecycle.hand_on(door, alert, person, others, self.now),
            lambda door: lifecycle.resolve(door, alert, person, self.now, Outcome.HELPED),
            lambda door: lifecycle.resolve(
                door, alert, person, self.now, Outcome.FALSE_ALARM, reason=FalseReason.VISITOR
            ),
            lambda door: lifecycle.reopen(door, alert, person, self.now),
        )
        with suppress(YijuError), self.world.database.connect(DatabaseRole.ALERTS, autocommit=False) as door:
            acts[act % len(acts)](door)


def test_no_life_breaks_a_look_and_no_open_alert_is_forgotten(
    server: Server, lived_in: tuple[World, Sequence[HomeWorld]]
) -> None:
    of_this = type("AnyLifeHere", (AnyLife,), {"server": server, "lived_in": lived_in})
    run_state_machine_as_test(
        of_this,
        settings=settings(
            max_examples=8, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
