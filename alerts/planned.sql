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

-- name: absences_of
-- All of these homes that hold at some time in a span; from when each was known on, and until when it held.
SELECT id, home_id, kind, from_at, entered_at, least(until_at, ended_at) AS until_at FROM absence
WHERE home_id = ANY(%(homes)s) AND from_at <= %(until)s AND least(until_at, ended_at) > %(since)s ORDER BY id;

-- name: maintenance_of
WITH RECURSIVE held AS (
    SELECT id, home_id, region_id, from_at, entered_at, least(until_at, ended_at) AS until_at FROM maintenance
    WHERE from_at <= %(until)s AND least(until_at, ended_at) > %(since)s
), below AS (
    SELECT held.id, held.region_id AS region FROM held WHERE held.region_id IS NOT NULL
    UNION
    SELECT below.id, region.id FROM region JOIN below ON region.parent_id = below.region
), homes AS (
    SELECT id, home_id FROM held WHERE home_id IS NOT NULL
    UNION ALL
    SELECT below.id, home.id FROM below JOIN home ON home.region_id = below.region
)
SELECT held.id, homes.home_id, held.from_at, held.entered_at, held.until_at FROM homes JOIN held USING (id)
WHERE homes.home_id = ANY(%(homes)s) ORDER BY held.id;

-- name: end_on_return
-- Signs of life in so many quarters of an hour lately, the front door's not counted: the resident is home again. Not
-- before `settle`, for somebody packs and leaves later than planned; and not by what moved in a carer's visit or so near
-- to one (`margin`) that it may be the carer, unless they met the resident.
UPDATE absence SET ended_at = %(now)s
WHERE ended_at IS NULL AND kind <> 'visitor' AND from_at <= %(now)s AND until_at > %(now)s
    AND EXISTS (SELECT FROM home_state WHERE home_state.home_id = absence.home_id
                AND home_state.life_at >= absence.from_at + %(settle)s)
    AND (SELECT count(DISTINCT rollup.bucket) FROM rollup JOIN device ON device.id = rollup.device_id
         WHERE rollup.home_id = absence.home_id AND rollup.life > 0 AND NOT device.exterior
            AND rollup.bucket >= greatest(absence.from_at + %(settle)s, %(now)s - interval '2 hours')
            AND NOT EXISTS (SELECT FROM care_visit AS visit WHERE visit.home_id = absence.home_id
                AND visit.undone_at IS NULL AND coalesce(visit.found, 'not_met') = 'not_met'
                AND visit.began_at - %(margin)s < rollup.bucket + interval '15 minutes'
                AND (visit.ended_at IS NULL OR visit.ended_at + %(margin)s >= rollup.bucket))) >= %(quarters)s
RETURNING id, home_id;
