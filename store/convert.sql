-- `yiju store convert`: copying one database into another.

-- name: services_at_work
SELECT DISTINCT application_name AS name FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'yiju\_%' ORDER BY 1;

-- name: identity
-- Which database this is, so that a copy goes on only from the one that it began with.
SELECT 'source ' || (SELECT system_identifier FROM pg_control_system()) || ' ' || oid AS mark
FROM pg_database WHERE datname = current_database();

-- name: begun
SELECT FROM pg_class WHERE oid = to_regclass('conversion');

-- name: holds_something
SELECT FROM region UNION ALL SELECT FROM person LIMIT 1;

-- name: begin
CREATE TABLE conversion (part text PRIMARY KEY, rows bigint NOT NULL);

-- name: done
SELECT part, rows FROM conversion;

-- name: note
INSERT INTO conversion VALUES (%(part)s, %(rows)s);

-- name: end
DROP TABLE conversion;

-- name: tables
SELECT relname AS name, ARRAY(
    SELECT parent.relname::text FROM pg_constraint JOIN pg_class AS parent ON parent.oid = confrelid
    WHERE conrelid = pg_class.oid AND contype = 'f') AS needs
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY 1;

-- name: columns
SELECT attname AS name FROM pg_attribute
WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum;

-- name: sequences
SELECT schemaname || '.' || sequencename AS name, coalesce(last_value, start_value) AS last_value,
    last_value IS NOT NULL AS is_called
FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1;
