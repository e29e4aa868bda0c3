-- name: accounts
-- Who may connect to the broker: gateway key -> password hash.
SELECT key, password_hash FROM gateway WHERE password_hash <> '' AND ended_at IS NULL ORDER BY key;

-- name: renew_gateway_password
UPDATE gateway SET password_hash = %(password_hash)s WHERE key = %(key)s AND ended_at IS NULL;

-- name: gateways_with_a_past
SELECT gateway_id FROM ledger WHERE session = %(session)s;

-- name: replayed_counts
SELECT count(*) AS stored, count(DISTINCT (device_id, metric, time, value)) AS distinct_rows,
    (SELECT coalesce(sum(readings), 0) FROM rejected) AS rejected
FROM reading WHERE metric = ANY(%(metrics)s);

-- name: replayed_alerts
SELECT kind, opened_at, began_at, resolved_at, message, parameters FROM alert ORDER BY opened_at, id;
