-- How people are reached: one's own channels, and for managers those of their people. The addresses stay inside.

-- name: person
SELECT id, key, name, locale FROM person WHERE id = %(person)s

-- name: own_channels
SELECT number, kind, browser, own, last_at, last_reason, last_status FROM own_channels()

-- name: add_channel
SELECT add_own_channel(%(channel)s) AS added

-- name: remove_channel
SELECT remove_own_channel(%(number)s) AS removed

-- name: queue_test
SELECT queue_test(%(number)s, %(now)s) AS delivery

-- name: add_push
SELECT add_push(%(host)s, %(endpoint)s, %(p256dh)s, %(auth)s, %(browser)s, %(now)s) AS id

-- name: remove_push
SELECT remove_push(%(endpoint)s) AS removed

-- name: reach
-- Those who cannot be reached first: without a channel, then those whose last message failed.
SELECT reach.person_id, person.name, min(region.name) AS region_name, array_agg(DISTINCT reach.role) AS roles,
    reach.kinds, reach.sent_at, reach.failed_at, reach.reason,
    reach.kinds = '{}' AS unreachable, coalesce(reach.failed_at > coalesce(reach.sent_at, '-infinity'), false) AS failing
FROM reach() JOIN person ON person.id = reach.person_id JOIN region ON region.id = reach.region_id
GROUP BY reach.person_id, person.name, reach.kinds, reach.sent_at, reach.failed_at, reach.reason
ORDER BY unreachable DESC, failing DESC, person.name, reach.person_id
