-- Who was in a home besides its resident: carers' visits, and whoever was on site for an alert.

-- name: visits_now
-- Those under way, those that ended in the last day (and an hour: their margin), and the last few to each home that has
-- been silent for longer: a silence that began with a visit goes on.
WITH taken AS (
    SELECT id, home_id, began_at, ended_at, found, together, logged_at FROM care_visit
    WHERE (undone_at IS NULL OR undone_at > %(now)s) AND (ended_at IS NULL OR ended_at >= %(now)s - interval '25 hours')
    UNION
    SELECT last.* FROM home_state CROSS JOIN LATERAL (
        SELECT id, home_id, began_at, ended_at, found, together, logged_at FROM care_visit
        WHERE care_visit.home_id = home_state.home_id AND (undone_at IS NULL OR undone_at > %(now)s)
            AND began_at <= %(now)s
        ORDER BY began_at DESC LIMIT 5
    ) AS last WHERE home_state.life_at < %(now)s - interval '1 day'
)
SELECT 'visit:' || id AS cause, home_id, extract(epoch FROM began_at)::float8 AS from_at,
    extract(epoch FROM ended_at)::float8 AS until_at, found, together,
    extract(epoch FROM logged_at)::float8 AS known_at, NULL::float8 AS undone_at
FROM taken WHERE mod(home_id, 32) = ANY(%(slices)s)
UNION ALL
SELECT 'on_site:' || id, home_id, extract(epoch FROM on_site_at)::float8, extract(epoch FROM resolved_at)::float8, NULL,
    false, extract(epoch FROM on_site_at)::float8, NULL
FROM alert
WHERE on_site_at IS NOT NULL AND state IN ('on_site', 'resolved') AND home_id IS NOT NULL
    AND (resolved_at IS NULL OR resolved_at >= %(now)s - interval '25 hours') AND mod(home_id, 32) = ANY(%(slices)s)
ORDER BY home_id, from_at, cause;

-- name: visits_of
-- All to these homes that went on in a span, also those that were undone later.
SELECT 'visit:' || id AS cause, home_id, extract(epoch FROM began_at)::float8 AS from_at,
    extract(epoch FROM ended_at)::float8 AS until_at, found, together,
    extract(epoch FROM logged_at)::float8 AS known_at, extract(epoch FROM undone_at)::float8 AS undone_at
FROM care_visit
WHERE home_id = ANY(%(homes)s) AND began_at <= %(until)s AND (ended_at IS NULL OR ended_at >= %(since)s)
UNION ALL
SELECT 'on_site:' || id, home_id, extract(epoch FROM on_site_at)::float8, extract(epoch FROM resolved_at)::float8, NULL,
    false, extract(epoch FROM on_site_at)::float8, NULL
FROM alert
WHERE on_site_at IS NOT NULL AND state IN ('on_site', 'resolved') AND home_id = ANY(%(homes)s)
    AND on_site_at <= %(until)s AND (resolved_at IS NULL OR resolved_at >= %(since)s)
ORDER BY home_id, from_at, cause;

-- name: under_way
SELECT id, home_id, began_at FROM care_visit WHERE ended_at IS NULL AND undone_at IS NULL AND began_at <= %(before)s
    AND mod(home_id, 32) = ANY(%(slices)s)
ORDER BY id FOR UPDATE SKIP LOCKED;

-- name: end_forgotten
UPDATE care_visit SET ended_at = %(ended_at)s, ended_itself = true WHERE id = %(id)s;
