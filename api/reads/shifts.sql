-- Shifts as people see them.

-- name: places
-- Regions of one's own grants and below that have homes or shifts.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
)
SELECT region.id, region.name,
    coalesce((SELECT zone FROM home WHERE home.region_id = region.id GROUP BY zone ORDER BY count(*) DESC, zone LIMIT 1),
        'Asia/Shanghai') AS zone
FROM region JOIN mine ON mine.id = region.id
WHERE EXISTS (SELECT FROM home WHERE home.region_id = region.id)
    OR EXISTS (SELECT FROM rotation WHERE rotation.region_id = region.id)
ORDER BY region.id

-- name: people
-- Staff of these regions and of all above: who could be on.
WITH RECURSIVE above AS (
    SELECT region.id AS origin, region.id, region.parent_id FROM region WHERE id = ANY(%(regions)s)
    UNION
    SELECT above.origin, region.id, region.parent_id FROM region JOIN above ON region.id = above.parent_id
)
SELECT DISTINCT above.origin, person.id, person.name FROM above
JOIN role_grant ON role_grant.region_id = above.id AND role_grant.role <> 'admin'
JOIN person ON person.id = role_grant.person_id ORDER BY above.origin, person.name, person.id

-- name: region_key
SELECT key FROM region WHERE id = %(id)s

-- name: person_keys
SELECT id, key FROM person WHERE id = ANY(%(people)s)

-- name: names
SELECT id, name FROM person WHERE id = ANY(%(people)s)

-- name: leave
SELECT leave.id, leave.person_id, person.name AS person, leave.from_at, leave.until_at, leave.note
FROM leave JOIN person ON person.id = leave.person_id
WHERE leave.until_at > %(now)s AND leave.withdrawn_at IS NULL ORDER BY leave.from_at, leave.id

-- name: leave_of
SELECT person_id FROM leave WHERE id = %(id)s

-- name: cover_of
SELECT rotation.region_id, shift_cover.swap IS NULL AND shift_cover.person_id = %(person)s
    AND shift_cover.entered_by = %(person)s AS own
FROM shift_cover
JOIN rotation ON rotation.id = shift_cover.rotation_id WHERE shift_cover.id = %(id)s

-- name: own_covers
-- Covers by which the asking person took a shift over of their own accord.
SELECT id FROM shift_cover
WHERE person_id = %(person)s AND entered_by = %(person)s AND swap IS NULL AND withdrawn_at IS NULL AND until_at > %(now)s

-- name: managed_regions
-- Of which the asking person is manager or admin, with all below them.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s AND role IN ('manager', 'admin')
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
)
SELECT id FROM mine

-- name: managed_people
-- Those who hold a grant there; of all, or only `other`.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s AND role IN ('manager', 'admin')
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
)
SELECT DISTINCT person_id AS id FROM role_grant
WHERE region_id IN (SELECT id FROM mine) AND (%(other)s::int IS NULL OR person_id = %(other)s)
