"""The register document: what a TOML file or an API request may say, and clear errors when it is wrong.

docs/register.md shows one. Unknown keys are errors, so that a misspelt `exterior` is not silently false.
"""

import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from core.configuration import Options, check_topics
from core.daytime import parse_time
from core.errors import RegisterError, SettingsError
from core.model import DeviceKind, RegionLevel, Role, RoomKind
from core.wire import ALERTS, GATEWAY_KEY

Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class End:
    """When something was taken away, as a document says it: a moment, or a day = from its first moment on."""

    def __init__(self, said: date | datetime) -> None:
        self.said = said

    def moment(self, zone: str) -> datetime:
        """In a home of this zone."""
        if isinstance(self.said, datetime):
            return self.said
        return datetime.combine(self.said, time(), ZoneInfo(zone))


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class RegionEntry(_Entry, frozen=True):
    key: Key
    name: Name
    level: RegionLevel
    parent: Key | None = None
    policy: dict[str, Any] = {}


class RoomEntry(_Entry, frozen=True):
    key: Key
    kind: RoomKind
    name: str = ""


class ResidentEntry(_Entry, frozen=True):
    key: Key
    name: Name
    born: date | None = None
    phone: str = ""


class GatewayEntry(_Entry, frozen=True):
    key: Key
    ended: End | None = None  # taken away then
    password_hash: str = ""  # "" leaves what is there
    options: Options | None = None  # None leaves what is there


class DeviceEntry(_Entry, frozen=True):
    gateway: Key
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    kind: DeviceKind
    room: Key | None = None
    exterior: bool = False
    mains: bool = False
    ended: End | None = None


class HomeEntry(_Entry, frozen=True):
    key: Key
    region: Key
    name: Name
    commissioned: datetime
    address: str = ""
    zone: str = "Asia/Shanghai"
    policy: dict[str, Any] = {}
    room: list[RoomEntry] = []
    resident: list[ResidentEntry] = []
    gateway: list[GatewayEntry] = []
    device: list[DeviceEntry] = []


class GrantEntry(_Entry, frozen=True):
    role: Role
    region: Key


class ConsentEntry(_Entry, frozen=True):
    home: Key
    relation: str = ""
    order: Annotated[int, msgspec.Meta(ge=1, le=99)] = 1  # the contact with the least is told first


class PersonEntry(_Entry, frozen=True):
    key: Key
    name: Name
    phone: str = ""
    locale: str = "zh_CN"
    channels: list[str] = []  # Apprise URLs, in order
    login: str | None = None
    password: str = ""  # hashed at once, never stored
    password_hash: str = ""  # argon2; "" leaves what is there
    grant: list[GrantEntry] = []
    consent: list[ConsentEntry] = []


class RotationEntry(_Entry, frozen=True):
    key: Key
    region: Key
    members: Annotated[list[str], msgspec.Meta(min_length=1, max_length=100)]  # people's keys; "-" = nobody is on
    starts: date
    ends: date | None = None  # the first day without it
    name: str = ""
    duty: Literal["first", "second"] = "first"
    zone: str = "Asia/Shanghai"
    handovers: Annotated[list[str], msgspec.Meta(min_length=1, max_length=24)] = msgspec.field(
        default_factory=lambda: ["08:00"]
    )
    every_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 7


class RegisterDocument(_Entry, frozen=True):
    region: list[RegionEntry] = []
    home: list[HomeEntry] = []
    person: list[PersonEntry] = []
    rotation: list[RotationEntry] = []


NOBODY: Final = "-"


PolicyCheck = Callable[[Mapping[str, Any]], None]  # raises RegisterError; what a policy may say is alerts' to know


