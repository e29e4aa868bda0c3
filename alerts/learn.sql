-- name: past_quarters
-- A home's quarters in which anything was received, oldest first, by the kinds of rooms in which somebody moved. Water is
-- what a counter has risen since the quarter before that it was heard in: some meters speak less often than that.
WITH water AS (
    SELECT bucket, device_id, greatest(high - coalesce(lag(high) OVER (PARTITION BY device_id ORDER BY bucket), low), 0)
        AS m3
    FROM rollup WHERE home_id = %(home_id)s AND bucket >= %(since)s AND bucket < %(now)s - interval '15 minutes'
        AND metric = 22
)
SELECT extract(epoch FROM rollup.bucket)::float8 AS quarter, sum(rollup.life)::bigint AS life,
    coalesce(sum(rollup.life) FILTER (WHERE room.kind IS NULL
        OR room.kind NOT IN ('bedroom', 'bathroom', 'toilet')), 0)::bigint AS day,
    coalesce(sum(rollup.life) FILTER (WHERE room.kind IN ('bathroom', 'toilet')), 0)::bigint AS bath,
    coalesce(sum(rollup.life) FILTER (WHERE room.kind = 'kitchen'), 0)::bigint AS kitchen,
    coalesce(sum(rollup.life) FILTER (WHERE device.exterior), 0)::bigint AS door,
    coalesce(sum(rollup.n) FILTER (WHERE device.kind IN ('contact', 'motion', 'bed', 'seat', 'radar')), 0)::bigint
        AS radio,
    min(rollup.low) FILTER (WHERE rollup.metric = 20 AND device.kind = 'meter') AS power_low,
    sum(water.m3) AS water_m3
FROM rollup LEFT JOIN device ON device.id = rollup.device_id LEFT JOIN room ON room.id = device.room_id
LEFT JOIN water ON rollup.metric = 22 AND water.bucket = rollup.bucket AND water.device_id = rollup.device_id
WHERE rollup.home_id = %(home_id)s AND rollup.bucket >= %(since)s
    AND rollup.bucket < %(now)s - interval '15 minutes'
GROUP BY rollup.bucket ORDER BY rollup.bucket;

-- name: witness_quarters
-- One row a door contact or motion sensor (not of the hall, which for days sees nobody): the quarters in which the
-- contact was heard, or in which the motion sensor saw somebody.
SELECT device.id, device.exterior, array_agg(extract(epoch FROM rollup.bucket)::float8 ORDER BY rollup.bucket) AS quarters
FROM device LEFT JOIN room ON room.id = device.room_id
JOIN rollup ON rollup.device_id = device.id AND rollup.home_id = device.home_id AND rollup.bucket >= %(since)s
    AND rollup.bucket < %(now)s - interval '15 minutes'
WHERE device.home_id = %(home_id)s AND device.ended_at IS NULL
    AND ((device.kind = 'contact' AND device.exterior AND rollup.metric = 2)
        OR (device.kind = 'motion' AND room.kind IS DISTINCT FROM 'entry' AND rollup.metric = 1 AND rollup.life > 0))
GROUP BY device.id ORDER BY device.id;

-- name: homes_to_learn
SELECT home.id, home.zone FROM home
LEFT JOIN LATERAL (
    SELECT fitted_at FROM profile WHERE profile.home_id = home.id ORDER BY version DESC LIMIT 1
) AS last ON true
WHERE (last.fitted_at IS NULL OR last.fitted_at < %(now)s - interval '24 hours') AND home.id <> ALL(%(apart)s)
ORDER BY last.fitted_at NULLS FIRST, home.id
LIMIT %(limit)s;

-- name: quarters
-- Quarters of an hour in which anything was received from a home, oldest first.
SELECT DISTINCT extract(epoch FROM bucket)::float8 AS quarter FROM rollup
WHERE home_id = %(home_id)s AND bucket >= to_timestamp(%(since)s) AND bucket < %(now)s - interval '15 minutes'
ORDER BY quarter;

-- name: memory
SELECT data FROM home_memory WHERE home_id = %(home_id)s;

-- name: keep_memory
INSERT INTO home_memory (home_id, data) VALUES (%(home_id)s, %(data)s)
ON CONFLICT (home_id) DO UPDATE SET data = excluded.data;

-- name: sensors_of_life
SELECT device.id, device.kind, device.exterior, coalesce(room.kind, '') AS room
FROM device LEFT JOIN room ON room.id = device.room_id
WHERE device.home_id = %(home_id)s AND device.ended_at IS NULL ORDER BY device.id;

-- name: signs_of_life
-- A home's signs of life, oldest first: changes (flag 1) of what is one either way, or to on.
SELECT extract(epoch FROM time)::float8 AS time, device_id, metric, value FROM reading
WHERE home_id = %(home_id)s AND time >= to_timestamp(%(since)s) AND time < to_timestamp(%(until)s)
    AND flags & 1 = 1 AND (metric = ANY(%(on_change)s) OR (metric = ANY(%(turned_on)s) AND value = 1))
ORDER BY time, device_id;

-- name: keep_profile
INSERT INTO profile (home_id, version, fitted_at, data)
SELECT %(home_id)s, coalesce(max(version), 0) + 1, %(now)s, %(data)s FROM profile WHERE home_id = %(home_id)s
ON CONFLICT (home_id, version) DO NOTHING;
