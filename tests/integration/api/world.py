"""A small district in the database, for the api's tests: two communities, a worker each, a family, a manager.

district
  street-1
    north   home 1 (Wang), home 2 (Li)    worker: anna     family of home 1: mei
    south   home 3 (Zhao)                 worker: bo
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from argon2 import PasswordHasher
from psycopg.types.json import Jsonb

from store.pool import Connection

PASSWORD: Final = "peach blossom"
ZONE: Final = "Asia/Shanghai"
ROOMS: Final = ("entry", "bedroom", "living", "kitchen", "bathroom")
_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # quick: these are tests


@dataclass
class World:
    """Ids by key."""

    connection: Connection
    regions: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    homes: dict[str, int] = field(default_factory=dict)
    rooms: dict[tuple[str, str], int] = field(default_factory=dict)
    devices: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, statement: LiteralString, **values: Any) -> int:
        row = self.connection.execute(statement, values).fetchone()
        assert row is not None
        number: int = row["id"]
        return number

    def region(self, key: str, level: str, parent: str | None = None) -> None:
        self.regions[key] = self.add(
            "INSERT INTO region (key, parent_id, level, name) VALUES (%(key)s, %(parent)s, %(level)s, %(name)s)"
            " RETURNING id",
            key=key, level=level, name=key.title(), parent=self.regions[parent] if parent else None,
        )  # fmt: skip

    def person(self, key: str, *, grants: Mapping[str, str] = {}, shared: tuple[str, ...] = (), locale: str = "en",
               name: str | None = None, at: datetime | None = None) -> None:  # fmt: skip
        self.people[key] = self.add(
            "INSERT INTO person (key, name, phone, locale, login, password_hash)"
            " VALUES (%(key)s, %(name)s, '13800000000', %(locale)s, %(key)s, %(hash)s) RETURNING id",
            key=key, name=name or key.title(), locale=locale, hash=_HASHER.hash(PASSWORD),
        )  # fmt: skip
        for role, region in grants.items():
            self.connection.execute(
                "INSERT INTO role_grant VALUES (%s, %s, %s)", [self.people[key], role, self.regions[region]]
            )
        for home in shared:
            self.connection.execute(
                "INSERT INTO consent VALUES (%s, %s, 'daughter', %s)", [self.people[key], self.homes[home], at]
            )

    def home(self, key: str, region: str, resident: str, now: datetime) -> None:
        """With five rooms, a gateway, and a device of the usual kinds."""
        home = self.homes[key] = self.add(
            "INSERT INTO home (key, region_id, name, address, zone, commissioned_at)"
            " VALUES (%(key)s, %(region)s, %(name)s, %(address)s, %(zone)s, %(at)s) RETURNING id",
            key=key, region=self.regions[region], name=f"Home of {resident}", address=f"Lane {key}", zone=ZONE,
            at=now - timedelta(days=60),
        )  # fmt: skip
        self.add(
            "INSERT INTO resident (home_id, key, name, born, phone)"
            " VALUES (%(home)s, %(key)s, %(name)s, '1941-05-01', '13900000000') RETURNING id",
            home=home, key=f"resident-{key}", name=resident,
        )  # fmt: skip
        gateway = self.add(
            "INSERT INTO gateway (key, home_id, registered_at) VALUES (%(key)s, %(home)s, %(at)s) RETURNING id",
            key=f"gw-{key}", home=home, at=now,
        )  # fmt: skip
        for kind in ROOMS:
            self.rooms[key, kind] = self.add(
                "INSERT INTO room (home_id, key, kind) VALUES (%(home)s, %(kind)s, %(kind)s) RETURNING id",
                home=home, kind=kind,
            )  # fmt: skip
        for name, kind, room in (
            ("FrontDoor", "contact", "entry"), ("Bed", "bed", "bedroom"), ("LivingMotion", "motion", "living"),
            ("KitchenMotion", "motion", "kitchen"), ("BathRadar", "radar", "bathroom"), ("Sos", "sos", "bedroom"),
            ("gateway", "gateway", None),
        ):  # fmt: skip
            self.devices[key, name] = self.add(
                "INSERT INTO device (gateway_id, address, home_id, room_id, kind, exterior, registered_at)"
                " VALUES (%(gateway)s, %(address)s, %(home)s, %(room)s, %(kind)s, %(exterior)s, %(at)s) RETURNING id",
                gateway=gateway, address=name if kind == "gateway" else f"zigbee2mqtt/{name}", home=home, kind=kind,
                room=self.rooms[key, room] if room else None, exterior=name == "FrontDoor", at=now,
            )  # fmt: skip

    def seen(self, key: str, now: datetime, life_ago: timedelta = timedelta(minutes=10)) -> None:
        """The home is watched, with a last sign of life in the kitchen."""
        self.connection.execute(
            "INSERT INTO home_state VALUES (%(home)s, %(life)s, %(device)s, %(now)s) ON CONFLICT (home_id)"
            " DO UPDATE SET life_at = excluded.life_at, heard_at = excluded.heard_at",
            {"home": self.homes[key], "life": now - life_ago, "device": self.devices[key, "KitchenMotion"], "now": now},
        )

    def alert(self, home: str, now: datetime, kind: str = "sos", severity: str = "urgent", **parameters: Any) -> int:
        return self.add(
            "INSERT INTO alert (home_id, kind, severity, dedup_key, message, parameters, began_at, opened_at, last_at)"
            " VALUES (%(home)s, %(kind)s, %(severity)s, %(dedup)s, %(message)s, %(parameters)s, %(now)s, %(now)s,"
            " %(now)s) RETURNING id",
            home=self.homes[home], kind=kind, severity=severity, dedup=f"v1:{kind}:{self.homes[home]}",
            message=f"finding.{kind}.why", parameters=Jsonb(parameters), now=now,
        )  # fmt: skip

    def plan(self, home: str, now: datetime, rotation: str = "north") -> dict[str, int]:
        """Something of every kind that can be planned; ids by the names that paths give them."""
        anna, region = self.people["anna"], self.regions[rotation]
        span = {"from_at": now, "until_at": now + timedelta(days=3), "entered_by": anna, "entered_at": now}

        def put(table: str, **values: Any) -> int:
            names = ", ".join(values)
            places = ", ".join(f"%({name})s" for name in values)
            sql: Any = f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING id"
            return self.add(sql, **values)

        made = put(
            "rotation", key=f"{rotation}-days", region_id=region, name="", duty="first", zone=ZONE, every_days=7,
            handovers=["08:00"], starts_on=(now - timedelta(days=30)).date(),
        )  # fmt: skip
        self.connection.execute("INSERT INTO rotation_member VALUES (%s, 0, %s)", [made, anna])
        return {
            "region_id": region,
            "rotation_id": made,
            "cover_id": put("shift_cover", rotation_id=made, person_id=anna, **span),
            "leave_id": put("leave", person_id=anna, **span),
            "absence_id": put("absence", home_id=self.homes[home], kind="away", **span),
            "maintenance_id": put("maintenance", home_id=self.homes[home], **span),
        }

    def rollup(self, home: str, bucket: datetime, life: int) -> None:
        """One quarter of an hour that was seen, with so many signs of life."""
        self.connection.execute(
            "INSERT INTO rollup VALUES (%s, %s, %s, 1, 15, %s, %s, 0, 0, 1) ON CONFLICT DO NOTHING",
            [self.homes[home], bucket, self.devices[home, "LivingMotion"], life, life],
        )

    def reading(self, home: str, device: str, metric: int, time: datetime, value: float, changed: bool = True) -> None:
        self.connection.execute("SELECT reading_make_room(%s, %s)", [time, time])
        self.connection.execute(
            "INSERT INTO reading (home_id, device_id, batch_id, time, received_at, value, metric, flags)"
            " VALUES (%s, %s, 1, %s, %s, %s, %s, %s)",
            [self.homes[home], self.devices[home, device], time, time, value, metric, int(changed)],
        )


def make_world(connection: Connection, now: datetime) -> World:
    """The district above."""
    world = World(connection)
    world.region("district", "district")
    world.region("street-1", "street", "district")
    world.region("north", "community", "street-1")
    world.region("south", "community", "street-1")
    for key, region, resident in (("1", "north", "Wang"), ("2", "north", "Li"), ("3", "south", "Zhao")):
        world.home(key, region, resident, now)
    world.person("anna", grants={"worker": "north"})
    world.person("bo", grants={"worker": "south"})
    world.person("head", grants={"manager": "district"})
    world.person("root", grants={"admin": "district"})
    world.person("mei", shared=("1",), at=now)
    world.person("nobody")
    return world
