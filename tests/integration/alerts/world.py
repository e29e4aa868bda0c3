"""A small world for the stories: homes, people and sensors as rows, written as ingest would write them."""

from collections.abc import Sequence
from copy import copy
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from alerts.engine import Tick, tick
from alerts.learn import learn_due
from alerts.slices import ALL
from core.metrics import BY_NAME
from store.pool import Connection, DatabaseRole
from tests.conftest import Database

QUARTER: Final = timedelta(minutes=15)


class World:
    """One district, street and community; homes, devices and people as a test adds them."""

    def __init__(self, database: Database, registered: datetime) -> None:
        self.database = database
        self.owner = database.connect()
        self.worker = database.connect(DatabaseRole.ALERTS, autocommit=False)
        self.registered = registered
        self.days: set[date] = set()  # of which readings have a place
        self.batch = self._insert("ledger", gateway_id=0, session=UUID(int=0), lane=1, seq=1, stored_at=registered,
                                  readings=0, rejected=0)  # fmt: skip
        self.district = self.region("district-1", "district", None)
        self.street = self.region("street-1", "street", self.district)
        self.community = self.region("community-1", "community", self.street)

    def on(self, database: Database) -> "World":
        """The same world, in a database that was cloned from its own."""
        twin = copy(self)
        twin.database = database
        twin.owner, twin.worker = database.connect(), database.connect(DatabaseRole.ALERTS, autocommit=False)
        twin.days = set(self.days)
        return twin

    def close(self) -> None:
        self.worker.close()
        self.owner.close()

    def tick(
        self, now: datetime, channels: Sequence[str] = (), connection: Connection | None = None,
        slices: Sequence[int] = ALL,
    ) -> Tick:  # fmt: skip
        """One tick, committed, and what is due to be learned, as the service does beside it."""
        connection = connection or self.worker
        done = tick(connection, now, platform_channels=channels, slices=slices)
        assert learn_due(connection, now) == {}
        connection.commit()
        return done

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        return self.owner.execute(sql.encode(), parameters).fetchall()

    def alerts(self, kind: str | None = None) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM alert WHERE %s::text IS NULL OR kind = %s ORDER BY id", kind, kind)

    def history(self, alert_id: int) -> list[str]:
        return [
            row["what"] for row in self.rows("SELECT what FROM alert_event WHERE alert_id = %s ORDER BY id", alert_id)
        ]

    # The register

    def region(self, key: str, level: str, parent: int | None, policy: dict[str, Any] | None = None) -> int:
        return self._insert("region", key=key, level=level, name=key, parent_id=parent, policy=Jsonb(policy or {}))

    def home(self, key: str, region: int | None = None, zone: str = "UTC", **policy: Any) -> "HomeWorld":
        home = self._insert(
            "home", key=key, region_id=region or self.community, name=key, zone=zone, commissioned_at=self.registered,
            policy=Jsonb(policy),
        )  # fmt: skip
        return HomeWorld(self, home, key)

    def person(
        self, key: str, role: str, region: int | None = None, channels: Sequence[str] = (), locale: str = "en"
    ) -> int:
        person = self._insert("person", key=key, name=key, locale=locale, channels=list(channels))
        self.owner.execute("INSERT INTO role_grant VALUES (%s, %s, %s)", [person, role, region or self.community])
        return person

    def family(self, key: str, home: "HomeWorld", channels: Sequence[str] = (), locale: str = "en") -> int:
        person = self._insert("person", key=key, name=key, locale=locale, channels=list(channels))
        self.owner.execute(
            "INSERT INTO consent (person_id, home_id, given_at) VALUES (%s, %s, %s)", [person, home.id, self.registered]
        )
        return person

    def _insert(self, table: str, **values: Any) -> int:
        names, places = ", ".join(values), ", ".join(["%s"] * len(values))
        row = self.owner.execute(
            f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING id".encode(), list(values.values())
        ).fetchone()
        assert row is not None
        return int(row["id"])


