-- name: regions
SELECT id, parent_id, key, policy FROM region;

-- name: homes
-- One row a home with a gateway in use. What is learned of it is read only where the silence has lasted long enough to
-- matter.
-- Metrics: motion 1, open 2, occupied 3, presence 4, ok_press 11. What turns on is a sign of life when it does, what
-- has two sides is one each time (core/metrics.py).
SELECT home.id, home.region_id, home.key, home.zone, home.policy,
    extract(epoch FROM greatest(home_state.life_at, power_life.life_at))::float8 AS life_at,
    CASE WHEN power_life.life_at > home_state.life_at THEN '' ELSE coalesce(life_room.kind, '') END AS life_room,
    extract(epoch FROM seen.door_at)::float8 AS door_at,
    extract(epoch FROM seen.inside_at)::float8 AS inside_at,
    coalesce(seen.resting, false) AS resting,
    NULL::float8 AS away_until,  -- a planned absence mutes the finding (alerts/planned.py): it stands on record
    learned.version,
    CASE WHEN greatest(home_state.life_at, power_life.life_at) < %(now)s - interval '30 minutes'
        THEN learned.inactivity END AS inactivity,
    extract(epoch FROM power_life.changed_at)::float8 AS meter_changed_at, power_life.outages AS meter_outages,
    power_life.still_s AS meter_still_s,
    CASE WHEN home_state.life_at < %(now)s - interval '1 hour' THEN learned.radio_s END AS radio_s,
    CASE WHEN home_state.life_at < %(now)s - interval '1 hour' THEN learned.blinded END AS blinded
FROM home
LEFT JOIN home_state ON home_state.home_id = home.id
LEFT JOIN power_life ON power_life.home_id = home.id
LEFT JOIN device AS life_device ON life_device.id = home_state.life_device_id
LEFT JOIN room AS life_room ON life_room.id = life_device.room_id
LEFT JOIN LATERAL (
    SELECT max(state.changed_at) FILTER (WHERE state.metric = 2 AND device.exterior) AS door_at,
        max(CASE WHEN state.metric IN (2, 3) THEN state.changed_at
            WHEN state.metric IN (1, 4, 11) AND state.changed_at IS NOT NULL THEN least(state.on_at, state.changed_at)
            END) FILTER (WHERE NOT device.exterior) AS inside_at,
        bool_or(state.value > 0) FILTER (WHERE state.metric = 3 AND device.ended_at IS NULL) AS resting
    FROM device_state AS state JOIN device ON device.id = state.device_id
    WHERE state.home_id = home.id
) AS seen ON true
LEFT JOIN LATERAL (
    SELECT version, CASE WHEN data ->> 'form' = '2' THEN data -> 'inactivity' END AS inactivity,
        (data -> 'routine' ->> 'radio_s')::float8 AS radio_s, (data -> 'routine' ->> 'blinded')::float8 AS blinded
    FROM profile WHERE profile.home_id = home.id ORDER BY version DESC LIMIT 1
) AS learned ON true
WHERE mod(home.id, 32) = ANY(%(slices)s) AND EXISTS (SELECT FROM gateway
    WHERE gateway.home_id = home.id AND gateway.ended_at IS NULL)
ORDER BY home.id;

-- name: gateways
-- `measured_until`: how far the gateway's readings about itself have arrived.
SELECT gateway.id, gateway.home_id, coalesce(gateway_status.online, false) AS online,
    extract(epoch FROM gateway_status.since)::float8 AS since,
    extract(epoch FROM gateway_status.heard_at)::float8 AS heard_at,
    extract(epoch FROM own.time)::float8 AS measured_until
FROM gateway
LEFT JOIN gateway_status ON gateway_status.gateway_id = gateway.id
LEFT JOIN LATERAL (
    SELECT max(device_state.time) AS time FROM device
    JOIN device_state ON device_state.device_id = device.id
    WHERE device.gateway_id = gateway.id AND device.kind = 'gateway'
) AS own ON true
WHERE gateway.ended_at IS NULL AND mod(gateway.home_id, 32) = ANY(%(slices)s)
ORDER BY gateway.id;

-- name: devices
-- `online` is metric 42: a device that is said to be gone was not heard by that. Nor was it by what the gateway says of
-- it: `silent` (55), `silence_limit` (56), `test_asked` (68).
SELECT device.id, device.home_id, device.gateway_id, device.kind, coalesce(room.kind, '') AS room, device.mains,
    device.exterior, extract(epoch FROM device.registered_at)::float8 AS registered_at,
    extract(epoch FROM heard.last_at)::float8 AS last_at,
    extract(epoch FROM heard.gone_at)::float8 AS gone_at, heard.limit_s, coalesce(heard.with_hub, false) AS with_hub,
    CASE WHEN device.kind = 'motion' THEN extract(epoch FROM heard.somebody)::float8 END AS somebody_s,
    CASE WHEN device.kind = 'motion' THEN extract(epoch FROM heard.standing)::float8 END AS standing_since
