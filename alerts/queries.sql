-- name: open_alert
-- One open alert a dedup key, whoever comes first; says nothing when there is one already.
WITH opened AS (
    INSERT INTO alert (home_id, kind, severity, dedup_key, message, parameters, coverage, began_at, opened_at, last_at)
    VALUES (%(home_id)s, %(kind)s, %(severity)s, %(dedup_key)s, %(message)s, %(parameters)s, %(coverage)s,
        %(began_at)s, %(now)s, %(began_at)s)
    ON CONFLICT (dedup_key) WHERE state <> 'resolved' DO NOTHING
    RETURNING id
), told AS (
    INSERT INTO alert_event (alert_id, at, what, details) SELECT id, %(now)s, 'opened', %(details)s FROM opened
)
SELECT id FROM opened;

-- name: open_alerts_of
-- The same for many findings at once: the places (1, 2 ...) of those that opened one. Of two with the same key the first.
WITH wanted AS (
    SELECT DISTINCT ON (dedup_key) * FROM unnest(%(homes)s::int[], %(kinds)s::text[], %(severities)s::text[],
        %(keys)s::text[], %(messages)s::text[], %(parameters)s::jsonb[], %(coverages)s::jsonb[],
        %(began)s::timestamptz[], %(details)s::jsonb[]) WITH ORDINALITY
        AS finding (home_id, kind, severity, dedup_key, message, parameters, coverage, began_at, details, place)
    ORDER BY dedup_key, place
), opened AS (
    INSERT INTO alert (home_id, kind, severity, dedup_key, message, parameters, coverage, began_at, opened_at, last_at)
    SELECT home_id, kind, severity, dedup_key, message, parameters, coverage, began_at, %(now)s, began_at
    FROM wanted ORDER BY place
    ON CONFLICT (dedup_key) WHERE state <> 'resolved' DO NOTHING
    RETURNING id, home_id, dedup_key
), told AS (
    INSERT INTO alert_event (alert_id, at, what, details)
    SELECT opened.id, %(now)s, 'opened', wanted.details FROM opened JOIN wanted USING (dedup_key) ORDER BY opened.id
)
SELECT opened.id, wanted.place,
    pg_notify('alert_changed', json_build_object('alert', opened.id, 'home', opened.home_id)::text)
FROM opened JOIN wanted USING (dedup_key) ORDER BY wanted.place;

-- name: lock_open_alert
SELECT id, home_id, region_id, kind, severity, dedup_key, state, message, began_at, opened_at, last_at, parameters,
    rung_at, ack_by, on_site_at FROM alert
WHERE dedup_key = %(dedup_key)s AND state <> 'resolved' FOR UPDATE;

-- name: lock_open_alerts
SELECT id, home_id, kind, severity, dedup_key, state, began_at, opened_at, last_at FROM alert
WHERE id = ANY(%(ids)s) AND state <> 'resolved' ORDER BY id FOR UPDATE;

-- name: add_occurrence
-- A separate event while the alert is open. With `raise` the alert is open and its ladder starts anew, so that
-- everyone hears of it. Who holds it has no longer for it than from a new one (`ack_until`; null: as long as before).
UPDATE alert SET occurrences = occurrences + 1, last_at = greatest(last_at, %(began_at)s), message = %(message)s,
    parameters = %(parameters)s, severity = %(severity)s,
    state = CASE WHEN %(raise)s THEN 'open' ELSE state END,
    rung = CASE WHEN %(raise)s THEN 0 ELSE rung END,
    step = CASE WHEN %(raise)s THEN 0 ELSE step END,
    round = CASE WHEN %(raise)s THEN 0 ELSE round END,
    held = held AND NOT %(raise)s,
    rung_at = CASE WHEN %(raise)s THEN %(now)s ELSE rung_at END,
    ack_until = CASE WHEN state = 'acknowledged' THEN least(ack_until, %(ack_until)s) END
WHERE id = %(id)s;

-- name: tell_again
-- Everyone who has been told of the alert is told again; the attempts so far stay in the log.
UPDATE delivery SET state = 'queued', attempts = 0, next_try_at = %(now)s
WHERE alert_id = %(id)s AND purpose IN ('alert', 'handed');

-- name: move_beginning
UPDATE alert SET began_at = %(began_at)s WHERE id = %(id)s;

