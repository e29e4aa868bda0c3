-- name: names
SELECT person.key, person.name, min(coalesce(role_grant.role, CASE WHEN consent.home_id IS NULL THEN 'volunteer'
    ELSE 'family' END)) AS role
FROM person LEFT JOIN role_grant ON role_grant.person_id = person.id
LEFT JOIN consent ON consent.person_id = person.id
WHERE person.key = ANY(%(keys)s) GROUP BY person.id

-- name: seen_homes
SELECT key FROM home WHERE key = ANY(%(keys)s)

-- name: seen_alerts
SELECT id FROM alert WHERE id = ANY(%(ids)s)

-- name: statuses
SELECT id, status FROM delivery WHERE id = ANY(%(ids)s)
