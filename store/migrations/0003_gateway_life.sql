-- A gateway's life: how it is enrolled, what it shall be, what it says that it is, and what it is asked to do.

ALTER TABLE gateway ADD COLUMN options jsonb NOT NULL DEFAULT '{}';  -- core.configuration.Options

-- What the platform wants each gateway to be. `document` is sent byte for byte, as its digest is of its bytes.
CREATE TABLE gateway_configuration (
    gateway_id int PRIMARY KEY REFERENCES gateway,
    version    int NOT NULL,                   -- counts up with each change
    digest     text NOT NULL,
    document   text NOT NULL,                  -- core.configuration.Configuration as JSON
    made_at    timestamptz NOT NULL
);

-- The last report of each gateway.
CREATE TABLE gateway_report (
    gateway_id int PRIMARY KEY REFERENCES gateway,
    reported_at timestamptz NOT NULL,          -- by the gateway's clock
    stored_at  timestamptz NOT NULL,
    software   text NOT NULL,
    version    int,                            -- of the configuration that it got last; null = none yet
    digest     text,
    state      text CHECK (state IN ('applied', 'refused')),
    reason     text NOT NULL DEFAULT '',       -- why it was refused
    found      jsonb NOT NULL DEFAULT '[]',    -- devices that are there and not registered: core.wire.Found
    samples    jsonb NOT NULL DEFAULT '[]'     -- messages that no driver understood: core.wire.Sample
);

-- What a gateway is asked to do, once, before `expires_at`.
CREATE TABLE gateway_command (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id  int NOT NULL REFERENCES gateway,
    kind        text NOT NULL,                 -- core.wire.CommandKind
    seconds     int NOT NULL,                  -- how long an answer is waited for
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    sent_at     timestamptz,                   -- last published; sent again until it is answered or too late
    answered_at timestamptz,                   -- by the gateway's clock
    answer      text CHECK (answer IN ('ok', 'help', 'none', 'refused')),
    reason      text NOT NULL DEFAULT ''       -- why it was refused
);
CREATE INDEX ON gateway_command (gateway_id, created_at);
CREATE INDEX gateway_command_open ON gateway_command (expires_at) WHERE answered_at IS NULL;

-- One-time codes with which a new gateway gets its credential. Only their hash is kept.
CREATE TABLE enrolment_code (
    code_hash   bytea PRIMARY KEY,             -- sha256
    home_id     int NOT NULL REFERENCES home,
    gateway_key text,                          -- null: a gateway that is not registered yet, made when the code is used
    person_id   int NOT NULL REFERENCES person,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);

CREATE FUNCTION tell_gateway_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gateway_command', '');
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT ON gateway_command EXECUTE FUNCTION tell_gateway_command();
-- Rooms and policies are a part of what a gateway is told.
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON room EXECUTE FUNCTION tell_register_changed();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON region EXECUTE FUNCTION tell_register_changed();

ALTER TABLE gateway_configuration ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateway_report ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateway_command ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON gateway_configuration TO yiju_api USING (gateway_id IN (SELECT id FROM gateway));
CREATE POLICY seen ON gateway_report TO yiju_api USING (gateway_id IN (SELECT id FROM gateway));
CREATE POLICY seen ON gateway_command TO yiju_api USING (gateway_id IN (SELECT id FROM gateway));
CREATE POLICY all_homes ON gateway_configuration TO yiju_ingest USING (true);
CREATE POLICY all_homes ON gateway_report TO yiju_ingest USING (true);
CREATE POLICY all_homes ON gateway_command TO yiju_ingest, yiju_alerts USING (true);

GRANT SELECT, INSERT, UPDATE ON gateway_configuration, gateway_report TO yiju_ingest;
GRANT SELECT, UPDATE ON gateway_command TO yiju_ingest;
GRANT SELECT, INSERT ON gateway_command TO yiju_alerts;
GRANT SELECT ON gateway_configuration, gateway_report, gateway_command TO yiju_api;
GRANT SELECT, INSERT, UPDATE ON enrolment_code TO yiju_register;