-- name: lately_resolved
-- The episodes of these homes that a person has resolved: a finding about the same one does not come up again.
-- What the platform ended does: a device that was given time by its gateway's return is still silent after it.
SELECT dedup_key, began_at, max(resolved_at) AS resolved_at FROM alert
WHERE home_id = ANY(%(homes)s) AND dedup_key = ANY(%(keys)s) AND resolved_by IS NOT NULL
GROUP BY dedup_key, began_at;

-- name: cleared_alerts
-- Of these alerts about a state (leak, tamper), those whose devices have all gone back to 0 since: any device of
-- the home for a leak, the one that the alert names for tamper. One that was taken away says nothing any more.
SELECT alert.id FROM alert
JOIN device_state ON device_state.home_id = alert.home_id
    AND device_state.metric = (CASE alert.kind WHEN 'leak' THEN 9 WHEN 'tamper' THEN 10 END)
    AND (alert.kind = 'leak' OR device_state.device_id = (alert.parameters ->> 'device_id')::int)
JOIN device ON device.id = device_state.device_id AND device.ended_at IS NULL
WHERE alert.id = ANY(%(ids)s)
GROUP BY alert.id
HAVING max(device_state.value) = 0 AND max(device_state.off_at) > max(alert.last_at);

-- name: of_ended_devices
-- Of these alerts about one device, those whose device was taken away.
SELECT alert.id FROM alert JOIN device ON device.id = (alert.parameters ->> 'device_id')::int
WHERE alert.id = ANY(%(ids)s) AND device.ended_at IS NOT NULL;

-- name: reopened
-- Of these alerts those that somebody has reopened, and when last.
SELECT alert_id, max(at) AS at FROM alert_event WHERE alert_id = ANY(%(ids)s) AND what = 'reopened' GROUP BY alert_id;

-- name: muted
SELECT dedup_key, cause, kind FROM muted_finding
WHERE ended_at IS NULL AND mod(home_id, 32) = ANY(%(slices)s);

-- name: mute
INSERT INTO muted_finding (dedup_key, home_id, kind, cause, since, last_at)
SELECT dedup_key, home_id, kind, cause, %(now)s, %(now)s
FROM unnest(%(keys)s::text[], %(homes)s::int[], %(kinds)s::text[], %(causes)s::text[])
    AS muted (dedup_key, home_id, kind, cause)
ON CONFLICT (dedup_key) WHERE ended_at IS NULL DO NOTHING;

-- name: unmute
-- What was muted stays on record.
UPDATE muted_finding SET ended_at = %(now)s, last_at = %(now)s WHERE dedup_key = ANY(%(keys)s) AND ended_at IS NULL;

-- name: add_event
INSERT INTO alert_event (alert_id, at, person_id, what, details, source, why)
VALUES (%(alert_id)s, %(at)s, %(person_id)s, %(what)s, %(details)s, %(source)s, %(why)s);

-- name: add_events
INSERT INTO alert_event (alert_id, at, person_id, what, details)
SELECT alert_id, %(at)s, person_id, what, details
FROM unnest(%(alerts)s::bigint[], %(people)s::int[], %(whats)s::text[], %(details)s::jsonb[]) WITH ORDINALITY
    AS event (alert_id, person_id, what, details, place)
ORDER BY place;

-- name: add_event_once
INSERT INTO alert_event (alert_id, at, what, details)
SELECT %(alert_id)s, %(at)s, %(what)s, %(details)s
WHERE NOT EXISTS (SELECT FROM alert_event WHERE alert_id = %(alert_id)s AND what = %(what)s);

-- name: notify_changed
SELECT pg_notify('alert_changed', payload) FROM unnest(%(payloads)s::text[]) AS payload;

-- name: lock_alert
SELECT id, home_id, region_id, kind, severity, state, ack_by, ack_until, resolved_at, outcome FROM alert
WHERE id = %(id)s FOR UPDATE;

-- name: acknowledge
UPDATE alert SET state = 'acknowledged', ack_by = %(person_id)s, ack_at = %(now)s, ack_until = %(until)s,
    handed_to = NULL, hand_due = false, held = false
WHERE id = %(id)s;

