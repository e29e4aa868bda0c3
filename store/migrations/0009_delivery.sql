-- Delivery: receipts, bundles, answers from the message, a person's own channels, what the platform says of itself.

-- A person's own channels, entered on their own page; the register has the others and never touches these.
ALTER TABLE person ADD COLUMN own_channels text[] NOT NULL DEFAULT '{}';

-- A browser that shows messages. Its channel is `webpush://{host of the endpoint}/{id}`.
CREATE TABLE push_subscription (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id  int NOT NULL REFERENCES person,
    endpoint   text NOT NULL UNIQUE,           -- a secret: who knows it may try to send
    p256dh     text NOT NULL,                  -- the browser's public key, base64url
    auth       text NOT NULL,                  -- its shared secret, base64url
    browser    text NOT NULL DEFAULT '',       -- as the person knows it again: "Firefox, Android"
    created_at timestamptz NOT NULL
);
CREATE INDEX ON push_subscription (person_id);

-- Several alerts in one message: "4 homes in Dongfang community".
CREATE TABLE delivery_bundle (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    made_at timestamptz NOT NULL
);

ALTER TABLE delivery
    -- what one service answers for: a service that hangs holds up its own line and no other
    ADD COLUMN line text NOT NULL GENERATED ALWAYS AS
        (coalesce(substring(channel FROM '^[^:]+:(?://(?:[^/?#]*@)?[^/?#]*)?'), channel)) STORED,
    ADD COLUMN bundle_id bigint REFERENCES delivery_bundle,
    ADD COLUMN telling int NOT NULL DEFAULT 0, -- how often it was told; tries of one telling count once
    ADD COLUMN claimed_at timestamptz,         -- last taken to be sent
    ADD COLUMN sent_at timestamptz,            -- last handed to the service
    ADD COLUMN accepted_at timestamptz,        -- the service says that it reached the device
    ADD COLUMN seen_at timestamptz,            -- its page was opened in a browser
    ADD COLUMN answered_at timestamptz,        -- the link or a reply code was used
    ADD COLUMN status text NOT NULL GENERATED ALWAYS AS (CASE
        WHEN state = 'sent' AND answered_at >= sent_at THEN 'answered'
        WHEN state = 'sent' AND seen_at >= sent_at THEN 'seen'
        WHEN state = 'sent' AND accepted_at >= sent_at THEN 'accepted'
        ELSE state END) STORED,
    DROP CONSTRAINT delivery_about_one,
    DROP CONSTRAINT delivery_purpose_check,
    ADD CONSTRAINT delivery_purpose_check
        CHECK (purpose IN ('alert', 'handed', 'emergency', 'ended', 'digest', 'test')),
    ADD CONSTRAINT delivery_about_one
        CHECK (num_nonnulls(alert_id, digest_id) = CASE WHEN purpose = 'test' THEN 0 ELSE 1 END);
CREATE INDEX ON delivery (sent_at);
CREATE INDEX ON delivery (channel, claimed_at);
CREATE INDEX delivery_attempt_at ON delivery_attempt (at);

-- The platform's own secrets, made at the first start of `alerts` and never changed or shown.
CREATE TABLE platform_secret (
    name    text PRIMARY KEY CHECK (name IN ('answer', 'vapid', 'vapid_public')),
    value   bytea NOT NULL,
    made_at timestamptz NOT NULL
);

-- The way from a message back to its alert: for one person, once, until it expires. The token is signed, not stored.
CREATE TABLE answer_link (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id bigint NOT NULL REFERENCES delivery ON DELETE CASCADE,
    person_id   int NOT NULL REFERENCES person,
    alert_ids   bigint[] NOT NULL,             -- several of a bundle
    made_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    used_for    text CHECK (used_for IN ('acknowledge', 'pass_on')),
    sender_hash bytea                          -- whose text message may carry its reply code: HMAC of the number
);
CREATE INDEX ON answer_link (delivery_id);
CREATE INDEX answer_link_open ON answer_link (sender_hash) WHERE used_at IS NULL AND sender_hash IS NOT NULL;

