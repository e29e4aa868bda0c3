-- What is learned of a home from the readings, compact.

CREATE TABLE home_memory (
    home_id int PRIMARY KEY REFERENCES home,
    data    jsonb NOT NULL                     -- alerts/profile.py: quiet spells and activity of the last eight weeks
);
GRANT SELECT, INSERT, UPDATE ON home_memory TO yiju_alerts;

-- Homes with nothing but a smart meter: the last thing that somebody switched on, and which steps are a person's.
CREATE TABLE power_life (
    home_id       int PRIMARY KEY REFERENCES home,
    until         timestamptz,                 -- the meter's values up to here were looked at
    life_at       timestamptz,
    by_hour       jsonb,                       -- steps in power by size and hour: alerts/detect/power.py
    learned_until timestamptz
);
GRANT SELECT, INSERT, UPDATE ON power_life TO yiju_alerts;
