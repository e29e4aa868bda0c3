-- Carers' visits. Row-level security shows staff the homes of their regions, and family no row at all.

-- name: end_elsewhere
-- When it really ended nobody knows; how the resident was nobody has said.
UPDATE care_visit SET ended_at = %(now)s, ended_itself = true
WHERE carer_id = %(carer)s AND home_id <> %(home)s AND ended_at IS NULL AND undone_at IS NULL;

-- name: begin
INSERT INTO care_visit (home_id, carer_id, began_at, logged_at) VALUES (%(home)s, %(carer)s, %(now)s, %(now)s)
RETURNING id;

-- name: end
UPDATE care_visit SET ended_at = %(now)s, found = %(found)s, together = %(together)s, note = %(note)s
WHERE home_id = %(home)s AND carer_id = %(carer)s AND ended_at IS NULL AND undone_at IS NULL AND began_at <= %(now)s
RETURNING id;

-- name: add
INSERT INTO care_visit (home_id, carer_id, began_at, ended_at, found, together, note, logged_at, logged_by)
VALUES (%(home)s, %(carer)s, %(began_at)s, %(ended_at)s, %(found)s, %(together)s, %(note)s, %(now)s, %(by)s)
RETURNING id;

-- name: overlapping
SELECT id FROM care_visit
WHERE home_id = %(home)s AND carer_id = %(carer)s AND undone_at IS NULL
    AND began_at < %(ended_at)s AND coalesce(ended_at, %(now)s) > %(began_at)s
ORDER BY id LIMIT 1;

-- name: lock
SELECT carer_id, logged_by, undone_at FROM care_visit WHERE id = %(id)s AND home_id = %(home)s FOR UPDATE;

-- name: undo
UPDATE care_visit SET undone_at = %(now)s WHERE id = %(id)s;

-- name: visits
SELECT care_visit.id, care_visit.carer_id, person.name AS carer, care_visit.began_at, care_visit.ended_at,
    care_visit.found, care_visit.together, care_visit.ended_itself, care_visit.note, care_visit.logged_at,
    care_visit.logged_by, scribe.name AS logged_by_name
FROM care_visit JOIN person ON person.id = care_visit.carer_id
LEFT JOIN person AS scribe ON scribe.id = care_visit.logged_by
WHERE care_visit.home_id = %(home)s AND care_visit.undone_at IS NULL
    AND (care_visit.ended_at IS NULL OR care_visit.ended_at >= %(since)s)
ORDER BY care_visit.ended_at IS NULL DESC, care_visit.began_at DESC, care_visit.id DESC LIMIT %(limit)s;

-- name: visits_for_family
SELECT began_at, ended_at FROM visits_for_family(%(home)s, %(since)s, %(now)s);
