-- Everything the api asks. Row-level security and the seen_ views show only what the person of `yiju.person` may see;
-- what is staff's alone is asked for by `staff` besides.

-- name: person_of_login
SELECT id, password_hash FROM person WHERE login = %(login)s

-- name: person_of_token
SELECT person.id, person.key, person.name, person.locale
FROM login_session JOIN person ON person.id = login_session.person_id
WHERE login_session.token_hash = %(token_hash)s AND login_session.kind = %(kind)s AND login_session.expires_at > %(now)s

-- name: session_lives
SELECT person_id FROM login_session WHERE token_hash = %(token_hash)s AND expires_at > %(now)s

-- name: become
-- For this transaction only: the next one on this connection is nobody again.
SELECT set_config('yiju.person', %(person)s::text, true)

-- name: roles
SELECT role FROM role_grant WHERE person_id = %(person)s
UNION
SELECT 'family' FROM consent WHERE person_id = %(person)s AND withdrawn_at IS NULL
UNION
SELECT 'volunteer' FROM volunteer WHERE person_id = %(person)s

-- name: add_session
INSERT INTO login_session (token_hash, person_id, kind, created_at, expires_at)
VALUES (%(token_hash)s, %(person)s, %(kind)s, %(now)s, %(expires)s)

-- name: end_session
DELETE FROM login_session WHERE token_hash = %(token_hash)s

-- name: forget_ended_sessions
DELETE FROM login_session WHERE expires_at <= %(now)s

-- name: set_locale
UPDATE person SET locale = %(locale)s WHERE id = %(person)s

-- name: audit
INSERT INTO audit (at, person_id, home_id, what)
SELECT %(now)s, %(person)s, home_id, %(what)s FROM unnest(%(homes)s::int[]) AS home_id

-- name: audit_read
-- A page that keeps itself fresh reads the same again and again: one row stands for a quarter of an hour of it.
INSERT INTO audit (at, person_id, home_id, what)
SELECT %(now)s, %(person)s, seen.home_id, %(what)s FROM unnest(%(homes)s::int[]) AS seen (home_id)
WHERE NOT EXISTS (
    SELECT FROM audit WHERE audit.home_id = seen.home_id AND audit.at > %(since)s
        AND audit.person_id = %(person)s AND audit.what = %(what)s
)

-- name: visible_homes
SELECT id FROM visible_homes() AS id

-- name: regions
-- Regions of this person's grants and all below, and those of the homes shared with them.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
)
SELECT region.id, region.key, region.parent_id, region.level, region.name
FROM region WHERE id IN (SELECT id FROM mine) OR id IN (SELECT region_id FROM home)
ORDER BY region.id

-- name: homes
-- Homes in order of their id. `staff`: seen by a grant, not only by consent. `heard_at`, `down_since` and
-- `blind_since` say whether the home can be watched; `ended_at`: since when none of its gateways is in use any more.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
), below AS (
    SELECT region.id FROM region WHERE region.id = %(region)s::int
    UNION
    SELECT region.id FROM region JOIN below ON region.parent_id = below.id
)
SELECT home.id, home.key, home.name, home.address, home.zone, home.region_id, region.name AS region_name,
    home.region_id IN (SELECT id FROM mine) AS staff,
    state.life_at, state.heard_at, room.kind AS life_room_kind, room.name AS life_room_name,
    (SELECT min(status.since) FROM gateway JOIN seen_gateway_status AS status ON status.gateway_id = gateway.id
     WHERE gateway.home_id = home.id AND gateway.ended_at IS NULL AND NOT status.online) AS down_since,
    (SELECT max(ended_at) FROM gateway WHERE gateway.home_id = home.id HAVING bool_and(ended_at IS NOT NULL)) AS ended_at,
    troubles.open_alerts, troubles.urgent_alerts, troubles.blind_since
FROM home
JOIN region ON region.id = home.region_id
LEFT JOIN seen_home_state AS state ON state.home_id = home.id
LEFT JOIN device ON device.id = state.life_device_id
LEFT JOIN room ON room.id = device.room_id
CROSS JOIN LATERAL (
    SELECT count(*) AS open_alerts, count(*) FILTER (WHERE severity = 'urgent') AS urgent_alerts,
        min(began_at) FILTER (WHERE kind IN ('gateway_offline', 'cannot_watch')) AS blind_since
    FROM alert WHERE alert.home_id = home.id AND alert.state <> 'resolved'
) AS troubles
WHERE (%(home)s::int IS NULL OR home.id = %(home)s)
  AND (%(region)s::int IS NULL OR home.region_id IN (SELECT id FROM below))
  AND (NOT %(staff)s OR home.region_id IN (SELECT id FROM mine))
  AND (NOT %(family)s OR home.id IN (SELECT home_id FROM consent
                                     WHERE person_id = %(person)s AND withdrawn_at IS NULL))
  AND home.id > %(after)s
