"""A new gateway's way in: a one-time code for a home, redeemed once for the gateway's key and password.

A code has 60 random bits, is good for a day, and only its hash is kept.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.credentials import broker_password_hash, new_password
from core.errors import Conflict, NotAllowed, NotFound
from core.wire import GATEWAY_KEY
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
LIFETIME: Final = timedelta(hours=24)
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: it is read aloud and typed on a ladder
_LENGTH: Final = 12
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})


@dataclass(frozen=True)
class Code:
    """A fresh code, to be shown this once. `gateway`: the registered gateway that it is for; None = a new one."""

    code: str
    gateway: str | None
    expires_at: datetime


@dataclass(frozen=True)
class Credential:
    """What a gateway gets: its key and its password at the broker."""

    gateway: str
    password: str


def make_code(
    connection: Connection, home_id: int, gateway: str | None, person_id: int, now: datetime,
    lifetime: timedelta = LIFETIME,
) -> Code:  # fmt: skip
    """Makes a code for a gateway of the home.

    Args:
        connection: with the rights of DatabaseRole.REGISTER.
        gateway: the key of a registered one (a box that is replaced); None: a new one, which is registered when the
            code is used.
        person_id: who asks for it, and may: that is the caller's to look at.

    Raises:
        NotFound: no such gateway in this home.
    """
    if gateway is not None:
        row = connection.execute(QUERIES["gateway_of_home"], {"home": home_id, "key": gateway}).fetchone()
        if row is None:
            raise NotFound(f"this home has no gateway {gateway!r}")
    plain = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
    expires = now + lifetime
    connection.execute(
        QUERIES["add_code"],
        {
            "hash": _hash(plain),
            "home": home_id,
            "gateway": gateway,
            "person": person_id,
            "now": now,
            "expires": expires,
        },
    )
    return Code("-".join(plain[start : start + 4] for start in range(0, _LENGTH, 4)), gateway, expires)


def redeem(connection: Connection, code: str, now: datetime) -> Credential:
    """Uses a code up: the gateway gets a new password, and is registered where it is not yet.

    Args:
        connection: with the rights of DatabaseRole.REGISTER, outside a transaction.

    Raises:
        NotAllowed: there is no such code, it was used, or its time is over; which of these is not said.
        Conflict: its gateway has been moved to another home or taken away meanwhile.
    """
    with connection.transaction():
        row = connection.execute(QUERIES["use_code"], {"hash": _hash(code), "now": now}).fetchone()
        if row is None:
            raise NotAllowed("this code is wrong, was used, or is too old: make a new one on the home's page")
        key = row["gateway_key"] or _new_key(connection)
        password = new_password()
        done = connection.execute(
            QUERIES["put_credential"],
            {"key": key, "home": row["home_id"], "password_hash": broker_password_hash(password), "now": now},
        )
        if done.rowcount == 0:
            raise Conflict(f"gateway {key!r} was taken away or stands in another home now: make a new code")
        connection.execute(QUERIES["put_own_device"], {"key": key, "home": row["home_id"], "now": now})
    return Credential(key, password)


def _new_key(connection: Connection) -> str:
    while True:
        key = "gw-" + "".join(secrets.choice(ALPHABET.lower()) for _ in range(8))
        assert GATEWAY_KEY.fullmatch(key)
        if connection.execute(QUERIES["known_gateway"], {"key": key}).fetchone() is None:
            return key


def _hash(code: str) -> bytes:
    """Of the code as people may type it: with or without dashes, in any case, with O for 0."""
    plain = "".join(sign for sign in code.upper() if sign.isalnum()).translate(_READ_AS)
    return hashlib.sha256(b"enrolment:" + plain.encode()).digest()
