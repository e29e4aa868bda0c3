-- name: false_alarms_of
SELECT kind, count(*)::int AS n FROM alert
WHERE home_id = %(home_id)s AND outcome = 'false_alarm' AND resolved_at >= %(since)s AND resolved_at <= %(until)s
GROUP BY kind;

-- name: silence_limits
-- How long the home's devices may be silent, of those that were told so before a moment and not anew since.
SELECT device_id, extract(epoch FROM time)::float8 AS time, value FROM device_state
WHERE home_id = %(home_id)s AND metric = %(metric)s AND time < %(before)s;

-- name: home_named
-- A home by its key, or by its place in the register: 1, 2, 3 ...
SELECT id, key, zone FROM (SELECT id, key, zone, row_number() OVER (ORDER BY id) AS place FROM home) AS numbered
WHERE key = %(home)s OR place::text = %(home)s ORDER BY (key = %(home)s) DESC LIMIT 1;

-- name: profile_at
-- The profile that was in force at a moment.
SELECT version, fitted_at, data FROM profile WHERE home_id = %(home_id)s AND fitted_at <= %(at)s
ORDER BY version DESC LIMIT 1;

-- name: device_names
SELECT id, address FROM device WHERE home_id = %(home_id)s;
