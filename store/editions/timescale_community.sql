-- TimescaleDB, Community edition (the image in docker-compose.yml). Run after timescale_apache.sql:
-- everything is the same, and days older than a week are compressed into the columnstore by policy.

ALTER TABLE reading SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'home_id',
    timescaledb.compress_orderby = 'time'
);
SELECT add_compression_policy('reading', compress_after => interval '7 days');
