-- What the alert drill reads in the end. Times are the platform's.

-- name: alerts
SELECT alert.id, alert.kind, alert.opened_at, gateway.key AS gateway FROM alert
LEFT JOIN gateway ON gateway.home_id = alert.home_id ORDER BY alert.id;

-- name: open_of
-- Of these alerts, those that are nobody's yet.
SELECT id FROM alert WHERE id = ANY(%(ids)s) AND state = 'open' ORDER BY id;

-- name: homes
SELECT home_id AS home, key AS gateway FROM gateway;

-- name: workers
SELECT name, until FROM alert_worker;

-- name: muted
-- What stands on record as muted, and why.
SELECT gateway.key AS gateway, muted_finding.kind, array_agg(muted_finding.cause) AS causes
FROM muted_finding JOIN gateway ON gateway.home_id = muted_finding.home_id GROUP BY gateway.key, muted_finding.kind;

-- name: causes
-- From when until when what mutes a finding held. A look that began just before may still be at work.
SELECT gateway.key AS gateway, 'inactivity' AS kind, absence.entered_at + interval '1 minute' AS since,
    coalesce(absence.ended_at, '2999-01-01') AS until
FROM absence JOIN gateway ON gateway.home_id = absence.home_id
UNION ALL
SELECT gateway.key, 'gateway_offline', maintenance.entered_at + interval '1 minute',
    coalesce(maintenance.ended_at, '2999-01-01')
FROM maintenance JOIN gateway ON gateway.home_id = maintenance.home_id
UNION ALL
SELECT gateway.key, 'inactivity', alert.opened_at, coalesce(alert.resolved_at, '2999-01-01')
FROM alert JOIN gateway ON gateway.home_id = alert.home_id WHERE alert.kind = 'gateway_offline';

-- name: escalated
-- From the first rung (`since`) to the manager's, seconds of the platform's clock.
SELECT min(delivery.created_at) FILTER (WHERE person.key LIKE 'worker-%') AS since,
    extract(epoch FROM min(delivery.created_at) FILTER (WHERE person.key LIKE 'manager-%')
    - min(delivery.created_at) FILTER (WHERE person.key LIKE 'worker-%'))::float8 AS told_s
FROM delivery JOIN person ON person.id = delivery.person_id
WHERE delivery.alert_id IS NOT NULL
GROUP BY delivery.alert_id
HAVING bool_or(person.key LIKE 'manager-%') AND bool_or(person.key LIKE 'worker-%');

-- name: called
-- From what was measured to the first rung, of what needs no waiting.
SELECT extract(epoch FROM min(delivery.created_at) - alert.began_at)::float8 AS took_s
FROM alert JOIN delivery ON delivery.alert_id = alert.id
WHERE alert.kind IN ('sos', 'smoke', 'gas') GROUP BY alert.id;

-- name: queued
SELECT count(*)::int AS queued FROM delivery WHERE state = 'queued';

-- name: heard
SELECT count(*)::int AS heard FROM gateway_status WHERE heard_at IS NOT NULL;
