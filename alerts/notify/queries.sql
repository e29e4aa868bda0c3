-- name: claim_deliveries
-- Takes due messages until `lease_until`: a worker that dies meanwhile costs that time, and the message may then
-- come twice, but it comes. Urgent ones first: a call for help does not wait behind a dead mail server's retries.
UPDATE delivery SET attempts = attempts + 1, next_try_at = %(lease_until)s
WHERE id IN (
    SELECT delivery.id FROM delivery LEFT JOIN alert ON alert.id = delivery.alert_id
    WHERE delivery.state = 'queued' AND delivery.next_try_at <= %(now)s
    ORDER BY coalesce(alert.severity, 'digest') <> 'urgent', delivery.next_try_at, delivery.id
    LIMIT %(limit)s FOR UPDATE OF delivery SKIP LOCKED
)
RETURNING id, alert_id, digest_id, purpose, unanswered, rung, person_id, channel, attempts;

-- name: alert_to_tell
-- `home_name`: where it is, a home or a region.
SELECT alert.id, alert.home_id, alert.kind, alert.severity, alert.message, alert.parameters, alert.occurrences,
    alert.state, coalesce(home.name, region.name) AS home_name, coalesce(home.key, region.key) AS home_key,
    coalesce(home.zone, 'Asia/Shanghai') AS zone
FROM alert LEFT JOIN home ON home.id = alert.home_id LEFT JOIN region ON region.id = alert.region_id
WHERE alert.id = %(alert_id)s;

-- name: digest_to_tell
SELECT id, kind, lines FROM digest WHERE id = %(digest_id)s;

-- name: alerts_of_digest
-- What is still open of what quiet hours held back.
SELECT alert.id, alert.kind, alert.message, alert.parameters, coalesce(home.name, region.name) AS home_name,
    coalesce(home.zone, 'Asia/Shanghai') AS zone
FROM alert LEFT JOIN home ON home.id = alert.home_id LEFT JOIN region ON region.id = alert.region_id
WHERE alert.id = ANY(%(ids)s) AND alert.state = 'open' ORDER BY alert.id;

-- name: locale_of
SELECT locale FROM person WHERE id = %(person_id)s;

-- name: log_attempt
INSERT INTO delivery_attempt (delivery_id, at, ok, reason, detail)
VALUES (%(delivery_id)s, %(now)s, %(ok)s, %(reason)s, %(detail)s);

-- name: settle_delivery
-- `attempts` guards against a message that was queued anew while it was being sent: that one is sent again.
UPDATE delivery SET state = %(state)s, next_try_at = %(next_try_at)s
WHERE id = %(id)s AND state = 'queued' AND attempts = %(attempts)s;
