-- name: busy_people
-- Who has had this many messages since then: what is not urgent waits, and goes as one.
SELECT person_id FROM delivery WHERE sent_at > %(since)s AND person_id IS NOT NULL
GROUP BY person_id HAVING count(DISTINCT coalesce(bundle_id, -id)) >= %(most)s;

-- name: busy_lines
SELECT line FROM delivery WHERE sent_at > %(since)s
GROUP BY line HAVING count(DISTINCT coalesce(bundle_id, -id)) >= %(most)s;

-- name: claim_deliveries
-- Takes due messages until `lease_until`: a worker that dies meanwhile costs that time, and the message may then
-- come twice, but it comes. Urgent ones first: a call for help does not wait behind a dead mail server's retries.
-- A line (one service) takes no more than it has room for, an address one message at a time. About one alert an address
-- hears in order: what is still on its way to it, or waits to be tried again, goes before what was queued after it.
WITH due AS (
    SELECT delivery.id, delivery.line, delivery.person_id, delivery.channel, delivery.next_try_at,
        coalesce(alert.severity = 'urgent' AND delivery.purpose <> 'ended', false) AS urgent
    FROM delivery LEFT JOIN alert ON alert.id = delivery.alert_id
    WHERE delivery.state = 'queued' AND delivery.next_try_at <= %(now)s AND NOT delivery.line = ANY(%(full)s)
        AND (coalesce(alert.severity = 'urgent' AND delivery.purpose <> 'ended', false) OR delivery.purpose = 'test'
             OR NOT (coalesce(delivery.person_id = ANY(%(busy_people)s), false)
                     OR delivery.line = ANY(%(busy_lines)s)))
        AND NOT EXISTS (SELECT FROM delivery AS earlier WHERE earlier.alert_id = delivery.alert_id
                        AND earlier.channel = delivery.channel AND earlier.state = 'queued'
                        AND earlier.purpose <> 'ended' AND earlier.id < delivery.id)
    ORDER BY urgent DESC, delivery.next_try_at, delivery.id LIMIT 300
), addressed AS (
    SELECT due.*, row_number() OVER (PARTITION BY person_id, channel ORDER BY urgent DESC, next_try_at, id) AS turn
    FROM due
), ranked AS (
    SELECT id, urgent, next_try_at, row_number() OVER (PARTITION BY line ORDER BY urgent DESC, next_try_at, id) AS place,
        coalesce(room.most, %(most_a_line)s) AS most
    FROM addressed LEFT JOIN unnest(%(lines)s::text[], %(rooms)s::int[]) AS room (line, most) USING (line)
    WHERE turn = 1
), chosen AS (
    SELECT delivery.id, ranked.urgent FROM ranked JOIN delivery ON delivery.id = ranked.id
    WHERE ranked.place <= ranked.most AND delivery.state = 'queued' AND delivery.next_try_at <= %(now)s
    ORDER BY ranked.urgent DESC, ranked.next_try_at, ranked.id
    LIMIT %(limit)s FOR UPDATE OF delivery SKIP LOCKED
)
UPDATE delivery SET attempts = attempts + 1, telling = telling + (attempts = 0)::int, next_try_at = %(lease_until)s,
    claimed_at = %(now)s, claimed_by = %(worker)s, bundle_id = NULL
FROM chosen WHERE delivery.id = chosen.id
RETURNING delivery.id, alert_id, digest_id, purpose, unanswered, rung, person_id, channel, line, attempts, telling,
    bundle_id, chosen.urgent;

