"""Who is who on the wire: gateway keys and device addresses -> ids, held in memory, read again when it changes."""

from dataclasses import dataclass, field

from core.wire import to_ms
from store.pool import Connection
from store.queries import load_queries

QUERIES = load_queries(__package__)


@dataclass(frozen=True)
class KnownDevice:
    """A registered device and where it is now."""

    id: int
    home_id: int
    commissioned_ms: int  # readings from before are not of this home


@dataclass
class KnownGateway:
    """A registered gateway with its devices by address."""

    id: int
    home_id: int
    devices: dict[str, KnownDevice] = field(default_factory=dict)


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
        for row in connection.execute(QUERIES["known_devices"]):
            gateway = gateways.get(row["gateway"])
            if gateway is None:  # registered between the two statements
                self.stale = True
                continue
            gateway.devices[row["address"]] = KnownDevice(row["id"], row["home_id"], to_ms(row["commissioned_at"]))
        self._gateways = gateways
        return True

    def gateway(self, key: str) -> KnownGateway | None:
        """The gateway with that key, or None."""
        return self._gateways.get(key)
