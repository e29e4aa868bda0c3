-- name: claim_deliveries
-- Takes due messages until `lease_until`: a worker that dies meanwhile costs that time, and the message may then
-- come twice, but it comes. Urgent ones first: a call for help does not wait behind a dead mail server's retries.
UPDATE delivery SET attempts = attempts + 1, next_try_at = %(lease_until)s
WHERE id IN (
    SELECT delivery.id FROM delivery JOIN alert ON alert.id = delivery.alert_id
    WHERE delivery.state = 'queued' AND delivery.next_try_at <= %(now)s
    ORDER BY alert.severity <> 'urgent', delivery.next_try_at, delivery.id
    LIMIT %(limit)s FOR UPDATE OF delivery SKIP LOCKED
)
RETURNING id, alert_id, rung, person_id, channel, attempts;

-- name: alert_to_tell
SELECT alert.id, alert.home_id, alert.kind, alert.severity, alert.message, alert.parameters, alert.occurrences,
    alert.state, home.name AS home_name, home.key AS home_key, home.zone
FROM alert JOIN home ON home.id = alert.home_id WHERE alert.id = %(alert_id)s;

-- name: locale_of
SELECT locale FROM person WHERE id = %(person_id)s;

-- name: log_attempt
INSERT INTO delivery_attempt (delivery_id, at, ok, reason, detail)
VALUES (%(delivery_id)s, %(now)s, %(ok)s, %(reason)s, %(detail)s);

-- name: settle_delivery
-- `attempts` guards against a message that was queued anew while it was being sent: that one is sent again.
UPDATE delivery SET state = %(state)s, next_try_at = %(next_try_at)s
WHERE id = %(id)s AND state = 'queued' AND attempts = %(attempts)s;
