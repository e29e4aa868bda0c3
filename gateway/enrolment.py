"""A new gateway gets its credential: with a one-time code from the platform, over HTTPS, once.

What it is given stands in `settings.env` in its folder, readable by its owner alone; `yiju gateway` reads it there.
"""

import ipaddress
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from core.errors import SettingsError
from gateway.folder import write_whole

SETTINGS: Final = "settings.env"
CERTIFICATE: Final = "platform-ca.pem"
PATIENCE_S: Final = 30.0
_MOST_BYTES: Final = 65_536


class Enrolled(msgspec.Struct, frozen=True):
    """What the platform gives: who the gateway is, its password, where the broker is and how to trust it."""

    gateway: str
    password: str
    broker_url: str
    ca: str = ""


class _ErrorBody(msgspec.Struct, frozen=True):
    message: str = ""


class _Refusal(msgspec.Struct, frozen=True):
    error: _ErrorBody = _ErrorBody()


def enroll(url: str, code: str, ca: str = "") -> Enrolled:
    """Redeems the code at the platform `url`.

    Args:
        url: of its pages, e.g. https://yiju.example.org.
        ca: file with the certificate authority of its pages; empty trusts the system's.

    Raises:
        SettingsError: the platform cannot be reached, or it refuses the code.
    """
    if not is_safe(url):
        raise SettingsError(f"{url!r}: write https://...: the password would cross the network for all to read")
    request = urllib.request.Request(  # noqa: S310  # the scheme was looked at
        url.rstrip("/") + "/api/v1/enroll",
        data=msgspec.json.encode({"code": code}),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
    )
    try:
        context = ssl.create_default_context(cafile=ca or None)
        with urllib.request.urlopen(request, timeout=PATIENCE_S, context=context) as answer:  # noqa: S310
            return msgspec.json.decode(answer.read(_MOST_BYTES), type=Enrolled)
    except urllib.error.HTTPError as error:
        raise SettingsError(f"{url} refuses: {_reason(error)}") from error
    except (OSError, ssl.SSLError) as error:  # URLError is one
        raise SettingsError(f"{url} cannot be reached: {error}") from error
    except msgspec.DecodeError as error:
        raise SettingsError(f"{url} does not answer as a Yiju platform does: {error}") from error


def is_safe(url: str) -> bool:
    """Whether a password may be fetched from there: over TLS, or on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "http":
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False
    return parts.scheme == "https" and host != ""


def write_settings(folder: Path, enrolled: Enrolled, more: Mapping[str, str]) -> Path:
    """Writes what the gateway shall be; what stood there before is replaced.

    Args:
        more: further settings, e.g. the home's broker.

    Raises:
        SettingsError: a value has a line break, or the folder cannot be written.
    """
    settings = {
        "YIJU_GATEWAY_KEY": enrolled.gateway,
        "YIJU_GATEWAY_PASSWORD": enrolled.password,
        "YIJU_PLATFORM_URL": enrolled.broker_url,
        **more,
    }
    file = folder / SETTINGS
    try:
        if enrolled.ca:
            certificate = (folder / CERTIFICATE).absolute()
            write_whole(certificate, enrolled.ca.encode(), mode=0o644)
            settings["YIJU_PLATFORM_CA"] = str(certificate)
        for name, value in settings.items():
            if not value.isprintable():
                raise SettingsError(f"{name} holds a character that no setting may have")
        write_whole(file, "".join(f"{name}={value}\n" for name, value in settings.items()).encode())
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be written: {error}. Choose another folder or run it as its owner"
        ) from error
    return file


def read_settings_file(folder: Path) -> dict[str, str]:
    """The settings that enrolment wrote; empty where a gateway is told all by its environment.

    Raises:
        SettingsError: the file is there and cannot be read.
    """
    file = folder / SETTINGS
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}. Run it as the file's owner") from error
    lines = [line.strip() for line in text.splitlines()]
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return msgspec.json.decode(error.read(_MOST_BYTES), type=_Refusal).error.message or f"HTTP {error.code}"
    except (msgspec.DecodeError, OSError):
        return f"HTTP {error.code}"
