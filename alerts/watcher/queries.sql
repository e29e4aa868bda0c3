-- The platform about itself.

-- name: heartbeats
-- Of several alert workers the one that was silent longest, and whether any stands still: none may hide behind another.
SELECT service, at, details FROM service_heartbeat WHERE service IN ('ingest', 'api')
UNION ALL
SELECT 'alerts', min(at), jsonb_build_object(
    'stalled', coalesce(bool_or((details ->> 'stalled')::boolean), false),
    'blind', coalesce(sum((details ->> 'blind')::int), 0), 'broken', coalesce(sum((details ->> 'broken')::int), 0))
FROM alert_worker HAVING count(*) > 0;

-- name: beat_api
INSERT INTO service_heartbeat (service, at, details) VALUES ('api', %(now)s, '{}')
ON CONFLICT (service) DO UPDATE SET at = excluded.at;

-- name: signs
SELECT heard_at, gateways, overdue, due_at, urgent_due_at FROM platform_signs(%(now)s);

-- name: open_trouble
-- Whoever sees it first makes the row, and tells.
INSERT INTO platform_trouble (kind, since, seen_by, details) VALUES (%(kind)s, %(now)s, %(seen_by)s, %(details)s)
ON CONFLICT (kind) WHERE ended_at IS NULL DO NOTHING RETURNING id;

-- name: troubles
SELECT kind, since, seen_by FROM platform_trouble WHERE ended_at IS NULL;

-- name: end_trouble
-- Whoever ends the row tells.
UPDATE platform_trouble SET ended_at = %(now)s WHERE kind = %(kind)s AND ended_at IS NULL
RETURNING since, seen_by;

-- name: claim_beat
-- "All is well" is said by one worker, once in the span.
INSERT INTO service_heartbeat (service, at, details) VALUES ('said', %(now)s, '{}')
ON CONFLICT (service) DO UPDATE SET at = excluded.at WHERE service_heartbeat.at <= %(before)s
RETURNING at;

-- name: watched
-- How many homes are seen, as the pages count them: heard of lately, gateway online, no alert that says otherwise.
SELECT count(*) FILTER (WHERE seen) AS watched, count(*) FILTER (WHERE NOT seen) AS blind,
    (SELECT count(*) FROM alert WHERE state <> 'resolved') AS alerts
FROM (
    SELECT coalesce(state.heard_at >= %(since)s, false)
        AND NOT EXISTS (SELECT FROM gateway JOIN gateway_status AS status ON status.gateway_id = gateway.id
                        WHERE gateway.home_id = home.id AND gateway.ended_at IS NULL AND NOT status.online)
        AND NOT EXISTS (SELECT FROM alert WHERE alert.home_id = home.id AND alert.state <> 'resolved'
                        AND alert.kind IN ('gateway_offline', 'cannot_watch')) AS seen
    FROM home LEFT JOIN home_state AS state ON state.home_id = home.id
) AS homes;
