"""Broker passwords, in the one form that both brokers read: mosquitto's `$7$` (PBKDF2-HMAC-SHA512)."""

import base64
import hashlib
import hmac
import secrets
from typing import Final

PLATFORM_USER: Final = "_platform"  # no gateway key can start with "_"
LISTENER_USER: Final = "_alerts"  # whoever listens to alerts, and to nothing else
_ITERATIONS: Final = 20_000  # the passwords are random and long, so no more is needed
_SALT_BYTES: Final = 12


def new_password() -> str:
    """A random password that nobody can guess."""
    return secrets.token_urlsafe(24)


def broker_password_hash(password: str) -> str:
    """`$7$iterations$salt$hash`, as `mosquitto_passwd` writes it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return _form(password, salt, _ITERATIONS)


def broker_password_matches(password: str, stored: str) -> bool:
    """Whether `password` is the one behind `stored`; False for an empty or broken `stored`."""
    try:
        _, kind, iterations, salt, _ = stored.split("$")
        if kind != "7":
            return False
        return hmac.compare_digest(_form(password, base64.b64decode(salt), int(iterations)), stored)
    except ValueError:  # an empty or broken entry lets nobody in
        return False


def broker_client_id(name: str, password: str) -> str:
    """A client id that stays the same and that nobody without the password can know.

    mosquitto lets any account take any client id, and ends the connection and the queue of the one that had it.
    """
    return f"{name}-{hashlib.sha256(b'client id:' + password.encode()).hexdigest()[:16]}"


def _form(password: str, salt: bytes, iterations: int) -> str:
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)
    return f"$7${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
