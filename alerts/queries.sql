-- name: claim_urgent_events
-- Urgent events of these slices' homes that nobody handles, oldest first; another worker's are skipped. `handle_urgent_events` in the
-- same transaction ends the claim.
SELECT urgent_event.id, urgent_event.home_id, urgent_event.device_id, urgent_event.metric,
    extract(epoch FROM urgent_event.time)::float8 AS time, urgent_event.value,
    extract(epoch FROM urgent_event.stored_at)::float8 AS stored_at,
    coalesce(room.kind, '') AS room, extract(epoch FROM device_state.off_at)::float8 AS off_at
FROM urgent_event
LEFT JOIN device ON device.id = urgent_event.device_id
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN device_state ON device_state.device_id = urgent_event.device_id
    AND device_state.metric = urgent_event.metric
WHERE urgent_event.handled_at IS NULL AND mod(urgent_event.home_id, 32) = ANY(%(slices)s)
ORDER BY urgent_event.id
LIMIT 500
FOR UPDATE OF urgent_event SKIP LOCKED;

-- name: claim_calls
-- The same, of some metrics only.
SELECT urgent_event.id, urgent_event.home_id, urgent_event.device_id, urgent_event.metric,
    extract(epoch FROM urgent_event.time)::float8 AS time, urgent_event.value,
    coalesce(room.kind, '') AS room, extract(epoch FROM device_state.off_at)::float8 AS off_at
FROM urgent_event
LEFT JOIN device ON device.id = urgent_event.device_id
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN device_state ON device_state.device_id = urgent_event.device_id
    AND device_state.metric = urgent_event.metric
WHERE urgent_event.handled_at IS NULL AND urgent_event.metric = ANY(%(metrics)s)
ORDER BY urgent_event.id
LIMIT 500
FOR UPDATE OF urgent_event SKIP LOCKED;

-- name: events_wait
SELECT EXISTS (SELECT FROM urgent_event WHERE handled_at IS NULL) AS wait;

-- name: handle_urgent_events
UPDATE urgent_event SET handled_at = %(now)s WHERE id = ANY(%(ids)s);

-- name: regions
SELECT id, parent_id, key, policy FROM region;

-- name: homes
-- One row a home with a gateway. What is learned of it is read only where the silence has lasted long enough to matter.
-- Metrics: motion 1, open 2, occupied 3, presence 4, ok_press 11. What turns on is a sign of life when it does, what
-- has two sides is one each time (core/metrics.py).
SELECT home.id, home.region_id, home.key, home.zone, home.policy,
    extract(epoch FROM greatest(home_state.life_at, power_life.life_at))::float8 AS life_at,
    CASE WHEN power_life.life_at > home_state.life_at THEN '' ELSE coalesce(life_room.kind, '') END AS life_room,
    extract(epoch FROM seen.door_at)::float8 AS door_at,
    extract(epoch FROM seen.inside_at)::float8 AS inside_at,
    coalesce(seen.resting, false) AS resting,
    NULL::float8 AS away_until,  -- a planned absence mutes the finding (alerts/planned.py): it stands on record
    learned.fitted_at IS NULL OR learned.fitted_at < %(now)s - interval '24 hours' AS learn,
    learned.version,
    CASE WHEN greatest(home_state.life_at, power_life.life_at) < %(now)s - interval '30 minutes'
        THEN learned.inactivity END AS inactivity,
    CASE WHEN home_state.life_at < %(now)s - interval '1 hour' THEN learned.radio_s END AS radio_s,
    CASE WHEN home_state.life_at < %(now)s - interval '1 hour' THEN learned.blinded END AS blinded
