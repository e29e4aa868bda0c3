-- Planned absence, maintenance and what is muted, as people see them. Row-level security shows one's own homes only.

-- name: absences
SELECT absence.id, absence.home_id, absence.kind, absence.from_at, absence.until_at, absence.note,
    person.name AS entered_by, absence.entered_at, absence.ended_at, absence.ended_by
FROM absence JOIN person ON person.id = absence.entered_by
WHERE absence.home_id = %(home)s AND (absence.ended_at IS NULL OR absence.ended_at >= %(since)s)
    AND absence.until_at >= %(since)s
ORDER BY absence.from_at DESC, absence.id DESC LIMIT 50

-- name: absence
SELECT id, home_id, ended_at FROM absence WHERE id = %(id)s FOR UPDATE

-- name: add_absence
INSERT INTO absence (home_id, kind, from_at, until_at, note, entered_by, entered_at)
VALUES (%(home)s, %(kind)s, %(from_at)s, %(until_at)s, %(note)s, %(person)s, %(now)s) RETURNING id

-- name: end_absence
UPDATE absence SET ended_at = %(now)s, ended_by = %(person)s WHERE id = %(id)s

-- name: maintenance_of_home
-- That of the home itself and of every region above it.
WITH RECURSIVE above AS (
    SELECT region.id, region.parent_id FROM region JOIN home ON home.region_id = region.id WHERE home.id = %(home)s
    UNION
    SELECT region.id, region.parent_id FROM region JOIN above ON region.id = above.parent_id
)
SELECT maintenance.id, maintenance.home_id, maintenance.region_id, maintenance.from_at, maintenance.until_at,
    maintenance.note, person.name AS entered_by, maintenance.entered_at, maintenance.ended_at
FROM maintenance JOIN person ON person.id = maintenance.entered_by
WHERE (maintenance.home_id = %(home)s OR maintenance.region_id IN (SELECT id FROM above))
    AND maintenance.until_at >= %(since)s AND (maintenance.ended_at IS NULL OR maintenance.ended_at >= %(since)s)
ORDER BY maintenance.from_at DESC, maintenance.id DESC LIMIT 50

-- name: maintenance
SELECT id, home_id, region_id, ended_at FROM maintenance WHERE id = %(id)s FOR UPDATE

-- name: add_maintenance
INSERT INTO maintenance (home_id, region_id, from_at, until_at, note, entered_by, entered_at)
VALUES (%(home)s, %(region)s, %(from_at)s, %(until_at)s, %(note)s, %(person)s, %(now)s) RETURNING id

-- name: end_maintenance
UPDATE maintenance SET ended_at = %(now)s, ended_by = %(person)s WHERE id = %(id)s

-- name: muted
-- What is muted now, and what was lately.
SELECT kind, cause, since, ended_at FROM muted_finding
WHERE home_id = %(home)s AND (ended_at IS NULL OR ended_at >= %(since)s)
ORDER BY ended_at IS NOT NULL, since DESC LIMIT 50

-- name: is_family_of
SELECT EXISTS (SELECT FROM consent WHERE home_id = %(home)s AND person_id = %(person)s AND withdrawn_at IS NULL) AS family

-- name: manages
-- Whether the person is manager or admin of the region or of one above it.
WITH RECURSIVE above AS (
    SELECT id, parent_id FROM region WHERE id = %(region)s
    UNION
    SELECT region.id, region.parent_id FROM region JOIN above ON region.id = above.parent_id
)
SELECT EXISTS (SELECT FROM role_grant WHERE person_id = %(person)s AND role IN ('manager', 'admin')
               AND region_id IN (SELECT id FROM above)) AS manages