-- name: claim_company
-- What else is due at the same address, when it is so much that one message shall say all of it: `many` with what
-- goes already, and for urgent ones with what went since `since`, each by itself.
WITH others AS (
    SELECT delivery.id FROM delivery JOIN alert ON alert.id = delivery.alert_id
    WHERE delivery.state = 'queued' AND delivery.next_try_at <= %(now)s AND delivery.purpose = 'alert'
        AND delivery.channel = %(channel)s AND delivery.person_id IS NOT DISTINCT FROM %(person_id)s
        AND (alert.severity = 'urgent') = %(urgent)s AND delivery.id <> %(id)s
    ORDER BY delivery.id LIMIT 500 FOR UPDATE OF delivery SKIP LOCKED
), lately AS (
    SELECT count(*) AS n FROM delivery JOIN alert ON alert.id = delivery.alert_id
    WHERE %(urgent)s AND alert.severity = 'urgent' AND delivery.purpose = 'alert' AND delivery.channel = %(channel)s
        AND delivery.person_id IS NOT DISTINCT FROM %(person_id)s AND delivery.claimed_at > %(since)s
        AND delivery.id <> %(id)s AND delivery.id NOT IN (SELECT id FROM others)
), bundle AS (
    INSERT INTO delivery_bundle (made_at)
    SELECT %(now)s FROM lately, (SELECT count(*) AS n FROM others) AS company
    WHERE company.n > 0 AND company.n + 1 + lately.n >= %(many)s
    RETURNING id
)
UPDATE delivery SET attempts = attempts + CASE WHEN delivery.id = %(id)s THEN 0 ELSE 1 END,
    telling = telling + (attempts = 0)::int, next_try_at = %(lease_until)s, claimed_at = %(now)s, claimed_by = %(worker)s,
    bundle_id = bundle.id
FROM bundle WHERE delivery.id = %(id)s OR delivery.id IN (SELECT id FROM others)
RETURNING delivery.id, alert_id, digest_id, purpose, unanswered, rung, person_id, channel, line, attempts, telling,
    bundle_id, %(urgent)s AS urgent;

-- name: alerts_to_tell
-- `home_name`: where it is, a home or a region. `may_see`: the reader may know name and address: staff of the home,
-- consenting family, a volunteer who is called to it.
WITH RECURSIVE mine AS (
    SELECT region_id AS id FROM role_grant WHERE person_id = %(person_id)s
    UNION
    SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
)
SELECT alert.id, alert.home_id, alert.region_id, alert.kind, alert.severity, alert.message, alert.parameters, alert.occurrences,
    alert.state, alert.ack_by, alert.ack_until, alert.began_at, coalesce(home.name, region.name) AS home_name,
    coalesce(home.key, region.key) AS home_key,
    coalesce(home.zone, 'Asia/Shanghai') AS zone, region.name AS region_name, coalesce(home.address, '') AS address,
    coalesce((SELECT string_agg(resident.name, ', ' ORDER BY resident.id) FROM resident
              WHERE resident.home_id = home.id), '') AS residents,
    coalesce(home.region_id IN (SELECT id FROM mine)
        OR EXISTS (SELECT FROM consent WHERE consent.person_id = %(person_id)s AND consent.home_id = home.id
                   AND withdrawn_at IS NULL)
        OR EXISTS (SELECT FROM volunteer WHERE volunteer.person_id = %(person_id)s), false) AS may_see
FROM alert LEFT JOIN home ON home.id = alert.home_id
JOIN region ON region.id = coalesce(alert.region_id, home.region_id)
WHERE alert.id = ANY(%(ids)s);

-- name: told_to_nobody
-- Of these alerts those of which nobody of the home could be told, and nobody has been since.
SELECT id FROM alert WHERE id = ANY(%(ids)s)
    AND EXISTS (SELECT FROM alert_event WHERE alert_event.alert_id = alert.id AND alert_event.what = 'nobody_told')
    AND NOT EXISTS (SELECT FROM delivery WHERE delivery.alert_id = alert.id AND delivery.person_id IS NOT NULL);

-- name: was_told
-- Whether any message about the alert, before that it is over, has gone out to this address.
SELECT EXISTS (SELECT FROM delivery WHERE alert_id = %(alert_id)s AND channel = %(channel)s
    AND person_id IS NOT DISTINCT FROM %(person_id)s AND purpose <> 'ended' AND sent_at IS NOT NULL) AS told;

-- name: digest_to_tell
SELECT id, kind, person_id, lines FROM digest WHERE id = %(digest_id)s;

-- name: locale_of
SELECT locale FROM person WHERE id = %(person_id)s;

