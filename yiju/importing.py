"""`yiju import` and `yiju gateway-password`: the register from the command line."""

from datetime import datetime
from pathlib import Path
from typing import Final

from rich.table import Table

from alerts.policy import check_policy
from care.register import Missing, RegisterReport, apply_register, read_file
from core.credentials import broker_password_hash, new_password
from core.errors import NotFound
from store.pool import DatabaseRole, connect
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)


def import_file(database_url: str, path: Path, now: datetime) -> RegisterReport:
    """Brings the register to what the file says. Raises RegisterError naming file, key and remedy."""
    document = read_file(path, check_policy)
    with connect(database_url, DatabaseRole.REGISTER, autocommit=True) as connection:
        return apply_register(connection, document, str(path), now)


def renew_gateway_password(database_url: str, key: str) -> str:
    """Gives the gateway a new password and returns it; only its hash is kept. Raises NotFound."""
    password = new_password()
    with connect(database_url, DatabaseRole.REGISTER, autocommit=True) as connection:
        renewed = {"key": key, "password_hash": broker_password_hash(password)}
        changed = connection.execute(QUERIES["renew_gateway_password"], renewed)
        if changed.rowcount == 0:
            raise NotFound(
                f"no gateway {key!r} is in use: add [[home.gateway]] with that key and without `ended`, and"
                " `yiju import` it"
            )
    return password


def remarks(report: RegisterReport) -> list[str]:
    """Sentences about what came elsewhere, and about what is in the platform but not in the file."""
    moved = [
        f"home {one.home!r}: {one.address} came from gateway {one.gateway!r}, with its history" for one in report.moved
    ]
    return moved + [
        f"home {one.home!r}: {thing(one)} is in the platform but not in the file: add it, or mark it `ended = ...` if"
        " it was taken away (docs/register.md)"
        for one in report.missing
    ]


def thing(one: Missing) -> str:
    """Names a gateway or a device."""
    return f"device {one.address!r} of gateway {one.gateway!r}" if one.address else f"gateway {one.gateway!r}"


def report_table(report: RegisterReport) -> Table:
    """What an import did, for people."""
    table = Table("", "created", "updated", "unchanged")
    for kind in sorted({*report.created, *report.updated, *report.unchanged}):
        table.add_row(kind, *(str(counts[kind]) for counts in (report.created, report.updated, report.unchanged)))
    return table
