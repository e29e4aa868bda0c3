"""What each gateway shall be, made from the register: its devices and rooms, its options, the home's thresholds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog

from core.configuration import Configuration, ConfiguredDevice, ConfiguredRoom, Options, Thresholds, digest_of
from core.wire import VERSION, Desired
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
_LOG: Final = structlog.get_logger()


def make_configurations(connection: Connection, now: datetime) -> list[str]:
    """Brings `gateway_configuration` to what the register says; returns the keys of the gateways that changed."""
    changed: list[str] = []
    with connection.transaction():
        connection.execute(QUERIES["lock"])
        for row in connection.execute(QUERIES["gateways"]).fetchall():
            try:
                document = msgspec.json.encode(configuration_of(row))
            except msgspec.ValidationError as error:  # written past the register's door: the others go on
                _LOG.error("options_unusable", gateway=row["key"], error=str(error))
                continue
            digest = digest_of(document)
            if digest != row["digest"]:
                values = {"gateway": row["id"], "digest": digest, "document": document.decode(), "now": now}
                connection.execute(QUERIES["put_configuration"], values)
                changed.append(row["key"])
    return changed


def configuration_of(row: Mapping[str, Any]) -> Configuration:
    """The configuration of one row of `gateways`. Raises msgspec.ValidationError."""
    options = msgspec.convert(row["options"], Options)
    policy = {name: row[name] for name in ("mains_s", "battery_s") if row[name] is not None}
    return Configuration(
        zone=row["zone"],
        devices=msgspec.convert(row["devices"], list[ConfiguredDevice]),
        rooms=msgspec.convert(row["rooms"], list[ConfiguredRoom]),
        rules=options.rules,
        prompts=options.prompts,
        tests=options.tests,
        thresholds=msgspec.convert({**policy, **row["options"].get("thresholds", {})}, Thresholds),
    )


def desired(connection: Connection, keys: Sequence[str] | None = None) -> list[tuple[str, Desired]]:
    """(gateway key, what is to be published to it), of all gateways or of those named."""
    rows = connection.execute(QUERIES["configurations"], {"keys": None if keys is None else list(keys)}).fetchall()
    return [
        (row["key"], Desired(VERSION, row["version"], row["digest"], msgspec.Raw(row["document"].encode())))
        for row in rows
    ]
