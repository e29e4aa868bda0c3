-- Least rights. A service takes one of these roles with SET ROLE right after it connects (store/pool.py);
-- a production login is a member of just its role. Row-level security is the second wall behind the api.

DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['yiju_ingest', 'yiju_alerts', 'yiju_api', 'yiju_register'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another database of this server has made it
        END;
    END LOOP;
END $$;

-- Who may see which homes: the person in `yiju.person`, set for one transaction by the api.
CREATE FUNCTION visible_homes() RETURNS SETOF int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE mine AS (
        SELECT region_id AS id FROM role_grant
        WHERE person_id = nullif(current_setting('yiju.person', true), '')::int
        UNION
        SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
    )
    SELECT home.id FROM home WHERE home.region_id IN (SELECT id FROM mine)
    UNION
    SELECT home_id FROM consent
    WHERE person_id = nullif(current_setting('yiju.person', true), '')::int AND withdrawn_at IS NULL
$$;

ALTER TABLE home ENABLE ROW LEVEL SECURITY;
ALTER TABLE room ENABLE ROW LEVEL SECURITY;
ALTER TABLE resident ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateway ENABLE ROW LEVEL SECURITY;
ALTER TABLE device ENABLE ROW LEVEL SECURITY;
ALTER TABLE consent ENABLE ROW LEVEL SECURITY;
ALTER TABLE alert ENABLE ROW LEVEL SECURITY;
ALTER TABLE alert_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE profile ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON home TO yiju_api USING (id IN (SELECT visible_homes()));
CREATE POLICY seen ON room TO yiju_api USING (home_id IN (SELECT visible_homes()));
CREATE POLICY seen ON resident TO yiju_api USING (home_id IN (SELECT visible_homes()));
CREATE POLICY seen ON gateway TO yiju_api USING (home_id IN (SELECT visible_homes()));
CREATE POLICY seen ON device TO yiju_api USING (home_id IN (SELECT visible_homes()));
CREATE POLICY seen ON consent TO yiju_api USING (home_id IN (SELECT visible_homes()));
CREATE POLICY seen ON alert TO yiju_api USING (home_id IN (SELECT visible_homes()));
CREATE POLICY seen ON alert_event TO yiju_api USING (alert_id IN (SELECT id FROM alert));
CREATE POLICY seen ON delivery TO yiju_api USING (alert_id IN (SELECT id FROM alert));
CREATE POLICY seen ON delivery_attempt TO yiju_api USING (delivery_id IN (SELECT id FROM delivery));
CREATE POLICY seen ON profile TO yiju_api USING (home_id IN (SELECT visible_homes()));

-- The other services work for every home.
CREATE POLICY all_homes_register ON home TO yiju_register USING (true);
CREATE POLICY all_homes_register ON room TO yiju_register USING (true);
CREATE POLICY all_homes_register ON resident TO yiju_register USING (true);
CREATE POLICY all_homes_register ON gateway TO yiju_register USING (true);
CREATE POLICY all_homes_register ON device TO yiju_register USING (true);
CREATE POLICY all_homes_register ON consent TO yiju_register USING (true);
CREATE POLICY all_homes ON home TO yiju_ingest, yiju_alerts USING (true);
CREATE POLICY all_homes ON room TO yiju_ingest, yiju_alerts USING (true);
CREATE POLICY all_homes ON resident TO yiju_alerts USING (true);
CREATE POLICY all_homes ON gateway TO yiju_ingest, yiju_alerts USING (true);
CREATE POLICY all_homes ON device TO yiju_ingest, yiju_alerts USING (true);
CREATE POLICY all_homes ON consent TO yiju_alerts USING (true);
CREATE POLICY all_homes ON alert TO yiju_alerts USING (true);
CREATE POLICY all_homes ON alert_event TO yiju_alerts USING (true);
CREATE POLICY all_homes ON delivery TO yiju_alerts USING (true);
CREATE POLICY all_homes ON delivery_attempt TO yiju_alerts USING (true);
CREATE POLICY all_homes ON profile TO yiju_alerts USING (true);

-- The columnstore refuses tables with row security, so the api reads series through these views only.
CREATE VIEW seen_reading WITH (security_barrier) AS
    SELECT * FROM reading WHERE home_id IN (SELECT visible_homes());
CREATE VIEW seen_rollup WITH (security_barrier) AS
    SELECT * FROM rollup WHERE home_id IN (SELECT visible_homes());
CREATE VIEW seen_device_state WITH (security_barrier) AS
    SELECT * FROM device_state WHERE home_id IN (SELECT visible_homes());
CREATE VIEW seen_home_state WITH (security_barrier) AS
    SELECT * FROM home_state WHERE home_id IN (SELECT visible_homes());
CREATE VIEW seen_gateway_status WITH (security_barrier) AS
    SELECT gateway_status.* FROM gateway_status JOIN gateway ON gateway.id = gateway_status.gateway_id
    WHERE gateway.home_id IN (SELECT visible_homes());

GRANT USAGE ON SCHEMA public TO yiju_ingest, yiju_alerts, yiju_api, yiju_register;

GRANT SELECT, INSERT, UPDATE ON region, home, room, resident, gateway, device, person, role_grant, consent, home_state
    TO yiju_register;

GRANT SELECT ON region, home, room, gateway, device TO yiju_ingest;
GRANT SELECT, INSERT ON ledger, rejected, reading, urgent_event TO yiju_ingest;
GRANT SELECT, INSERT, UPDATE ON rollup, device_state, home_state, gateway_status, service_heartbeat TO yiju_ingest;
GRANT EXECUTE ON FUNCTION reading_make_room(timestamptz, timestamptz), reading_drop_before(timestamptz) TO yiju_ingest;

GRANT SELECT ON region, home, room, resident, gateway, device, person, role_grant, consent TO yiju_alerts;
GRANT SELECT ON reading, rollup, device_state, home_state, gateway_status TO yiju_alerts;
GRANT SELECT, UPDATE ON urgent_event TO yiju_alerts;
GRANT SELECT, INSERT, UPDATE ON alert, delivery, profile, service_heartbeat TO yiju_alerts;
GRANT SELECT, INSERT ON alert_event, delivery_attempt TO yiju_alerts;
GRANT SELECT, INSERT, UPDATE, DELETE ON muted_finding TO yiju_alerts;

GRANT SELECT ON region, home, room, resident, device, alert, alert_event, delivery, delivery_attempt, profile,
    consent, role_grant, service_heartbeat TO yiju_api;
GRANT SELECT (id, key, home_id, registered_at) ON gateway TO yiju_api;
GRANT SELECT (id, key, name, phone, locale, login, password_hash) ON person TO yiju_api;  -- channels hold secrets
GRANT SELECT ON seen_reading, seen_rollup, seen_device_state, seen_home_state, seen_gateway_status TO yiju_api;
GRANT UPDATE ON alert TO yiju_api;
GRANT INSERT ON alert_event, audit TO yiju_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON login_session TO yiju_api;
GRANT UPDATE (locale) ON person TO yiju_api;

-- A person of the api writes the audit in nobody else's name, and sees there only what they did themselves.
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON audit TO yiju_api USING (person_id = nullif(current_setting('yiju.person', true), '')::int);
GRANT SELECT ON audit TO yiju_api;

-- What /metrics tells of the whole platform: sums only, nobody's data. Batches and readings are counted over a span,
-- for which the ledger's order of arrival makes a block range index enough.
CREATE INDEX ledger_stored_at ON ledger USING brin (stored_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE FUNCTION platform_counts(since timestamptz, silent_since timestamptz)
RETURNS TABLE (what text, label text, amount bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT 'batches', '', count(*) FROM ledger WHERE stored_at >= since
    UNION ALL
    SELECT 'readings', '', coalesce(sum(readings - rejected), 0) FROM ledger WHERE stored_at >= since
    UNION ALL
    SELECT 'rejected', reason, count(*) FROM rejected WHERE stored_at >= since GROUP BY reason
    UNION ALL
    SELECT 'open_alerts', kind, count(*) FROM alert WHERE state <> 'resolved' GROUP BY kind
    UNION ALL
    SELECT 'homes', CASE WHEN coalesce(state.heard_at >= silent_since, false)
        AND NOT EXISTS (SELECT FROM gateway JOIN gateway_status AS status ON status.gateway_id = gateway.id
                        WHERE gateway.home_id = home.id AND NOT status.online)
        AND NOT EXISTS (SELECT FROM alert WHERE alert.home_id = home.id AND alert.state <> 'resolved'
                        AND alert.kind IN ('gateway_offline', 'cannot_watch'))
        THEN 'watched' ELSE 'not_watched' END, count(*)
    FROM home LEFT JOIN home_state AS state ON state.home_id = home.id GROUP BY 2
$$;
REVOKE ALL ON FUNCTION platform_counts(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform_counts(timestamptz, timestamptz) TO yiju_api;
