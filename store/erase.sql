-- `yiju store erase`: everything about one home or one resident goes, in one transaction.

-- name: home
SELECT id FROM home WHERE key = %(key)s OR '#' || id = %(key)s FOR UPDATE;

-- name: resident
SELECT id, home_id FROM resident WHERE key = %(key)s OR '#' || id = %(key)s FOR UPDATE;

-- name: other_residents
SELECT count(*) AS n FROM resident WHERE home_id = %(home)s AND id <> %(resident)s;

-- name: gateways
-- Locked: what ingest is storing for them now ends first, and what comes later finds nobody.
SELECT gateway.id, gateway.key, status.heard_at FROM gateway
LEFT JOIN gateway_status AS status ON status.gateway_id = gateway.id
WHERE gateway.home_id = %(home)s ORDER BY gateway.id FOR UPDATE OF gateway;

-- name: served_elsewhere
-- A gateway of this home that other homes' devices speak through.
SELECT gateway.key AS gateway, min(home.key) AS home FROM gateway
JOIN device ON device.gateway_id = gateway.id AND device.home_id <> gateway.home_id
JOIN home ON home.id = device.home_id
WHERE gateway.home_id = %(home)s GROUP BY gateway.key LIMIT 1;

-- name: moved_devices
-- Devices that were in another home before: its past stays there, so they keep their number and nothing else, as do
-- their gateways. Both have ended: nobody waits for a word of them.
SELECT device_id, (array_agg(home_id ORDER BY bucket DESC))[1] AS home_id FROM rollup
WHERE device_id = ANY(ARRAY(SELECT id FROM device WHERE home_id = %(home)s)) AND home_id <> %(home)s
    AND home_id IN (SELECT id FROM home)
GROUP BY device_id;

-- name: give_back_gateway
UPDATE gateway SET key = 'erased-' || id, password_hash = '', options = '{}', home_id = %(home)s,
    ended_at = coalesce(ended_at, %(now)s)
WHERE id = (SELECT gateway_id FROM device WHERE id = %(device)s) AND home_id = %(from)s RETURNING id;

-- name: give_back_device
UPDATE device SET address = 'erased/' || id, room_id = NULL, home_id = %(home)s, taken_at = coalesce(taken_at, %(now)s)
WHERE id = %(device)s;

-- name: settle_ledger
-- Batches that stay, of gateways that stay, account for the readings that go.
UPDATE ledger SET dropped = dropped + gone.n
FROM (SELECT batch_id, count(*) AS n FROM reading WHERE home_id = %(home)s GROUP BY batch_id) AS gone
WHERE ledger.id = gone.batch_id
    AND NOT EXISTS (SELECT FROM gateway WHERE gateway.id = ledger.gateway_id AND gateway.home_id = %(home)s);

-- name: lone_family
-- Whom the register knows only because of this home.
SELECT person_id AS id FROM consent
WHERE home_id = %(home)s
    AND NOT EXISTS (SELECT FROM role_grant WHERE role_grant.person_id = consent.person_id)
    AND NOT EXISTS (SELECT FROM consent AS other
                    WHERE other.person_id = consent.person_id AND other.home_id <> %(home)s)
    AND NOT EXISTS (SELECT FROM audit WHERE audit.person_id = consent.person_id AND audit.home_id <> %(home)s)
    AND NOT EXISTS (SELECT FROM alert WHERE consent.person_id IN (ack_by, resolved_by) AND alert.home_id <> %(home)s)
    AND NOT EXISTS (SELECT FROM alert_event JOIN alert ON alert.id = alert_event.alert_id
                    WHERE alert_event.person_id = consent.person_id AND alert.home_id <> %(home)s);

-- name: forget_rejected
DELETE FROM rejected WHERE split_part(topic, '/', 3) = ANY(%(gateways)s);

-- name: tables_with
-- Every table that says of a row whose it is, also those that no constraint ties to it.
SELECT pg_class.relname AS name FROM pg_class
JOIN pg_attribute ON pg_attribute.attrelid = pg_class.oid AND attname = %(column)s AND NOT attisdropped
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY 1;

-- name: references
SELECT child.relname AS child, child_column.attname AS child_column, parent_column.attname AS parent_column
FROM pg_constraint
JOIN pg_class AS child ON child.oid = conrelid
JOIN pg_class AS parent ON parent.oid = confrelid
JOIN pg_attribute AS child_column ON child_column.attrelid = conrelid AND child_column.attnum = conkey[1]
JOIN pg_attribute AS parent_column ON parent_column.attrelid = confrelid AND parent_column.attnum = confkey[1]
WHERE contype = 'f' AND parent.relname = %(table)s AND parent.relnamespace = 'public'::regnamespace
    AND NOT child.relispartition
ORDER BY 1, 2;

-- name: keep_record
INSERT INTO erasure (at, home_number, resident_number, removed)
VALUES (%(now)s, %(home)s, %(resident)s, %(removed)s) RETURNING id;
