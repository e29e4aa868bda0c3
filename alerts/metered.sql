-- name: metered_homes
-- Homes whose only witness is a mains meter: no sensor that shows life.
SELECT DISTINCT ON (device.home_id) device.home_id, device.id AS device_id, power_life.until, power_life.by_hour
FROM device LEFT JOIN power_life ON power_life.home_id = device.home_id
WHERE device.kind = 'meter' AND device.ended_at IS NULL AND mod(device.home_id, 32) = ANY(%(slices)s)
    AND NOT EXISTS (SELECT FROM device AS other WHERE other.home_id = device.home_id AND other.ended_at IS NULL
    AND other.kind IN ('contact', 'motion', 'bed', 'seat', 'radar'))
ORDER BY device.home_id, device.id;

-- name: new_power
SELECT reading.device_id, extract(epoch FROM reading.time)::float8 AS time, reading.value
FROM unnest(%(devices)s::int[], %(since)s::timestamptz[]) AS asked (device_id, since)
JOIN device ON device.id = asked.device_id
JOIN reading ON reading.home_id = device.home_id AND reading.device_id = asked.device_id
    AND reading.time > asked.since AND reading.time <= %(now)s AND reading.metric = %(power)s
ORDER BY reading.device_id, reading.time;

-- name: power_between
SELECT extract(epoch FROM reading.time)::float8 AS time, reading.value
FROM device JOIN reading ON reading.home_id = device.home_id AND reading.device_id = device.id
WHERE device.id = %(device_id)s AND reading.metric = %(power)s
    AND reading.time >= to_timestamp(%(since)s) AND reading.time < to_timestamp(%(until)s)
ORDER BY reading.time;

-- name: power_life
SELECT by_hour, extract(epoch FROM learned_until)::float8 AS learned_until FROM power_life WHERE home_id = %(home_id)s;

-- name: keep_power_life
INSERT INTO power_life AS old (home_id, until, life_at)
SELECT home, to_timestamp(until), to_timestamp(life)
FROM unnest(%(homes)s::int[], %(until)s::float8[], %(life_at)s::float8[]) AS new (home, until, life)
ON CONFLICT (home_id) DO UPDATE SET until = excluded.until, life_at = greatest(old.life_at, excluded.life_at);

-- name: keep_power_habits
INSERT INTO power_life (home_id, by_hour, learned_until) VALUES (%(home_id)s, %(by_hour)s, to_timestamp(%(until)s))
ON CONFLICT (home_id) DO UPDATE SET by_hour = excluded.by_hour, learned_until = excluded.learned_until;
