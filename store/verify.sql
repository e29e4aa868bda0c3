-- `yiju store verify`: everything that ingest derives from readings, recomputed from the readings that are held.
-- `turned_on` and `on_change` are the metrics of core/metrics.py by what makes them a sign of life; flag 1 is CHANGED.
-- A device's state belongs to the home where it was last measured; its past stays where it was.

-- name: make_scratch
-- What the walk over days and homes gathers: one row a state, a home, a thousand batches; and what differs.
DROP TABLE IF EXISTS pg_temp.seen_quarter, pg_temp.seen_state, pg_temp.seen_place, pg_temp.seen_life,
    pg_temp.seen_batches, pg_temp.difference;
CREATE TEMP TABLE seen_quarter (
    home_id int, bucket timestamptz, device_id int, metric smallint, n int, life int, ons int, total float8,
    low float8, high float8, time timestamptz, value float8, on_at timestamptz, off_at timestamptz,
    changed_at timestamptz, received_at timestamptz, life_at timestamptz);
CREATE TEMP TABLE seen_state (
    device_id int, metric smallint, home_id int, time timestamptz, value float8,
    on_at timestamptz, off_at timestamptz, changed_at timestamptz, received_at timestamptz,
    PRIMARY KEY (device_id, metric));
CREATE TEMP TABLE seen_place (device_id int, home_id int, PRIMARY KEY (device_id, home_id));
CREATE TEMP TABLE seen_life (home_id int PRIMARY KEY, life_at timestamptz, life_device_id int);
CREATE TEMP TABLE seen_batches (thousand bigint PRIMARY KEY, readings numeric, checksum numeric);
CREATE TEMP TABLE difference (
    id bigint GENERATED ALWAYS AS IDENTITY, what text, home_id int, day timestamptz, device_id int, metric smallint,
    bucket timestamptz, detail text);

-- name: complete_from
SELECT complete_from FROM store_edition;

-- name: days_held
SELECT day FROM reading_days() AS day WHERE %(since)s::timestamptz IS NULL OR day >= %(since)s::timestamptz::date;

-- name: homes
SELECT id FROM home WHERE %(home)s::int IS NULL OR id = %(home)s
UNION
SELECT home_id FROM device_state WHERE %(home)s::int IS NULL OR home_id = %(home)s
ORDER BY 1;

-- name: home_of_key
SELECT id FROM home WHERE key = %(key)s;

-- name: forget_quarters
TRUNCATE seen_quarter;

-- name: gather_quarters
-- One day of some homes, read once: the sums, and what the states follow from. The last value is that of the greatest
-- (time, value), which as an array needs no sorting.
INSERT INTO seen_quarter
SELECT home_id, date_bin('15 minutes', time, '2000-01-01 00:00+00'), device_id, metric, count(*),
    count(*) FILTER (WHERE flags & 1 = 1 AND (metric = ANY(%(on_change)s::smallint[])
        OR (metric = ANY(%(turned_on)s::smallint[]) AND value = 1))),
    count(*) FILTER (WHERE flags & 1 = 1 AND value > 0), sum(value), min(value), max(value),
    max(time), (max(ARRAY[date_part('epoch', time), value]))[2], max(time) FILTER (WHERE value > 0),
    max(time) FILTER (WHERE value = 0), max(time) FILTER (WHERE flags & 1 = 1), max(received_at),
    max(time) FILTER (WHERE flags & 1 = 1 AND (metric = ANY(%(on_change)s::smallint[])
        OR (metric = ANY(%(turned_on)s::smallint[]) AND value = 1)))
FROM reading
WHERE home_id = ANY(%(homes)s) AND time >= %(day)s AND time < %(next_day)s
GROUP BY 1, 2, 3, 4;

-- name: compare_rollups
-- Sums of floating numbers depend on the order of arrival, so `total` may differ by rounding.
WITH stored AS (
    SELECT * FROM rollup WHERE home_id = ANY(%(homes)s) AND bucket >= %(day)s AND bucket < %(next_day)s
)
INSERT INTO difference (what, home_id, day, device_id, metric, bucket, detail)
SELECT 'rollup', home_id, %(day)s, device_id, metric, bucket, CASE
        WHEN stored.n IS NULL THEN 'missing; it has ' || computed.n || ' readings'
        WHEN computed.n IS NULL THEN 'of ' || stored.n || ' readings that are not there'
        ELSE concat_ws(', ',
            CASE WHEN stored.n <> computed.n THEN 'n ' || stored.n || ' for ' || computed.n END,
            CASE WHEN stored.life <> computed.life THEN 'life ' || stored.life || ' for ' || computed.life END,
            CASE WHEN stored.ons <> computed.ons THEN 'ons ' || stored.ons || ' for ' || computed.ons END,
            CASE WHEN stored.low <> computed.low THEN 'low ' || stored.low || ' for ' || computed.low END,
            CASE WHEN stored.high <> computed.high THEN 'high ' || stored.high || ' for ' || computed.high END,
            CASE WHEN stored.total <> computed.total THEN 'total ' || stored.total || ' for ' || computed.total END)
        END
