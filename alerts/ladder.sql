-- What the ladder and those who stand on it ask.

-- name: set_rung_due
UPDATE alert SET rung_at = %(now)s WHERE id = ANY(%(ids)s);

-- name: due_alerts
-- Open alerts whose next rung is due. `places`: the communities whose people it concerns, `zone`: whose clock counts.
SELECT alert.id, alert.home_id, alert.region_id, alert.kind, alert.severity, alert.rung, alert.step, alert.round,
    alert.held, alert.handed_to, alert.hand_due, home.zone AS zone,
    CASE WHEN alert.home_id IS NOT NULL THEN ARRAY[home.region_id] ELSE ARRAY(
        SELECT alert.region_id UNION
        SELECT member.region_id FROM alert_home JOIN home AS member ON member.id = alert_home.home_id
        WHERE alert_home.alert_id = alert.id
    ) END AS places,
    EXISTS (SELECT FROM delivery WHERE delivery.alert_id = alert.id AND delivery.purpose IN ('alert', 'handed')
            AND delivery.created_at < %(now)s) AS told_before,
    EXISTS (SELECT FROM alert_question WHERE alert_question.alert_id = alert.id) AS asked
FROM alert LEFT JOIN home ON home.id = alert.home_id
WHERE alert.state = 'open' AND alert.rung_at <= %(now)s
ORDER BY alert.severity <> 'urgent', alert.id FOR UPDATE OF alert SKIP LOCKED;

-- name: set_rungs
UPDATE alert SET rung = stay.rung, step = stay.step, round = stay.round, rung_at = stay.until, held = stay.held,
    handed_to = stay.handed_to, hand_due = false
FROM unnest(%(alert_id)s::bigint[], %(rung)s::int[], %(step)s::int[], %(round)s::int[], %(until)s::timestamptz[],
    %(held)s::boolean[], %(handed_to)s::int[]) AS stay (id, rung, step, round, until, held, handed_to)
WHERE alert.id = stay.id;

-- name: zone_of_region
-- The zone in which most homes of these regions lie.
SELECT zone FROM home WHERE region_id = ANY(%(regions)s) GROUP BY zone ORDER BY count(*) DESC, zone LIMIT 1;

-- name: put_off
-- Alerts that a fault of ours keeps from climbing: tried again later, and said in each one's history, once.
WITH later AS (UPDATE alert SET rung_at = %(until)s WHERE id = ANY(%(ids)s) RETURNING id)
INSERT INTO alert_event (alert_id, at, what)
SELECT id, %(now)s, 'climb_broke' FROM later
WHERE NOT EXISTS (SELECT FROM alert_event AS earlier
    WHERE earlier.alert_id = later.id AND earlier.what = 'climb_broke');

-- name: crew_staff
-- Staff and volunteers of these regions (`origin`) and all above: height 1 = the region itself.
WITH RECURSIVE above AS (
    SELECT region.id AS origin, region.id, region.parent_id, 1 AS height FROM region WHERE id = ANY(%(regions)s)
    UNION ALL
    SELECT above.origin, region.id, region.parent_id, above.height + 1 FROM region
    JOIN above ON above.parent_id = region.id
), granted AS (
    SELECT person_id, role, region_id FROM role_grant WHERE role IN ('worker', 'manager', 'centre')
    UNION ALL
    SELECT person_id, 'volunteer', region_id FROM volunteer
)
SELECT above.origin, person.id, person.channels || person.own_channels AS channels, granted.role,
    min(above.height) AS height
FROM above JOIN granted ON granted.region_id = above.id JOIN person ON person.id = granted.person_id
GROUP BY above.origin, person.id, granted.role
ORDER BY above.origin, height, person.id;

-- name: crew_family
-- Consenting family of these homes, in the order in which they shall be told.
SELECT consent.home_id, person.id, person.channels || person.own_channels AS channels
FROM consent JOIN person ON person.id = consent.person_id
WHERE consent.home_id = ANY(%(homes)s) AND consent.given_at <= %(now)s
    AND (consent.withdrawn_at IS NULL OR consent.withdrawn_at > %(now)s)
ORDER BY consent.home_id, consent.place, consent.given_at, person.id;

-- name: channels_of
SELECT id, channels || own_channels AS channels FROM person WHERE id = ANY(%(people)s);

-- name: on_leave
SELECT DISTINCT person_id FROM leave
WHERE from_at <= %(now)s AND until_at > %(now)s AND (withdrawn_at IS NULL OR withdrawn_at > %(now)s);

