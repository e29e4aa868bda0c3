-- name: known_gateways
SELECT id, key, home_id, ended_at FROM gateway;

-- name: known_devices
SELECT device.id, device.address, device.home_id, gateway.key AS gateway, home.commissioned_at, device.linked_at,
    device.ended_at
FROM device
JOIN gateway ON gateway.id = device.gateway_id
JOIN home ON home.id = device.home_id;

-- name: device_stays
-- The homes where devices were before, the first one first.
SELECT device_stay.device_id, device_stay.home_id, device_stay.until, home.commissioned_at
FROM device_stay JOIN home ON home.id = device_stay.home_id
ORDER BY device_stay.until;

-- name: device_links
-- The gateways that devices were with before, the first one first.
SELECT device_link.device_id, device_link.until, gateway.key AS gateway
FROM device_link JOIN gateway ON gateway.id = device_link.gateway_id
ORDER BY device_link.device_id, device_link.until;

-- name: claim_batches
-- The ledger: what it returns is new; what is there already was stored before and is only acknowledged again.
INSERT INTO ledger (gateway_id, session, lane, seq, stored_at, readings, rejected)
SELECT gateway_id, session, lane, seq, %(now)s, readings, rejected
FROM unnest(%(gateway)s::int[], %(session)s::uuid[], %(lane)s::smallint[], %(seq)s::bigint[], %(readings)s::int[],
    %(rejected)s::int[]) AS asked (gateway_id, session, lane, seq, readings, rejected)
ON CONFLICT (gateway_id, session, lane, seq) DO NOTHING
RETURNING id;

-- name: claimed_places
-- Which of the asked ones these ids are: place 1, 2, 3 ... among them. Needed only when some were there already.
SELECT ledger.id, asked.place
FROM unnest(%(gateway)s::int[], %(session)s::uuid[], %(lane)s::smallint[], %(seq)s::bigint[])
    WITH ORDINALITY AS asked (gateway_id, session, lane, seq, place)
JOIN ledger USING (gateway_id, session, lane, seq)
WHERE ledger.id = ANY(%(ids)s);

-- name: make_room
SELECT reading_make_room(%(day)s, %(day)s);

-- name: copy_readings
COPY reading (home_id, device_id, batch_id, time, received_at, value, metric, flags) FROM STDIN (FORMAT binary);

-- name: add_rollups
INSERT INTO rollup AS old (home_id, bucket, device_id, metric, n, life, ons, total, low, high)
SELECT *
FROM unnest(%(home)s::int[], %(bucket)s::timestamptz[], %(device)s::int[], %(metric)s::smallint[], %(n)s::int[],
    %(life)s::int[], %(ons)s::int[], %(total)s::float8[], %(low)s::float8[], %(high)s::float8[])
ON CONFLICT (home_id, bucket, device_id, metric) DO UPDATE SET
    n = old.n + excluded.n,
    life = old.life + excluded.life,
    ons = old.ons + excluded.ons,
    total = old.total + excluded.total,
    low = least(old.low, excluded.low),
    high = greatest(old.high, excluded.high);

-- name: add_urgent_events
-- A state (smoke: yes) is an event when it begins, not each time it is repeated. A press of a button that never says
-- that it was let go is one each time.
INSERT INTO urgent_event (home_id, device_id, metric, time, value, stored_at)
SELECT new.home, new.device, new.metric, new.time, new.value, %(now)s
FROM unnest(%(home)s::int[], %(device)s::int[], %(metric)s::smallint[], %(time)s::timestamptz[], %(value)s::float8[],
    %(changed)s::boolean[]) AS new (home, device, metric, time, value, changed)
WHERE new.changed OR NOT EXISTS (
    SELECT FROM device_state
    WHERE device_state.device_id = new.device AND device_state.metric = new.metric AND device_state.value = new.value
      AND (new.metric <> %(sos)s OR device_state.off_at IS NOT NULL))
ORDER BY new.time;

-- name: tell_urgent
SELECT pg_notify('urgent_event', '');

-- name: put_device_states
-- "Latest" means last measured; of two at the same instant the greater value, so that any order ends the same.
-- Among times -infinity is "not in this batch".
INSERT INTO device_state AS old
    (device_id, metric, home_id, time, value, on_at, off_at, changed_at, received_at)
SELECT device, metric, home, time, value, nullif(on_at, '-infinity'), nullif(off_at, '-infinity'),
    nullif(changed_at, '-infinity'), received