-- name: answer_link
-- The link of this telling, made when there is none that can still be used for a while.
WITH found AS (
    SELECT id, expires_at FROM answer_link
    WHERE delivery_id = %(delivery_id)s AND alert_ids = %(alert_ids)s::bigint[] AND used_at IS NULL
        AND expires_at > %(now)s + interval '1 hour'
    ORDER BY id DESC LIMIT 1
), made AS (
    INSERT INTO answer_link (delivery_id, person_id, alert_ids, made_at, expires_at, sender_hash)
    SELECT %(delivery_id)s, %(person_id)s, %(alert_ids)s::bigint[], %(now)s, %(expires_at)s, %(sender_hash)s::bytea
    WHERE NOT EXISTS (SELECT FROM found)
    RETURNING id, expires_at
)
SELECT id, expires_at FROM found UNION ALL SELECT id, expires_at FROM made;

-- name: link
SELECT id, delivery_id, person_id, alert_ids, expires_at, used_at, used_for FROM answer_link WHERE id = %(id)s;

-- name: use_link
-- Once: the second of two at the same moment waits for the first and then finds nothing.
UPDATE answer_link SET used_at = %(now)s, used_for = %(used_for)s
WHERE id = %(id)s AND used_at IS NULL AND expires_at > %(now)s
RETURNING delivery_id, alert_ids;

-- name: links_of_sender
-- The newest first: a code counts only among what went to this number and is not answered.
SELECT id, person_id FROM answer_link
WHERE sender_hash = %(sender_hash)s AND used_at IS NULL AND expires_at > %(now)s ORDER BY id DESC LIMIT 50;

-- name: mark_answered
UPDATE delivery SET answered_at = %(now)s, seen_at = coalesce(seen_at, %(now)s) WHERE id = %(id)s;

-- name: mark_seen
UPDATE delivery SET seen_at = %(now)s WHERE id = %(id)s AND (seen_at IS NULL OR seen_at < sent_at);

-- name: mark_arrived
UPDATE delivery SET accepted_at = %(now)s WHERE id = %(id)s AND (accepted_at IS NULL OR accepted_at < sent_at);

-- name: take_receipt
SELECT take_receipt(%(delivery)s, %(reached)s, %(reason)s, %(now)s) AS known;

-- name: next_rung_now
-- Whoever was asked cannot: the ladder goes on at once. An alert that another person has stays theirs.
UPDATE alert SET state = 'open', rung_at = %(now)s, ack_by = NULL, ack_at = NULL, ack_until = NULL, on_site_at = NULL,
    handed_to = NULL, hand_due = false
WHERE id = %(id)s AND (state = 'open' OR (ack_by = %(person_id)s AND state <> 'resolved'))
RETURNING home_id;

-- name: wake
-- The engine looks at once, as it does for an urgent event.
NOTIFY urgent_event;

-- name: secrets
SELECT name, value FROM platform_secret;

-- name: secret
SELECT value FROM platform_secret WHERE name = %(name)s;

-- name: keep_secrets
INSERT INTO platform_secret (name, value, made_at)
SELECT name, value, %(now)s FROM unnest(%(names)s::text[], %(secrets)s::bytea[]) AS made (name, value)
WHERE NOT EXISTS (SELECT FROM platform_secret)
ON CONFLICT (name) DO NOTHING;

-- name: subscription
SELECT endpoint, p256dh, auth FROM push_subscription WHERE id = %(id)s;

-- name: forget_subscription
-- The browser takes no messages any more.
WITH gone AS (DELETE FROM push_subscription WHERE id = %(id)s)
UPDATE person SET own_channels = array_remove(own_channels, %(channel)s) WHERE %(channel)s = ANY(own_channels);

-- name: log_attempt
INSERT INTO delivery_attempt (delivery_id, at, ok, reason, detail)
VALUES (%(delivery_id)s, %(now)s, %(ok)s, %(reason)s, %(detail)s);

-- name: settle_delivery
-- `attempts` and `telling` guard against a message that was queued anew while it was being sent: that one is sent again.
UPDATE delivery SET state = %(state)s, next_try_at = %(next_try_at)s, claimed_by = NULL,
    sent_at = CASE WHEN %(reached)s THEN %(now)s ELSE sent_at END
WHERE id = %(id)s AND state = 'queued' AND attempts = %(attempts)s AND telling = %(telling)s;