-- name: queue_deliveries
-- A message that is told again (the alarm was raised anew, the ladder began anew) is queued again; its attempts stay
-- in the log.
INSERT INTO delivery (alert_id, rung, person_id, channel, purpose, unanswered, created_at, next_try_at)
SELECT alert_id, rung, person_id, channel, purpose, unanswered, %(now)s::timestamptz, %(now)s::timestamptz
FROM unnest(%(alert_id)s::bigint[], %(rung)s::int[], %(person)s::int[], %(channel)s::text[], %(purpose)s::text[],
    %(unanswered)s::boolean[]) WITH ORDINALITY
    AS telling (alert_id, rung, person_id, channel, purpose, unanswered, place)
ORDER BY place
ON CONFLICT (alert_id, digest_id, purpose, rung, person_id, channel)
DO UPDATE SET state = 'queued', attempts = 0, unanswered = excluded.unanswered, next_try_at = excluded.next_try_at;

-- name: hurry
-- What has failed and waits to be tried again about these alerts is tried now where a later message to the same
-- address has become due: it goes first. What is just being sent (no attempt stands for it yet) is left alone.
UPDATE delivery SET next_try_at = %(now)s
WHERE alert_id = ANY(%(alerts)s) AND state = 'queued' AND attempts > 0 AND next_try_at > %(now)s
    AND EXISTS (SELECT FROM delivery AS later WHERE later.alert_id = delivery.alert_id
                AND later.channel = delivery.channel AND later.id > delivery.id AND later.state = 'queued'
                AND later.next_try_at <= %(now)s)
    AND EXISTS (SELECT FROM delivery_attempt AS attempt WHERE attempt.delivery_id = delivery.id
                AND attempt.at >= delivery.claimed_at);

-- name: add_to_digests
-- One message a person, kind and day; what comes later the same day joins it and it is sent again.
INSERT INTO digest (person_id, kind, day, made_at, lines)
SELECT person_id, %(kind)s, day, %(now)s, lines
FROM unnest(%(people)s::int[], %(days)s::date[], %(lines)s::jsonb[]) AS told (person_id, day, lines)
ON CONFLICT (person_id, kind, day) DO UPDATE SET lines = digest.lines || excluded.lines, made_at = excluded.made_at
RETURNING id;

-- name: queue_digests
INSERT INTO delivery (digest_id, rung, person_id, channel, purpose, created_at, next_try_at)
SELECT digest.id, 0, person.id, channel, 'digest', %(now)s::timestamptz, %(now)s::timestamptz
FROM digest JOIN person ON person.id = digest.person_id
CROSS JOIN LATERAL unnest(person.channels || person.own_channels) AS channel WHERE digest.id = ANY(%(ids)s)
ON CONFLICT (alert_id, digest_id, purpose, rung, person_id, channel)
DO UPDATE SET state = 'queued', attempts = 0, next_try_at = excluded.next_try_at;

-- name: prompts
-- A gateway of each home that is there and can ask "are you all right?".
SELECT DISTINCT ON (gateway.home_id) gateway.home_id, gateway.id
FROM gateway JOIN gateway_status ON gateway_status.gateway_id = gateway.id AND gateway_status.online
WHERE gateway.home_id = ANY(%(homes)s) AND gateway.ended_at IS NULL AND gateway.options #> '{prompts,ask}' IS NOT NULL
ORDER BY gateway.home_id, gateway_status.heard_at DESC NULLS LAST, gateway.id;

-- name: keep_questions
INSERT INTO alert_question (question_id, alert_id, rung)
SELECT * FROM unnest(%(questions)s::bigint[], %(alerts)s::bigint[], %(rungs)s::int[]);

-- name: open_questions
-- Questions whose answer has not been taken in; another worker's are skipped. Also of alerts that are over: an answer that
-- was given then must not be left to end what somebody reopens later.
SELECT alert_question.question_id, alert_question.rung AS asked_on, alert.id, alert.home_id, alert.kind, alert.severity,
    alert.state, alert.rung
FROM alert_question JOIN alert ON alert.id = alert_question.alert_id
WHERE NOT alert_question.settled
ORDER BY alert.id FOR UPDATE OF alert_question, alert SKIP LOCKED;

-- name: settle_question
UPDATE alert_question SET settled = true WHERE question_id = %(question_id)s;

-- name: go_on
-- The next rung is due now; with `anew` the first one of a ladder that the alert has not climbed yet.
UPDATE alert SET rung_at = %(now)s, severity = %(severity)s,
    rung = CASE WHEN %(anew)s THEN 0 ELSE rung END,
    step = CASE WHEN %(anew)s THEN 0 ELSE step END,
    round = CASE WHEN %(anew)s THEN 0 ELSE round END
WHERE id = %(id)s;
