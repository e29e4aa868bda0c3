-- A past for many homes, and the people who look at it.

-- name: open_the_past
WITH opened AS (UPDATE home SET commissioned_at = %(day)s),
worker AS (INSERT INTO person (key, name) VALUES ('worker', 'worker') RETURNING id),
granted AS (INSERT INTO role_grant SELECT worker.id, 'worker', region.id FROM worker, region),
people AS (INSERT INTO person (key, name) SELECT 'family-' || id, 'family' FROM home RETURNING id, key)
INSERT INTO consent (person_id, home_id, given_at) SELECT id, split_part(key, '-', 2)::int, %(day)s FROM people;

-- name: make_room
SELECT reading_make_room(%(day)s, %(day)s);

-- name: copy
COPY reading (home_id, device_id, batch_id, time, received_at, value, metric, flags) FROM STDIN (FORMAT binary);

-- name: roll_up
INSERT INTO rollup AS old (home_id, bucket, device_id, metric, n, life, ons, total, low, high)
SELECT home_id, date_bin('15 minutes', time, '2000-01-01 00:00+00'), device_id, metric, count(*),
    count(*) FILTER (WHERE flags & 1 = 1 AND (metric = ANY(%(on_change)s::smallint[])
        OR (metric = ANY(%(turned_on)s::smallint[]) AND value = 1))),
    count(*) FILTER (WHERE flags & 1 = 1 AND value > 0), sum(value), min(value), max(value)
FROM reading WHERE time >= %(start)s AND time < %(end)s
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2
ON CONFLICT (home_id, bucket, device_id, metric) DO UPDATE SET n = old.n + excluded.n,
    life = old.life + excluded.life, ons = old.ons + excluded.ons, total = old.total + excluded.total,
    low = least(old.low, excluded.low), high = greatest(old.high, excluded.high);

-- name: learn
INSERT INTO profile SELECT home.id, version, %(now)s::timestamptz - make_interval(days => %(days)s - version), %(habits)s
FROM home, generate_series(1, %(days)s) AS version
ON CONFLICT (home_id, version) DO UPDATE SET fitted_at = excluded.fitted_at;

-- name: raise
INSERT INTO alert (home_id, kind, severity, dedup_key, state, message, parameters, began_at, opened_at, last_at,
    resolved_at, outcome)
SELECT home.id, 'inactivity', 'urgent', 'v1:inactivity:' || home.id || ':' || week, 'resolved',
    'finding.inactivity.why', '{}', at, at, at, at + interval '20 minutes', 'helped'
FROM home, generate_series(1, %(days)s / 7) AS week,
    LATERAL (SELECT %(now)s::timestamptz - make_interval(weeks => week) AS at) AS moment
WHERE NOT EXISTS (SELECT FROM alert WHERE dedup_key = 'v1:inactivity:' || home.id || ':' || week);

-- name: tell
INSERT INTO alert_event (alert_id, at, what)
SELECT alert.id, opened_at, what FROM alert, unnest(ARRAY['opened', 'told', 'acknowledged', 'resolved']) AS what
WHERE NOT EXISTS (SELECT FROM alert_event WHERE alert_id = alert.id);

-- name: some_homes
SELECT id FROM home ORDER BY hashint4(id) LIMIT %(limit)s;

-- name: families
SELECT home_id, person_id FROM consent;

-- name: worker
SELECT id FROM person WHERE key = 'worker';

-- name: sizes
SELECT (SELECT edition FROM store_edition) AS edition, (SELECT count(*) FROM reading) AS readings,
    (SELECT count(*) FROM rollup) AS rollups, pg_total_relation_size('rollup') AS rollup_bytes,
    (SELECT sum(pg_total_relation_size(inhrelid))::bigint FROM pg_inherits WHERE inhparent = 'reading'::regclass)
        AS reading_bytes;

-- name: count_blocks_now
-- At the end of this transaction; otherwise a connection counts once a second.
SELECT pg_stat_force_next_flush();

-- name: blocks
SELECT sum(reads + hits)::bigint AS blocks FROM pg_stat_get_backend_io(pg_backend_pid());
