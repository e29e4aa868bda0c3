"""The platform's own secrets: one that signs answer links, and the key pair with which browsers know us (VAPID).

Made once, when `alerts` starts for the first time, and kept in `platform_secret`; the api may read what it needs to
check a link, and the public half of the pair.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.errors import NotFound
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)


@dataclass(frozen=True)
class Keys:
    """Attributes: vapid: the private number, 32 bytes; vapid_public: the uncompressed point, 65 bytes."""

    answer: bytes
    vapid: bytes
    vapid_public: bytes

    def __repr__(self) -> str:
        return "Keys(hidden)"


def make_keys(connection: Connection, now: datetime) -> Keys:
    """The keys; makes them when there are none. The caller owns the transaction."""
    rows = {row["name"]: row["value"] for row in connection.execute(QUERIES["secrets"])}
    if len(rows) < 3:
        private = ec.generate_private_key(ec.SECP256R1())
        public = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        number = private.private_numbers().private_value.to_bytes(32, "big")
        # One statement for all three: of two services that start at once, one makes all and the other none.
        connection.execute(
            QUERIES["keep_secrets"],
            {"names": ["answer", "vapid", "vapid_public"], "now": now,
             "secrets": [secrets.token_bytes(32), number, public]},
        )  # fmt: skip
        rows = {row["name"]: row["value"] for row in connection.execute(QUERIES["secrets"])}
    return Keys(rows["answer"], rows["vapid"], rows["vapid_public"])


def shared_key(connection: Connection, name: str) -> bytes:
    """`answer` or `vapid_public`, for the api. Raises NotFound while `alerts` has never run."""
    row = connection.execute(QUERIES["secret"], {"name": name}).fetchone()
    if row is None:
        raise NotFound("the platform has made no keys yet: start the alerts service")
    value: bytes = row["value"]
    return value
