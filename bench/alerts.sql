-- A blackout, made in the owner's name: homes of a hundred a community, each with a gateway that went away.

-- name: empty
TRUNCATE region, home, person RESTART IDENTITY CASCADE;

-- name: make_regions
INSERT INTO region (key, parent_id, level, name, policy)
SELECT 'district', NULL::int, 'district', 'district', '{"tell_notices": true}'::jsonb
UNION ALL SELECT 'street', 1, 'street', 'street', '{}'
UNION ALL SELECT 'community-' || n, 2, 'community', 'community ' || n, '{}'
FROM generate_series(0, (%(homes)s - 1) / 100) AS n;

-- name: make_people
INSERT INTO person (key, name, channels)
SELECT 'worker-' || n, 'worker', ARRAY['json://127.0.0.1:9/' || n] FROM generate_series(0, (%(homes)s - 1) / 100) AS n;

-- name: make_grants
INSERT INTO role_grant (person_id, role, region_id) SELECT id, 'worker', id + 2 FROM person;

-- name: make_homes
INSERT INTO home (key, region_id, name, commissioned_at)
SELECT 'home-' || n, n / 100 + 3, 'home ' || n, %(now)s::timestamptz - interval '60 days'
FROM generate_series(0, %(homes)s - 1) AS n;

-- name: make_gateways
INSERT INTO gateway (key, home_id, registered_at) SELECT 'gw-' || id, id, commissioned_at FROM home;

-- name: make_statuses
INSERT INTO gateway_status (gateway_id, online, since, heard_at)
SELECT id, false, %(heard_at)s, %(heard_at)s FROM gateway;

-- name: make_devices
INSERT INTO device (gateway_id, address, home_id, kind, registered_at)
SELECT id, 'sos', home_id, 'sos', registered_at FROM gateway;

-- name: make_calls
INSERT INTO urgent_event (home_id, device_id, metric, time, value, stored_at)
SELECT home_id, id, %(metric)s, %(now)s, 1, %(now)s FROM device WHERE mod(home_id, 100) = 0;

-- name: queued
SELECT count(*)::int AS messages, (count(*) FILTER (WHERE alert.severity = 'urgent'))::int AS urgent
FROM delivery JOIN alert ON alert.id = delivery.alert_id
WHERE delivery.state = 'queued' AND delivery.next_try_at <= %(now)s;
