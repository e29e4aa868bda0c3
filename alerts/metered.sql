-- name: metered_homes
-- Homes whose only witness is a mains meter: no sensor that shows life. `metric`: what it says, see power_between.
SELECT DISTINCT ON (device.home_id) device.home_id, device.id AS device_id,
    CASE WHEN state.counts AND NOT state.shows THEN %(energy)s ELSE %(power)s END AS metric, power_life.by_hour, power_life.outages,
    power_life.gap_s, power_life.still_s, extract(epoch FROM power_life.until)::float8 AS until,
    extract(epoch FROM power_life.life_at)::float8 AS life_at,
    extract(epoch FROM power_life.changed_at)::float8 AS changed_at
FROM device LEFT JOIN power_life ON power_life.home_id = device.home_id
CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(metric = %(energy)s), false) AS counts, coalesce(bool_or(metric = %(power)s), false) AS shows
    FROM device_state WHERE device_state.device_id = device.id
) AS state
WHERE device.kind = 'meter' AND device.ended_at IS NULL AND mod(device.home_id, 32) = ANY(%(slices)s)
    AND NOT EXISTS (SELECT FROM device AS other WHERE other.home_id = device.home_id AND other.ended_at IS NULL
    AND other.kind IN ('contact', 'motion', 'bed', 'seat', 'radar'))
ORDER BY device.home_id, device.id;

-- name: new_power
SELECT reading.device_id, extract(epoch FROM reading.time)::float8 AS time, reading.value
FROM unnest(%(devices)s::int[], %(since)s::float8[], %(metrics)s::int[]) AS asked (device_id, since, metric)
JOIN device ON device.id = asked.device_id
JOIN reading ON reading.home_id = device.home_id AND reading.device_id = asked.device_id
    AND reading.time > to_timestamp(asked.since) AND reading.time <= %(now)s AND reading.metric = asked.metric
ORDER BY reading.device_id, reading.time;

-- name: power_between
-- Its power; of a meter that has never said it, what it counts.
SELECT extract(epoch FROM reading.time)::float8 AS time, reading.value, reading.metric
FROM device JOIN reading ON reading.home_id = device.home_id AND reading.device_id = device.id
WHERE device.id = %(device_id)s AND reading.metric = (
        SELECT CASE WHEN bool_or(metric = %(energy)s) AND NOT bool_or(metric = %(power)s) THEN %(energy)s
            ELSE %(power)s END
        FROM device_state WHERE device_state.device_id = device.id
    )
    AND reading.time >= to_timestamp(%(since)s) AND reading.time < to_timestamp(%(until)s)
ORDER BY reading.time;

-- name: power_life
SELECT by_hour, days, extract(epoch FROM learned_until)::float8 AS learned_until FROM power_life
WHERE home_id = %(home_id)s;

-- name: keep_power_life
INSERT INTO power_life AS old (home_id, until, life_at, changed_at, outages)
SELECT home, to_timestamp(until), to_timestamp(life), to_timestamp(changed), outages
FROM unnest(%(homes)s::int[], %(until)s::float8[], %(life_at)s::float8[], %(changed_at)s::float8[],
    %(outages)s::jsonb[]) AS new (home, until, life, changed, outages)
ON CONFLICT (home_id) DO UPDATE SET until = excluded.until, life_at = excluded.life_at,
    changed_at = excluded.changed_at, outages = excluded.outages;

-- name: keep_power_habits
INSERT INTO power_life (home_id, by_hour, days, gap_s, still_s, learned_until)
VALUES (%(home_id)s, %(by_hour)s, %(days)s, %(gap_s)s, %(still_s)s, to_timestamp(%(until)s))
ON CONFLICT (home_id) DO UPDATE SET by_hour = excluded.by_hour, days = excluded.days, gap_s = excluded.gap_s,
    still_s = excluded.still_s, learned_until = excluded.learned_until;