FROM unnest(%(device)s::int[], %(metric)s::smallint[], %(home)s::int[], %(time)s::timestamptz[], %(value)s::float8[],
    %(on_at)s::timestamptz[], %(off_at)s::timestamptz[], %(changed_at)s::timestamptz[], %(received)s::timestamptz[])
    AS new (device, metric, home, time, value, on_at, off_at, changed_at, received)
ON CONFLICT (device_id, metric) DO UPDATE SET
    value = CASE WHEN (excluded.time, excluded.value) >= (old.time, old.value) THEN excluded.value ELSE old.value END,
    home_id = CASE WHEN (excluded.time, excluded.home_id) >= (old.time, old.home_id)
        THEN excluded.home_id ELSE old.home_id END,
    time = greatest(old.time, excluded.time),
    on_at = greatest(old.on_at, excluded.on_at),
    off_at = greatest(old.off_at, excluded.off_at),
    changed_at = greatest(old.changed_at, excluded.changed_at),
    received_at = greatest(old.received_at, excluded.received_at);

-- name: put_home_states
-- The last sign of life (-infinity: none in this batch) and when a gateway of the home was last heard.
INSERT INTO home_state AS old (home_id, life_at, life_device_id, heard_at)
SELECT home, nullif(life_at, '-infinity'), nullif(device, -1), CASE WHEN heard THEN %(now)s::timestamptz END
FROM unnest(%(home)s::int[], %(life_at)s::timestamptz[], %(device)s::int[], %(heard)s::boolean[])
    AS new (home, life_at, device, heard)
ON CONFLICT (home_id) DO UPDATE SET
    life_device_id = CASE
        WHEN excluded.life_at IS NULL THEN old.life_device_id
        WHEN old.life_at IS NULL THEN excluded.life_device_id
        WHEN (excluded.life_at, excluded.life_device_id) >= (old.life_at, old.life_device_id)
            THEN excluded.life_device_id
        ELSE old.life_device_id END,
    life_at = greatest(old.life_at, excluded.life_at),
    heard_at = greatest(old.heard_at, excluded.heard_at);

-- name: gateways_heard
-- A batch that was new shows that its gateway lives; one delivered again may be a broker's memory. `heard` is false of
-- a gateway that was taken away: nothing changes, but one that was erased meanwhile is refused here, and only here.
INSERT INTO gateway_status AS old (gateway_id, online, since, heard_at)
SELECT gateway, heard, %(now)s, CASE WHEN heard THEN %(now)s::timestamptz END
FROM unnest(%(gateway)s::int[], %(heard)s::boolean[]) AS new (gateway, heard)
ON CONFLICT (gateway_id) DO UPDATE SET heard_at = greatest(old.heard_at, excluded.heard_at);

-- name: put_gateway_statuses
-- `blinked` (since = now whatever it was): it was both within this batch.
INSERT INTO gateway_status AS old (gateway_id, online, since, heard_at)
SELECT new.gateway, new.online,
    CASE WHEN new.blinked THEN %(now)s::timestamptz ELSE coalesce(known.since, %(now)s) END,
    CASE WHEN new.heard THEN %(now)s::timestamptz END
FROM unnest(%(gateway)s::int[], %(online)s::boolean[], %(blinked)s::boolean[], %(heard)s::boolean[])
    AS new (gateway, online, blinked, heard)
LEFT JOIN gateway_status AS known ON known.gateway_id = new.gateway AND known.online = new.online
ORDER BY new.gateway
ON CONFLICT (gateway_id) DO UPDATE SET
    since = excluded.since,
    online = excluded.online,
    heard_at = greatest(old.heard_at, excluded.heard_at);

-- name: drop_old_readings
-- Counted back from what the homes say where the clock is ahead of it: a clock that jumps must not empty the table.
SELECT reading_drop_before(believable(%(now)s) - %(keep)s) AS dropped;

-- name: put_rejected
INSERT INTO rejected (stored_at, topic, reason, detail, size, readings, payload)
SELECT %(now)s, *
FROM unnest(%(topic)s::text[], %(reason)s::text[], %(detail)s::text[], %(size)s::int[], %(readings)s::int[],
    %(payload)s::bytea[]);

-- name: beat
INSERT INTO service_heartbeat (service, at, details) VALUES ('ingest', %(now)s, %(details)s)
ON CONFLICT (service) DO UPDATE SET at = excluded.at, details = excluded.details;