-- What MQTT listeners hear of alerts; ingest publishes it and deletes the row. Keys only, nothing of a person.
CREATE TABLE alert_notice (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    region_key text NOT NULL,
    home_key   text,                           -- null: a regional incident
    alert_id   bigint NOT NULL REFERENCES alert ON DELETE CASCADE,
    kind       text NOT NULL,
    severity   text NOT NULL,
    state      text NOT NULL,
    event      text NOT NULL,                  -- alert_event.what
    at         timestamptz NOT NULL
);
CREATE FUNCTION notice_alert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO alert_notice (region_key, home_key, alert_id, kind, severity, state, event, at)
    SELECT region.key, home.key, alert.id, alert.kind, alert.severity, alert.state, NEW.what, NEW.at
    FROM alert LEFT JOIN home ON home.id = alert.home_id
    JOIN region ON region.id = coalesce(alert.region_id, home.region_id)
    WHERE alert.id = NEW.alert_id;
    PERFORM pg_notify('gateway_command', '');  -- the downlink listens to it
    RETURN NULL;
END $$;
CREATE TRIGGER notice AFTER INSERT ON alert_event FOR EACH ROW
    WHEN (NEW.what IN ('opened', 'occurred_again', 'acknowledged', 'on_site', 'resolved', 'ended_itself', 'ack_expired',
                       'handed_on', 'passed_on', 'reopened'))
    EXECUTE FUNCTION notice_alert();

-- What went wrong with the platform itself and whom it was told: once when it begins, once when it ends.
CREATE TABLE platform_trouble (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind     text NOT NULL,                    -- alerts.watcher.signs.Trouble
    since    timestamptz NOT NULL,
    seen_by  text NOT NULL,                    -- the service that saw it first
    details  jsonb NOT NULL DEFAULT '{}',
    ended_at timestamptz
);
CREATE UNIQUE INDEX platform_trouble_once ON platform_trouble (kind) WHERE ended_at IS NULL;

-- Rights ----------------------------------------------------------------------------------------

ALTER TABLE platform_secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE push_subscription ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_them ON platform_secret TO yiju_alerts USING (true) WITH CHECK (true);
CREATE POLICY no_private_key ON platform_secret TO yiju_api USING (name IN ('answer', 'vapid_public'));
CREATE POLICY all_of_them ON push_subscription TO yiju_alerts USING (true);
CREATE POLICY own ON push_subscription TO yiju_api
    USING (person_id = nullif(current_setting('yiju.person', true), '')::int);
CREATE POLICY own ON delivery FOR SELECT TO yiju_api
    USING (person_id = nullif(current_setting('yiju.person', true), '')::int);

GRANT SELECT, INSERT ON platform_secret TO yiju_alerts;
GRANT SELECT ON platform_secret TO yiju_api;
GRANT SELECT, DELETE ON push_subscription TO yiju_alerts;
GRANT SELECT (id, person_id, browser, created_at) ON push_subscription TO yiju_api;
GRANT UPDATE (own_channels) ON person TO yiju_alerts;
GRANT SELECT, INSERT ON delivery_bundle TO yiju_alerts;
GRANT SELECT, INSERT ON answer_link TO yiju_alerts;
GRANT SELECT ON answer_link TO yiju_api;
GRANT UPDATE (used_at, used_for) ON answer_link TO yiju_api;
GRANT UPDATE (accepted_at, seen_at, answered_at) ON delivery TO yiju_api;
GRANT SELECT, UPDATE, DELETE ON alert_notice TO yiju_ingest;  -- UPDATE: to lock what it publishes
GRANT SELECT, INSERT, UPDATE ON platform_trouble TO yiju_alerts, yiju_api;
GRANT INSERT, UPDATE ON service_heartbeat TO yiju_api;