ORDER BY home.id
LIMIT %(limit)s

-- name: residents
SELECT id, key, name, born, phone FROM resident WHERE home_id = %(home)s ORDER BY id

-- name: contacts
-- Family with the resident's consent.
SELECT person.id, person.name, person.phone, consent.relation
FROM consent JOIN person ON person.id = consent.person_id
WHERE consent.home_id = %(home)s AND consent.withdrawn_at IS NULL
ORDER BY consent.place, consent.given_at, person.id

-- name: rooms
SELECT id, key, kind, name FROM room WHERE home_id = %(home)s ORDER BY id

-- name: devices
-- One row a device and metric that it has measured; a device that never spoke has one row without a metric.
SELECT device.id, device.address, device.kind, device.exterior, device.mains, room.kind AS room_kind,
    room.name AS room_name, state.metric, state.value, state.time, state.received_at
FROM device
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN seen_device_state AS state ON state.device_id = device.id
WHERE device.home_id = %(home)s AND device.ended_at IS NULL
ORDER BY device.id, state.metric

-- name: readings
-- A span of one home's readings, oldest first.
SELECT reading.time, reading.device_id, device.address AS device, device.exterior, device.room_id, reading.metric,
    reading.value, reading.flags
FROM seen_reading AS reading JOIN device ON device.id = reading.device_id
WHERE reading.home_id = %(home)s AND reading.time >= %(start)s AND reading.time < %(end)s
  AND (%(metrics)s::int[] IS NULL OR reading.metric = ANY (%(metrics)s))
ORDER BY reading.time, reading.device_id
LIMIT %(limit)s

-- name: quarter_hours
-- Signs of life and coverage of one home, a row for each quarter of an hour in which anything was measured.
SELECT bucket, sum(life)::int AS life, sum(n)::int AS readings
FROM seen_rollup
WHERE home_id = %(home)s AND bucket >= %(start)s AND bucket < %(end)s
GROUP BY bucket ORDER BY bucket

-- name: alerts
-- Alerts, newest first, before a given one. A regional incident has no home: its region's name stands in its place.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
)
SELECT alert.id, alert.home_id, alert.kind, alert.severity, alert.state, alert.message, alert.parameters,
    alert.coverage, alert.began_at, alert.opened_at, alert.occurrences, alert.last_at, alert.rung, alert.rung_at,
    alert.ack_by, alert.ack_at, alert.ack_until, alert.on_site_at, alert.resolved_by, alert.resolved_at,
    alert.outcome, alert.note, alert.region_id, alert.round, alert.held, alert.handed_to,
    coalesce(home.name, region.name) AS home_name, coalesce(home.address, '') AS address,
    coalesce(home.zone, 'Asia/Shanghai') AS zone, region.name AS region_name,
    keeper.name AS ack_name, resolver.name AS resolved_name, asked.name AS handed_name,
    alert.home_id IS NULL OR home.region_id IN (SELECT id FROM mine) AS staff
FROM alert
LEFT JOIN home ON home.id = alert.home_id
JOIN region ON region.id = coalesce(home.region_id, alert.region_id)
LEFT JOIN person AS asked ON asked.id = alert.handed_to
LEFT JOIN person AS keeper ON keeper.id = alert.ack_by
LEFT JOIN person AS resolver ON resolver.id = alert.resolved_by
WHERE (%(alert)s::bigint IS NULL OR alert.id = %(alert)s)
  AND (%(home)s::int IS NULL OR alert.home_id = %(home)s)
  AND (%(kind)s::text IS NULL OR alert.kind = %(kind)s)
  AND (NOT %(open)s OR alert.state <> 'resolved')
  AND (NOT %(staff)s OR alert.home_id IS NULL OR home.region_id IN (SELECT id FROM mine))
  AND (%(before)s::bigint IS NULL OR alert.id < %(before)s)
ORDER BY alert.id DESC
LIMIT %(limit)s

-- name: alert_events
SELECT alert_event.id, alert_event.at, alert_event.what, alert_event.details, alert_event.source, alert_event.why,
    person.name AS person_name, asked.name AS asked_name