class HomeWorld:
    """One home with a gateway; its devices speak when the test says so."""

    def __init__(self, world: World, home: int, key: str) -> None:
        self.world = world
        self.id = home
        self.gateway = world._insert("gateway", key=f"gw-{key}", home_id=home, registered_at=world.registered)
        self.itself = self.device("gateway")

    def on(self, world: World) -> "HomeWorld":
        """The same home in a world that was cloned."""
        twin = copy(self)
        twin.world = world
        return twin

    def device(self, kind: str, room: str | None = None, *, exterior: bool = False, mains: bool = False) -> int:
        world = self.world
        room_id = None
        if room is not None:
            found = world.rows("SELECT id FROM room WHERE home_id = %s AND key = %s", self.id, room)
            room_id = found[0]["id"] if found else world._insert("room", home_id=self.id, key=room, kind=room)
        count = world.rows("SELECT count(*) AS n FROM device WHERE gateway_id = %s", self.gateway)[0]["n"]
        return world._insert(
            "device", gateway_id=self.gateway, address=f"test/{kind}-{count}", home_id=self.id, room_id=room_id,
            kind=kind, exterior=exterior, mains=mains, registered_at=world.registered,
        )  # fmt: skip

    def heard(self, at: datetime, *, online: bool = True, since: datetime | None = None) -> None:
        """A batch or status of the gateway arrives."""
        self.world.owner.execute(
            "INSERT INTO gateway_status VALUES (%s, %s, %s, %s) ON CONFLICT (gateway_id) DO UPDATE SET"
            " online = excluded.online, heard_at = excluded.heard_at, since = CASE WHEN gateway_status.online ="
            " excluded.online THEN gateway_status.since ELSE excluded.since END",
            [self.gateway, online, since or at, at],
        )
        if online:
            self.state(self.itself, "uptime", 1, at)

    def will(self, at: datetime) -> None:
        self.heard(at, online=False)

    def state(self, device: int, metric: str, value: float, at: datetime, *, changed: bool = False) -> None:
        """A reading, as the device's state and in the rollup."""
        on, off = (at, None) if value > 0 else (None, at)
        number = BY_NAME[metric].id
        self.world.owner.execute(
            "INSERT INTO device_state (device_id, metric, home_id, time, value, on_at, off_at, changed_at, received_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (device_id, metric) DO UPDATE SET"
            " time = excluded.time, value = excluded.value, on_at = coalesce(excluded.on_at, device_state.on_at),"
            " off_at = coalesce(excluded.off_at, device_state.off_at),"
            " changed_at = coalesce(excluded.changed_at, device_state.changed_at), received_at = excluded.received_at",
            [device, number, self.id, at, value, on, off, at if changed else None, at],
        )
        self._rollup(device, number, at, 0)
        self._reading(device, number, at, value, changed)

    def life(self, device: int, at: datetime, metric: str = "motion") -> None:
        """A sign of life."""
        self.state(device, metric, 1, at, changed=True)
        if metric == "open":  # it falls shut again at once
            self.state(device, metric, 0, at, changed=True)
        self._rollup(device, BY_NAME[metric].id, at, 1)
        self.world.owner.execute(
            "INSERT INTO home_state VALUES (%s, %s, %s, %s) ON CONFLICT (home_id) DO UPDATE SET"
            " life_at = excluded.life_at, life_device_id = excluded.life_device_id"
            " WHERE home_state.life_at IS NULL OR home_state.life_at < excluded.life_at",
            [self.id, at, device, at],
        )

    def urgent(
        self, device: int, metric: str, at: datetime, *, value: float = 1, stored: datetime | None = None
    ) -> None:
        """An urgent reading above 0, with the notification that ingest gives."""
        self.state(device, metric, value, at, changed=True)
        with self.world.owner.transaction():
            self.world.owner.execute(
                "INSERT INTO urgent_event (home_id, device_id, metric, time, value, stored_at)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [self.id, device, BY_NAME[metric].id, at, value, stored or at],
            )
            self.world.owner.execute("NOTIFY urgent_event")

    def routine(self, device: int, start: datetime, days: int, quiet: tuple[float, float] = (23, 5)) -> None:
        """Signs of life each quarter of an hour but in the quiet hours; the gateway speaks in every quarter."""
        for quarter in range(days * 96):
            at = start + quarter * QUARTER
            hour = at.astimezone(UTC).hour + at.minute / 60
            asleep = hour >= quiet[0] or hour < quiet[1] if quiet[0] > quiet[1] else quiet[0] <= hour < quiet[1]
            self.speaks(at)
            if not asleep:
                self._rollup(device, BY_NAME["motion"].id, at, 1)
                self._reading(device, BY_NAME["motion"].id, at, 1, changed=True)

    def speaks(self, at: datetime) -> None:
        """The gateway says something of itself in the past; what it last said stays as it is."""
        self._rollup(self.itself, BY_NAME["uptime"].id, at, 0)
        self._reading(self.itself, BY_NAME["uptime"].id, at, 1, changed=False)

    def _reading(self, device: int, metric: int, at: datetime, value: float, changed: bool) -> None:
        if at.date() not in self.world.days:
            self.world.days.add(at.date())
            self.world.owner.execute("SELECT reading_make_room(%s, %s)", [at, at])
        self.world.owner.execute(
            "INSERT INTO reading VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [self.id, device, self.world.batch, at, at, value, metric, int(changed)],
        )

    def _rollup(self, device: int, metric: int, at: datetime, life: int) -> None:
        bucket = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        self.world.owner.execute(
            "INSERT INTO rollup VALUES (%s, %s, %s, %s, 1, %s, 0, 0, 0, 0)"
            " ON CONFLICT (home_id, bucket, device_id, metric)"
            " DO UPDATE SET n = rollup.n + 1, life = rollup.life + excluded.life",
            [self.id, bucket, device, metric, life],
        )
