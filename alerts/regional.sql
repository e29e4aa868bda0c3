-- Regional incidents.

-- name: claim_look
-- Whether this transaction is the only one that opens, widens and ends incidents. The number is ours alone.
SELECT pg_try_advisory_xact_lock(7115112) AS mine;

-- name: still_open
-- An incident that is still to be ended, with its row held.
SELECT id FROM alert WHERE id = %(id)s AND state <> 'resolved' FOR UPDATE;

-- name: known_incidents
-- Incidents that are open, and those that a person has lately resolved: their word holds for a while.
SELECT DISTINCT ON (alert.dedup_key) alert.id, alert.region_id, alert.dedup_key, alert.began_at, alert.resolved_at,
    ARRAY(SELECT home_id FROM alert_home WHERE alert_id = alert.id ORDER BY home_id) AS homes
FROM alert WHERE alert.kind = 'regional_outage'
    AND (alert.state <> 'resolved' OR (alert.resolved_by IS NOT NULL AND alert.resolved_at > %(since)s))
ORDER BY alert.dedup_key, alert.state = 'resolved', alert.id DESC;

-- name: known_offline
-- Homes whose gateway was found offline, by whichever worker, and since when.
SELECT home_id, min(at) AS at FROM (
    SELECT home_id, began_at AS at FROM alert WHERE kind = 'gateway_offline' AND state <> 'resolved'
    UNION ALL
    SELECT home_id, since FROM muted_finding WHERE kind = 'gateway_offline' AND ended_at IS NULL
) AS found
GROUP BY home_id;

-- name: tree
-- Every region, its policy, and how many of its own homes have a gateway that was ever heard.
SELECT region.id, region.parent_id, region.key, region.name, region.policy, count(DISTINCT gateway.home_id) AS homes
FROM region
LEFT JOIN home ON home.region_id = region.id
LEFT JOIN gateway ON gateway.home_id = home.id AND gateway.ended_at IS NULL
    AND EXISTS (SELECT FROM gateway_status WHERE gateway_id = gateway.id AND heard_at IS NOT NULL)
GROUP BY region.id ORDER BY region.id;

-- name: region_of
SELECT id, region_id FROM home WHERE id = ANY(%(homes)s);

-- name: open_incident
WITH opened AS (
    INSERT INTO alert (region_id, kind, severity, dedup_key, message, parameters, began_at, opened_at, last_at)
    VALUES (%(region_id)s, 'regional_outage', 'normal', %(dedup_key)s, 'finding.regional_outage.why', %(parameters)s,
        %(began_at)s, %(now)s, %(began_at)s)
    ON CONFLICT (dedup_key) WHERE state <> 'resolved' DO NOTHING
    RETURNING id
), told AS (
    INSERT INTO alert_event (alert_id, at, what) SELECT id, %(now)s, 'opened' FROM opened
)
SELECT id FROM opened;

-- name: add_homes
INSERT INTO alert_home (alert_id, home_id, joined_at)
SELECT %(alert_id)s, home_id, %(now)s FROM unnest(%(homes)s::int[]) AS home_id ON CONFLICT DO NOTHING;

-- name: count_homes
UPDATE alert SET parameters = parameters
    || jsonb_build_object('homes', (SELECT count(*) FROM alert_home WHERE alert_id = alert.id))
WHERE id = %(alert_id)s;

-- name: absorbed
-- Alerts of their own that these homes have had because of it, and that nobody has taken on.
SELECT id, home_id FROM alert
WHERE home_id = ANY(%(homes)s) AND state = 'open' AND kind IN ('gateway_offline', 'device_silent', 'cannot_watch')
ORDER BY id FOR UPDATE SKIP LOCKED;