FROM device
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN LATERAL (
    SELECT max(received_at) FILTER (WHERE metric NOT IN (55, 56, 68) AND (metric <> 42 OR value > 0)) AS last_at,
        max(time) FILTER (WHERE (metric = 42 AND value = 0) OR (metric = 55 AND value > 0)) AS gone_at,
        max(value) FILTER (WHERE metric = 56) AS limit_s,
        bool_or(value = 2) FILTER (WHERE metric = 55) AS with_hub,
        max(time - changed_at) FILTER (WHERE metric = 1 AND value > 0) AS somebody,
        max(changed_at) FILTER (WHERE metric = 1 AND value > 0 AND off_at IS NOT NULL) AS standing
    FROM device_state WHERE device_state.device_id = device.id
) AS heard ON true
WHERE device.kind <> 'gateway' AND device.ended_at IS NULL AND mod(device.home_id, 32) = ANY(%(slices)s)
ORDER BY device.id;

-- name: device_values
-- What each device last said of its main metric, and its last sign of life; in the order of `devices`. A state that
-- begins is the sign: motion that has cleared was one when it began.
SELECT device.id, state.value, extract(epoch FROM state.time)::float8 AS time,
    extract(epoch FROM state.changed_at)::float8 AS changed_at, extract(epoch FROM state.life_at)::float8 AS life_at
FROM device
LEFT JOIN LATERAL (
    SELECT max(value) FILTER (WHERE metric = ANY(main.metrics)) AS value,
        max(time) FILTER (WHERE metric = ANY(main.metrics)) AS time,
        max(changed_at) FILTER (WHERE metric = ANY(main.metrics)) AS changed_at,
        max(CASE WHEN metric IN (2, 3) THEN changed_at
            WHEN metric IN (1, 4) AND changed_at IS NOT NULL AND on_at IS NOT NULL THEN least(on_at, changed_at)
            END) AS life_at
    FROM device_state, LATERAL (SELECT CASE device.kind WHEN 'contact' THEN ARRAY[2] WHEN 'bed' THEN ARRAY[3]
        WHEN 'seat' THEN ARRAY[3] WHEN 'motion' THEN ARRAY[1] WHEN 'radar' THEN ARRAY[1, 4]
        WHEN 'meter' THEN ARRAY[20] WHEN 'plug' THEN ARRAY[20] WHEN 'water_meter' THEN ARRAY[22]
        WHEN 'climate' THEN ARRAY[30] END AS metrics) AS main
    WHERE device_state.device_id = device.id
) AS state ON true
WHERE device.kind <> 'gateway' AND device.ended_at IS NULL AND mod(device.home_id, 32) = ANY(%(slices)s)
ORDER BY device.id;

-- name: claim_look
-- The minute's look at rooms, doors, supplies and sensors of these slices: when it is due for one of them it is taken
-- of all, so that slices that came from another worker fall into step. `look` has a row for each slice.
INSERT INTO look AS old (what, at)
SELECT 'slow ' || slice, %(now)s::timestamptz FROM unnest(%(slices)s::int[]) AS slice
WHERE EXISTS (
    SELECT FROM unnest(%(slices)s::int[]) AS mine LEFT JOIN look ON look.what = 'slow ' || mine
    WHERE look.at IS NULL OR look.at <= %(now)s::timestamptz - %(every)s::interval OR look.at > %(now)s
)
ORDER BY slice
ON CONFLICT (what) DO UPDATE SET at = excluded.at WHERE old.at <> excluded.at
RETURNING what;

-- name: routines
SELECT DISTINCT ON (home_id) home_id, data -> 'routine' AS routine FROM profile
WHERE mod(home_id, 32) = ANY(%(slices)s) ORDER BY home_id, version DESC;

-- name: supply_quarters
-- Quarter-hour sums of meters' power (20), water (22) and temperature (30) by device; bounded by `since`.
SELECT rollup.device_id, extract(epoch FROM rollup.bucket)::float8 AS bucket, rollup.low, rollup.high
FROM rollup JOIN device ON device.id = rollup.device_id
WHERE rollup.device_id = ANY(%(devices)s) AND rollup.bucket >= to_timestamp(%(since)s)
    AND rollup.metric IN (20, 22, 30)
    AND rollup.metric = CASE device.kind WHEN 'meter' THEN 20 WHEN 'water_meter' THEN 22 ELSE 30 END;

