"""Who somebody is: passwords, tokens, and the brake on guessing.

A token is 256 random bits; the database holds its SHA-256 only, so a stolen copy of the database opens nothing.
"""

import hashlib
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.errors import NotSignedIn, TooManyTries
from api.reads import QUERIES
from core.clock import Clock
from store.pool import Connection

Kind = Literal["page", "program"]
LIFETIME: Final[dict[Kind, timedelta]] = {"page": timedelta(days=14), "program": timedelta(days=90)}  # machine time
TRIES_PER_LOGIN: Final = 8
TRIES_PER_ADDRESS: Final = 40  # a whole office may share one
WINDOW_S: Final = 15 * 60
REMEMBERED: Final = 10_000  # names and addresses; the oldest are forgotten first


class Throttle:
    """Counts wrong passwords per name and per address over the last quarter of an hour, in this process.

    The count lives in memory: a restart forgives, and each process of a larger site counts for itself.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = Lock()

    def check(self, login: str, address: str) -> None:
        """Raises TooManyTries when either has failed too often."""
        with self._lock:
            if (
                self._recent(f"login {login}") >= TRIES_PER_LOGIN
                or self._recent(f"from {address}") >= TRIES_PER_ADDRESS
            ):
                raise TooManyTries("too many wrong passwords: wait a quarter of an hour, then try again")

    def failed(self, login: str, address: str) -> None:
        """Remembers one wrong password."""
        with self._lock:
            for key in (f"login {login}", f"from {address}"):
                self._failures.setdefault(key, []).append(self._clock.now())
                self._failures.move_to_end(key)
            while len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)

    def succeeded(self, login: str) -> None:
        """The right password forgives the name, not the address."""
        with self._lock:
            self._failures.pop(f"login {login}", None)

    def _recent(self, key: str) -> int:
        now = self._clock.now()
        kept = [at for at in self._failures.get(key, []) if self._clock.real_seconds(now - at) < WINDOW_S]
        if key in self._failures:
            self._failures[key] = kept
        return len(kept)


class Doorkeeper:
    """Lets people in by password and knows them again by token."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._throttle = Throttle(clock)
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))  # so that an unknown name takes as long

    def let_in(self, connection: Connection, login: str, password: str, address: str, kind: Kind) -> str:
        """Checks the password and returns a new token.

        Raises:
            NotSignedIn: wrong name or password; which of the two is not said.
            TooManyTries: of late there were too many wrong ones.
        """
        self._throttle.check(login, address)
        row = connection.execute(QUERIES["person_of_login"], {"login": login}).fetchone()
        if not self._matches(row["password_hash"] if row else "", password) or row is None:
            self._throttle.failed(login, address)
            raise NotSignedIn("the name or the password is wrong")
        self._throttle.succeeded(login)
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        connection.execute(QUERIES["forget_ended_sessions"], {"now": now})
        session = {"token_hash": fingerprint(token), "person": row["id"], "kind": kind, "now": now}
        connection.execute(QUERIES["add_session"], {**session, "expires": now + self.lifetime(kind)})
        return token

    def lifetime(self, kind: Kind) -> timedelta:
        """How long a session lasts on the platform's clock: a scaled clock must not sign people out early."""
        pace = self._clock.real_seconds(timedelta(seconds=1)) or 1.0
        return LIFETIME[kind] / pace

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored or self._nobody, password) and stored != ""
        except (VerificationError, InvalidHashError):  # a wrong password, or no password that could be right
            return False


def fingerprint(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()