FROM alert_event LEFT JOIN person ON person.id = alert_event.person_id
LEFT JOIN person AS asked ON asked.id = (alert_event.details ->> 'to')::int
WHERE alert_event.alert_id = %(alert)s ORDER BY alert_event.id

-- name: deliveries
-- The channel is an address with its secrets: only its scheme leaves the database.
SELECT delivery.id, delivery.rung, split_part(delivery.channel, ':', 1) AS channel, delivery.created_at,
    delivery.state, delivery.status, delivery.attempts, delivery.next_try_at, delivery.purpose, person.name AS person_name,
    last_attempt.at AS last_at, last_attempt.ok AS last_ok, last_attempt.reason AS last_reason
FROM delivery
LEFT JOIN person ON person.id = delivery.person_id
LEFT JOIN LATERAL (
    SELECT at, ok, reason FROM delivery_attempt WHERE delivery_id = delivery.id ORDER BY id DESC LIMIT 1
) AS last_attempt ON true
WHERE delivery.alert_id = %(alert)s ORDER BY delivery.id

-- name: staff_told
-- When the first member of staff, or the platform's own channel, was reached about an alert; and whether a message to
-- one of them is still tried.
SELECT min(delivery_attempt.at) AS at, coalesce(bool_or(delivery.state = 'queued'), false) AS being_told
FROM delivery LEFT JOIN delivery_attempt ON delivery_attempt.delivery_id = delivery.id AND delivery_attempt.ok
WHERE delivery.alert_id = %(alert)s
  AND (delivery.person_id IS NULL OR delivery.person_id IN (SELECT person_id FROM role_grant))

-- name: incident_homes
-- The homes of a regional incident that one may see, and whether their gateway is still away.
SELECT home.id, home.name, home.address, region.name AS region_name, alert_home.joined_at,
    EXISTS (SELECT FROM muted_finding WHERE muted_finding.home_id = home.id AND muted_finding.ended_at IS NULL
            AND muted_finding.cause = alert.dedup_key AND muted_finding.kind = 'gateway_offline') AS away
FROM alert_home JOIN alert ON alert.id = alert_home.alert_id
JOIN home ON home.id = alert_home.home_id JOIN region ON region.id = home.region_id
WHERE alert_home.alert_id = %(alert)s ORDER BY region.name, home.id

-- name: who_could_take_it
-- Staff of the home's region (or of the incident's) and above, and family with the resident's consent.
WITH RECURSIVE above AS (
    SELECT region.id, region.parent_id FROM region
    WHERE region.id = coalesce((SELECT region_id FROM home WHERE id = %(home)s), %(region)s)
    UNION
    SELECT region.id, region.parent_id FROM region JOIN above ON region.id = above.parent_id
)
SELECT person.id, person.name, min(found.role) AS role FROM (
    SELECT person_id, role FROM role_grant
    WHERE region_id IN (SELECT id FROM above) AND role IN ('worker', 'manager', 'centre')
    UNION
    SELECT person_id, 'family' FROM consent WHERE home_id = %(home)s AND withdrawn_at IS NULL
) AS found JOIN person ON person.id = found.person_id
WHERE person.id <> %(person)s GROUP BY person.id, person.name ORDER BY person.name, person.id

-- name: was_told
-- Whether the person was told of the alert: whoever is asked may answer.
SELECT EXISTS (SELECT FROM delivery WHERE alert_id = %(alert)s AND person_id = %(person)s) AS told

-- name: is_staff_of
-- Whether the person holds a grant for the home's region or one above it; no row when they may not know the home.
WITH RECURSIVE above AS (
    SELECT region.id, region.parent_id FROM home JOIN region ON region.id = home.region_id WHERE home.id = %(home)s
    UNION
    SELECT region.id, region.parent_id FROM region JOIN above ON region.id = above.parent_id
)
SELECT EXISTS (
    SELECT FROM role_grant WHERE person_id = %(person)s AND region_id IN (SELECT id FROM above)
) AS staff
FROM home WHERE home.id = %(home)s

-- name: carers
-- Staff of the home's region and above; who only administers is no carer.
WITH RECURSIVE above AS (
    SELECT region.id, region.parent_id FROM home JOIN region ON region.id = home.region_id WHERE home.id = %(home)s
    UNION
    SELECT region.id, region.parent_id FROM region JOIN above ON region.id = above.parent_id
)
SELECT DISTINCT person.id, person.name FROM role_grant JOIN person ON person.id = role_grant.person_id
WHERE role_grant.region_id IN (SELECT id FROM above) AND role_grant.role <> 'admin' ORDER BY person.name, person.id

