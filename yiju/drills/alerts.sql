-- What the alert drill reads in the end. Times are the platform's.

-- name: alerts
SELECT alert.id, alert.kind, gateway.key AS gateway FROM alert
LEFT JOIN gateway ON gateway.home_id = alert.home_id ORDER BY alert.id;

-- name: open_of
-- Of these alerts, those that are nobody's yet, and the manager who was told.
SELECT alert.id, min(person.id) AS manager FROM alert
JOIN delivery ON delivery.alert_id = alert.id
JOIN person ON person.id = delivery.person_id AND person.key LIKE 'manager-%%'
WHERE alert.id = ANY(%(ids)s) AND alert.state = 'open' GROUP BY alert.id;

-- name: escalated
-- From the first rung to the manager's, seconds of the platform's clock.
SELECT extract(epoch FROM min(delivery.created_at) FILTER (WHERE person.key LIKE 'manager-%')
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