def read_file(path: Path, check_policy: PolicyCheck) -> RegisterDocument:
    """Reads a TOML file. Raises RegisterError naming the file, the key and the remedy."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RegisterError(f"{path}: there is no such file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegisterError(f"{path}: is not TOML: {error}. Compare it with the example in docs/register.md") from error
    return read_document(values, str(path), check_policy)


def read_document(values: Mapping[str, Any], source: str, check_policy: PolicyCheck | None = None) -> RegisterDocument:
    """Checks what can be checked without the database.

    Args:
        values: the parsed document.
        source: names it in errors (a file, "request").
        check_policy: looks at each region's and home's policy; None: documents of our own, which hold none.
    """
    try:
        document = msgspec.convert(values, RegisterDocument, strict=True, dec_hook=_end)
    except msgspec.ValidationError as error:
        raise RegisterError(f"{source}: {_where(error, values)}") from error
    _check_homes(document, source)
    _check_rotations(document, source)
    for kind, entry in [("region", region) for region in document.region] + [("home", home) for home in document.home]:
        try:
            if check_policy is not None:
                check_policy(entry.policy)
        except RegisterError as error:
            raise RegisterError(f"{source}: {kind} {entry.key!r}: {error}") from error
    for person in document.person:
        if person.locale not in ("zh_CN", "en"):
            raise RegisterError(f"{source}: person {person.key!r}: locale {person.locale!r}: use zh_CN or en")
        for grant in person.grant:
            if grant.role is Role.FAMILY:
                raise RegisterError(
                    f"{source}: person {person.key!r}: family is not granted for a region:"
                    " write [[person.consent]] with the home that agreed"
                )
    return document


def _check_homes(document: RegisterDocument, source: str) -> None:
    for home in document.home:
        if home.commissioned.tzinfo is None:
            raise RegisterError(
                f"{source}: home {home.key!r}: commissioned {home.commissioned} has no zone: write e.g."
                f" {home.commissioned.isoformat()}+08:00"
            )
        check_zone(home.zone, f"{source}: home {home.key!r}")
        for gateway in home.gateway:
            if not GATEWAY_KEY.fullmatch(gateway.key) or gateway.key == ALERTS:
                raise RegisterError(
                    f"{source}: home {home.key!r}: gateway {gateway.key!r}: a gateway's key is part of MQTT topics:"
                    " use lower-case letters, digits, '-' and '_', at most 63, and not 'alerts'"
                )
            try:
                check_topics(gateway.options or Options())
            except SettingsError as error:
                raise RegisterError(
                    f"{source}: home {home.key!r}: gateway {gateway.key!r}: options: {error}"
                ) from error
        _check_ended(home, f"{source}: home {home.key!r}")
        rooms = {room.key for room in home.room}
        for device in home.device:
            if device.room is not None and device.room not in rooms:
                raise RegisterError(
                    f"{source}: home {home.key!r}: device {device.address!r}: room {device.room!r} is not one of its"
                    f" rooms ({', '.join(sorted(rooms)) or 'it has none'}): add [[home.room]] or mend the name"
                )


def _check_rotations(document: RegisterDocument, source: str) -> None:
    for rotation in document.rotation:
        place = f"{source}: rotation {rotation.key!r}"
        try:
            handovers = [parse_time(text) for text in rotation.handovers]
        except ValueError as error:
            raise RegisterError(f"{place}: handovers: {error}") from error
        if handovers != sorted(set(handovers)):
            raise RegisterError(f"{place}: handovers {rotation.handovers}: write each once, the earliest first")
        if len(handovers) > 1 and rotation.every_days > 1:
            raise RegisterError(
                f"{place}: several handovers a day go with every_days = 1, it is {rotation.every_days}: use one"
                " handover, or make two rotations"
            )
        if rotation.ends is not None and rotation.ends <= rotation.starts:
            raise RegisterError(f"{place}: ends {rotation.ends} is not after starts {rotation.starts}")
        check_zone(rotation.zone, place)


def _end(kind: type, value: Any) -> End:
    """TOML gives dates and moments, JSON text."""
    if kind is not End:
        raise NotImplementedError(kind)
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if not isinstance(value, date):  # a datetime is one
        raise ValueError(f"{value!r} is no date or moment: write e.g. 2026-05-01 or 2026-05-01T10:00:00+08:00")
    return End(value)


def _check_ended(home: HomeEntry, place: str) -> None:
    """Times with a zone, and each device in use with one gateway only."""
    ends = [(f"gateway {gateway.key!r}", gateway.ended) for gateway in home.gateway]
    ends += [(f"device {device.address!r}", device.ended) for device in home.device]
    for name, ended in ends:
        if ended is not None and isinstance(ended.said, datetime) and ended.said.tzinfo is None:
            raise RegisterError(f"{place}: {name}: ended {ended.said} has no zone: write e.g. {ended.said}+08:00")
    gone = {gateway.key for gateway in home.gateway if gateway.ended is not None}
    having: dict[str, str] = {}
    for device in home.device:
        if device.ended is None and device.gateway not in gone:
            other = having.setdefault(device.address, device.gateway)
            if other != device.gateway:
                raise RegisterError(f"{place}: {two_gateways(device.address, other, device.gateway)}")


def two_gateways(address: str, one: str, other: str) -> str:
    """Why a device cannot be with both, and what to do."""
    return (
        f"device {address!r} is with gateway {one!r} and with {other!r}: what both hear would be stored twice. A device"
        " is with one gateway: mark the box that was taken away with `ended`, leave the device out of one of them, or"
        " give two different devices different names"
    )


def check_zone(zone: str, place: str) -> None:
    """Raises RegisterError for what is no IANA time zone; `place` names the entry."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise RegisterError(f"{place}: zone {zone!r} is not an IANA time zone such as Asia/Shanghai") from error


def _where(error: msgspec.ValidationError, values: Mapping[str, Any]) -> str:
    """msgspec's words with the entry's own key, as `$.home[2].device[0].kind` helps nobody in a long file."""
    message, _, path = str(error).partition(" - at ")
    node: Any = values
    names: list[str] = []
    for step in path.strip("`$").replace("[", ".[").split("."):
        if not step:
            continue
        try:
            if step.startswith("["):
                node = node[int(step[1:-1])]
                if isinstance(node, Mapping):
                    names.append(repr(node.get("key") or node.get("address") or node.get("home") or step))
            else:
                names.append(step)
                node = node[step]
        except (KeyError, IndexError, TypeError, ValueError):
            break
    return f"{' '.join(names) or 'the document'}: {message}. docs/register.md lists what may stand there"
