-- Which worker looks at which homes. A lease that ends further away than two leases was given by a clock that has been
-- set back since: it counts as ended.

-- name: sign_on
INSERT INTO alert_worker (name, until, at) VALUES (%(worker)s, %(now)s::timestamptz + %(lease)s, %(now)s)
ON CONFLICT (name) DO UPDATE SET until = excluded.until;

-- name: beat
-- A worker whose slices were taken over has no row any more, and nobody waits for its heart.
UPDATE alert_worker SET at = %(now)s, details = %(details)s WHERE name = %(worker)s;

-- name: sign_off
DELETE FROM alert_worker WHERE name = %(worker)s;

-- name: forget_dead
DELETE FROM alert_worker WHERE name IN (
    SELECT name FROM alert_worker
    WHERE until <= %(now)s OR until > %(now)s::timestamptz + 2 * %(lease)s::interval FOR UPDATE SKIP LOCKED
) RETURNING name;

-- name: free_claims
UPDATE delivery SET next_try_at = %(now)s, claimed_by = NULL
WHERE id IN (
    SELECT id FROM delivery WHERE claimed_by = ANY(%(workers)s) AND state = 'queued' FOR UPDATE SKIP LOCKED
);

-- name: count_workers
-- And how many of them come before this one, by name.
SELECT count(*)::int AS workers, count(*) FILTER (WHERE name < %(worker)s)::int AS before FROM alert_worker
WHERE until > %(now)s AND until <= %(now)s::timestamptz + 2 * %(lease)s::interval;

-- name: renew
-- What a worker holds, also what has run out meanwhile and nobody took.
UPDATE alert_slice SET until = %(now)s::timestamptz + %(lease)s WHERE holder = %(worker)s RETURNING slice;

-- name: leave
UPDATE alert_slice SET holder = NULL, until = NULL WHERE slice = ANY(%(slices)s) AND holder = %(worker)s;

-- name: leave_all
UPDATE alert_slice SET holder = NULL, until = NULL WHERE holder = %(worker)s;

-- name: take
-- Free slices, up to so many; one that another worker is just taking is not waited for.
UPDATE alert_slice SET holder = %(worker)s, until = %(now)s::timestamptz + %(lease)s
WHERE slice IN (
    SELECT slice FROM alert_slice
    WHERE holder IS NULL OR until <= %(now)s OR until > %(now)s::timestamptz + 2 * %(lease)s::interval
    ORDER BY slice LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
RETURNING slice;

-- name: held
SELECT slice FROM alert_slice WHERE holder = %(worker)s AND until > %(now)s ORDER BY slice;
