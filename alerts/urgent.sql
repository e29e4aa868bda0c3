-- name: claim_urgent_events
-- Urgent events of these slices' homes that nobody handles, oldest first; another worker's are skipped. `handle_urgent_events` in the
-- same transaction ends the claim.
SELECT urgent_event.id, urgent_event.home_id, urgent_event.device_id, urgent_event.metric,
    extract(epoch FROM urgent_event.time)::float8 AS time, urgent_event.value,
    extract(epoch FROM urgent_event.stored_at)::float8 AS stored_at,
    coalesce(room.kind, '') AS room, extract(epoch FROM device_state.off_at)::float8 AS off_at
FROM urgent_event
LEFT JOIN device ON device.id = urgent_event.device_id
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN device_state ON device_state.device_id = urgent_event.device_id
    AND device_state.metric = urgent_event.metric
WHERE urgent_event.handled_at IS NULL AND mod(urgent_event.home_id, 32) = ANY(%(slices)s)
ORDER BY urgent_event.id
LIMIT 500
FOR UPDATE OF urgent_event SKIP LOCKED;

-- name: claim_calls
-- The same, of some metrics only.
SELECT urgent_event.id, urgent_event.home_id, urgent_event.device_id, urgent_event.metric,
    extract(epoch FROM urgent_event.time)::float8 AS time, urgent_event.value,
    coalesce(room.kind, '') AS room, extract(epoch FROM device_state.off_at)::float8 AS off_at
FROM urgent_event
LEFT JOIN device ON device.id = urgent_event.device_id
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN device_state ON device_state.device_id = urgent_event.device_id
    AND device_state.metric = urgent_event.metric
WHERE urgent_event.handled_at IS NULL AND urgent_event.metric = ANY(%(metrics)s)
ORDER BY urgent_event.id
LIMIT 500
FOR UPDATE OF urgent_event SKIP LOCKED;

-- name: events_wait
SELECT EXISTS (SELECT FROM urgent_event WHERE handled_at IS NULL) AS wait;

-- name: handle_urgent_events
UPDATE urgent_event SET handled_at = %(now)s WHERE id = ANY(%(ids)s);
