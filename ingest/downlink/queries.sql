-- name: lock
-- One worker at a time makes configurations; the others find them made.
SELECT pg_advisory_xact_lock(7115111);

-- name: gateways
-- What each gateway's configuration is made of. The nearest policy that is set wins: home, community, street, district.
WITH RECURSIVE inherited AS (
    SELECT region.id, region.policy -> 'silent_mains_s' AS mains_s, region.policy -> 'silent_battery_s' AS battery_s
    FROM region WHERE region.parent_id IS NULL
    UNION ALL
    SELECT region.id, coalesce(region.policy -> 'silent_mains_s', above.mains_s),
        coalesce(region.policy -> 'silent_battery_s', above.battery_s)
    FROM region JOIN inherited AS above ON above.id = region.parent_id
)
SELECT gateway.id, gateway.key, gateway.options, home.zone,
    coalesce(home.policy -> 'silent_mains_s', inherited.mains_s) AS mains_s,
    coalesce(home.policy -> 'silent_battery_s', inherited.battery_s) AS battery_s,
    coalesce(rooms.list, '[]') AS rooms, coalesce(devices.list, '[]') AS devices,
    known.version, known.digest
FROM gateway
JOIN home ON home.id = gateway.home_id
JOIN inherited ON inherited.id = home.region_id
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('key', room.key, 'kind', room.kind, 'name', room.name) ORDER BY room.key) AS list
    FROM room WHERE room.home_id = home.id
) AS rooms ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('address', device.address, 'kind', device.kind, 'mains', device.mains,
        'room', coalesce(room.key, '')) ORDER BY device.address) AS list
    FROM device LEFT JOIN room ON room.id = device.room_id
    WHERE device.gateway_id = gateway.id AND device.ended_at IS NULL
) AS devices ON true
LEFT JOIN gateway_configuration AS known ON known.gateway_id = gateway.id
WHERE gateway.ended_at IS NULL
ORDER BY gateway.id;

-- name: put_configuration
INSERT INTO gateway_configuration AS old (gateway_id, version, digest, document, made_at)
VALUES (%(gateway)s, 1, %(digest)s, %(document)s, %(now)s)
ON CONFLICT (gateway_id) DO UPDATE
    SET version = old.version + 1, digest = excluded.digest, document = excluded.document, made_at = excluded.made_at;

-- name: configurations
-- All of them, or those of some gateways.
SELECT gateway.key, made.version, made.digest, made.document
FROM gateway_configuration AS made JOIN gateway ON gateway.id = made.gateway_id
WHERE %(keys)s::text[] IS NULL OR gateway.key = ANY(%(keys)s);

-- name: put_report
-- Returns whether the gateway has the configuration that it shall have; no row: no such gateway.
INSERT INTO gateway_report
    (gateway_id, reported_at, stored_at, software, version, digest, state, reason, found, samples)
SELECT gateway.id, %(reported_at)s, %(now)s, %(software)s, %(version)s, %(digest)s, %(state)s, %(reason)s, %(found)s,
    %(samples)s
FROM gateway WHERE gateway.key = %(gateway)s
ON CONFLICT (gateway_id) DO UPDATE SET
    reported_at = excluded.reported_at, stored_at = excluded.stored_at, software = excluded.software,
    version = excluded.version, digest = excluded.digest, state = excluded.state, reason = excluded.reason,
    found = excluded.found, samples = excluded.samples
RETURNING coalesce(digest = (SELECT made.digest FROM gateway_configuration AS made
                             WHERE made.gateway_id = gateway_report.gateway_id), false) AS current;

-- name: put_reasons
UPDATE gateway_command SET reason = told.reason
FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS told (id, reason), gateway
WHERE gateway_command.id = told.id AND gateway.id = gateway_command.gateway_id AND gateway.key = %(gateway)s
  AND gateway_command.reason = '';

-- name: claim_commands
-- Commands to be published now: new ones, and those sent a while ago that nobody has answered.
UPDATE gateway_command SET sent_at = %(now)s
FROM gateway
WHERE gateway.id = gateway_command.gateway_id AND gateway_command.id IN (
    SELECT id FROM gateway_command
    WHERE answered_at IS NULL AND expires_at > %(now)s AND (sent_at IS NULL OR sent_at <= %(before)s)
    ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED)
RETURNING gateway_command.id, gateway.key, gateway_command.kind, gateway_command.seconds, gateway_command.created_at,
    gateway_command.expires_at;

-- name: put_answers
-- An answer is a reading of the gateway about itself whose value is the command's id; nobody answers for another.
UPDATE gateway_command SET answered_at = to_timestamp(given.time / 1000.0), answer = given.answer
FROM unnest(%(device)s::int[], %(id)s::bigint[], %(time)s::bigint[], %(answer)s::text[])
    AS given (device, id, time, answer), device
WHERE gateway_command.id = given.id AND device.id = given.device AND device.kind = 'gateway'
  AND device.gateway_id = gateway_command.gateway_id AND gateway_command.answered_at IS NULL;

-- name: waiting_notices
SELECT id, region_key, home_key, alert_id, kind, severity, state, event, at FROM alert_notice
ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED;

-- name: forget_notices
DELETE FROM alert_notice WHERE id = ANY(%(ids)s);

-- name: forget_stale_notices
DELETE FROM alert_notice WHERE at < %(before)s;
