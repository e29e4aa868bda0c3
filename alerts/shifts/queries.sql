-- name: rotations_above
-- Rotations of these regions (`origin`) and of all above: height 1 = the region itself.
WITH RECURSIVE above AS (
    SELECT region.id AS origin, region.id, region.parent_id, 1 AS height FROM region WHERE id = ANY(%(regions)s)
    UNION ALL
    SELECT above.origin, region.id, region.parent_id, above.height + 1 FROM region
    JOIN above ON above.parent_id = region.id
)
SELECT above.origin, above.height, rotation.id, rotation.key, rotation.name, rotation.region_id, rotation.duty,
    rotation.zone, rotation.handovers, rotation.every_days, rotation.starts_on, rotation.ends_on,
    ARRAY(SELECT person_id FROM rotation_member WHERE rotation_id = rotation.id ORDER BY place) AS members
FROM above JOIN rotation ON rotation.region_id = above.id
ORDER BY above.origin, above.height, rotation.duty, rotation.id;

-- name: covers
SELECT id, rotation_id, person_id, from_at, until_at, swap, note FROM shift_cover
WHERE rotation_id = ANY(%(rotations)s) AND from_at < %(end)s AND until_at > %(start)s AND withdrawn_at IS NULL
ORDER BY id;

-- name: leave
SELECT id, person_id, from_at, until_at, note FROM leave
WHERE from_at < %(end)s AND until_at > %(start)s AND withdrawn_at IS NULL ORDER BY from_at, id;

-- name: managers_of_mornings
-- Every manager with each region of theirs.
SELECT role_grant.person_id, role_grant.region_id FROM role_grant
WHERE role_grant.role = 'manager' ORDER BY role_grant.person_id, role_grant.region_id;

-- name: mornings_had
SELECT person_id, day FROM digest WHERE kind = 'morning' AND day >= %(since)s;

-- name: communities_below
-- Every region below these (`origin`) that has homes, with the zone of most of them.
WITH RECURSIVE below AS (
    SELECT region.id AS origin, region.id, region.name FROM region WHERE id = ANY(%(regions)s)
    UNION
    SELECT below.origin, region.id, region.name FROM region JOIN below ON region.parent_id = below.id
)
SELECT below.origin, below.id, below.name,
    (SELECT zone FROM home WHERE region_id = below.id GROUP BY zone ORDER BY count(*) DESC, zone LIMIT 1) AS zone
FROM below WHERE EXISTS (SELECT FROM home WHERE home.region_id = below.id) ORDER BY below.origin, below.id;

-- name: skips
-- Who could not be told, and on which rungs nobody could, of the alerts of these regions since then.
SELECT coalesce(home.region_id, alert.region_id) AS region_id, alert_event.what,
    CASE WHEN alert_event.what = 'rung_skipped' THEN alert_event.details ->> 'audience' END AS audience,
    alert_event.details ->> 'reason' AS reason, person.name AS person, count(DISTINCT alert_event.alert_id) AS n
FROM alert_event
JOIN alert ON alert.id = alert_event.alert_id
LEFT JOIN home ON home.id = alert.home_id
LEFT JOIN person ON person.id = alert_event.person_id
WHERE alert_event.what IN ('rung_skipped', 'person_skipped') AND alert_event.at >= %(since)s
    AND coalesce(home.region_id, alert.region_id) = ANY(%(regions)s)
    AND coalesce(alert_event.details ->> 'audience', '') NOT IN ('elder', 'volunteer', 'contact')
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2 DESC, n DESC, 3, 5;

-- name: keep_morning
INSERT INTO digest (person_id, kind, day, made_at, lines)
VALUES (%(person_id)s, 'morning', %(day)s, %(now)s, %(lines)s)
ON CONFLICT (person_id, kind, day) DO NOTHING
RETURNING id;

-- name: rotation
SELECT id, key, region_id, every_days, zone FROM rotation WHERE id = %(id)s;

-- name: may_be_on
-- Whether the person holds a grant for the region or one above it.
WITH RECURSIVE above AS (
    SELECT id, parent_id FROM region WHERE id = %(region)s
    UNION
    SELECT region.id, region.parent_id FROM region JOIN above ON region.id = above.parent_id
)
SELECT EXISTS (SELECT FROM role_grant WHERE person_id = %(person)s AND region_id IN (SELECT id FROM above)) AS may;

-- name: add_cover
INSERT INTO shift_cover (rotation_id, person_id, from_at, until_at, swap, note, entered_by, entered_at)
VALUES (%(rotation)s, %(person)s, %(start)s, %(end)s, %(swap)s, %(note)s, %(by)s, %(now)s) RETURNING id;

-- name: withdraw_cover
UPDATE shift_cover SET withdrawn_at = %(now)s
WHERE withdrawn_at IS NULL AND (id = %(id)s OR swap = (SELECT swap FROM shift_cover WHERE id = %(id)s))
RETURNING rotation_id;

-- name: add_leave
INSERT INTO leave (person_id, from_at, until_at, note, entered_by, entered_at)
VALUES (%(person)s, %(start)s, %(end)s, %(note)s, %(by)s, %(now)s) RETURNING id;

-- name: withdraw_leave
UPDATE leave SET withdrawn_at = %(now)s WHERE id = %(id)s AND withdrawn_at IS NULL;
