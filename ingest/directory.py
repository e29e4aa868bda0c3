"""Who is who on the wire: gateway keys and device addresses -> ids, held in memory, read again when it changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from core.wire import to_ms
from store.pool import Connection
from store.queries import load_queries

QUERIES = load_queries(__package__)
ALWAYS: Final = (int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max))


@dataclass(frozen=True)
class Stay:
    """Where a device was until it came to another home."""

    home_id: int
    commissioned_ms: int
    until_ms: int


@dataclass(frozen=True)
class KnownDevice:
    """A registered device, where it is now, and when it was with one gateway.

    Attributes:
        commissioned_ms: readings from before are not of this home.
        stays: the homes where it was before, the first one first.
        span_ms: what was measured from the first to before the second came through this gateway.
        before: who had its address at this gateway at other times.
        now_with: the key of the gateway that it is with now; "" = it has ended.
    """

    id: int
    home_id: int
    commissioned_ms: int
    stays: tuple[Stay, ...] = ()
    span_ms: tuple[int, int] = ALWAYS
    before: tuple["KnownDevice", ...] = ()
    now_with: str = ""

    def is_over(self, now_ms: int) -> bool:
        """Whether what has its address now has ended and is with no gateway."""
        device = self.at(now_ms)
        return not device.now_with and device.span_ms[1] <= now_ms

    def at(self, time_ms: int) -> "KnownDevice":
        """The device as it stood then: what it measured before it moved is of the home where it was."""
        device = next((one for one in self.before if one.span_ms[0] <= time_ms < one.span_ms[1]), self)
        for stay in device.stays:
            if time_ms < stay.until_ms:
                return replace(device, home_id=stay.home_id, commissioned_ms=stay.commissioned_ms)
        return device


@dataclass
class KnownGateway:
    """A registered gateway with its devices by address.

    Attributes:
        devices: those that it has, and those that it had.
        elsewhere: devices of its home that are with another gateway now and were never with it.
        moved: a device of it was in another home before, or another had its address.
        bounded: a device of it was not with it always.
        ended: it was taken away; what it may still send does not show that its home is heard.
    """

    id: int
    home_id: int
    devices: dict[str, KnownDevice] = field(default_factory=dict)
    elsewhere: Mapping[str, KnownDevice] = field(default_factory=dict)
    moved: bool = False
    bounded: bool = False
    ended: bool = False


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
            row["key"]: KnownGateway(row["id"], row["home_id"], ended=row["ended_at"] is not None)
            for row in connection.execute(QUERIES["known_gateways"])
        }
        stays: dict[int, list[Stay]] = {}
        for row in connection.execute(QUERIES["device_stays"]):
            stay = Stay(row["home_id"], to_ms(row["commissioned_at"]), to_ms(row["until"]))
            stays.setdefault(row["device_id"], []).append(stay)
        links: dict[int, list[Any]] = {}
        for row in connection.execute(QUERIES["device_links"]):
            links.setdefault(row["device_id"], []).append(row)
        of_home: dict[int, dict[str, KnownDevice]] = {}
        for row in connection.execute(QUERIES["known_devices"]):
            spans = _spans(row, links.get(row["id"], ()))
            ended = row["ended_at"] is not None
            known = KnownDevice(
                row["id"], row["home_id"], to_ms(row["commissioned_at"]), tuple(stays.get(row["id"], ())),
                now_with="" if ended else row["gateway"],
            )  # fmt: skip
            if not ended and row["address"] != "gateway":
                of_home.setdefault(row["home_id"], {})[row["address"]] = known
            if any(key not in gateways for key in spans):  # registered between the two statements
                self.stale = True
                continue
            for key, times in spans.items():
                gateway, address = gateways[key], row["address"]
                stints = [replace(known, span_ms=span) for span in times]
                there = gateway.devices.get(address)
                if there is not None:  # of several the last one counts, and knows the others
                    stints = sorted([*stints, *there.before, replace(there, before=())], key=lambda one: one.span_ms)
                gateway.devices[address] = replace(stints[-1], before=tuple(stints[:-1]))
                gateway.moved |= bool(known.stays) or len(stints) > 1
                gateway.bounded |= times != [ALWAYS]
        for gateway in gateways.values():
            gateway.elsewhere = of_home.get(gateway.home_id, {})
        self._gateways = gateways
        return True

    def gateway(self, key: str) -> KnownGateway | None:
        """The gateway with that key, or None."""
        return self._gateways.get(key)


def _spans(device: Mapping[str, Any], links: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[int, int]]]:
    """Gateway key -> when the device was with it; the one where it is comes last."""
    spans: dict[str, list[tuple[int, int]]] = {}
    since = ALWAYS[0]
    for link in links:
        until = to_ms(link["until"])
        spans.setdefault(link["gateway"], []).append((since, until))
        since = until
    until = ALWAYS[1] if device["ended_at"] is None else to_ms(device["ended_at"])
    spans.setdefault(device["gateway"], []).append((since, until))
    return spans