FROM seen_quarter AS computed FULL JOIN stored USING (home_id, bucket, device_id, metric)
WHERE stored.n IS NULL OR computed.n IS NULL OR (stored.n, stored.life, stored.ons, stored.low, stored.high)
        <> (computed.n, computed.life, computed.ons, computed.low, computed.high)
    OR NOT abs(stored.total - computed.total) <= 1e-9
        * greatest(computed.n * greatest(abs(computed.low), abs(computed.high)), 1e-200);

-- name: compare_gaps
-- Sums of days of which no reading is held at all, though none were dropped: reported, never mended.
INSERT INTO difference (what, home_id, bucket, detail)
SELECT 'day_without_readings', home_id, date_trunc('day', bucket, 'UTC'), sum(n) || ' readings'
FROM rollup
JOIN unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS gap (begins, ends)
    ON bucket >= gap.begins AND bucket < gap.ends
WHERE home_id = ANY(%(homes)s)
GROUP BY home_id, date_trunc('day', bucket, 'UTC');

-- name: gather_states
INSERT INTO seen_state AS old
    (device_id, metric, home_id, time, value, on_at, off_at, changed_at, received_at)
SELECT device_id, metric, (array_agg(home_id ORDER BY time DESC, home_id DESC))[1], max(time),
    (array_agg(value ORDER BY time DESC, value DESC))[1], max(on_at), max(off_at), max(changed_at), max(received_at)
FROM seen_quarter GROUP BY device_id, metric
ON CONFLICT (device_id, metric) DO UPDATE SET
    home_id = CASE WHEN (excluded.time, excluded.home_id) > (old.time, old.home_id)
        THEN excluded.home_id ELSE old.home_id END,
    value = CASE WHEN (excluded.time, excluded.value) > (old.time, old.value)
        THEN excluded.value ELSE old.value END,
    time = greatest(old.time, excluded.time),
    on_at = greatest(old.on_at, excluded.on_at),
    off_at = greatest(old.off_at, excluded.off_at),
    changed_at = greatest(old.changed_at, excluded.changed_at),
    received_at = greatest(old.received_at, excluded.received_at);

-- name: gather_places
INSERT INTO seen_place SELECT DISTINCT device_id, home_id FROM seen_quarter
ON CONFLICT DO NOTHING;

-- name: gather_life
INSERT INTO seen_life AS old (home_id, life_at, life_device_id)
SELECT home_id, max(life_at), (array_agg(device_id ORDER BY life_at DESC, device_id DESC))[1]
FROM seen_quarter WHERE life_at IS NOT NULL GROUP BY home_id
ON CONFLICT (home_id) DO UPDATE SET
    life_device_id = CASE WHEN (excluded.life_at, excluded.life_device_id) > (old.life_at, old.life_device_id)
        THEN excluded.life_device_id ELSE old.life_device_id END,
    life_at = greatest(old.life_at, excluded.life_at);

-- name: gather_batches
-- A thousand batches at a time: how many readings, and a checksum, so that one lost and one doubled do not cancel.
INSERT INTO seen_batches AS old (thousand, readings, checksum)
SELECT batch_id / 1000, count(*), sum(batch_id) FROM reading
WHERE home_id = ANY(%(homes)s) AND time >= %(day)s AND time < %(next_day)s
GROUP BY 1
ON CONFLICT (thousand) DO UPDATE
    SET readings = old.readings + excluded.readings, checksum = old.checksum + excluded.checksum;

-- name: compare_states
-- A value from before `since` cannot be recomputed, so it stands.
INSERT INTO difference (what, home_id, device_id, metric, detail)
SELECT 'device_state', coalesce(stored.home_id, computed.home_id), device_id, metric, CASE
    WHEN stored.time IS NULL THEN 'missing'
    WHEN computed.time IS NULL THEN 'measured at a time of which no reading is held'
    ELSE 'differs from its readings' END
FROM seen_state AS computed
FULL JOIN (SELECT * FROM device_state) AS stored USING (device_id, metric)
WHERE (%(home)s::int IS NULL OR coalesce(stored.home_id, computed.home_id) = %(home)s) AND NOT (
    coalesce((stored.time, stored.value, stored.home_id) = (computed.time, computed.value, computed.home_id),
        computed.time IS NULL AND stored.time < %(since)s::timestamptz, false)
    AND coalesce(stored.on_at = computed.on_at,
        computed.on_at IS NULL AND (stored.on_at IS NULL OR stored.on_at < %(since)s::timestamptz), false)
    AND coalesce(stored.off_at = computed.off_at,
        computed.off_at IS NULL AND (stored.off_at IS NULL OR stored.off_at < %(since)s::timestamptz), false)
    AND coalesce(stored.changed_at = computed.changed_at,
        computed.changed_at IS NULL AND (stored.changed_at IS NULL OR stored.changed_at < %(since)s::timestamptz),
        false)
    AND (stored.received_at = computed.received_at OR %(since)s::timestamptz IS NOT NULL
        AND (computed.received_at IS NULL OR stored.received_at > computed.received_at)));

