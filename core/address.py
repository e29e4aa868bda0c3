"""Where a broker is, out of a URL."""

from urllib.parse import unquote, urlsplit

import msgspec

from core.errors import SettingsError


class BrokerAddress(msgspec.Struct, frozen=True):
    """A broker's place, and who we are there. `user` is empty where the broker asks for nobody's name."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = ""


def parse_broker_url(url: str, variable: str) -> BrokerAddress:
    """Reads `mqtt://user:password@host:port` or `mqtts://...`; the ports are 1883 and 8883 by default.

    Raises:
        SettingsError: naming `variable`; the URL is not shown, as it may hold a password.
    """
    wanted = f"{variable} cannot be read: write mqtt://host:port or mqtts://host:port (user:password@ before the host)"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(wanted) from error
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == 0:
        raise SettingsError(wanted)
    tls = parts.scheme == "mqtts"
    return BrokerAddress(
        parts.hostname,
        port or (8883 if tls else 1883),
        tls,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )
