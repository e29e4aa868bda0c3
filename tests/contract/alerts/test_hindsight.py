"""Hindsight sees what the platform saw: the same readings through ingest and PostgreSQL give the same arrays."""

from collections import Counter
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import numpy as np
from psycopg.types.json import Jsonb

from alerts import metered
from alerts.detect import cannot_watch
from alerts.detect.arrays import Homes
from alerts.engine import detect
from alerts.hindsight.play import Hindsight
from alerts.hindsight.readings import Readings
from alerts.hindsight.register import Register
from alerts.inhibit import inhibit
from alerts.learn import learn_home
from alerts.observe import View, observe
from alerts.observe.view import bath_moves
from alerts.planned import Planned, load_planned, load_plans
from alerts.visits import load_log, mutes
from core.metrics import BY_NAME
from core.model import DeviceKind, Flag, Lane
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
METERED = 6  # the home that has nothing but a meter
FILLED = (3.1, 3.8), (8.15, 8.5), (8.9, 9)  # days in which that repeats one value
METRICS = {metric.id: name for name, metric in BY_NAME.items()}


def test_hindsight_sees_what_ingest_stored_and_the_engine_observes(database: Database) -> None:
    seasons = [play_season(9, number, FIRST, DAYS, Chances(), faulty=True) for number in (2, 4, METERED)]
    start = seasons[0].arrival.said[0].at - 1
    register = register_of_seasons(seasons, start)
    readings, _ = arrivals(seasons, register)
    register, readings = _but_a_meter(register, readings, METERED)
    for first, last in FILLED:
        _fill_in(register, readings, METERED, start + first * 86_400, start + last * 86_400)
    readings["stored"] = start + (np.floor((readings["stored"] - start) / BATCH_S) + 1) * BATCH_S
    for name in ("time", "received"):
        readings[name] = np.round(readings[name], 3)  # the wire has milliseconds
    owner, ingest = database.connect(), database.connect(DatabaseRole.INGEST)
    register_arrays(ingest)
    _register(owner, register, start)
    begin, end = (datetime.fromtimestamp(start + days * 86_400, UTC) for days in (0, DAYS))
    _plan(owner, begin)
    _visit(owner, begin)
    with database.connect(DatabaseRole.ALERTS) as connection:
        plans = load_plans(connection, register.home_id.tolist(), begin, end)
        log = load_log(connection, register.home_id.tolist(), begin, end)
    # A quarter sooner: a gateway's clock may be four minutes slow, and what was measured before it begins is left out.
    hindsight = Hindsight(register, start - 900, start + DAYS * 86_400, plans=plans, visits=log)
    writer, session = Writer(), uuid4()
    known = {home: KnownGateway(home, home, {}) for home in register.home_id.tolist()}
    for device, row in zip(register.device_id.tolist(), register.device_home.tolist(), strict=True):
        home = int(register.home_id[row])
        known[home].devices[str(device)] = KnownDevice(device, home, 0)
    checked, moved, unseen, blind, there, muted_by = 0, 0, 0, 0, 0, set()
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
        hindsight.teach(batch, float(stored)) if number == 12 * (DAYS - 1) else hindsight.feed(batch)
        if number == 12 * (DAYS - 1):
            with database.connect(DatabaseRole.ALERTS) as connection:
                for home in register.home_id.tolist():
                    learn_home(connection, home, "Asia/Shanghai", now)
        if number % 7 == 5 or number >= 12 * DAYS - 3:
            moment = now + timedelta(seconds=700)
            since = moment.timestamp() - np.array([5.3, 21.0, 40.0]) * 3600
            with database.connect(DatabaseRole.ALERTS, autocommit=False) as connection:
                metered.follow(connection, moment)
                connection.commit()
                seen = observe(connection, moment, 10.0)
                planned = load_planned(connection, moment)
                moves = bath_moves(connection, moment, register.home_id, since)
                connection.rollback()  # events stay unhandled, and the minute's look is due again
            mirrored = as_read(hindsight.view(moment.timestamp()), moment.timestamp())
            seen = as_read(seen, moment.timestamp())
            for part in ("homes", "devices", "gateways", "slow"):
                same(getattr(seen, part), getattr(mirrored, part), part)
            mirrored_moves = hindsight.sums.bath_moves(moment.timestamp(), np.arange(3), since)
            for read, mirrored_one in zip(moves, mirrored_moves, strict=True):
                np.testing.assert_array_equal(read, mirrored_one)
            moved += int(moves[1].sum())
            metered_home = seen.homes.home_id.tolist().index(METERED)
            unseen += int(seen.homes.unseen_s[metered_home] > 7200)
            blind += int(not cannot_watch.watched(moment.timestamp(), seen.homes, 10.0)[metered_home])
            assert seen.there == mirrored.there
            there += len(seen.there)
            assert len(seen.events.event_id) == len(mirrored.events.event_id)
            same(seen.aftermath, mirrored.aftermath, "aftermath")
            sides = [parted(seen, moment, planned), parted(mirrored, moment, plans.at(moment))]
            assert sides[0] == sides[1]
            muted_by |= {cause.split(":")[0] for _, cause in sides[0] if cause is not None}
            checked += 1
    assert checked > 12
    assert moved > 100
    assert there > 3
    assert muted_by >= {"absence", "maintenance"}
    assert seen.homes.life_at[metered_home] > start + (DAYS - 1) * 86_400
    assert not np.isnan(seen.homes.personal_s[metered_home])
    assert unseen > 0
    assert blind > 1
    owner.close()
    ingest.close()


def as_read(view: View, now: float) -> View:
    """What is learned of a home says nothing before half an hour of silence, and the query `homes` may not read it."""
    learned = ("personal_s", "twice_s", "alike", "alike_shorter", "usual_s")

    def read(homes: Homes) -> Homes:
        blank = np.where(homes.life_at < now - 1800, 0.0, np.nan)
        return replace(homes, **{name: getattr(homes, name) + blank for name in learned})

    assert view.slow is not None
    return replace(view, homes=read(view.homes), slow=replace(view.slow, away=read(view.slow.away)))


def parted(view: View, now: datetime, planned: Planned) -> list[tuple[str, str | None]]:
    """Everything found at that moment, with what mutes it."""
    installed = Counter(view.gateways.home_id[~np.isnan(view.gateways.heard_at)].tolist())
    standing, muted = inhibit(
        detect(view, now, 10.0), installed, (partial(planned.cause, carers=view.carers), partial(mutes, view.there))
    )
    found = [(finding.dedup_key, None) for finding in standing] + [(one.finding.dedup_key, one.cause) for one in muted]
    return sorted(found, key=str)


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


def _but_a_meter(register: Register, readings: Readings, home: int) -> tuple[Register, Readings]:
    """The same, with nothing in one of the homes but its meter and its gateway."""
    mine = register.home_id[register.device_home] == home
    kept = np.flatnonzero(~mine | np.isin(register.kind, [DeviceKind.METER, DeviceKind.GATEWAY]))
    columns = ("device_id", "device_home", "device_gateway", "kind", "room", "mains", "exterior", "registered_at")
    readings = readings[np.isin(readings["device"], kept)]
    readings["device"] = np.searchsorted(kept, readings["device"])
    return replace(register, **{name: getattr(register, name)[kept] for name in columns}), readings


def _fill_in(register: Register, readings: Readings, home: int, start: float, end: float) -> None:
    """That home's meter repeats what it said first in that span."""
    meter = np.flatnonzero((register.kind == DeviceKind.METER) & (register.home_id[register.device_home] == home))
    span = (readings["time"] >= start) & (readings["time"] < end) & (readings["device"] == meter[0])
    mine = np.flatnonzero(span & (readings["metric"] == metered.POWER))
    mine = mine[np.argsort(readings["time"][mine], kind="stable")]
    readings["value"][mine] = readings["value"][mine[0]]
    readings["changed"][mine[1:]] = False


def _plan(owner: Any, start: datetime) -> None:
    """Absences of each kind, one of them ended early, and work on a home and on all homes of the region."""
    person = owner.execute("INSERT INTO person (key, name) VALUES ('p', 'p') RETURNING id").fetchone()["id"]
    for home, kind, first, last, ended in (
        (2, "away", 1, 4, None), (2, "visitor", 5, 9, None), (4, "hospital", 0.5, 9, 6), (METERED, "away", 4, 9, None),
        (4, "visitor", 7, 8, None),
    ):  # fmt: skip
        owner.execute(
            "INSERT INTO absence (home_id, kind, from_at, until_at, ended_at, entered_by, entered_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [home, kind, start + timedelta(days=first), start + timedelta(days=last),
             None if ended is None else start + timedelta(days=ended), person, start],
        )  # fmt: skip
    for whole, first, last in ((False, 2, 8), (True, 8.2, 9)):
        owner.execute(
            "INSERT INTO maintenance (home_id, region_id, from_at, until_at, entered_by, entered_at)"
            " SELECT CASE WHEN NOT %(whole)s THEN 4 END, CASE WHEN %(whole)s THEN id END, %(from)s, %(until)s, %(who)s,"
            " %(start)s FROM region",
            {"whole": whole, "from": start + timedelta(days=first), "until": start + timedelta(days=last),
             "who": person, "start": start},
        )  # fmt: skip


def _visit(owner: Any, start: datetime) -> None:
    """Carers who came and went in every way, day after day, and somebody on site for an alert."""
    person = owner.execute("INSERT INTO person (key, name) VALUES ('c', 'c') RETURNING id").fetchone()["id"]
    ways = (("well", False), ("needs_attention", False), ("not_met", False), ("well", True), (None, False))
    for number in range(9 * 6):
        came = start + timedelta(hours=4 * number, minutes=17 * number % 120)
        left, (found, together) = came + timedelta(minutes=20 + 31 * number % 200), ways[number % len(ways)]
        late, undone = timedelta(hours=number % 7 == 3 and 5), number % 11 == 5
        owner.execute(
            "INSERT INTO care_visit (home_id, carer_id, began_at, ended_at, found, together, logged_at, undone_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [(2, 4, METERED)[number % 3], person, came, left, found, together, max(came, left + late) if late else came,
             left + timedelta(hours=6) if undone else None],
        )  # fmt: skip
    owner.execute(
        "INSERT INTO alert (home_id, kind, severity, dedup_key, state, message, parameters, began_at, opened_at,"
        " last_at, on_site_at, resolved_at, outcome) VALUES (4, 'sos', 'urgent', 'v1:sos:4', 'resolved', 'm', '{}',"
        " %(at)s, %(at)s, %(at)s, %(at)s, %(until)s, 'helped')",
        {"at": start + timedelta(days=8.1), "until": start + timedelta(days=8.6)},
    )