-- Channels hold tokens and numbers, so the api never reads them: it may ask what kinds they are, and change its own.
CREATE FUNCTION own_channels()
RETURNS TABLE (number int, kind text, browser text, own boolean, last_at timestamptz, last_reason text,
               last_status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH me AS (SELECT * FROM person WHERE id = nullif(current_setting('yiju.person', true), '')::int),
    mine AS (
        SELECT channel, ordinality::int AS number, false AS own FROM me, unnest(channels) WITH ORDINALITY AS one (channel)
        UNION ALL
        SELECT channel, cardinality(me.channels) + ordinality::int, true
        FROM me, unnest(own_channels) WITH ORDINALITY AS one (channel)
    )
    SELECT mine.number, split_part(mine.channel, ':', 1), coalesce(push.browser, ''), mine.own, last.at,
        last.reason, last.status
    FROM mine
    LEFT JOIN push_subscription AS push ON mine.channel LIKE 'webpush://%/' || push.id
    LEFT JOIN LATERAL (
        SELECT attempt.at, attempt.reason, delivery.status FROM me
        JOIN delivery ON delivery.person_id = me.id AND delivery.channel = mine.channel
        JOIN delivery_attempt AS attempt ON attempt.delivery_id = delivery.id
        ORDER BY attempt.id DESC LIMIT 1
    ) AS last ON true
    ORDER BY mine.number
$$;
CREATE FUNCTION add_own_channel(channel text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH added AS (
        UPDATE person SET own_channels = own_channels || channel
        WHERE id = nullif(current_setting('yiju.person', true), '')::int AND cardinality(own_channels) < 10
            AND NOT channel = ANY(own_channels) RETURNING 1
    )
    SELECT EXISTS (SELECT FROM added)
$$;
-- `number` counts as in own_channels(); those of the register stay.
CREATE FUNCTION remove_own_channel(number int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me person;
    gone text;
BEGIN
    SELECT * INTO me FROM person WHERE id = nullif(current_setting('yiju.person', true), '')::int FOR UPDATE;
    gone := me.own_channels[number - cardinality(me.channels)];
    IF gone IS NULL THEN
        RETURN false;
    END IF;
    UPDATE person SET own_channels = array_remove(own_channels, gone) WHERE id = me.id;
    DELETE FROM push_subscription WHERE person_id = me.id AND gone LIKE 'webpush://%/' || id;
    RETURN true;
END $$;
-- A browser that was somebody else's before is the newcomer's from now on.
CREATE FUNCTION add_push(host text, endpoint text, p256dh text, auth text, browser text, now timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me int := nullif(current_setting('yiju.person', true), '')::int;
    new_id bigint;
    old push_subscription;
BEGIN
    DELETE FROM push_subscription WHERE push_subscription.endpoint = add_push.endpoint RETURNING * INTO old;
    IF old.id IS NOT NULL THEN
        UPDATE person SET own_channels = array_remove(own_channels, 'webpush://' || host || '/' || old.id)
        WHERE person.id = old.person_id;
    END IF;
    INSERT INTO push_subscription (person_id, endpoint, p256dh, auth, browser, created_at)
    VALUES (me, add_push.endpoint, add_push.p256dh, add_push.auth, add_push.browser, add_push.now)
    RETURNING push_subscription.id INTO new_id;
    UPDATE person SET own_channels = own_channels || ('webpush://' || host || '/' || new_id) WHERE person.id = me;
    RETURN new_id;
END $$;
CREATE FUNCTION remove_push(endpoint text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me int := nullif(current_setting('yiju.person', true), '')::int;
    gone bigint;
BEGIN
    DELETE FROM push_subscription
    WHERE push_subscription.endpoint = remove_push.endpoint AND person_id = me RETURNING id INTO gone;
    UPDATE person SET own_channels = ARRAY(
        SELECT one FROM unnest(own_channels) AS one WHERE one NOT LIKE 'webpush://%/' || gone
    ) WHERE person.id = me AND gone IS NOT NULL;
    RETURN gone IS NOT NULL;
END $$;
-- Queues a test message over one's own channel; says which delivery, null when there is no such channel.
CREATE FUNCTION queue_test(number int, now timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO delivery (rung, person_id, channel, purpose, created_at, next_try_at)
    SELECT 0, id, (channels || own_channels)[queue_test.number], 'test', queue_test.now, queue_test.now FROM person
    WHERE id = nullif(current_setting('yiju.person', true), '')::int
        AND (channels || own_channels)[queue_test.number] IS NOT NULL
    ON CONFLICT (alert_id, digest_id, purpose, rung, person_id, channel)
    DO UPDATE SET state = 'queued', attempts = 0, next_try_at = excluded.next_try_at
        WHERE delivery.state <> 'queued'
    RETURNING id
$$;
-- How the people of one's own regions can be reached; for managers (the api asks who is one).
CREATE FUNCTION reach()
RETURNS TABLE (person_id int, region_id int, role text, kinds text[], sent_at timestamptz, failed_at timestamptz,
               reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE mine AS (
        SELECT region_id AS id FROM role_grant
        WHERE person_id = nullif(current_setting('yiju.person', true), '')::int AND role IN ('manager', 'admin')
        UNION
        SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
    ), people AS (
        SELECT person_id, region_id, role FROM role_grant WHERE region_id IN (SELECT id FROM mine)
        UNION SELECT person_id, region_id, 'volunteer' FROM volunteer WHERE region_id IN (SELECT id FROM mine)
        UNION SELECT consent.person_id, home.region_id, 'family' FROM consent JOIN home ON home.id = consent.home_id
        WHERE consent.withdrawn_at IS NULL AND home.region_id IN (SELECT id FROM mine)
    )
    SELECT person.id, people.region_id, people.role,
        ARRAY(SELECT DISTINCT split_part(one, ':', 1) FROM unnest(channels || own_channels) AS one ORDER BY 1),
        (SELECT max(delivery.sent_at) FROM delivery WHERE delivery.person_id = person.id), last.at, last.reason
    FROM people JOIN person ON person.id = people.person_id
    LEFT JOIN LATERAL (
        SELECT attempt.at, attempt.reason FROM delivery JOIN delivery_attempt AS attempt ON attempt.delivery_id = delivery.id
        WHERE delivery.person_id = person.id AND NOT attempt.ok AND attempt.reason <> 'not_needed'
        ORDER BY attempt.id DESC LIMIT 1
    ) AS last ON true
$$;
-- A receipt of a text message: what a voice or SMS gateway says of a delivery.
CREATE FUNCTION take_receipt(delivery bigint, reached boolean, reason text, now timestamptz) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH about AS (
        SELECT id, alert_id, person_id FROM delivery
        WHERE id = take_receipt.delivery AND state = 'sent' AND channel ~ '^sms\+'
    ), logged AS (
        INSERT INTO delivery_attempt (delivery_id, at, ok, reason)
        SELECT id, take_receipt.now, false, take_receipt.reason FROM about WHERE NOT take_receipt.reached
    ), told AS (
        INSERT INTO alert_event (alert_id, at, person_id, what, details)
        SELECT alert_id, take_receipt.now, person_id, 'not_told', jsonb_build_object('reason', take_receipt.reason)
        FROM about WHERE NOT take_receipt.reached AND alert_id IS NOT NULL
    ), changed AS (
        UPDATE delivery SET accepted_at = CASE WHEN take_receipt.reached THEN take_receipt.now ELSE accepted_at END,
            state = CASE WHEN take_receipt.reached THEN state ELSE 'failed' END
        WHERE id IN (SELECT id FROM about) RETURNING 1
    )
    SELECT EXISTS (SELECT FROM changed)
$$;
-- What the services ask to know how each other are.
CREATE FUNCTION platform_signs(now timestamptz)
RETURNS TABLE (heard_at timestamptz, gateways bigint, overdue bigint, due_at timestamptz, urgent_due_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT max(heard_at) FROM gateway_status), (SELECT count(*) FROM gateway_status),
        count(*), min(delivery.next_try_at), min(delivery.next_try_at) FILTER (WHERE alert.severity = 'urgent')
    FROM delivery LEFT JOIN alert ON alert.id = delivery.alert_id
    WHERE delivery.state = 'queued' AND delivery.next_try_at <= platform_signs.now
$$;
-- For /metrics: sums only.
CREATE FUNCTION delivery_counts(since timestamptz) RETURNS TABLE (what text, label text, amount bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT 'attempts', reason, count(*) FROM delivery_attempt WHERE at >= since GROUP BY reason
    UNION ALL
    SELECT 'deliveries_queued', '', count(*) FROM delivery WHERE state = 'queued'
$$;
REVOKE ALL ON FUNCTION own_channels(), add_own_channel(text), remove_own_channel(int), remove_push(text),
    add_push(text, text, text, text, text, timestamptz), queue_test(int, timestamptz), reach(),
    take_receipt(bigint, boolean, text, timestamptz), platform_signs(timestamptz), delivery_counts(timestamptz)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_channels(), add_own_channel(text), remove_own_channel(int), remove_push(text),
    add_push(text, text, text, text, text, timestamptz), queue_test(int, timestamptz), reach(),
    take_receipt(bigint, boolean, text, timestamptz), platform_signs(timestamptz), delivery_counts(timestamptz)
    TO yiju_api;
GRANT EXECUTE ON FUNCTION platform_signs(timestamptz) TO yiju_alerts;
