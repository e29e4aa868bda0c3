-- A device or a gateway comes to an end, and a device moves to another gateway: its past stays in one history.

ALTER TABLE gateway
    ADD COLUMN ended_at timestamptz,           -- taken away then; null: in use
    ADD COLUMN missing_since timestamptz;      -- the register file of its home does not name it any more; null: it does
ALTER TABLE device
    ADD COLUMN taken_at timestamptz,           -- it was itself taken away then
    ADD COLUMN ended_at timestamptz,           -- it or its gateway was: the earlier of the two; kept by a trigger
    ADD COLUMN linked_at timestamptz,          -- since when it is with its gateway; null: since it was registered
    ADD COLUMN missing_since timestamptz;

-- What a gateway measured of a device that it had before: late readings of that time are still stored.
CREATE TABLE device_link (
    device_id  int NOT NULL REFERENCES device ON DELETE CASCADE,
    until      timestamptz NOT NULL,           -- what was measured before this came through `gateway_id`
    gateway_id int NOT NULL REFERENCES gateway ON DELETE CASCADE,
    PRIMARY KEY (device_id, until)
);
CREATE INDEX ON device_link (gateway_id);
GRANT SELECT ON device_link TO yiju_ingest, yiju_register;
GRANT SELECT (ended_at, missing_since) ON gateway TO yiju_api;

CREATE FUNCTION keep_device_end() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    new.ended_at := least(new.taken_at, (SELECT ended_at FROM gateway WHERE id = new.gateway_id));
    RETURN new;
END $$;
CREATE TRIGGER keep_end BEFORE INSERT OR UPDATE OF taken_at, gateway_id ON device
    FOR EACH ROW EXECUTE FUNCTION keep_device_end();
CREATE FUNCTION end_devices_of() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE device SET taken_at = taken_at WHERE gateway_id = new.id;
    RETURN NULL;
END $$;
CREATE TRIGGER end_devices AFTER UPDATE OF ended_at ON gateway FOR EACH ROW
    WHEN (old.ended_at IS DISTINCT FROM new.ended_at) EXECUTE FUNCTION end_devices_of();
CREATE FUNCTION keep_device_link() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO device_link (device_id, until, gateway_id) VALUES (new.id, new.linked_at, old.gateway_id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_link AFTER UPDATE OF gateway_id ON device FOR EACH ROW
    WHEN (old.gateway_id <> new.gateway_id AND new.linked_at IS NOT NULL) EXECUTE FUNCTION keep_device_link();

-- What the platform counts of itself leaves out gateways that have ended.
CREATE OR REPLACE FUNCTION platform_counts(since timestamptz, silent_since timestamptz)
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
                        WHERE gateway.home_id = home.id AND gateway.ended_at IS NULL AND NOT status.online)
        AND NOT EXISTS (SELECT FROM alert WHERE alert.home_id = home.id AND alert.state <> 'resolved'
                        AND alert.kind IN ('gateway_offline', 'cannot_watch'))
        THEN 'watched' ELSE 'not_watched' END, count(*)
    FROM home LEFT JOIN home_state AS state ON state.home_id = home.id GROUP BY 2
$$;
CREATE OR REPLACE FUNCTION platform_signs(now timestamptz)
RETURNS TABLE (heard_at timestamptz, gateways bigint, overdue bigint, due_at timestamptz, urgent_due_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT heard.heard_at, heard.gateways,
        count(*) FILTER (WHERE delivery.id IS NOT NULL), min(delivery.next_try_at),
        min(delivery.next_try_at) FILTER (WHERE alert.severity = 'urgent')
    FROM (
        SELECT max(status.heard_at) AS heard_at, count(*) AS gateways
        FROM gateway_status AS status JOIN gateway ON gateway.id = status.gateway_id WHERE gateway.ended_at IS NULL
    ) AS heard
    LEFT JOIN delivery ON delivery.state = 'queued' AND delivery.next_try_at <= platform_signs.now
    LEFT JOIN alert ON alert.id = delivery.alert_id
    GROUP BY heard.heard_at, heard.gateways
$$;