-- name: watch_counts
-- How many homes of one's own are watched. Not watched: never or long not heard, gateway down, or said so by an alert.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
), seen AS (
    SELECT home.region_id, coalesce(state.heard_at >= %(silent_since)s, false)
        AND NOT EXISTS (SELECT FROM gateway JOIN seen_gateway_status AS status ON status.gateway_id = gateway.id
                        WHERE gateway.home_id = home.id AND gateway.ended_at IS NULL AND NOT status.online)
        AND NOT EXISTS (SELECT FROM alert WHERE alert.home_id = home.id AND alert.state <> 'resolved'
                        AND alert.kind IN ('gateway_offline', 'cannot_watch')) AS watched
    FROM home LEFT JOIN seen_home_state AS state ON state.home_id = home.id
    WHERE home.region_id IN (SELECT id FROM mine)
)
SELECT region_id, count(*) FILTER (WHERE watched) AS watched, count(*) FILTER (WHERE NOT watched) AS not_watched
FROM seen GROUP BY region_id

-- name: alert_counts
-- By community: open now, urgent now, and how the last weeks went (seconds to the first "I have it").
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
), first_answer AS (
    SELECT alert_event.alert_id, min(alert_event.at) AS at FROM alert_event
    WHERE alert_event.what IN ('acknowledged', 'on_site') GROUP BY alert_event.alert_id
)
SELECT home.region_id,
    count(*) FILTER (WHERE alert.state <> 'resolved') AS open_alerts,
    count(*) FILTER (WHERE alert.state <> 'resolved' AND alert.severity = 'urgent') AS urgent_alerts,
    count(*) FILTER (WHERE alert.opened_at >= %(since)s) AS opened,
    count(first_answer.at) FILTER (WHERE alert.opened_at >= %(since)s) AS answered,
    count(*) FILTER (WHERE alert.opened_at >= %(since)s AND alert.outcome = 'false_alarm') AS false_alarms,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first_answer.at - alert.opened_at))
        FILTER (WHERE alert.opened_at >= %(since)s) AS answer_median_s,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM first_answer.at - alert.opened_at))
        FILTER (WHERE alert.opened_at >= %(since)s) AS answer_p90_s
FROM alert JOIN home ON home.id = alert.home_id LEFT JOIN first_answer ON first_answer.alert_id = alert.id
WHERE home.region_id IN (SELECT id FROM mine) AND (alert.opened_at >= %(since)s OR alert.state <> 'resolved')
GROUP BY home.region_id

-- name: precision
-- By month (in `zone`) and kind of one's own regions: how many alerts, of how many a person said how they ended, and how.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person)s
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
), judged AS (
    SELECT date_trunc('month', alert.opened_at AT TIME ZONE %(zone)s)::date AS month, alert.kind, alert.outcome, alert.false_reason
    FROM alert JOIN home ON home.id = alert.home_id
    WHERE home.region_id IN (SELECT id FROM mine) AND alert.opened_at >= %(since)s
), why AS (
    SELECT month, kind, jsonb_object_agg(false_reason, n) AS reasons FROM (
        SELECT month, kind, false_reason, count(*) AS n FROM judged
        WHERE outcome = 'false_alarm' AND false_reason <> '' GROUP BY month, kind, false_reason
    ) AS counted GROUP BY month, kind
)
SELECT judged.month, judged.kind, count(*) AS raised,
    count(*) FILTER (WHERE outcome IN ('helped', 'false_alarm', 'sensor_fault')) AS judged,
    count(*) FILTER (WHERE outcome = 'helped') AS helped,
    count(*) FILTER (WHERE outcome IN ('false_alarm', 'sensor_fault')) AS false_alarms,
    coalesce(why.reasons, '{}') AS reasons
FROM judged LEFT JOIN why ON why.month = judged.month AND why.kind = judged.kind
GROUP BY judged.month, judged.kind, why.reasons
ORDER BY judged.month DESC, raised DESC, judged.kind

-- name: heartbeats
-- Of several alert workers the one that was silent longest, and whether any stands still: none may hide behind another.
SELECT service, at, details FROM service_heartbeat WHERE service = 'ingest'
UNION ALL
SELECT 'alerts', min(at), jsonb_build_object('stalled', coalesce(bool_or((details ->> 'stalled')::boolean), false),
    'blind', coalesce(sum((details ->> 'blind')::int), 0))
FROM alert_worker HAVING count(*) > 0

-- name: platform_counts
SELECT what, label, amount FROM platform_counts(%(since)s, %(silent_since)s)

-- name: delivery_counts
SELECT what, label, amount FROM delivery_counts(%(since)s)
