-- Every statement inserts, updates what differs, and returns whether it created: no row = nothing changed.

-- name: put_region
INSERT INTO region (key, parent_id, level, name, policy)
VALUES (%(key)s, (SELECT id FROM region WHERE key = %(parent)s), %(level)s, %(name)s, %(policy)s)
ON CONFLICT (key) DO UPDATE
    SET parent_id = excluded.parent_id, level = excluded.level, name = excluded.name, policy = excluded.policy
    WHERE (region.parent_id, region.level, region.name, region.policy)
        IS DISTINCT FROM (excluded.parent_id, excluded.level, excluded.name, excluded.policy)
RETURNING xmax = 0 AS created;

-- name: put_home
INSERT INTO home (key, region_id, name, address, zone, commissioned_at, policy)
VALUES (%(key)s, (SELECT id FROM region WHERE key = %(region)s), %(name)s, %(address)s, %(zone)s, %(commissioned)s,
    %(policy)s)
ON CONFLICT (key) DO UPDATE
    SET region_id = excluded.region_id, name = excluded.name, address = excluded.address, zone = excluded.zone,
        commissioned_at = excluded.commissioned_at, policy = excluded.policy
    WHERE (home.region_id, home.name, home.address, home.zone, home.commissioned_at, home.policy) IS DISTINCT FROM
        (excluded.region_id, excluded.name, excluded.address, excluded.zone, excluded.commissioned_at, excluded.policy)
RETURNING xmax = 0 AS created;

-- name: put_home_state
-- A home is watched from its first day, so it has a state from its first day.
INSERT INTO home_state (home_id) SELECT id FROM home WHERE key = %(key)s ON CONFLICT DO NOTHING;

-- name: put_room
INSERT INTO room (home_id, key, kind, name)
VALUES ((SELECT id FROM home WHERE key = %(home)s), %(key)s, %(kind)s, %(name)s)
ON CONFLICT (home_id, key) DO UPDATE SET kind = excluded.kind, name = excluded.name
    WHERE (room.kind, room.name) IS DISTINCT FROM (excluded.kind, excluded.name)
RETURNING xmax = 0 AS created;

-- name: put_resident
INSERT INTO resident (home_id, key, name, born, phone)
VALUES ((SELECT id FROM home WHERE key = %(home)s), %(key)s, %(name)s, %(born)s, %(phone)s)
ON CONFLICT (key) DO UPDATE
    SET home_id = excluded.home_id, name = excluded.name, born = excluded.born, phone = excluded.phone
    WHERE (resident.home_id, resident.name, resident.born, resident.phone)
        IS DISTINCT FROM (excluded.home_id, excluded.name, excluded.born, excluded.phone)
RETURNING xmax = 0 AS created;

-- name: put_gateway
INSERT INTO gateway (key, home_id, password_hash, registered_at, options, ended_at)
VALUES (%(key)s, (SELECT id FROM home WHERE key = %(home)s), %(password_hash)s, %(now)s,
    coalesce(%(options)s::jsonb, '{}'), %(ended)s)
ON CONFLICT (key) DO UPDATE
    SET home_id = excluded.home_id,
        password_hash = coalesce(nullif(excluded.password_hash, ''), gateway.password_hash),
        options = coalesce(%(options)s::jsonb, gateway.options),
        ended_at = excluded.ended_at
    WHERE gateway.home_id <> excluded.home_id
       OR gateway.ended_at IS DISTINCT FROM excluded.ended_at
       OR coalesce(%(options)s::jsonb, gateway.options) <> gateway.options
       OR (excluded.password_hash <> '' AND excluded.password_hash <> gateway.password_hash)
RETURNING xmax = 0 AS created;

-- name: put_device
INSERT INTO device (gateway_id, address, home_id, room_id, kind, exterior, mains, registered_at, taken_at)
SELECT gateway.id, %(address)s, home.id,
    (SELECT room.id FROM room WHERE room.home_id = home.id AND room.key = %(room)s),
    %(kind)s, %(exterior)s, %(mains)s, %(now)s, %(ended)s
