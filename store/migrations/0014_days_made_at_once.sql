-- Two that make the same day at once: the second one hears of the first one's day once it has its turn. After an advisory
-- lock it did not, and its transaction failed. The function is that of store/editions/plain.sql; other editions make
-- their days themselves.

DO $migration$
BEGIN
    IF (SELECT edition FROM store_edition) = 'plain' THEN
        EXECUTE $function$
CREATE OR REPLACE FUNCTION reading_make_room(earliest timestamptz, latest timestamptz) RETURNS int
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
        $function$;
    END IF;
END $migration$;