FROM home
LEFT JOIN home_state ON home_state.home_id = home.id
LEFT JOIN power_life ON power_life.home_id = home.id
LEFT JOIN device AS life_device ON life_device.id = home_state.life_device_id
LEFT JOIN room AS life_room ON life_room.id = life_device.room_id
LEFT JOIN LATERAL (
    SELECT max(state.changed_at) FILTER (WHERE state.metric = 2 AND device.exterior) AS door_at,
        max(CASE WHEN state.metric IN (2, 3) THEN state.changed_at
            WHEN state.metric IN (1, 4, 11) AND state.changed_at IS NOT NULL THEN least(state.on_at, state.changed_at)
            END) FILTER (WHERE NOT device.exterior) AS inside_at,
        bool_or(state.value > 0) FILTER (WHERE state.metric = 3) AS resting
    FROM device_state AS state JOIN device ON device.id = state.device_id
    WHERE state.home_id = home.id
) AS seen ON true
LEFT JOIN LATERAL (
    SELECT fitted_at, version, CASE WHEN data ->> 'form' = '2' THEN data -> 'inactivity' END AS inactivity,
        (data -> 'routine' ->> 'radio_s')::float8 AS radio_s, (data -> 'routine' ->> 'blinded')::float8 AS blinded
    FROM profile WHERE profile.home_id = home.id ORDER BY version DESC LIMIT 1
) AS learned ON true
WHERE mod(home.id, 32) = ANY(%(slices)s) AND EXISTS (SELECT FROM gateway WHERE gateway.home_id = home.id)
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
WHERE mod(gateway.home_id, 32) = ANY(%(slices)s)
ORDER BY gateway.id;

-- name: devices
-- `online` is metric 42: a device that is said to be gone was not heard by that. Nor was it by what the gateway says of
-- it: `silent` (55), `silence_limit` (56), `test_asked` (68).
SELECT device.id, device.home_id, device.gateway_id, device.kind, coalesce(room.kind, '') AS room, device.mains,
    device.exterior, extract(epoch FROM device.registered_at)::float8 AS registered_at,
    extract(epoch FROM heard.last_at)::float8 AS last_at,
    extract(epoch FROM heard.gone_at)::float8 AS gone_at, heard.limit_s, coalesce(heard.with_hub, false) AS with_hub,
    CASE WHEN device.kind = 'motion' THEN extract(epoch FROM heard.somebody)::float8 END AS somebody_s,
    CASE WHEN device.kind = 'motion' THEN extract(epoch FROM heard.standing)::float8 END AS standing_since
FROM device
LEFT JOIN room ON room.id = device.room_id
LEFT JOIN LATERAL (
    SELECT max(received_at) FILTER (WHERE metric NOT IN (55, 56, 68) AND (metric <> 42 OR value > 0)) AS last_at,
        max(time) FILTER (WHERE (metric = 42 AND value = 0) OR (metric = 55 AND value > 0)) AS gone_at,
        max(value) FILTER (WHERE metric = 56) AS limit_s,
        bool_or(value = 2) FILTER (WHERE metric = 55) AS with_hub,
        max(time - changed_at) FILTER (WHERE metric = 1 AND value > 0) AS somebody,
        max(changed_at) FILTER (WHERE metric = 1 AND value > 0 AND off_at IS NOT NULL) AS standing
    FROM device_state WHERE device_state.device_id = device.id
) AS heard ON true
WHERE device.kind <> 'gateway' AND mod(device.home_id, 32) = ANY(%(slices)s)
ORDER BY device.id;

-- name: device_values
-- What each device last said of its main metric, and its last sign of life; in the order of `devices`. A state that
-- begins is the sign: motion that has cleared was one when it began.
SELECT device.id, state.value, extract(epoch FROM state.time)::float8 AS time,
    extract(epoch FROM state.changed_at)::float8 AS changed_at, extract(epoch FROM state.life_at)::float8 AS life_at
