-- Upkeep of what is stored: which readings are still complete, what has outlived its purpose, what was erased.

-- Readings measured before this were dropped (null: none ever): what is derived from them cannot be recomputed.
ALTER TABLE store_edition ADD COLUMN complete_from timestamptz;

-- How many readings of a batch retention has dropped, for batches that came two days late or more: of all others it
-- follows from when they were stored.
ALTER TABLE ledger ADD COLUMN dropped int NOT NULL DEFAULT 0;

-- The days (UTC) that `reading` holds, oldest first, on every edition.
CREATE FUNCTION reading_days() RETURNS SETOF date
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF (SELECT edition FROM store_edition) = 'plain' THEN
        RETURN QUERY SELECT to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') FROM pg_inherits
            WHERE inhparent = 'reading'::regclass ORDER BY 1;
    ELSE
        RETURN QUERY EXECUTE 'SELECT range_start::date FROM timescaledb_information.chunks
            WHERE hypertable_schema = ''public'' AND hypertable_name = ''reading'' ORDER BY 1';
    END IF;
END $$;

-- A database that has dropped days before it could write that down: what it still holds begins with its oldest day.
UPDATE store_edition SET complete_from = (SELECT min(day) FROM reading_days() AS day)::timestamp AT TIME ZONE 'UTC'
WHERE EXISTS (
    SELECT FROM rollup WHERE bucket < (SELECT min(day) FROM reading_days() AS day)::timestamp AT TIME ZONE 'UTC');

-- The same on every edition now: drops the days that ended at or before `moment`, writes down from when on readings
-- are complete, and says how many days went.
CREATE OR REPLACE FUNCTION reading_drop_before(moment timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    old     date;
    dropped int := 0;
BEGIN
    FOR old IN SELECT day FROM reading_days() AS day WHERE day + 1 <= moment LOOP
        UPDATE ledger SET dropped = ledger.dropped + late.n FROM (
            SELECT batch_id, count(*) AS n FROM reading
            WHERE time >= old AND time < old + 1
                AND batch_id >= (SELECT min(id) FROM ledger WHERE stored_at >= old + 2)
            GROUP BY batch_id
        ) AS late WHERE ledger.id = late.batch_id;
        IF (SELECT edition FROM store_edition) = 'plain' THEN
            EXECUTE format('DROP TABLE %I', 'reading_' || to_char(old, 'YYYYMMDD'));
        END IF;
        dropped := dropped + 1;
    END LOOP;
    IF dropped > 0 THEN
        IF (SELECT edition FROM store_edition) <> 'plain' THEN
            EXECUTE 'SELECT drop_chunks(''reading'', older_than => $1)' USING date_trunc('day', moment);
        END IF;
        UPDATE store_edition SET complete_from = greatest(complete_from, date_trunc('day', moment));
    END IF;
    RETURN dropped;
END $$;

-- What the present can be at most, as far as the homes tell: the last word of the median device. A platform's clock
-- that jumped ahead (and an SOS that was stamped by it) must not make everything old.
CREATE FUNCTION believable(present timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT least(present, latest) FROM (
        SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY time) AS latest FROM device_state
    ) AS heard WHERE latest IS NOT NULL
$$;
REVOKE ALL ON FUNCTION reading_days(), believable(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reading_days(), believable(timestamptz) TO yiju_ingest, yiju_alerts;

-- Deletes at most `most` rows of one kind that are older than `keep`; says how many. store/retention.py says how long
-- and why. Nothing younger than 30 days goes, whatever is asked, and nothing at all before the first reading.
CREATE FUNCTION forget_outlived(what text, present timestamptz, keep interval, most int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    moment  timestamptz := believable(present) - greatest(keep, interval '30 days');
    gone    int;
BEGIN
    IF moment IS NULL THEN  -- nobody was heard yet
        RETURN 0;
    END IF;
    CASE what
        WHEN 'rollup' THEN
            DELETE FROM rollup WHERE ctid = ANY (ARRAY(
                SELECT old.ctid FROM home CROSS JOIN LATERAL (
                    SELECT rollup.ctid FROM rollup WHERE home_id = home.id AND bucket < moment LIMIT most) AS old
                LIMIT most));
        WHEN 'ledger' THEN  -- as long as any reading that points to it
            moment := least(moment, (SELECT min(day) FROM reading_days() AS day)::timestamptz - interval '1 day');
            DELETE FROM ledger WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM ledger WHERE stored_at < moment LIMIT most));
        WHEN 'rejected' THEN
            DELETE FROM rejected WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM rejected WHERE stored_at < moment LIMIT most));
        WHEN 'urgent_event' THEN
            DELETE FROM urgent_event WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM urgent_event WHERE stored_at < moment AND handled_at IS NOT NULL LIMIT most));
        WHEN 'muted_finding' THEN
            DELETE FROM muted_finding WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM muted_finding WHERE last_at < moment LIMIT most));
        WHEN 'delivery_attempt' THEN
            DELETE FROM delivery_attempt WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM delivery_attempt WHERE at < moment LIMIT most));
        WHEN 'profile' THEN  -- the one in use stays, however old
            DELETE FROM profile WHERE ctid = ANY (ARRAY(
                SELECT old.ctid FROM profile AS old WHERE old.fitted_at < moment AND EXISTS (
                    SELECT FROM profile AS newer WHERE newer.home_id = old.home_id AND newer.version > old.version)
                LIMIT most));
        WHEN 'audit' THEN
            DELETE FROM audit WHERE ctid = ANY (ARRAY(SELECT ctid FROM audit WHERE at < moment LIMIT most));
    END CASE;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION forget_outlived(text, timestamptz, interval, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_outlived(text, timestamptz, interval, int) TO yiju_alerts;

-- What was erased, as proof. Numbers only: the home and the resident that they stood for are gone.
CREATE TABLE erasure (
    id              int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL,
    home_number     int NOT NULL,
    resident_number int,                       -- null: the whole home
    removed         jsonb NOT NULL             -- rows by table
);
