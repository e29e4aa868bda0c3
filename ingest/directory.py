"""Who is who on the wire: gateway keys and device addresses -> ids, held in memory, read again when it changes."""

from dataclasses import dataclass, field

from core.wire import to_ms
from store.pool import Connection
from store.queries import load_queries

QUERIES = load_queries(__package__)


@dataclass(frozen=True)
class Stay:
    """Where a device was until it came to another home."""

    home_id: int
    commissioned_ms: int
    until_ms: int


@dataclass(frozen=True)
class KnownDevice:
    """A registered device and where it is now.

    Attributes:
        commissioned_ms: readings from before are not of this home.
        stays: the homes where it was before, the first one first.
    """

    id: int
    home_id: int
    commissioned_ms: int
    stays: tuple[Stay, ...] = ()

    def at(self, time_ms: int) -> "KnownDevice":
        """The device as it stood then: what it measured before it moved is of the home where it was."""
        for stay in self.stays:
            if time_ms < stay.until_ms:
                return KnownDevice(self.id, stay.home_id, stay.commissioned_ms)
        return self


@dataclass
class KnownGateway:
    """A registered gateway with its devices by address."""

    id: int
    home_id: int
    devices: dict[str, KnownDevice] = field(default_factory=dict)
    moved: bool = False  # a device of it was in another home before


class Directory:
    """The register, as far as ingest needs it. The database tells (`register_changed`) when it is stale."""

    def __init__(self) -> None:
        self._gateways: dict[str, KnownGateway] = {}
        self.stale = True

    def refresh(self, connection: Connection) -> bool:
        """Reads the register again if it was changed; returns whether it was."""
        if not self.stale:
            return False
        self.stale = False
        gateways = {
            row["key"]: KnownGateway(row["id"], row["home_id"]) for row in connection.execute(QUERIES["known_gateways"])
        }
        stays: dict[int, list[Stay]] = {}
        for row in connection.execute(QUERIES["device_stays"]):
            stay = Stay(row["home_id"], to_ms(row["commissioned_at"]), to_ms(row["until"]))
            stays.setdefault(row["device_id"], []).append(stay)
        for row in connection.execute(QUERIES["known_devices"]):
            gateway = gateways.get(row["gateway"])
            if gateway is None:  # registered between the two statements
                self.stale = True
                continue
            before = tuple(stays.get(row["id"], ()))
            gateway.devices[row["address"]] = KnownDevice(
                row["id"], row["home_id"], to_ms(row["commissioned_at"]), before
            )
            gateway.moved |= bool(before)
        self._gateways = gateways
        return True

    def gateway(self, key: str) -> KnownGateway | None:
        """The gateway with that key, or None."""
        return self._gateways.get(key)