-- name: devices_that_differ
SELECT DISTINCT device_id FROM difference WHERE what = 'device_state';

-- name: forget_seen_states
DELETE FROM seen_state WHERE device_id = ANY(%(devices)s);

-- name: gather_states_of
-- Devices that may have been in other homes, too: everything that is held of them, wherever it was.
INSERT INTO seen_state (device_id, metric, home_id, time, value, on_at, off_at, changed_at, received_at)
SELECT device_id, metric, (array_agg(home_id ORDER BY time DESC, home_id DESC))[1], max(time),
    (array_agg(value ORDER BY time DESC, value DESC))[1], max(time) FILTER (WHERE value > 0),
    max(time) FILTER (WHERE value = 0), max(time) FILTER (WHERE flags & 1 = 1), max(received_at)
FROM reading
WHERE device_id = ANY(%(devices)s) AND (%(since)s::timestamptz IS NULL OR time >= %(since)s)
GROUP BY device_id, metric;

-- name: gather_places_of
INSERT INTO seen_place SELECT DISTINCT device_id, home_id FROM reading
WHERE device_id = ANY(%(devices)s) AND (%(since)s::timestamptz IS NULL OR time >= %(since)s)
ON CONFLICT DO NOTHING;

-- name: compare_homes
INSERT INTO difference (what, home_id, detail)
SELECT 'home_state', home_id, CASE
    WHEN stored.home_id IS NULL THEN 'missing' ELSE 'last sign of life differs from the readings' END
FROM seen_life AS computed
FULL JOIN (SELECT * FROM home_state) AS stored USING (home_id)
WHERE (%(home)s::int IS NULL OR home_id = %(home)s) AND NOT coalesce(
    (stored.life_at, stored.life_device_id) = (computed.life_at, computed.life_device_id),
    computed.life_at IS NULL AND (stored.life_at IS NULL OR stored.life_at < %(since)s::timestamptz), false);

-- name: thousands_that_differ
-- Of the batches all of whose readings should be held.
WITH ledgers AS (
    SELECT id / 1000 AS thousand, sum(readings - rejected - dropped) AS readings,
        sum((readings - rejected - dropped)::numeric * id) AS checksum
    FROM ledger GROUP BY 1
    HAVING %(sure_from)s::timestamptz IS NULL OR min(stored_at) >= %(sure_from)s
)
SELECT thousand FROM ledgers LEFT JOIN seen_batches AS seen USING (thousand)
WHERE (ledgers.readings, ledgers.checksum) <> (coalesce(seen.readings, 0), coalesce(seen.checksum, 0))
UNION ALL
SELECT thousand FROM seen_batches AS seen
WHERE NOT EXISTS (SELECT FROM ledger WHERE id >= thousand * 1000 AND id < (thousand + 1) * 1000)
ORDER BY 1;

-- name: compare_batches
INSERT INTO difference (what, bucket, detail)
SELECT 'ledger', ledger.stored_at, 'batch ' || coalesce(ledger.id, held.batch_id) || ': '
    || coalesce((ledger.readings - ledger.rejected - ledger.dropped)::text, 'none') || ' stored, ' || coalesce(held.n, 0) || ' there'
FROM (SELECT * FROM ledger WHERE id / 1000 = ANY(%(thousands)s::bigint[])) AS ledger
FULL JOIN (
    SELECT batch_id, count(*) AS n FROM reading WHERE batch_id / 1000 = ANY(%(thousands)s::bigint[]) GROUP BY 1
) AS held ON held.batch_id = ledger.id
WHERE (ledger.readings - ledger.rejected - ledger.dropped) IS DISTINCT FROM coalesce(held.n, 0);

-- name: counts
SELECT what, count(*) AS n FROM difference GROUP BY what;

-- name: examples
SELECT difference.*, home.key AS home FROM difference LEFT JOIN home ON home.id = difference.home_id
ORDER BY difference.id LIMIT %(limit)s;

-- name: next_rollup_day
SELECT home_id, day FROM difference WHERE what = 'rollup' LIMIT 1;

-- name: next_state_homes
-- Devices whose states differ, all those that were measured in the same homes together.
SELECT places.homes, array_agg(places.device_id) AS devices FROM (
    SELECT difference.device_id,
        array(SELECT home_id FROM seen_place WHERE seen_place.device_id = difference.device_id ORDER BY 1) AS homes
    FROM difference WHERE what = 'device_state' GROUP BY difference.device_id ORDER BY difference.device_id LIMIT 500
) AS places GROUP BY places.homes LIMIT 1;

