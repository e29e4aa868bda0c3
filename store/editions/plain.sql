-- Plain PostgreSQL: native daily partitions (UTC days), made by ingest when a day's first reading comes, dropped by retention.

CREATE TABLE reading (
    home_id     int NOT NULL,
    device_id   int NOT NULL,
    batch_id    bigint NOT NULL,               -- ledger.id: the batch it came in, and when that was stored
    time        timestamptz NOT NULL,          -- when the sensor measured
    received_at timestamptz NOT NULL,          -- when the gateway received
    value       float8 NOT NULL,
    metric      smallint NOT NULL,             -- core/metrics.py
    flags       smallint NOT NULL              -- core.model.Flag
) PARTITION BY RANGE (time);
CREATE INDEX reading_home_time ON reading (home_id, time);

-- Makes sure that every day from `earliest` to `latest` has a place; says how many partitions it made.
CREATE FUNCTION reading_make_room(earliest timestamptz, latest timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    day  date;
    made int := 0;
BEGIN
    FOR day IN SELECT generate_series(earliest::date, latest::date, interval '1 day')::date LOOP
        IF to_regclass('reading_' || to_char(day, 'YYYYMMDD')) IS NULL THEN
            -- A lock of the table, not an advisory one: only then is heard what another has made meanwhile.
            LOCK TABLE reading IN SHARE UPDATE EXCLUSIVE MODE;
            IF to_regclass('reading_' || to_char(day, 'YYYYMMDD')) IS NULL THEN
                -- Attached, not made in its place: that would wait for everybody who reads, a backup of hours too.
                EXECUTE format('CREATE TABLE %I (LIKE reading INCLUDING ALL)', 'reading_' || to_char(day, 'YYYYMMDD'));
                EXECUTE format('ALTER TABLE reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    'reading_' || to_char(day, 'YYYYMMDD'), day::timestamptz, (day + 1)::timestamptz);
                made := made + 1;
            END IF;
        END IF;
    END LOOP;
    RETURN made;
END $$;

-- Drops the days that ended at or before `moment`; says how many.
CREATE FUNCTION reading_drop_before(moment timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    old     regclass;
    dropped int := 0;
BEGIN
    FOR old IN
        SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent = 'reading'::regclass
          AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') + 1 <= moment
        ORDER BY 1
    LOOP
        EXECUTE format('DROP TABLE %s', old);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

REVOKE ALL ON FUNCTION reading_make_room(timestamptz, timestamptz), reading_drop_before(timestamptz) FROM PUBLIC;
