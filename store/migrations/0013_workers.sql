-- Each alert worker's heart beats in its own row: a stalled one beside a healthy one is seen. The row goes with the
-- worker: when it signs off, and when another has taken over what it held.

DELETE FROM alert_worker;
ALTER TABLE alert_worker
    ADD COLUMN at timestamptz NOT NULL,        -- its last beat, platform time
    ADD COLUMN details jsonb NOT NULL DEFAULT '{}';
DELETE FROM service_heartbeat WHERE service = 'alerts';

GRANT SELECT ON alert_worker TO yiju_api;
