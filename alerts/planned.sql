-- Planned absence and maintenance, as far as they hold now.

-- name: absences_now
SELECT id, home_id, kind, from_at FROM absence
WHERE from_at <= %(now)s AND until_at > %(now)s AND (ended_at IS NULL OR ended_at > %(now)s) ORDER BY id;

-- name: maintenance_now
-- One row a home that is worked on, alone or with its region.
WITH RECURSIVE below AS (
    SELECT maintenance.id, maintenance.region_id AS region FROM maintenance
    WHERE maintenance.region_id IS NOT NULL AND from_at <= %(now)s AND until_at > %(now)s
        AND (ended_at IS NULL OR ended_at > %(now)s)
    UNION
    SELECT below.id, region.id FROM region JOIN below ON region.parent_id = below.region
)
SELECT id, home_id FROM maintenance
WHERE home_id IS NOT NULL AND from_at <= %(now)s AND until_at > %(now)s AND (ended_at IS NULL OR ended_at > %(now)s)
UNION ALL
SELECT below.id, home.id FROM below JOIN home ON home.region_id = below.region
ORDER BY id;

-- name: end_on_return
-- Signs of life in so many quarters of an hour lately, the front door's not counted: the resident is home again. Not
-- before `settle`, for somebody packs and leaves later than planned.
UPDATE absence SET ended_at = %(now)s
WHERE ended_at IS NULL AND kind <> 'visitor' AND from_at <= %(now)s AND until_at > %(now)s
    AND EXISTS (SELECT FROM home_state WHERE home_state.home_id = absence.home_id
                AND home_state.life_at >= absence.from_at + %(settle)s)
    AND (SELECT count(DISTINCT rollup.bucket) FROM rollup JOIN device ON device.id = rollup.device_id
         WHERE rollup.home_id = absence.home_id AND rollup.life > 0 AND NOT device.exterior
            AND rollup.bucket >= greatest(absence.from_at + %(settle)s, %(now)s - interval '2 hours')) >= %(quarters)s
RETURNING id, home_id;
