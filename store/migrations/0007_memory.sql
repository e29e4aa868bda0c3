-- What is learned of a home from the readings, compact; and when its person is known to be away.

CREATE TABLE home_memory (
    home_id int PRIMARY KEY REFERENCES home,
    data    jsonb NOT NULL                     -- alerts/profile.py: quiet spells and activity of the last eight weeks
);
GRANT SELECT, INSERT, UPDATE ON home_memory TO yiju_alerts;

-- A planned absence or a stay in hospital: silences what it should and nothing else.
CREATE TABLE absence (
    id           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id      int NOT NULL REFERENCES home,
    from_at      timestamptz NOT NULL,
    until_at     timestamptz NOT NULL CHECK (until_at > from_at),
    reason       text NOT NULL CHECK (reason IN ('family', 'hospital', 'travel', 'other')),
    said_by      int REFERENCES person,
    said_at      timestamptz NOT NULL,
    cancelled_at timestamptz                   -- null: it holds
);
CREATE INDEX ON absence (home_id, until_at);
GRANT SELECT ON absence TO yiju_alerts;

ALTER TABLE absence ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON absence TO yiju_api USING (home_id IN (SELECT visible_homes()));
CREATE POLICY all_homes ON absence TO yiju_alerts USING (true);
GRANT SELECT, INSERT ON absence TO yiju_api;
GRANT UPDATE (cancelled_at) ON absence TO yiju_api;

-- Homes with nothing but a smart meter: the last thing that somebody switched on, and which steps are a person's.
CREATE TABLE power_life (
    home_id       int PRIMARY KEY REFERENCES home,
    until         timestamptz,                 -- the meter's values up to here were looked at
    life_at       timestamptz,
    by_hour       jsonb,                       -- steps in power by size and hour: alerts/detect/power.py
    learned_until timestamptz
);
GRANT SELECT, INSERT, UPDATE ON power_life TO yiju_alerts;
