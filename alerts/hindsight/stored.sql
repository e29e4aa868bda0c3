-- name: stored_homes
-- The homes to play, in the order of their ids; null: all.
SELECT home.id, home.key, home.name, home.zone, home.region_id, home.policy FROM home
WHERE (%(homes)s::int[] IS NULL OR home.id = ANY(%(homes)s))
    AND EXISTS (SELECT FROM gateway WHERE gateway.home_id = home.id AND gateway.ended_at IS NULL)
ORDER BY home.id;

-- name: stored_regions
SELECT id, parent_id, key, policy FROM region;

-- name: stored_gateways
SELECT id, home_id FROM gateway WHERE home_id = ANY(%(homes)s) AND ended_at IS NULL ORDER BY id;

-- name: stored_devices
SELECT device.id, device.home_id, device.gateway_id, device.kind, coalesce(room.kind, '') AS room, device.mains,
    device.exterior, extract(epoch FROM device.registered_at)::float8 AS registered_at
FROM device LEFT JOIN room ON room.id = device.room_id
WHERE device.home_id = ANY(%(homes)s) AND device.ended_at IS NULL ORDER BY device.id;

-- name: stored_readings
-- Fixed widths, for binary COPY: when stored, measured, received; value, device, metric, changed. What was never on a
-- wire (session 0: a past that was brought in) counts as if it had come at once.
COPY (
    SELECT CASE WHEN ledger.session = '00000000-0000-0000-0000-000000000000'
            THEN extract(epoch FROM reading.received_at)::float8 + 2
            ELSE extract(epoch FROM ledger.stored_at)::float8 END,
        extract(epoch FROM reading.time)::float8, extract(epoch FROM reading.received_at)::float8,
        reading.value, reading.device_id, reading.metric, (reading.flags & 1) = 1
    FROM reading JOIN ledger ON ledger.id = reading.batch_id
    WHERE reading.home_id = ANY(%(homes)s) AND reading.time >= %(since)s AND reading.time < %(until)s
        AND reading.metric <> 41
    ORDER BY 1, 2
) TO STDOUT (FORMAT binary);

-- name: seen_readings
-- The same as a person of the api may see it: row-level security decides, and the ledger is not theirs to read.
COPY (
    SELECT extract(epoch FROM received_at)::float8 + 2, extract(epoch FROM time)::float8,
        extract(epoch FROM received_at)::float8, value, device_id, metric, (flags & 1) = 1
    FROM seen_reading
    WHERE home_id = ANY(%(homes)s) AND time >= %(since)s AND time < %(until)s AND metric <> 41
    ORDER BY 1, 2
) TO STDOUT (FORMAT binary);
