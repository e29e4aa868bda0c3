-- name: claim_urgent_events
-- Urgent events that nobody handles, oldest first; another worker's are skipped. `handle_urgent_events` in the
-- same transaction ends the claim.
SELECT urgent_event.id, urgent_event.home_id, urgent_event.device_id, urgent_event.metric,
    extract(epoch FROM urgent_event.time)::float8 AS time, urgent_event.value,
    coalesce(room.kind, '') AS room, extract(epoch FROM device_state.off_at)::float8 AS off_at
FROM urgent_event
LEFT JOIN device ON device.id = urgent_event.device_id
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN device_state ON device_state.device_id = urgent_event.device_id
    AND device_state.metric = urgent_event.metric
WHERE urgent_event.handled_at IS NULL
ORDER BY urgent_event.id
LIMIT 500
FOR UPDATE OF urgent_event SKIP LOCKED;

-- name: handle_urgent_events
UPDATE urgent_event SET handled_at = %(now)s WHERE id = ANY(%(ids)s);

-- name: regions
SELECT id, parent_id, key, policy FROM region;

-- name: homes
-- One row a home with a gateway. `open` is metric 2, `occupied` 3. Habits are read only where the silence has
-- lasted long enough to matter.
SELECT home.id, home.region_id, home.key, home.zone, home.policy,
    extract(epoch FROM home_state.life_at)::float8 AS life_at,
    coalesce(life_device.exterior, false) AS life_exterior,
    coalesce(life_room.kind, '') AS life_room,
    extract(epoch FROM door.changed_at)::float8 AS door_at,
    coalesce(bed.resting, false) AS resting,
    habits.fitted_at IS NULL OR habits.fitted_at < %(now)s - interval '24 hours' AS learn,
    CASE WHEN home_state.life_at < %(now)s - interval '1 hour' THEN habits.data END AS habits
FROM home
LEFT JOIN home_state ON home_state.home_id = home.id
LEFT JOIN device AS life_device ON life_device.id = home_state.life_device_id
LEFT JOIN room AS life_room ON life_room.id = life_device.room_id
LEFT JOIN LATERAL (
    SELECT max(device_state.changed_at) AS changed_at FROM device_state
    JOIN device ON device.id = device_state.device_id
    WHERE device_state.home_id = home.id AND device_state.metric = 2 AND device.exterior
) AS door ON true
LEFT JOIN LATERAL (
    SELECT bool_or(value > 0) AS resting FROM device_state
    WHERE device_state.home_id = home.id AND device_state.metric = 3
) AS bed ON true
LEFT JOIN LATERAL (
    SELECT fitted_at, data FROM profile WHERE profile.home_id = home.id ORDER BY version DESC LIMIT 1
) AS habits ON true
WHERE EXISTS (SELECT FROM gateway WHERE gateway.home_id = home.id)
ORDER BY home.id;

-- name: gateways
-- `measured_until`: how far the gateway's readings about itself have arrived.
SELECT gateway.id, gateway.home_id, coalesce(gateway_status.online, false) AS online,
    extract(epoch FROM gateway_status.since)::float8 AS since,
    extract(epoch FROM gateway_status.heard_at)::float8 AS heard_at,
    extract(epoch FROM own.time)::float8 AS measured_until
FROM gateway
LEFT JOIN gateway_status ON gateway_status.gateway_id = gateway.id
LEFT JOIN LATERAL (
    SELECT max(device_state.time) AS time FROM device
    JOIN device_state ON device_state.device_id = device.id
    WHERE device.gateway_id = gateway.id AND device.kind = 'gateway'
) AS own ON true
ORDER BY gateway.id;

-- name: devices
-- `online` is metric 42: a device that is said to be gone was not heard by that. Nor was it by what the gateway says of
-- it: `silent` (55), `silence_limit` (56), `test_asked` (68).
SELECT device.id, device.home_id, device.gateway_id, device.kind, coalesce(room.kind, '') AS room, device.mains,
    extract(epoch FROM device.registered_at)::float8 AS registered_at,
    extract(epoch FROM heard.last_at)::float8 AS last_at,
    extract(epoch FROM heard.gone_at)::float8 AS gone_at, heard.limit_s, coalesce(heard.with_hub, false) AS with_hub
FROM device
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN LATERAL (
    SELECT max(received_at) FILTER (WHERE metric NOT IN (55, 56, 68) AND (metric <> 42 OR value > 0)) AS last_at,
        max(time) FILTER (WHERE (metric = 42 AND value = 0) OR (metric = 55 AND value > 0)) AS gone_at,
        max(value) FILTER (WHERE metric = 56) AS limit_s,
        bool_or(value = 2) FILTER (WHERE metric = 55) AS with_hub
    FROM device_state WHERE device_state.device_id = device.id
) AS heard ON true
WHERE device.kind <> 'gateway'
ORDER BY device.id;

