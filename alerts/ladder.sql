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

-- name: set_rung
UPDATE alert SET rung = %(rung)s, step = %(step)s, round = %(round)s, rung_at = %(rung_at)s, held = %(held)s,
    handed_to = %(handed_to)s, hand_due = false WHERE id = %(id)s;

-- name: zone_of_region
-- The zone in which most homes of these regions lie.
SELECT zone FROM home WHERE region_id = ANY(%(regions)s) GROUP BY zone ORDER BY count(*) DESC, zone LIMIT 1;

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

-- name: queue_delivery
-- A message that is told again (the alarm was raised anew, the ladder began anew) is queued again; its attempts stay
-- in the log.
INSERT INTO delivery (alert_id, rung, person_id, channel, purpose, unanswered, created_at, next_try_at)
VALUES (%(alert_id)s, %(rung)s, %(person_id)s, %(channel)s, %(purpose)s, %(unanswered)s, %(now)s, %(now)s)
ON CONFLICT (alert_id, digest_id, purpose, rung, person_id, channel)
DO UPDATE SET state = 'queued', attempts = 0, unanswered = excluded.unanswered, next_try_at = excluded.next_try_at;

-- name: add_to_digest
-- One message a person, kind and day; what comes later the same day joins it and it is sent again.
INSERT INTO digest (person_id, kind, day, made_at, lines)
VALUES (%(person_id)s, %(kind)s, %(day)s, %(now)s, %(lines)s)
ON CONFLICT (person_id, kind, day) DO UPDATE SET lines = digest.lines || excluded.lines, made_at = excluded.made_at
RETURNING id;

-- name: queue_digest
INSERT INTO delivery (digest_id, rung, person_id, channel, purpose, created_at, next_try_at)
SELECT %(digest_id)s, 0, person.id, channel, 'digest', %(now)s::timestamptz, %(now)s::timestamptz
FROM person CROSS JOIN LATERAL unnest(person.channels || person.own_channels) AS channel WHERE person.id = %(person_id)s
ON CONFLICT (alert_id, digest_id, purpose, rung, person_id, channel)
DO UPDATE SET state = 'queued', attempts = 0, next_try_at = excluded.next_try_at;

-- name: has_prompt
-- Whether a gateway of the home is there that can ask "are you all right?".
SELECT EXISTS (
    SELECT FROM gateway JOIN gateway_status ON gateway_status.gateway_id = gateway.id AND gateway_status.online
    WHERE gateway.home_id = %(home_id)s AND gateway.options #> '{prompts,ask}' IS NOT NULL
) AS prompt;

-- name: keep_question
INSERT INTO alert_question (question_id, alert_id, rung) VALUES (%(question_id)s, %(alert_id)s, %(rung)s);

-- name: open_questions
-- Questions whose answer has not been taken in, of alerts that are not over; another worker's are skipped.
SELECT alert_question.question_id, alert_question.rung AS asked_on, alert.id, alert.home_id, alert.kind, alert.severity,
    alert.state, alert.rung
FROM alert_question JOIN alert ON alert.id = alert_question.alert_id
WHERE NOT alert_question.settled AND alert.state <> 'resolved'
ORDER BY alert.id FOR UPDATE OF alert_question, alert SKIP LOCKED;

-- name: settle_question
UPDATE alert_question SET settled = true WHERE question_id = %(question_id)s;

-- name: go_on
-- The next rung is due now.
UPDATE alert SET rung_at = %(now)s, severity = %(severity)s WHERE id = %(id)s;