FROM gateway, home WHERE gateway.key = %(gateway)s AND home.key = %(home)s
ON CONFLICT (gateway_id, address) DO UPDATE
    SET home_id = excluded.home_id, room_id = excluded.room_id, kind = excluded.kind,
        exterior = excluded.exterior, mains = excluded.mains, taken_at = excluded.taken_at,
        placed_at = CASE WHEN device.home_id <> excluded.home_id THEN %(now)s ELSE device.placed_at END
    WHERE (device.home_id, device.room_id, device.kind, device.exterior, device.mains, device.taken_at)
        IS DISTINCT FROM (excluded.home_id, excluded.room_id, excluded.kind, excluded.exterior, excluded.mains,
            excluded.taken_at)
RETURNING xmax = 0 AS created;

-- name: move_devices
-- A device that another gateway of its home has, or had last, comes with its history to the gateway that the document
-- names: from when it was taken away there, or from now on where both are in use. Only to a place that is free.
UPDATE device SET gateway_id = move.to_id, taken_at = NULL, missing_since = NULL,
    linked_at = greatest(device.linked_at, least(device.ended_at, %(now)s))
FROM (
    SELECT DISTINCT ON (new.id, wanted.address) other.id, new.id AS to_id
    FROM unnest(%(homes)s::text[], %(gateways)s::text[], %(addresses)s::text[]) AS wanted (home, gateway, address)
    JOIN home ON home.key = wanted.home
    JOIN gateway AS new ON new.key = wanted.gateway AND new.ended_at IS NULL
    JOIN device AS other ON other.home_id = home.id AND other.address = wanted.address AND other.gateway_id <> new.id
    WHERE wanted.address <> 'gateway'
        AND NOT EXISTS (SELECT FROM device AS here WHERE here.gateway_id = new.id AND here.address = wanted.address)
    ORDER BY new.id, wanted.address, other.ended_at DESC NULLS FIRST, other.id DESC
) AS move, home, gateway AS old
WHERE device.id = move.id AND home.id = device.home_id AND old.id = device.gateway_id
RETURNING home.key AS home, device.address, old.key AS gateway;

-- name: were_there
-- Devices that these gateways had in a home and that are with another gateway of it now, and whose place there nobody
-- has taken.
SELECT DISTINCT home.key AS home, gateway.key AS gateway, device.address FROM device_link
JOIN device ON device.id = device_link.device_id
JOIN home ON home.id = device.home_id
JOIN gateway ON gateway.id = device_link.gateway_id AND gateway.key = ANY(%(gateways)s)
WHERE NOT EXISTS (SELECT FROM device AS here WHERE here.gateway_id = gateway.id AND here.address = device.address);

-- name: with_two_gateways
-- Of homes by their keys, or of one by its id.
SELECT home.key AS home, device.address, min(gateway.key) AS one, max(gateway.key) AS other
FROM device JOIN gateway ON gateway.id = device.gateway_id JOIN home ON home.id = device.home_id
WHERE (home.key = ANY(%(homes)s) OR home.id = %(id)s) AND device.ended_at IS NULL AND device.address <> 'gateway'
GROUP BY home.key, device.address HAVING count(*) > 1 ORDER BY home.key, device.address;

-- name: note_missing_gateways
UPDATE gateway SET missing_since = CASE WHEN gateway.key = ANY(%(gateways)s) THEN NULL ELSE %(now)s::timestamptz END
FROM home
WHERE home.id = gateway.home_id AND home.key = ANY(%(homes)s) AND gateway.ended_at IS NULL
    AND (gateway.key = ANY(%(gateways)s)) = (gateway.missing_since IS NOT NULL);

-- name: note_missing_devices
-- A gateway about itself is named with it.
UPDATE device SET missing_since = CASE WHEN noted.named THEN NULL ELSE %(now)s::timestamptz END
FROM (
    SELECT device.id, entry.gateway IS NOT NULL AS named
    FROM device JOIN gateway ON gateway.id = device.gateway_id JOIN home ON home.id = device.home_id
    LEFT JOIN (SELECT DISTINCT * FROM unnest(%(of)s::text[], %(addresses)s::text[]) AS one (gateway, address)) AS entry
        ON entry.gateway = gateway.key AND entry.address = device.address
    WHERE home.key = ANY(%(homes)s) AND device.ended_at IS NULL AND device.kind <> 'gateway'
) AS noted
WHERE noted.id = device.id AND noted.named = (device.missing_since IS NOT NULL);

