-- TimescaleDB, Apache edition (Debian's package): a hypertable with daily chunks, dropped by drop_chunks.

CREATE TABLE reading (
    home_id     int NOT NULL,
    device_id   int NOT NULL,
    batch_id    bigint NOT NULL,               -- ledger.id: the batch it came in, and when that was stored
    time        timestamptz NOT NULL,          -- when the sensor measured
    received_at timestamptz NOT NULL,          -- when the gateway received
    value       float8 NOT NULL,
    metric      smallint NOT NULL,             -- core/metrics.py
    flags       smallint NOT NULL              -- core.model.Flag
);
SELECT create_hypertable('reading', by_range('time', interval '1 day'), create_default_indexes => false);
CREATE INDEX reading_home_time ON reading (home_id, time);

-- Chunks make themselves.
CREATE FUNCTION reading_make_room(earliest timestamptz, latest timestamptz) RETURNS int
LANGUAGE sql AS $$ SELECT 0 $$;

CREATE FUNCTION reading_drop_before(moment timestamptz) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*)::int FROM drop_chunks('reading', older_than => moment)
$$;

REVOKE ALL ON FUNCTION reading_make_room(timestamptz, timestamptz), reading_drop_before(timestamptz) FROM PUBLIC;