-- name: on_site
UPDATE alert SET state = 'on_site', on_site_at = %(now)s, ack_by = %(person_id)s,
    ack_at = coalesce(ack_at, %(now)s), ack_until = NULL, handed_to = NULL, hand_due = false
WHERE id = %(id)s;

-- name: hand_on
-- Open, until whoever was asked answers. The ladder stays where it was; its next step tells that person first.
UPDATE alert SET state = 'open', handed_to = %(to)s, hand_due = true, rung_at = %(now)s, ack_by = NULL, ack_at = NULL,
    ack_until = NULL, on_site_at = NULL
WHERE id = %(id)s;

-- name: reopen
UPDATE alert SET state = 'open', rung = 0, step = 0, round = 0, held = false, rung_at = %(now)s, resolved_by = NULL,
    resolved_at = NULL, outcome = NULL, ack_by = NULL, ack_at = NULL, ack_until = NULL, on_site_at = NULL,
    handed_to = NULL, hand_due = false
WHERE id = %(id)s;

-- name: wake
-- The engine looks at once, as it does for an urgent event.
NOTIFY urgent_event;

-- name: tell_the_end
-- Everyone who was reached about an alert that ended by itself hears that it is over, from its `tell_at` on. So does
-- whom a message is just on its way to, or who is to be told again; when none has gone out, alerts/notify says nothing.
INSERT INTO delivery (alert_id, rung, person_id, channel, purpose, created_at, next_try_at)
SELECT DISTINCT over.id, 0, delivery.person_id, delivery.channel, 'ended', %(now)s::timestamptz, over.tell_at
FROM unnest(%(ids)s::bigint[], %(tell_at)s::timestamptz[]) AS over (id, tell_at)
JOIN delivery ON delivery.alert_id = over.id AND delivery.purpose <> 'ended' AND (delivery.state = 'sent'
    OR (delivery.state = 'queued' AND (delivery.attempts > 0 OR delivery.sent_at IS NOT NULL)))
ON CONFLICT (alert_id, digest_id, purpose, rung, person_id, channel)
DO UPDATE SET state = 'queued', attempts = 0, next_try_at = excluded.next_try_at;

-- name: resolve
UPDATE alert SET state = 'resolved', resolved_by = %(person_id)s, resolved_at = %(now)s, outcome = %(outcome)s,
    note = %(note)s, false_reason = %(reason)s, rung_at = NULL, handed_to = NULL, hand_due = false, held = false
WHERE id = %(id)s;

-- name: end_alerts
UPDATE alert SET state = 'resolved', resolved_by = NULL, resolved_at = %(now)s, outcome = 'ended_itself', note = '',
    false_reason = '', rung_at = NULL, handed_to = NULL, hand_due = false, held = false
WHERE id = ANY(%(ids)s);

-- name: expire_acknowledgements
-- Nobody came back to it in time: it is open again, and everyone who knew is told again.
UPDATE alert SET state = 'open', ack_until = NULL,
    rung = 0, step = 0, round = 0, rung_at = CASE WHEN rung_at IS NOT NULL THEN %(now)s::timestamptz END
WHERE id IN (
    SELECT id FROM alert WHERE state = 'acknowledged' AND ack_until <= %(now)s FOR UPDATE SKIP LOCKED
)
RETURNING id, home_id, ack_by;

-- name: home_policy
-- The policies above a home and its own, from the district down.
WITH RECURSIVE above AS (
    SELECT region.id, region.parent_id, region.key, region.policy, 1 AS height FROM region
    JOIN home ON home.region_id = region.id WHERE home.id = %(home_id)s
    UNION ALL
    SELECT region.id, region.parent_id, region.key, region.policy, above.height + 1 FROM region
    JOIN above ON above.parent_id = region.id
)
SELECT key, policy, height FROM above
UNION ALL
SELECT key, policy, 0 FROM home WHERE id = %(home_id)s
ORDER BY height DESC;

-- name: region_policy
-- The same for a region.
WITH RECURSIVE above AS (
    SELECT region.id, region.parent_id, region.key, region.policy, 1 AS height FROM region WHERE id = %(region_id)s
    UNION ALL
    SELECT region.id, region.parent_id, region.key, region.policy, above.height + 1 FROM region
    JOIN above ON above.parent_id = region.id
)
SELECT key, policy, height FROM above ORDER BY height DESC;
