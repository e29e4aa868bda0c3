"""Hindsight sees what the platform saw: the same readings through ingest and PostgreSQL give the same arrays."""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
from psycopg.types.json import Jsonb

from alerts.hindsight.play import Hindsight
from alerts.learn import learn_home
from alerts.observe import observe
from core.metrics import BY_NAME
from core.model import Flag, Lane
from core.wire import WireReading
from evaluation.simulated import FIRST, arrivals, register_of_seasons
from evaluation.truth import DEVICES_A_HOME
from ingest.arrays import register_arrays
from ingest.decode import Decoded, Message
from ingest.directory import KnownDevice, KnownGateway
from ingest.writer import Writer, prepare
from simulator.season.faults import Chances
from simulator.season.play import play_season
from store.pool import DatabaseRole
from tests.conftest import Database

DAYS, BATCH_S = 9, 7200.0
METRICS = {metric.id: name for name, metric in BY_NAME.items()}


def test_hindsight_sees_what_ingest_stored_and_the_engine_observes(database: Database) -> None:
    seasons = [play_season(9, number, FIRST, DAYS, Chances(), faulty=True) for number in (2, 4)]
    start = seasons[0].arrival.said[0].at - 1
    register = register_of_seasons(seasons, start)
    readings, _ = arrivals(seasons, register)
    readings["stored"] = start + (np.floor((readings["stored"] - start) / BATCH_S) + 1) * BATCH_S
    for name in ("time", "received"):
        readings[name] = np.round(readings[name], 3)  # the wire has milliseconds
    owner, ingest = database.connect(), database.connect(DatabaseRole.INGEST)
    register_arrays(ingest)
    _register(owner, register, start)
    hindsight = Hindsight(register, start, start + DAYS * 86_400)
    writer, session = Writer(), uuid4()
    known = {home: KnownGateway(home, home, {}) for home in register.home_id.tolist()}
    for device, row in zip(register.device_id.tolist(), register.device_home.tolist(), strict=True):
        home = int(register.home_id[row])
        known[home].devices[str(device)] = KnownDevice(device, home, 0)
    checked = 0
    for number, stored in enumerate(np.unique(readings["stored"])):
        batch = readings[readings["stored"] == stored]
        now = datetime.fromtimestamp(float(stored), UTC)
        work = []
        for row, home in enumerate(register.home_id.tolist()):
            mine = batch[register.device_home[batch["device"]] == row]
            rows = [
                WireReading(str(register.device_id[one["device"]]), METRICS[int(one["metric"])],
                            round(one["time"] * 1000), float(one["value"]), round(one["received"] * 1000),
                            int(Flag.CHANGED) if one["changed"] else 0)
                for one in mine
            ]  # fmt: skip
            work.append(
                Decoded(
                    Message("", b"", False, 0, 0),
                    f"gw-{home}",
                    known[home],
                    (session, Lane.BULK, number + 1),
                    readings=rows,
                    sent=len(rows),
                )
            )
        writer.store(ingest, prepare(work, now), now)
        hindsight.teach(batch, float(stored)) if number == 12 * (DAYS - 1) else hindsight._feed(batch)
        if number == 12 * (DAYS - 1):
            with database.connect(DatabaseRole.ALERTS) as connection:
                for home in register.home_id.tolist():
                    learn_home(connection, home, "Asia/Shanghai", now)
        if number % 17 == 5 or number >= 12 * DAYS - 3:
            moment = now + timedelta(seconds=700)
            with database.connect(DatabaseRole.ALERTS, autocommit=False) as connection:
                seen = observe(connection, moment, 10.0)
                connection.rollback()  # events stay unhandled, and the minute's look is due again
            mirrored = hindsight.view(moment.timestamp())
            for part in ("homes", "devices", "gateways", "slow"):
                same(getattr(seen, part), getattr(mirrored, part), part)
            assert len(seen.events.event_id) == len(mirrored.events.event_id)
            same(seen.aftermath, mirrored.aftermath, "aftermath")
            checked += 1
    assert checked > 6
    owner.close()
    ingest.close()


def same(seen: Any, mirrored: Any, name: str) -> None:
    """Equal, field by field; profile versions and the moment of fitting aside."""
    for part in fields(seen):
        one, other, where = getattr(seen, part.name), getattr(mirrored, part.name), f"{name}.{part.name}"
        if part.name in ("profile", "fitted_at"):
            continue
        if is_dataclass(one):
            same(one, other, where)
        elif one.dtype == np.object_ or one.dtype == np.bool_:
            assert one.tolist() == other.tolist(), where
        else:
            np.testing.assert_allclose(one, other, atol=0.002, rtol=1e-9, err_msg=where)


def _register(owner: Any, register: Any, start: float) -> None:
    """The season's homes with the ids that they have there."""
    since = datetime.fromtimestamp(start, UTC)
    owner.execute("INSERT INTO region (key, level, name) VALUES ('c', 'community', 'c')")
    rooms: dict[tuple[int, str], int] = {}
    for home in register.home_id.tolist():
        owner.execute(
            "INSERT INTO home (id, key, region_id, name, commissioned_at, policy) OVERRIDING SYSTEM VALUE"
            " SELECT %s, %s, id, '', %s, %s FROM region", [home, f"home-{home}", since, Jsonb({})],
        )  # fmt: skip
        owner.execute(
            "INSERT INTO gateway (id, key, home_id, registered_at) OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s)",
            [home, f"gw-{home}", home, since],
        )
    for row, device in enumerate(register.device_id.tolist()):
        home, room = device // DEVICES_A_HOME, register.room[row]
        if room and (home, room) not in rooms:
            made = owner.execute(
                "INSERT INTO room (home_id, key, kind) VALUES (%s, %s, %s) RETURNING id", [home, room, room]
            ).fetchone()
            rooms[home, room] = made["id"]
        owner.execute(
            "INSERT INTO device (id, gateway_id, address, home_id, room_id, kind, exterior, mains, registered_at)"
            " OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [device, home, f"d{device}", home, rooms.get((home, room)), register.kind[row],
             bool(register.exterior[row]), bool(register.mains[row]), since],
        )  # fmt: skip
