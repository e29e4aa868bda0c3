-- name: gateways
-- The gateways of a home with what they shall be and what they say that they are.
SELECT gateway.id, gateway.key, gateway.registered_at, status.online, status.heard_at,
    wanted.version AS wanted_version, wanted.digest = report.digest AS current,
    report.reported_at, report.software, report.version, report.state, report.reason, report.found, report.samples
FROM gateway
LEFT JOIN seen_gateway_status AS status ON status.gateway_id = gateway.id
LEFT JOIN gateway_configuration AS wanted ON wanted.gateway_id = gateway.id
LEFT JOIN gateway_report AS report ON report.gateway_id = gateway.id
WHERE gateway.home_id = %(home)s AND gateway.ended_at IS NULL
ORDER BY gateway.id

-- name: gateway_devices
-- The devices behind the gateways of a home, and the last time that each was heard; `silent` is metric 55, what the
-- gateway says of a device (55, 56, 68) is no word of its own.
SELECT device.id, device.gateway_id, device.address, device.kind, room.kind AS room_kind, room.name AS room_name,
    max(state.received_at) FILTER (WHERE state.metric NOT IN (55, 56, 68)) AS heard_at,
    coalesce(max(state.value) FILTER (WHERE state.metric = 55), 0)::int AS silent
FROM device
JOIN gateway ON gateway.id = device.gateway_id
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN seen_device_state AS state ON state.device_id = device.id
WHERE gateway.home_id = %(home)s AND device.kind <> 'gateway' AND device.ended_at IS NULL
GROUP BY device.id, room.id
ORDER BY max(state.received_at) FILTER (WHERE state.metric NOT IN (55, 56, 68)) DESC NULLS LAST, device.id

-- name: buttons
-- SOS buttons of one home, or of all homes that one is staff of, and when each was last pressed, in a test (58) or in
-- earnest (6): both prove that it works. `tested_at` null: never.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
)
SELECT device.id, device.address, home.id AS home_id, home.name AS home_name, home.zone, room.kind AS room_kind,
    room.name AS room_name, pressed.tested_at, pressed.asked_at,
    coalesce(pressed.tested_at, device.registered_at) < %(due_since)s AS overdue
FROM device
JOIN home ON home.id = device.home_id
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN LATERAL (
    SELECT max(on_at) FILTER (WHERE metric IN (6, 58)) AS tested_at, max(on_at) FILTER (WHERE metric = 68) AS asked_at
    FROM seen_device_state AS state WHERE state.device_id = device.id
) AS pressed ON true
WHERE device.kind = 'sos' AND device.ended_at IS NULL AND (home.id = %(home)s::int OR (%(home)s::int IS NULL AND home.region_id IN (SELECT id FROM mine)))
  AND (NOT %(overdue)s OR coalesce(pressed.tested_at, device.registered_at) < %(due_since)s)
ORDER BY pressed.tested_at NULLS FIRST, device.id
LIMIT 500

-- name: manages_home
-- Whether the person is manager or admin of the home's region or one above it.
WITH RECURSIVE above AS (
    SELECT region.id, region.parent_id FROM home JOIN region ON region.id = home.region_id WHERE home.id = %(home)s
    UNION
    SELECT region.id, region.parent_id FROM region JOIN above ON region.id = above.parent_id
)
SELECT EXISTS (
    SELECT FROM role_grant
    WHERE person_id = %(person)s AND role IN ('manager', 'admin') AND region_id IN (SELECT id FROM above)
) AS manages

-- name: former
-- Gateways and devices that a home had, the last one first; `with_gateway`: it ended because its gateway did.
SELECT * FROM (
    SELECT gateway.key AS gateway, NULL::int AS device_id, '' AS address, 'gateway' AS kind, NULL AS room_kind,
        NULL AS room_name, gateway.ended_at, false AS with_gateway
    FROM gateway WHERE gateway.home_id = %(home)s AND gateway.ended_at IS NOT NULL
    UNION ALL
    SELECT gateway.key, device.id, device.address, device.kind, room.kind, room.name, device.ended_at,
        device.taken_at IS NULL
    FROM device JOIN gateway ON gateway.id = device.gateway_id LEFT JOIN room ON room.id = device.room_id
    WHERE device.home_id = %(home)s AND device.ended_at IS NOT NULL AND device.kind <> 'gateway'
) AS had
ORDER BY ended_at DESC, gateway, device_id NULLS FIRST