-- name: homes_of
-- What the policies of these homes are made of.
SELECT id, region_id, key, policy FROM home WHERE id = ANY(%(homes)s);

-- name: false_alarms
SELECT home_id, kind, count(*)::int AS n FROM alert
WHERE outcome = 'false_alarm' AND resolved_at >= %(since)s AND kind = ANY(%(kinds)s) GROUP BY home_id, kind;

-- name: aftermath
-- What followed each fall: the home's last sign of life, the last one in another room, the OK button (11).
SELECT asked.id, extract(epoch FROM home_state.life_at)::float8 AS life_at,
    extract(epoch FROM other.elsewhere_at)::float8 AS elsewhere_at, extract(epoch FROM other.ok_at)::float8 AS ok_at
FROM unnest(%(ids)s::bigint[], %(devices)s::int[]) AS asked (id, device_id)
JOIN device AS radar ON radar.id = asked.device_id
LEFT JOIN home_state ON home_state.home_id = radar.home_id
LEFT JOIN LATERAL (
    SELECT max(device_state.on_at) FILTER (WHERE device_state.metric = 11) AS ok_at,
        max(CASE WHEN device_state.metric IN (2, 3) THEN device_state.changed_at
            WHEN device_state.metric IN (1, 4) AND device_state.changed_at IS NOT NULL
                THEN least(device_state.on_at, device_state.changed_at) END)
            FILTER (WHERE device.room_id IS DISTINCT FROM radar.room_id) AS elsewhere_at
    FROM device JOIN device_state ON device_state.device_id = device.id WHERE device.home_id = radar.home_id
) AS other ON true;

-- name: received_since
-- In how many whole quarters of the hour after its last sign of life anything was received from each home, or with
-- `radio` anything from its sensors of life: a gateway that speaks while its radio hangs has seen nothing.
SELECT asked.home_id, count(DISTINCT rollup.bucket) AS quarters
FROM unnest(%(homes)s::int[], %(since)s::float8[], %(radio)s::boolean[]) AS asked (home_id, since, radio)
LEFT JOIN rollup ON rollup.home_id = asked.home_id
    AND rollup.bucket > to_timestamp(asked.since) AND rollup.bucket <= %(now)s - interval '15 minutes'
    AND (NOT asked.radio OR rollup.device_id IN (SELECT id FROM device WHERE device.home_id = asked.home_id
        AND device.kind IN ('contact', 'motion', 'bed', 'seat', 'radar')))
GROUP BY asked.home_id;

-- name: bath_moves
-- When somebody first moved in each home's bathroom or toilet, from the quarter on that `since` is in, and in how many
-- hours of the clock, from the first whole quarter after it on.
SELECT asked.home_id, extract(epoch FROM moved.first)::float8 AS first, moved.hours
FROM unnest(%(homes)s::int[], %(since)s::float8[]) AS asked (home_id, since)
CROSS JOIN LATERAL (
    SELECT min(rollup.bucket) AS first,
        count(DISTINCT floor(extract(epoch FROM rollup.bucket) / 3600))
            FILTER (WHERE rollup.bucket > to_timestamp(asked.since)) AS hours
    FROM rollup
    JOIN device ON device.id = rollup.device_id
    JOIN room ON room.id = device.room_id AND room.kind IN ('bathroom', 'toilet')
    WHERE rollup.home_id = asked.home_id AND rollup.bucket > to_timestamp(asked.since) - interval '15 minutes'
        AND rollup.bucket <= %(now)s AND rollup.life > 0
) AS moved;

-- name: day_before
-- The last whole quarter of the hour before a moment, and at most a day before it, in which somebody moved in a room of
-- the day of each home.
SELECT asked.home_id, extract(epoch FROM seen.bucket)::float8 AS quarter
FROM unnest(%(homes)s::int[], %(before)s::float8[]) AS asked (home_id, before)
CROSS JOIN LATERAL (
    SELECT max(rollup.bucket) AS bucket FROM rollup JOIN device ON device.id = rollup.device_id
    LEFT JOIN room ON room.id = device.room_id
    WHERE rollup.home_id = asked.home_id AND rollup.bucket >= to_timestamp(asked.before) - interval '1 day'
        AND rollup.bucket + interval '15 minutes' <= to_timestamp(asked.before) AND rollup.life > 0
        AND (room.kind IS NULL OR room.kind NOT IN ('bedroom', 'bathroom', 'toilet'))
) AS seen;

-- name: open_alerts
SELECT id, home_id, kind, severity, dedup_key, state, began_at, opened_at, last_at, parameters FROM alert
WHERE state <> 'resolved' AND mod(home_id, 32) = ANY(%(slices)s) ORDER BY id;