-- name: missing
-- What is in use and the last document about its home did not name; `homes` null: of every home.
SELECT home.key AS home, gateway.key AS gateway, '' AS address FROM gateway JOIN home ON home.id = gateway.home_id
WHERE (%(homes)s::text[] IS NULL OR home.key = ANY(%(homes)s)) AND gateway.ended_at IS NULL
    AND gateway.missing_since IS NOT NULL
UNION ALL
SELECT home.key, gateway.key, device.address FROM device
JOIN gateway ON gateway.id = device.gateway_id JOIN home ON home.id = device.home_id
WHERE (%(homes)s::text[] IS NULL OR home.key = ANY(%(homes)s)) AND device.ended_at IS NULL
    AND device.missing_since IS NOT NULL
ORDER BY 1, 2, 3;

-- name: put_person
INSERT INTO person (key, name, phone, locale, channels, login, password_hash)
VALUES (%(key)s, %(name)s, %(phone)s, %(locale)s, %(channels)s, %(login)s, %(password_hash)s)
ON CONFLICT (key) DO UPDATE
    SET name = excluded.name, phone = excluded.phone, locale = excluded.locale, channels = excluded.channels,
        login = excluded.login, password_hash = coalesce(nullif(excluded.password_hash, ''), person.password_hash)
    WHERE (person.name, person.phone, person.locale, person.channels, person.login)
            IS DISTINCT FROM (excluded.name, excluded.phone, excluded.locale, excluded.channels, excluded.login)
       OR (excluded.password_hash <> '' AND excluded.password_hash <> person.password_hash)
RETURNING xmax = 0 AS created;

-- name: put_grant
INSERT INTO role_grant (person_id, role, region_id)
VALUES ((SELECT id FROM person WHERE key = %(person)s), %(role)s, (SELECT id FROM region WHERE key = %(region)s))
ON CONFLICT DO NOTHING
RETURNING xmax = 0 AS created;

-- name: put_consent
INSERT INTO consent (person_id, home_id, relation, place, given_at)
VALUES ((SELECT id FROM person WHERE key = %(person)s), (SELECT id FROM home WHERE key = %(home)s), %(relation)s,
    %(place)s, %(now)s)
ON CONFLICT (person_id, home_id) DO UPDATE SET relation = excluded.relation, place = excluded.place
    WHERE (consent.relation, consent.place) IS DISTINCT FROM (excluded.relation, excluded.place)
RETURNING xmax = 0 AS created;

-- name: put_volunteer
INSERT INTO volunteer (person_id, region_id)
VALUES ((SELECT id FROM person WHERE key = %(person)s), (SELECT id FROM region WHERE key = %(region)s))
ON CONFLICT DO NOTHING
RETURNING xmax = 0 AS created;

-- name: put_rotation
INSERT INTO rotation (key, region_id, name, duty, zone, handovers, every_days, starts_on, ends_on)
VALUES (%(key)s, (SELECT id FROM region WHERE key = %(region)s), %(name)s, %(duty)s, %(zone)s, %(handovers)s,
    %(every_days)s, %(starts)s, %(ends)s)
ON CONFLICT (key) DO UPDATE
    SET region_id = excluded.region_id, name = excluded.name, duty = excluded.duty, zone = excluded.zone,
        handovers = excluded.handovers, every_days = excluded.every_days, starts_on = excluded.starts_on,
        ends_on = excluded.ends_on
    WHERE (rotation.region_id, rotation.name, rotation.duty, rotation.zone, rotation.handovers, rotation.every_days,
            rotation.starts_on, rotation.ends_on)
        IS DISTINCT FROM (excluded.region_id, excluded.name, excluded.duty, excluded.zone, excluded.handovers,
            excluded.every_days, excluded.starts_on, excluded.ends_on)
RETURNING xmax = 0 AS created;

-- name: rotation_members
SELECT ARRAY(SELECT person.key FROM rotation_member LEFT JOIN person ON person.id = rotation_member.person_id
             WHERE rotation_member.rotation_id = rotation.id ORDER BY place) AS members
FROM rotation WHERE key = %(key)s;