FROM device
LEFT JOIN LATERAL (
    SELECT max(value) FILTER (WHERE metric = ANY(main.metrics)) AS value,
        max(time) FILTER (WHERE metric = ANY(main.metrics)) AS time,
        max(changed_at) FILTER (WHERE metric = ANY(main.metrics)) AS changed_at,
        max(CASE WHEN metric IN (2, 3) THEN changed_at
            WHEN metric IN (1, 4) AND changed_at IS NOT NULL AND on_at IS NOT NULL THEN least(on_at, changed_at)
            END) AS life_at
    FROM device_state, LATERAL (SELECT CASE device.kind WHEN 'contact' THEN ARRAY[2] WHEN 'bed' THEN ARRAY[3]
        WHEN 'seat' THEN ARRAY[3] WHEN 'motion' THEN ARRAY[1] WHEN 'radar' THEN ARRAY[1, 4]
        WHEN 'meter' THEN ARRAY[20] WHEN 'plug' THEN ARRAY[20] WHEN 'water_meter' THEN ARRAY[22]
        WHEN 'climate' THEN ARRAY[30] END AS metrics) AS main
    WHERE device_state.device_id = device.id
) AS state ON true
WHERE device.kind <> 'gateway' AND mod(device.home_id, 32) = ANY(%(slices)s)
ORDER BY device.id;

-- name: claim_look
-- The minute's look at rooms, doors, supplies and sensors of these slices: when it is due for one of them it is taken
-- of all, so that slices that came from another worker fall into step. `look` has a row for each slice.
INSERT INTO look AS old (what, at)
SELECT 'slow ' || slice, %(now)s::timestamptz FROM unnest(%(slices)s::int[]) AS slice
WHERE EXISTS (
    SELECT FROM unnest(%(slices)s::int[]) AS mine LEFT JOIN look ON look.what = 'slow ' || mine
    WHERE look.at IS NULL OR look.at <= %(now)s::timestamptz - %(every)s::interval OR look.at > %(now)s
)
ORDER BY slice
ON CONFLICT (what) DO UPDATE SET at = excluded.at WHERE old.at <> excluded.at
RETURNING what;

-- name: routines
SELECT DISTINCT ON (home_id) home_id, data -> 'routine' AS routine FROM profile
WHERE mod(home_id, 32) = ANY(%(slices)s) ORDER BY home_id, version DESC;

-- name: supply_quarters
-- Quarter-hour sums of meters' power (20), water (22) and temperature (30) by device; bounded by `since`.
SELECT rollup.device_id, extract(epoch FROM rollup.bucket)::float8 AS bucket, rollup.low, rollup.high
FROM rollup JOIN device ON device.id = rollup.device_id
WHERE rollup.device_id = ANY(%(devices)s) AND rollup.bucket >= to_timestamp(%(since)s)
    AND rollup.metric IN (20, 22, 30)
    AND rollup.metric = CASE device.kind WHEN 'meter' THEN 20 WHEN 'water_meter' THEN 22 ELSE 30 END;

-- name: homes_of
-- What the policies of these homes are made of.
SELECT id, region_id, key, policy FROM home WHERE id = ANY(%(homes)s);

-- name: false_alarms
SELECT home_id, kind, count(*)::int AS n FROM alert
WHERE outcome = 'false_alarm' AND resolved_at >= %(since)s AND kind = ANY(%(kinds)s) GROUP BY home_id, kind;

-- name: false_alarms_of
SELECT kind, count(*)::int AS n FROM alert
WHERE home_id = %(home_id)s AND outcome = 'false_alarm' AND resolved_at >= %(since)s AND resolved_at <= %(until)s
GROUP BY kind;

-- name: silence_limits
-- How long the home's devices may be silent, of those that were told so before a moment and not anew since.
SELECT device_id, extract(epoch FROM time)::float8 AS time, value FROM device_state
WHERE home_id = %(home_id)s AND metric = %(metric)s AND time < %(before)s;

