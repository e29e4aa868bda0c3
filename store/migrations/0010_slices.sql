-- Several alert workers share the homes: docs/adr/0025.

-- Workers that were alive a moment ago; so each knows how many share the slices.
CREATE TABLE alert_worker (
    name  text PRIMARY KEY,
    until timestamptz NOT NULL                 -- platform time
);

-- Slice n is the homes with mod(id, 32) = n. Whoever holds slice 0 also does what is done once for the platform.
CREATE TABLE alert_slice (
    slice  int PRIMARY KEY,
    holder text,                               -- null: free
    until  timestamptz,                        -- platform time; past: free
    CHECK ((holder IS NULL) = (until IS NULL))
);
INSERT INTO alert_slice (slice) SELECT generate_series(0, 31);

GRANT SELECT, INSERT, UPDATE, DELETE ON alert_worker TO yiju_alerts;
GRANT SELECT, UPDATE ON alert_slice TO yiju_alerts;