-- name: put_rotation_members
-- The order is replaced as a whole: a turn that is gone is gone.
WITH gone AS (
    DELETE FROM rotation_member USING rotation
    WHERE rotation.id = rotation_member.rotation_id AND rotation.key = %(key)s
        AND rotation_member.place >= cardinality(%(members)s::text[])
)
INSERT INTO rotation_member (rotation_id, place, person_id)
SELECT rotation.id, member.place - 1, person.id
FROM rotation CROSS JOIN unnest(%(members)s::text[]) WITH ORDINALITY AS member (key, place)
LEFT JOIN person ON person.key = member.key
WHERE rotation.key = %(key)s
ON CONFLICT (rotation_id, place) DO UPDATE SET person_id = excluded.person_id;

-- name: members_without_grant
WITH RECURSIVE above AS (
    SELECT id, parent_id FROM region WHERE key = %(region)s
    UNION
    SELECT region.id, region.parent_id FROM region JOIN above ON above.parent_id = region.id
)
SELECT member.key, person.id IS NOT NULL AS known FROM unnest(%(people)s::text[]) AS member (key)
LEFT JOIN person ON person.key = member.key
WHERE NOT EXISTS (SELECT FROM role_grant WHERE role_grant.person_id = person.id
                  AND role_grant.region_id IN (SELECT id FROM above))
ORDER BY member.key;

-- name: person_password
SELECT password_hash FROM person WHERE key = %(key)s;

-- name: known_keys
-- Which of the keys that the document refers to are in the register already.
SELECT 'region' AS kind, key FROM region WHERE key = ANY(%(regions)s)
UNION ALL SELECT 'home', key FROM home WHERE key = ANY(%(homes)s)
UNION ALL SELECT 'gateway', key FROM gateway WHERE key = ANY(%(gateways)s);

-- name: regions_of_admin
-- Every region that this person is admin of, with all below.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s AND role = 'admin'
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
)
SELECT region.id, region.key, parent.key AS parent
FROM mine JOIN region ON region.id = mine.id LEFT JOIN region AS parent ON parent.id = region.parent_id;

-- name: foreign_entries
-- Which entries that the document touches are there already and belong to a region that is not the admin's.
SELECT 'region' AS kind, key FROM region WHERE key = ANY(%(region)s) AND id <> ALL(%(allowed)s)
UNION ALL SELECT 'home', key FROM home WHERE key = ANY(%(home)s) AND region_id <> ALL(%(allowed)s)
UNION ALL SELECT 'resident', resident.key FROM resident JOIN home ON home.id = resident.home_id
    WHERE resident.key = ANY(%(resident)s) AND home.region_id <> ALL(%(allowed)s)
UNION ALL SELECT 'gateway', gateway.key FROM gateway JOIN home ON home.id = gateway.home_id
    WHERE gateway.key = ANY(%(gateway)s) AND home.region_id <> ALL(%(allowed)s)
UNION ALL SELECT 'rotation', key FROM rotation WHERE key = ANY(%(rotation)s) AND region_id <> ALL(%(allowed)s)
UNION ALL SELECT 'person', person.key FROM person
    WHERE person.key = ANY(%(person)s) AND (
        EXISTS (SELECT FROM volunteer WHERE person_id = person.id AND region_id <> ALL(%(allowed)s)) OR
        EXISTS (SELECT FROM role_grant WHERE person_id = person.id AND region_id <> ALL(%(allowed)s))
        OR EXISTS (SELECT FROM consent JOIN home ON home.id = consent.home_id
                   WHERE consent.person_id = person.id AND home.region_id <> ALL(%(allowed)s)));

-- name: login_taken
SELECT key FROM person WHERE login = %(login)s AND key <> %(key)s;

-- name: end_device
UPDATE device SET taken_at = coalesce(taken_at, %(at)s), missing_since = NULL
WHERE id = %(id)s AND home_id = %(home)s AND kind <> 'gateway' RETURNING id;

-- name: resume_device
UPDATE device SET taken_at = NULL FROM gateway
WHERE device.id = %(id)s AND device.home_id = %(home)s AND device.kind <> 'gateway' AND gateway.id = device.gateway_id
RETURNING device.ended_at, gateway.key AS gateway;

-- name: end_gateway
UPDATE gateway SET ended_at = coalesce(ended_at, %(at)s), missing_since = NULL
WHERE key = %(key)s AND home_id = %(home)s RETURNING id;

-- name: resume_gateway
UPDATE gateway SET ended_at = NULL WHERE key = %(key)s AND home_id = %(home)s RETURNING id;