-- name: aftermath
-- What followed each fall: the home's last sign of life, the last one in another room, the OK button (11).
SELECT asked.id, extract(epoch FROM home_state.life_at)::float8 AS life_at,
    extract(epoch FROM other.elsewhere_at)::float8 AS elsewhere_at, extract(epoch FROM other.ok_at)::float8 AS ok_at
FROM unnest(%(ids)s::bigint[], %(devices)s::int[]) AS asked (id, device_id)
JOIN device AS radar ON radar.id = asked.device_id
LEFT JOIN home_state ON home_state.home_id = radar.home_id
LEFT JOIN LATERAL (
    SELECT max(device_state.on_at) FILTER (WHERE device_state.metric = 11) AS ok_at,
        max(CASE WHEN device_state.metric IN (2, 3) THEN device_state.changed_at
            WHEN device_state.metric IN (1, 4) AND device_state.changed_at IS NOT NULL
                THEN least(device_state.on_at, device_state.changed_at) END)
            FILTER (WHERE device.room_id IS DISTINCT FROM radar.room_id) AS elsewhere_at
    FROM device JOIN device_state ON device_state.device_id = device.id WHERE device.home_id = radar.home_id
) AS other ON true;

-- name: past_quarters
-- A home's quarters in which anything was received, oldest first, by the kinds of rooms in which somebody moved. Water is
-- what a counter has risen since the quarter before that it was heard in: some meters speak less often than that.
WITH water AS (
    SELECT bucket, device_id, greatest(high - coalesce(lag(high) OVER (PARTITION BY device_id ORDER BY bucket), low), 0)
        AS m3
    FROM rollup WHERE home_id = %(home_id)s AND bucket >= %(since)s AND bucket < %(now)s - interval '15 minutes'
        AND metric = 22
)
SELECT extract(epoch FROM rollup.bucket)::float8 AS quarter, sum(rollup.life)::bigint AS life,
    coalesce(sum(rollup.life) FILTER (WHERE room.kind IS NULL
        OR room.kind NOT IN ('bedroom', 'bathroom', 'toilet')), 0)::bigint AS day,
    coalesce(sum(rollup.life) FILTER (WHERE room.kind IN ('bathroom', 'toilet')), 0)::bigint AS bath,
    coalesce(sum(rollup.life) FILTER (WHERE room.kind = 'kitchen'), 0)::bigint AS kitchen,
    coalesce(sum(rollup.life) FILTER (WHERE device.exterior), 0)::bigint AS door,
    coalesce(sum(rollup.n) FILTER (WHERE device.kind IN ('contact', 'motion', 'bed', 'seat', 'radar')), 0)::bigint
        AS radio,
    min(rollup.low) FILTER (WHERE rollup.metric = 20 AND device.kind = 'meter') AS power_low,
    sum(water.m3) AS water_m3
FROM rollup LEFT JOIN device ON device.id = rollup.device_id LEFT JOIN room ON room.id = device.room_id
LEFT JOIN water ON rollup.metric = 22 AND water.bucket = rollup.bucket AND water.device_id = rollup.device_id
WHERE rollup.home_id = %(home_id)s AND rollup.bucket >= %(since)s
    AND rollup.bucket < %(now)s - interval '15 minutes'
GROUP BY rollup.bucket ORDER BY rollup.bucket;

-- name: witness_quarters
-- One row a door contact or motion sensor (not of the hall, which for days sees nobody): the quarters in which the
-- contact was heard, or in which the motion sensor saw somebody.
SELECT device.id, device.exterior, array_agg(extract(epoch FROM rollup.bucket)::float8 ORDER BY rollup.bucket) AS quarters
FROM device LEFT JOIN room ON room.id = device.room_id
JOIN rollup ON rollup.device_id = device.id AND rollup.home_id = device.home_id AND rollup.bucket >= %(since)s
    AND rollup.bucket < %(now)s - interval '15 minutes'
