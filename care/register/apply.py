"""Brings the register in the database to what a document says. Idempotent: the same document twice changes
nothing the second time. Nothing is ever deleted by it, and nothing ended because it is not named."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from psycopg.types.json import Jsonb

from care.register.document import (
    NOBODY,
    DeviceEntry,
    GatewayEntry,
    HomeEntry,
    PersonEntry,
    RegionEntry,
    RegisterDocument,
    RotationEntry,
    two_gateways,
)
from care.register.scope import check_scope
from core.errors import RegisterError
from core.model import DeviceKind, Role
from store.pool import Connection
from store.queries import load_queries

QUERIES = load_queries(__package__)


@dataclass(frozen=True)
class Moved:
    """A device that came to another gateway of its home, with its history."""

    home: str
    address: str
    gateway: str


@dataclass(frozen=True)
class Missing:
    """A gateway or device in use that the document does not name though it names its home. `address` "": a gateway."""

    home: str
    gateway: str
    address: str = ""


@dataclass
class RegisterReport:
    """What an import did, per kind of entry ("home", "device" ...)."""

    created: Counter[str] = field(default_factory=Counter)
    updated: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    moved: list[Moved] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)


def apply_register(
    connection: Connection, document: RegisterDocument, source: str, now: datetime, admin_id: int | None = None
) -> RegisterReport:
    """Applies the whole document in one transaction, or nothing of it.

    Args:
        connection: with the rights of DatabaseRole.REGISTER or of the owner.
        source: names the document in errors.
        now: when it is registered.
        admin_id: the person who does it, who may touch the regions below their own only; None: the operator.

    Raises:
        NotAllowed: it touches what is not the admin's.
        RegisterError: it refers to something that is neither in it nor in the register.
    """
    with connection.transaction():
        if admin_id is not None:
            check_scope(connection, document, admin_id)
        _check_references(connection, document, source)
        apply = _Apply(connection, now)
        for region in _parents_first(document.region, source):
            apply.region(region)
        for home in document.home:
            apply.home(home, source)
        if document.home:  # a device may hang on another home's gateway, so all gateways have come first
            apply.move_devices(document.home)
            apply.devices(document.home, source)
            apply.missing(document.home)
        for person in document.person:
            apply.person(person, source)
        for rotation in document.rotation:
            apply.rotation(rotation, source)
    return apply.report


class _Apply:
    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._hasher = PasswordHasher()
        self.report = RegisterReport()

    def _put(self, kind: str, /, **values: Any) -> None:
        row = self._connection.execute(QUERIES[f"put_{kind}"], {"now": self._now, **values}).fetchone()
        if row is None:
            self.report.unchanged[kind] += 1
        elif row["created"]:
            self.report.created[kind] += 1
        else:
            self.report.updated[kind] += 1

    def region(self, entry: RegionEntry) -> None:
        self._put("region", key=entry.key, parent=entry.parent, level=entry.level, name=entry.name,
                  policy=Jsonb(entry.policy))  # fmt: skip

    def home(self, entry: HomeEntry, source: str) -> None:
        self._put("home", key=entry.key, region=entry.region, name=entry.name, address=entry.address,
                  zone=entry.zone, commissioned=entry.commissioned, policy=Jsonb(entry.policy))  # fmt: skip
        self._connection.execute(QUERIES["put_home_state"], {"key": entry.key})
        for room in entry.room:
            self._put("room", home=entry.key, key=room.key, kind=room.kind, name=room.name)
        for resident in entry.resident:
            self._put("resident", home=entry.key, key=resident.key, name=resident.name, born=resident.born,
                      phone=resident.phone)  # fmt: skip
        for gateway in entry.gateway:
            options = None if gateway.options is None else Jsonb(msgspec.to_builtins(gateway.options))
            ended = self._end_of(entry, gateway, f"{source}: home {entry.key!r}: gateway {gateway.key!r}")
            self._put("gateway", home=entry.key, key=gateway.key, password_hash=gateway.password_hash,
                      options=options, ended=ended)  # fmt: skip
            self._put("device", home=entry.key, gateway=gateway.key, address="gateway", room=None,
                      kind=DeviceKind.GATEWAY, exterior=False, mains=True, ended=None)  # fmt: skip

    def move_devices(self, homes: Sequence[HomeEntry]) -> None:
        """Devices that are with another gateway of their home come to the one that the document names."""
        entries = [(home, device) for home in homes for device in home.device if device.ended is None]
        wanted = {
            "homes": [home.key for home, _ in entries],
            "gateways": [device.gateway for _, device in entries],
            "addresses": [device.address for _, device in entries],
            "now": self._now,
        }
        # Again as long as one has made room for another.
        while moved := self._connection.execute(QUERIES["move_devices"], wanted).fetchall():
            self.report.moved += [Moved(row["home"], row["address"], row["gateway"]) for row in moved]

    def devices(self, homes: Sequence[HomeEntry], source: str) -> None:
        gateways = [device.gateway for home in homes for device in home.device]
        rows = self._connection.execute(QUERIES["were_there"], {"gateways": gateways}).fetchall()
        were_there = {(row["home"], row["gateway"], row["address"]) for row in rows}
        for home in homes:
            for device in home.device:
                ended = self._end_of(home, device, f"{source}: home {home.key!r}: device {device.address!r}")
                if (home.key, device.gateway, device.address) in were_there:
                    self.report.unchanged["device"] += 1  # an old entry of what is with another gateway now
                    continue
                self._put("device", home=home.key, gateway=device.gateway, address=device.address, room=device.room,
                          kind=device.kind, exterior=device.exterior, mains=device.mains, ended=ended)  # fmt: skip
        keys = [home.key for home in homes]
        for row in self._connection.execute(QUERIES["with_two_gateways"], {"homes": keys, "id": None}):
            raise RegisterError(
                f"{source}: home {row['home']!r}: {two_gateways(row['address'], row['one'], row['other'])}"
            )

    def missing(self, homes: Sequence[HomeEntry]) -> None:
        """Writes down what is in use and not named any more; nothing is ended by being left out."""
        devices = [(device.gateway, device.address) for home in homes for device in home.device]
        named = {
            "homes": [home.key for home in homes],
            "gateways": [gateway.key for home in homes for gateway in home.gateway],
            "of": [gateway for gateway, _ in devices],
            "addresses": [address for _, address in devices],
            "now": self._now,
        }
        self._connection.execute(QUERIES["note_missing_gateways"], named)
        self._connection.execute(QUERIES["note_missing_devices"], named)
        for row in self._connection.execute(QUERIES["missing"], {"homes": named["homes"]}):
            self.report.missing.append(Missing(row["home"], row["gateway"], row["address"]))

    def _end_of(self, home: HomeEntry, entry: GatewayEntry | DeviceEntry, place: str) -> datetime | None:
        if entry.ended is None:
            return None
        ended = entry.ended.moment(home.zone)
        if ended > self._now:
            raise RegisterError(f"{place}: ended {ended} is still to come: write it down when it has been taken away")
        return ended

    def person(self, entry: PersonEntry, source: str) -> None:
        if entry.login is not None:
            taken = self._connection.execute(
                QUERIES["login_taken"], {"login": entry.login, "key": entry.key}
            ).fetchone()
            if taken:
                raise RegisterError(
                    f"{source}: person {entry.key!r}: login {entry.login!r} is {taken['key']!r}'s: choose another"
                )
        self._put("person", key=entry.key, name=entry.name, phone=entry.phone, locale=entry.locale,
                  channels=entry.channels, login=entry.login, password_hash=self._password_hash(entry))  # fmt: skip
        for grant in entry.grant:
            if grant.role is Role.VOLUNTEER:
                self._put("volunteer", person=entry.key, region=grant.region)
            else:
                self._put("grant", person=entry.key, role=grant.role, region=grant.region)
        for consent in entry.consent:
            self._put("consent", person=entry.key, home=consent.home, relation=consent.relation, place=consent.order)

    def rotation(self, entry: RotationEntry, source: str) -> None:
        """A member sees the homes that they are called to, so each holds a grant there."""
        members = [None if key == NOBODY else key for key in entry.members]
        foreign = self._connection.execute(
            QUERIES["members_without_grant"],
            {"region": entry.region, "people": [key for key in members if key is not None]},
        ).fetchall()
        for row in foreign:
            raise RegisterError(
                f"{source}: rotation {entry.key!r}: member {row['key']!r} "
                + (f"holds no grant for {entry.region!r}: add [[person.grant]]" if row["known"] else "is not known")
            )
        self._put(
            "rotation", key=entry.key, region=entry.region, name=entry.name, duty=entry.duty, zone=entry.zone,
            handovers=entry.handovers, every_days=entry.every_days, starts=entry.starts, ends=entry.ends,
        )  # fmt: skip
        before = self._connection.execute(QUERIES["rotation_members"], {"key": entry.key}).fetchone()
        if before is not None and before["members"] != members:
            self._connection.execute(QUERIES["put_rotation_members"], {"key": entry.key, "members": members})
            self.report.updated["rotation_member"] += 1

    def _password_hash(self, entry: PersonEntry) -> str:
        """The same password again keeps its hash, so that an import twice changes nothing."""
        if not entry.password:
            return entry.password_hash
        row = self._connection.execute(QUERIES["person_password"], {"key": entry.key}).fetchone()
        if row and row["password_hash"]:
            try:
                self._hasher.verify(row["password_hash"], entry.password)
            except VerificationError:
                return self._hasher.hash(entry.password)  # a new password
            return str(row["password_hash"])
        return self._hasher.hash(entry.password)


def _parents_first(regions: Iterable[RegionEntry], source: str) -> list[RegionEntry]:
    waiting = {region.key: region for region in regions}
    ordered: list[RegionEntry] = []
    while waiting:
        ready = [region for region in waiting.values() if region.parent not in waiting]
        if not ready:
            raise RegisterError(f"{source}: the regions {', '.join(sorted(waiting))} are each other's parents")
        for region in ready:
            ordered.append(waiting.pop(region.key))
    return ordered


def _check_references(connection: Connection, document: RegisterDocument, source: str) -> None:
    wanted: dict[str, dict[str, str]] = {"region": {}, "home": {}, "gateway": {}}  # kind -> key -> who asks
    for region in document.region:
        if region.parent is not None:
            wanted["region"].setdefault(region.parent, f"region {region.key!r}: parent")
    for home in document.home:
        wanted["region"].setdefault(home.region, f"home {home.key!r}: region")
        for device in home.device:
            wanted["gateway"].setdefault(device.gateway, f"home {home.key!r}: device {device.address!r}: gateway")
    for rotation in document.rotation:
        wanted["region"].setdefault(rotation.region, f"rotation {rotation.key!r}: region")
    for person in document.person:
        for grant in person.grant:
            wanted["region"].setdefault(grant.region, f"person {person.key!r}: grant: region")
        for consent in person.consent:
            wanted["home"].setdefault(consent.home, f"person {person.key!r}: consent: home")
    known = {
        ("region", region.key) for region in document.region
    } | {("home", home.key) for home in document.home} | {
        ("gateway", gateway.key) for home in document.home for gateway in home.gateway
    }  # fmt: skip
    keys = {f"{kind}s": list(asked) for kind, asked in wanted.items()}
    known |= {(row["kind"], row["key"]) for row in connection.execute(QUERIES["known_keys"], keys)}
    for kind, asked in wanted.items():
        for key, who in asked.items():
            if (kind, key) not in known:
                raise RegisterError(
                    f"{source}: {who} {key!r} is not known: add [[{'home.gateway' if kind == 'gateway' else kind}]]"
                    f" with key = {key!r}, or mend the name"
                )
