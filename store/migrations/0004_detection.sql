-- Detection beyond silence: when the slow look was last taken, why an alarm was false, and what it needs to be quick.

CREATE TABLE look (
    what text PRIMARY KEY,
    at   timestamptz NOT NULL                  -- platform time of the last look
);
GRANT SELECT, INSERT, UPDATE ON look TO yiju_alerts;

GRANT SELECT (id, stored_at) ON ledger TO yiju_alerts;  -- a past is played in the order in which it was stored

ALTER TABLE alert ADD COLUMN false_reason text NOT NULL DEFAULT '';  -- core.model.FalseReason; '' = not given

-- The home's own false alarms make its limits longer (alerts/calibrate.py); asked in every tick.
CREATE INDEX alert_false ON alert (resolved_at) WHERE outcome = 'false_alarm';

-- Water and climate look back a day and a half over one metric; without this they would read every sensor's rows.
CREATE INDEX rollup_supplies ON rollup (device_id, bucket) WHERE metric IN (20, 22, 30);