WHERE device.home_id = %(home_id)s
    AND ((device.kind = 'contact' AND device.exterior AND rollup.metric = 2)
        OR (device.kind = 'motion' AND room.kind IS DISTINCT FROM 'entry' AND rollup.metric = 1 AND rollup.life > 0))
GROUP BY device.id ORDER BY device.id;

-- name: received_since
-- In how many whole quarters of the hour after its last sign of life anything was received from each home, or with
-- `radio` anything from its sensors of life: a gateway that speaks while its radio hangs has seen nothing.
SELECT asked.home_id, count(DISTINCT rollup.bucket) AS quarters
FROM unnest(%(homes)s::int[], %(since)s::float8[], %(radio)s::boolean[]) AS asked (home_id, since, radio)
LEFT JOIN rollup ON rollup.home_id = asked.home_id
    AND rollup.bucket > to_timestamp(asked.since) AND rollup.bucket <= %(now)s - interval '15 minutes'
    AND (NOT asked.radio OR rollup.device_id IN (SELECT id FROM device WHERE device.home_id = asked.home_id
        AND device.kind IN ('contact', 'motion', 'bed', 'seat', 'radar')))
GROUP BY asked.home_id;

-- name: bath_halves
-- In how many half hours, from the first whole quarter after `since` on, somebody moved in each home's bathroom or toilet.
SELECT asked.home_id, moved.halves
FROM unnest(%(homes)s::int[], %(since)s::float8[]) AS asked (home_id, since)
CROSS JOIN LATERAL (
    SELECT count(DISTINCT floor(extract(epoch FROM rollup.bucket) / 1800)) AS halves FROM rollup
    JOIN device ON device.id = rollup.device_id
    JOIN room ON room.id = device.room_id AND room.kind IN ('bathroom', 'toilet')
    WHERE rollup.home_id = asked.home_id AND rollup.bucket > to_timestamp(asked.since) AND rollup.bucket <= %(now)s
        AND rollup.life > 0
) AS moved;

-- name: open_alerts
SELECT id, home_id, kind, severity, dedup_key, state, began_at, opened_at, last_at, parameters FROM alert
WHERE state <> 'resolved' AND mod(home_id, 32) = ANY(%(slices)s) ORDER BY id;

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
-- Everyone who was reached about an alert that ended by itself hears that it is over.
INSERT INTO delivery (alert_id, rung, person_id, channel, purpose, created_at, next_try_at)
SELECT DISTINCT alert_id, 0, person_id, channel, 'ended', %(now)s::timestamptz, %(tell_at)s::timestamptz FROM delivery
WHERE alert_id = %(id)s AND state = 'sent' AND purpose <> 'ended'
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

-- name: homes_to_learn
SELECT home.id, home.zone FROM home
LEFT JOIN LATERAL (
    SELECT fitted_at FROM profile WHERE profile.home_id = home.id ORDER BY version DESC LIMIT 1
) AS last ON true
WHERE last.fitted_at IS NULL OR last.fitted_at < %(now)s - interval '24 hours'
ORDER BY last.fitted_at NULLS FIRST, home.id
LIMIT %(limit)s;

-- name: quarters
-- Quarters of an hour in which anything was received from a home, oldest first.
SELECT DISTINCT extract(epoch FROM bucket)::float8 AS quarter FROM rollup
WHERE home_id = %(home_id)s AND bucket >= to_timestamp(%(since)s) AND bucket < %(now)s - interval '15 minutes'
ORDER BY quarter;

-- name: memory
SELECT data FROM home_memory WHERE home_id = %(home_id)s;

-- name: keep_memory
INSERT INTO home_memory (home_id, data) VALUES (%(home_id)s, %(data)s)
ON CONFLICT (home_id) DO UPDATE SET data = excluded.data;

-- name: sensors_of_life
SELECT device.id, device.kind, device.exterior, coalesce(room.kind, '') AS room
FROM device LEFT JOIN room ON room.id = device.room_id WHERE device.home_id = %(home_id)s ORDER BY device.id;

