-- The whole house, first version. Run by the owner; `store/editions/{edition}.sql` has made `reading` before.
-- Every time is timestamptz (UTC). No function here asks for the present: `now` is always passed in.

-- The register -----------------------------------------------------------------------------------

CREATE TABLE region (
    id        int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key       text NOT NULL UNIQUE,
    parent_id int REFERENCES region,
    level     text NOT NULL CHECK (level IN ('district', 'street', 'community')),
    name      text NOT NULL,
    policy    jsonb NOT NULL DEFAULT '{}'      -- thresholds and ladder; inherited down to the home
);
CREATE INDEX ON region (parent_id);

CREATE TABLE home (
    id              int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key             text NOT NULL UNIQUE,
    region_id       int NOT NULL REFERENCES region,
    name            text NOT NULL,
    address         text NOT NULL DEFAULT '',
    zone            text NOT NULL DEFAULT 'Asia/Shanghai',
    commissioned_at timestamptz NOT NULL,      -- readings from before are not of this home
    policy          jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ON home (region_id);

CREATE TABLE room (
    id      int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id int NOT NULL REFERENCES home,
    key     text NOT NULL,
    kind    text NOT NULL,                     -- core.model.RoomKind
    name    text NOT NULL DEFAULT '',          -- '' = the kind's name in the reader's language
    UNIQUE (home_id, key)
);

CREATE TABLE resident (
    id      int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id int NOT NULL REFERENCES home,
    key     text NOT NULL UNIQUE,
    name    text NOT NULL,
    born    date,
    phone   text NOT NULL DEFAULT ''
);
CREATE INDEX ON resident (home_id);

CREATE TABLE gateway (
    id            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key           text NOT NULL UNIQUE,        -- its name in topics, and its broker user
    home_id       int NOT NULL REFERENCES home,
    password_hash text NOT NULL DEFAULT '',    -- mosquitto's $7$ form; '' = may not connect
    registered_at timestamptz NOT NULL
);
CREATE INDEX ON gateway (home_id);

CREATE TABLE device (
    id            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id    int NOT NULL REFERENCES gateway,
    address       text NOT NULL,               -- `{driver}/{name}` within the gateway
    home_id       int NOT NULL REFERENCES home,
    room_id       int REFERENCES room,
    kind          text NOT NULL,               -- core.model.DeviceKind
    exterior      boolean NOT NULL DEFAULT false,  -- the door through which people leave the home
    mains         boolean NOT NULL DEFAULT false,  -- mains devices are silent within minutes, battery ones within a day
    registered_at timestamptz NOT NULL,
    UNIQUE (gateway_id, address)
);
CREATE INDEX ON device (home_id);

-- Whoever changes the register, those who keep it in mind (ingest, the broker's accounts) are told.
CREATE FUNCTION tell_register_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('register_changed', '');
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON home EXECUTE FUNCTION tell_register_changed();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON gateway EXECUTE FUNCTION tell_register_changed();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON device EXECUTE FUNCTION tell_register_changed();

-- People and their rights ------------------------------------------------------------------------

CREATE TABLE person (
    id            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key           text NOT NULL UNIQUE,
    name          text NOT NULL,
    phone         text NOT NULL DEFAULT '',
    locale        text NOT NULL DEFAULT 'zh_CN',
    channels      text[] NOT NULL DEFAULT '{}',    -- Apprise URLs, in order
    login         text UNIQUE,
    password_hash text NOT NULL DEFAULT ''         -- argon2id; '' = may not log in
);

CREATE TABLE role_grant (
    person_id int NOT NULL REFERENCES person,
    role      text NOT NULL CHECK (role IN ('worker', 'manager', 'admin')),
    region_id int NOT NULL REFERENCES region,
    PRIMARY KEY (person_id, role, region_id)
);

CREATE TABLE consent (
    person_id    int NOT NULL REFERENCES person,
    home_id      int NOT NULL REFERENCES home,
    relation     text NOT NULL DEFAULT '',
    given_at     timestamptz NOT NULL,
    withdrawn_at timestamptz,
    PRIMARY KEY (person_id, home_id)
);
CREATE INDEX ON consent (home_id);

CREATE TABLE login_session (
    token_hash bytea PRIMARY KEY,              -- sha256 of the cookie or bearer token
    person_id  int NOT NULL REFERENCES person,
    kind       text NOT NULL CHECK (kind IN ('page', 'program')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE audit (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    person_id int NOT NULL REFERENCES person,
    home_id   int REFERENCES home,
    what      text NOT NULL                    -- e.g. read.home, read.family, alert.acknowledge
);
CREATE INDEX ON audit (home_id, at);

-- From sensor to database ------------------------------------------------------------------------
-- reading(home_id, device_id, batch_id, time, received_at, value, metric, flags) is the edition's.

CREATE TABLE ledger (
    id         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    gateway_id int NOT NULL REFERENCES gateway,
    session    uuid NOT NULL,
    lane       smallint NOT NULL,              -- 0 urgent, 1 bulk
    seq        bigint NOT NULL,
    stored_at  timestamptz NOT NULL,
    readings   int NOT NULL,                   -- how many were sent
    rejected   int NOT NULL,                   -- how many of them are in `rejected`
    PRIMARY KEY (gateway_id, session, lane, seq)
);

CREATE TABLE rejected (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stored_at timestamptz NOT NULL,
    topic     text NOT NULL,
    reason    text NOT NULL,                   -- core.errors.Reason
    detail    text NOT NULL,
    size      int NOT NULL,                    -- bytes of the whole message that arrived
    readings  int NOT NULL,                    -- how many readings `payload` holds; 0 = it could not be read
    payload   bytea NOT NULL                   -- a batch of just those readings; of an unreadable one the first 4096 bytes
);
CREATE INDEX ON rejected (stored_at);

-- Quarter-hour sums per device and metric; they add up, so late data corrects them.
-- Binary metrics: `ons` is how often 1 was said, `life` how many signs of life.
CREATE TABLE rollup (
    home_id   int NOT NULL,
    bucket    timestamptz NOT NULL,            -- start of the quarter of an hour
    device_id int NOT NULL,
    metric    smallint NOT NULL,
    n         int NOT NULL,                    -- readings: coverage
    life      int NOT NULL,
    ons       int NOT NULL,                    -- changes to a value above 0
    total     float8 NOT NULL,
    low       float8 NOT NULL,
    high      float8 NOT NULL,
    PRIMARY KEY (home_id, bucket, device_id, metric)
);

-- The last measured value of each device's metrics.
CREATE TABLE device_state (
    device_id   int NOT NULL,
    metric      smallint NOT NULL,
    home_id     int NOT NULL,
    time        timestamptz NOT NULL,          -- when `value` was measured
    value       float8 NOT NULL,
    on_at       timestamptz,                   -- last measured with a value above 0
    off_at      timestamptz,                   -- last measured with 0
    changed_at  timestamptz,                   -- last reading that the gateway marked as a change
    received_at timestamptz NOT NULL,          -- last heard of at all
    PRIMARY KEY (device_id, metric)
);
CREATE INDEX ON device_state (home_id);

-- One row a home: what the sweep and the pages look at first.
CREATE TABLE home_state (
    home_id        int PRIMARY KEY REFERENCES home,
    life_at        timestamptz,                -- last sign of life, measured
    life_device_id int,
    heard_at       timestamptz                 -- last batch or status of its gateway, stored (not measured)
);

CREATE TABLE gateway_status (
    gateway_id int PRIMARY KEY REFERENCES gateway,
    online     boolean NOT NULL,               -- its birth and will
    since      timestamptz NOT NULL,
    heard_at   timestamptz                     -- last batch or status that was not retained, platform time
);

-- What must be looked at now: one row per urgent reading above 0, made in ingest's transaction.
CREATE TABLE urgent_event (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id    int NOT NULL,
    device_id  int NOT NULL,
    metric     smallint NOT NULL,
    time       timestamptz NOT NULL,
    value      float8 NOT NULL,
    stored_at  timestamptz NOT NULL,
    handled_at timestamptz
);
CREATE INDEX ON urgent_event (id) WHERE handled_at IS NULL;

-- From finding to a human ------------------------------------------------------------------------

CREATE TABLE alert (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id      int NOT NULL REFERENCES home,
    kind         text NOT NULL,                -- core.model.AlertKind
    severity     text NOT NULL,                -- core.model.Severity
    dedup_key    text NOT NULL,                -- `v1:{kind}:{home}[:{device}]`
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'on_site', 'resolved')),
    message      text NOT NULL,                -- a key of core/words ...
    parameters   jsonb NOT NULL,               -- ... and what fills its places
    coverage     jsonb NOT NULL DEFAULT '{}',  -- which sensors could be seen over which part of the window
    began_at     timestamptz NOT NULL,         -- when the trouble began, as measured
    opened_at    timestamptz NOT NULL,
    occurrences  int NOT NULL DEFAULT 1,
    last_at      timestamptz NOT NULL,         -- last occurrence
    rung         int NOT NULL DEFAULT 0,       -- how far up the ladder it is
    rung_at      timestamptz,                  -- when the next rung is due
    ack_by       int REFERENCES person,
    ack_at       timestamptz,
    ack_until    timestamptz,
    on_site_at   timestamptz,
    resolved_by  int REFERENCES person,
    resolved_at  timestamptz,
    outcome      text,
    note         text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX alert_one_open ON alert (dedup_key) WHERE state <> 'resolved';
CREATE INDEX ON alert (home_id, opened_at);
CREATE INDEX ON alert (state) WHERE state <> 'resolved';

-- Append only: what happened to an alert, as the page tells it.
CREATE TABLE alert_event (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id  bigint NOT NULL REFERENCES alert,
    at        timestamptz NOT NULL,
    person_id int REFERENCES person,           -- null: the platform itself
    what      text NOT NULL,                   -- opened, occurred_again, acknowledged, ack_expired, on_site, resolved, told, rung_skipped ...
    details   jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ON alert_event (alert_id, id);

-- A finding that its cause muted (a gateway offline mutes its devices).
CREATE TABLE muted_finding (
    dedup_key text PRIMARY KEY,
    home_id   int NOT NULL REFERENCES home,
    kind      text NOT NULL,
    cause     text NOT NULL,                   -- the dedup key of the alert that mutes it
    since     timestamptz NOT NULL,
    last_at   timestamptz NOT NULL
);

CREATE TABLE delivery (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id    bigint NOT NULL REFERENCES alert,
    rung        int NOT NULL,
    person_id   int REFERENCES person,         -- null: a channel of the whole platform
    channel     text NOT NULL,                 -- an Apprise URL
    created_at  timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed')),
    attempts    int NOT NULL DEFAULT 0,
    next_try_at timestamptz,                   -- null: no more tries
    UNIQUE NULLS NOT DISTINCT (alert_id, rung, person_id, channel)
);
CREATE INDEX ON delivery (next_try_at) WHERE state = 'queued';

CREATE TABLE delivery_attempt (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id bigint NOT NULL REFERENCES delivery,
    at          timestamptz NOT NULL,
    ok          boolean NOT NULL,
    reason      text NOT NULL,                 -- a closed list: alerts/notify/
    detail      text NOT NULL DEFAULT ''
);
CREATE INDEX ON delivery_attempt (delivery_id);

-- A home's habits as last learned; versioned, so that an alert can be explained by what judged it.
CREATE TABLE profile (
    home_id   int NOT NULL REFERENCES home,
    version   int NOT NULL,
    fitted_at timestamptz NOT NULL,
    data      jsonb NOT NULL,
    PRIMARY KEY (home_id, version)
);

CREATE TABLE service_heartbeat (
    service text PRIMARY KEY,                  -- ingest, alerts, api ...
    at      timestamptz NOT NULL,
    details jsonb NOT NULL DEFAULT '{}'
);