-- name: next_home
SELECT home_id FROM difference WHERE what = 'home_state' LIMIT 1;

-- name: forget_rollup_day
DELETE FROM difference WHERE what = 'rollup' AND home_id = %(home)s AND day = %(day)s;

-- name: forget_states
DELETE FROM difference WHERE what = 'device_state' AND device_id = ANY(%(devices)s);

-- name: forget_home
DELETE FROM difference WHERE what = 'home_state' AND home_id = %(home)s;

-- name: lock
-- In the order in which ingest writes them: who stores waits here, and nobody for each other.
LOCK TABLE rollup, device_state, home_state IN SHARE ROW EXCLUSIVE MODE;

-- name: clear_rollup_day
DELETE FROM rollup WHERE home_id = %(home)s AND bucket >= %(day)s AND bucket < %(next_day)s;

-- name: fill_rollup_day
INSERT INTO rollup (home_id, bucket, device_id, metric, n, life, ons, total, low, high)
SELECT home_id, date_bin('15 minutes', time, '2000-01-01 00:00+00'), device_id, metric, count(*),
    count(*) FILTER (WHERE flags & 1 = 1 AND (metric = ANY(%(on_change)s::smallint[])
        OR (metric = ANY(%(turned_on)s::smallint[]) AND value = 1))),
    count(*) FILTER (WHERE flags & 1 = 1 AND value > 0), sum(value), min(value), max(value)
FROM reading WHERE home_id = %(home)s AND time >= %(day)s AND time < %(next_day)s
GROUP BY 1, 2, 3, 4;

-- name: clear_states
-- States of a time from which on readings are complete, with no reading behind them.
DELETE FROM device_state WHERE device_id = ANY(%(devices)s) AND (%(since)s::timestamptz IS NULL OR time >= %(since)s)
    AND NOT EXISTS (
        SELECT FROM reading WHERE reading.home_id = ANY(%(homes)s) AND reading.device_id = device_state.device_id
            AND reading.metric = device_state.metric
            AND (%(since)s::timestamptz IS NULL OR reading.time >= %(since)s));

-- name: fill_states
INSERT INTO device_state AS old
    (device_id, metric, home_id, time, value, on_at, off_at, changed_at, received_at)
SELECT device_id, metric, (array_agg(home_id ORDER BY time DESC, home_id DESC))[1], max(time),
    (array_agg(value ORDER BY time DESC, value DESC))[1], max(time) FILTER (WHERE value > 0),
    max(time) FILTER (WHERE value = 0), max(time) FILTER (WHERE flags & 1 = 1), max(received_at)
FROM reading
WHERE home_id = ANY(%(homes)s) AND device_id = ANY(%(devices)s)
    AND (%(since)s::timestamptz IS NULL OR time >= %(since)s)
GROUP BY device_id, metric
ON CONFLICT (device_id, metric) DO UPDATE SET
    home_id = excluded.home_id,
    time = excluded.time,
    value = excluded.value,
    on_at = coalesce(excluded.on_at, CASE WHEN old.on_at < %(since)s::timestamptz THEN old.on_at END),
    off_at = coalesce(excluded.off_at, CASE WHEN old.off_at < %(since)s::timestamptz THEN old.off_at END),
    changed_at = coalesce(excluded.changed_at,
        CASE WHEN old.changed_at < %(since)s::timestamptz THEN old.changed_at END),
    received_at = CASE WHEN %(since)s::timestamptz IS NULL THEN excluded.received_at
        ELSE greatest(old.received_at, excluded.received_at) END;

-- name: fill_home
INSERT INTO home_state AS old (home_id, life_at, life_device_id)
SELECT %(home)s, last.time, last.device_id
FROM (VALUES (1)) AS once LEFT JOIN LATERAL (
    SELECT time, device_id FROM reading
    WHERE home_id = %(home)s AND (%(since)s::timestamptz IS NULL OR time >= %(since)s) AND flags & 1 = 1
        AND (metric = ANY(%(on_change)s::smallint[]) OR (metric = ANY(%(turned_on)s::smallint[]) AND value = 1))
    ORDER BY time DESC, device_id DESC LIMIT 1
) AS last ON true
WHERE EXISTS (SELECT FROM home WHERE id = %(home)s)
ON CONFLICT (home_id) DO UPDATE SET
    life_at = coalesce(excluded.life_at, CASE WHEN old.life_at < %(since)s::timestamptz THEN old.life_at END),
    life_device_id = coalesce(excluded.life_device_id,
        CASE WHEN old.life_at < %(since)s::timestamptz THEN old.life_device_id END);