-- name: signs_of_life
-- A home's signs of life, oldest first: changes (flag 1) of what is one either way, or to on.
SELECT extract(epoch FROM time)::float8 AS time, device_id, metric, value FROM reading
WHERE home_id = %(home_id)s AND time >= to_timestamp(%(since)s) AND time < to_timestamp(%(until)s)
    AND flags & 1 = 1 AND (metric = ANY(%(on_change)s) OR (metric = ANY(%(turned_on)s) AND value = 1))
ORDER BY time, device_id;

-- name: keep_profile
INSERT INTO profile (home_id, version, fitted_at, data)
SELECT %(home_id)s, coalesce(max(version), 0) + 1, %(now)s, %(data)s FROM profile WHERE home_id = %(home_id)s
ON CONFLICT (home_id, version) DO NOTHING;

-- name: home_named
-- A home by its key, or by its place in the register: 1, 2, 3 ...
SELECT id, key, zone FROM (SELECT id, key, zone, row_number() OVER (ORDER BY id) AS place FROM home) AS numbered
WHERE key = %(home)s OR place::text = %(home)s ORDER BY (key = %(home)s) DESC LIMIT 1;

-- name: profile_at
-- The profile that was in force at a moment.
SELECT version, fitted_at, data FROM profile WHERE home_id = %(home_id)s AND fitted_at <= %(at)s
ORDER BY version DESC LIMIT 1;

-- name: metered_homes
-- Homes whose only witness is a mains meter: no sensor that shows life.
SELECT DISTINCT ON (device.home_id) device.home_id, device.id AS device_id, power_life.until, power_life.by_hour
FROM device LEFT JOIN power_life ON power_life.home_id = device.home_id
WHERE device.kind = 'meter' AND mod(device.home_id, 32) = ANY(%(slices)s) AND NOT EXISTS (SELECT FROM device AS other WHERE other.home_id = device.home_id
    AND other.kind IN ('contact', 'motion', 'bed', 'seat', 'radar'))
ORDER BY device.home_id, device.id;

-- name: new_power
SELECT reading.device_id, extract(epoch FROM reading.time)::float8 AS time, reading.value
FROM unnest(%(devices)s::int[], %(since)s::timestamptz[]) AS asked (device_id, since)
JOIN device ON device.id = asked.device_id
JOIN reading ON reading.home_id = device.home_id AND reading.device_id = asked.device_id
    AND reading.time > asked.since AND reading.time <= %(now)s AND reading.metric = %(power)s
ORDER BY reading.device_id, reading.time;

-- name: power_between
SELECT extract(epoch FROM reading.time)::float8 AS time, reading.value
FROM device JOIN reading ON reading.home_id = device.home_id AND reading.device_id = device.id
WHERE device.id = %(device_id)s AND reading.metric = %(power)s
    AND reading.time >= to_timestamp(%(since)s) AND reading.time < to_timestamp(%(until)s)
ORDER BY reading.time;

-- name: power_life
SELECT by_hour, extract(epoch FROM learned_until)::float8 AS learned_until FROM power_life WHERE home_id = %(home_id)s;

-- name: keep_power_life
INSERT INTO power_life AS old (home_id, until, life_at)
SELECT home, to_timestamp(until), to_timestamp(life)
FROM unnest(%(homes)s::int[], %(until)s::float8[], %(life_at)s::float8[]) AS new (home, until, life)
ON CONFLICT (home_id) DO UPDATE SET until = excluded.until, life_at = greatest(old.life_at, excluded.life_at);

-- name: keep_power_habits
INSERT INTO power_life (home_id, by_hour, learned_until) VALUES (%(home_id)s, %(by_hour)s, to_timestamp(%(until)s))
ON CONFLICT (home_id) DO UPDATE SET by_hour = excluded.by_hour, learned_until = excluded.learned_until;
