"""docker-compose.yml as docker reads it: merged keys, and the values of .env put in."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
VARIABLE: Final = re.compile(r"\$\{(?P<name>[A-Z0-9_]+)(?::(?P<rule>[-?])(?P<text>[^}]*))?\}")
FILLED_IN: Final = {
    "YIJU_DATABASE_PASSWORD": "database-secret",
    "YIJU_BROKER_PASSWORD": "broker-secret",
    "YIJU_PUBLIC_URL": "http://localhost:8080",
    "YIJU_SECURE_COOKIE": "false",
}


def services() -> dict[str, dict[str, Any]]:
    """Each service by name, with the values that somebody has filled in."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = _filled_in(read["services"])
    return found


def own_services() -> dict[str, dict[str, Any]]:
    """The services that run our own image."""
    return {name: service for name, service in services().items() if service["image"] == "yiju"}


def _filled_in(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _filled_in(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled_in(value) for value in part]
    return VARIABLE.sub(_value, part) if isinstance(part, str) else part


def _value(match: re.Match[str]) -> str:
    given = FILLED_IN.get(match["name"])
    return given if given is not None else (match["text"] or "" if match["rule"] == "-" else "")
