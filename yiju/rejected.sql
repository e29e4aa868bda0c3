-- What could not be stored: looking at it, and trying it again when the cause is mended.

-- name: list
SELECT id, stored_at, topic, reason, detail, size, readings, octet_length(payload) AS kept
FROM rejected
WHERE (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(gateway)s::text IS NULL OR split_part(topic, '/', 3) = %(gateway)s)
  AND (%(since)s::timestamptz IS NULL OR stored_at >= %(since)s)
ORDER BY id LIMIT %(limit)s;

-- name: counts
SELECT reason, count(*) AS messages, sum(readings) AS readings
FROM rejected
WHERE (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(gateway)s::text IS NULL OR split_part(topic, '/', 3) = %(gateway)s)
  AND (%(since)s::timestamptz IS NULL OR stored_at >= %(since)s)
GROUP BY reason ORDER BY reason;

-- name: one
SELECT * FROM rejected WHERE id = %(id)s;

-- name: claim
-- Nobody else tries it meanwhile.
SELECT * FROM rejected WHERE id = %(id)s FOR UPDATE SKIP LOCKED;

-- name: remember_batch
-- A gateway that was not known when it sent has no entry: it gets one, so that a batch sent again is recognised.
INSERT INTO ledger (gateway_id, session, lane, seq, stored_at, readings, rejected)
VALUES (%(gateway)s, %(session)s, %(lane)s, %(seq)s, %(now)s, %(outstanding)s, %(outstanding)s)
ON CONFLICT DO NOTHING;

-- name: move_out
-- Readings that are stored now count under the number of their retry. No row: this batch was delivered once more and
-- stored then, so there is nothing left to store.
UPDATE ledger SET readings = readings - %(moved)s, rejected = rejected - %(moved)s
WHERE (gateway_id, session, lane, seq) = (%(gateway)s, %(session)s, %(lane)s, %(seq)s)
  AND rejected >= %(outstanding)s AND (%(outstanding)s > 0 OR readings = rejected)
RETURNING id;

-- name: keep_rest
INSERT INTO rejected (stored_at, topic, reason, detail, size, readings, payload)
VALUES (%(stored_at)s, %(topic)s, %(reason)s, %(detail)s, %(size)s, %(readings)s, %(payload)s);

-- name: forget
DELETE FROM rejected WHERE id = %(id)s;