-- name: received_since
-- In how many whole quarters of the hour after its last sign of life anything was received from each home.
SELECT asked.home_id, count(DISTINCT rollup.bucket) AS quarters
FROM unnest(%(homes)s::int[], %(since)s::float8[]) AS asked (home_id, since)
LEFT JOIN rollup ON rollup.home_id = asked.home_id
    AND rollup.bucket > to_timestamp(asked.since) AND rollup.bucket <= %(now)s - interval '15 minutes'
GROUP BY asked.home_id;

-- name: open_alerts
SELECT id, home_id, kind, severity, dedup_key, state, began_at, opened_at, last_at, parameters FROM alert
WHERE state <> 'resolved' ORDER BY id;

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

-- name: lock_open_alert
SELECT id, home_id, region_id, kind, severity, dedup_key, state, message, began_at, opened_at, last_at, parameters,
    rung_at, ack_by, on_site_at FROM alert
WHERE dedup_key = %(dedup_key)s AND state <> 'resolved' FOR UPDATE;

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
-- the home for a leak, the one that the alert names for tamper.
SELECT alert.id FROM alert
JOIN device_state ON device_state.home_id = alert.home_id
    AND device_state.metric = (CASE alert.kind WHEN 'leak' THEN 9 WHEN 'tamper' THEN 10 END)
    AND (alert.kind = 'leak' OR device_state.device_id = (alert.parameters ->> 'device_id')::int)
WHERE alert.id = ANY(%(ids)s)
GROUP BY alert.id
HAVING max(device_state.value) = 0 AND max(device_state.off_at) > max(alert.last_at);

-- name: muted
SELECT dedup_key, cause FROM muted_finding WHERE ended_at IS NULL;

-- name: mute
INSERT INTO muted_finding (dedup_key, home_id, kind, cause, since, last_at)
VALUES (%(dedup_key)s, %(home_id)s, %(kind)s, %(cause)s, %(now)s, %(now)s)
ON CONFLICT (dedup_key) WHERE ended_at IS NULL DO NOTHING;

-- name: unmute
-- What was muted stays on record.
UPDATE muted_finding SET ended_at = %(now)s, last_at = %(now)s WHERE dedup_key = ANY(%(keys)s) AND ended_at IS NULL;

-- name: add_event
INSERT INTO alert_event (alert_id, at, person_id, what, details, source, why)
VALUES (%(alert_id)s, %(at)s, %(person_id)s, %(what)s, %(details)s, %(source)s, %(why)s);

-- name: add_event_once
INSERT INTO alert_event (alert_id, at, what, details)
SELECT %(alert_id)s, %(at)s, %(what)s, %(details)s
WHERE NOT EXISTS (SELECT FROM alert_event WHERE alert_id = %(alert_id)s AND what = %(what)s);

-- name: notify_changed
SELECT pg_notify('alert_changed', %(payload)s);

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
-- Everyone who was reached about an alert that ended by itself hears that it is over.
INSERT INTO delivery (alert_id, rung, person_id, channel, purpose, created_at, next_try_at)
SELECT DISTINCT alert_id, 0, person_id, channel, 'ended', %(now)s::timestamptz, %(tell_at)s::timestamptz FROM delivery
WHERE alert_id = %(id)s AND state = 'sent' AND purpose <> 'ended'
ON CONFLICT (alert_id, digest_id, purpose, rung, person_id, channel)
DO UPDATE SET state = 'queued', attempts = 0, next_try_at = excluded.next_try_at;

-- name: resolve
UPDATE alert SET state = 'resolved', resolved_by = %(person_id)s, resolved_at = %(now)s, outcome = %(outcome)s,
    note = %(note)s, rung_at = NULL, handed_to = NULL, hand_due = false, held = false
WHERE id = %(id)s;

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

-- name: homes_to_learn
SELECT home.id, home.zone FROM home
LEFT JOIN LATERAL (
    SELECT fitted_at FROM profile WHERE profile.home_id = home.id ORDER BY version DESC LIMIT 1
) AS last ON true
WHERE last.fitted_at IS NULL OR last.fitted_at < %(now)s - interval '24 hours'
ORDER BY last.fitted_at NULLS FIRST, home.id
LIMIT %(limit)s;

-- name: quarters
-- Signs of life in each quarter of an hour in which anything was received, oldest first.
SELECT extract(epoch FROM bucket)::float8 AS quarter, sum(life)::bigint AS life FROM rollup
WHERE home_id = %(home_id)s AND bucket >= %(since)s AND bucket < %(now)s - interval '15 minutes'
GROUP BY bucket ORDER BY bucket;

-- name: keep_profile
INSERT INTO profile (home_id, version, fitted_at, data)
SELECT %(home_id)s, coalesce(max(version), 0) + 1, %(now)s, %(data)s FROM profile WHERE home_id = %(home_id)s
ON CONFLICT (home_id, version) DO NOTHING;

-- name: heartbeat
INSERT INTO service_heartbeat (service, at, details) VALUES ('alerts', %(now)s, %(details)s)
ON CONFLICT (service) DO UPDATE SET at = excluded.at, details = excluded.details;
