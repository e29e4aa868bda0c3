-- Rows that are updated all day leave room in their page for the next version, so that no index is touched.
ALTER TABLE rollup SET (fillfactor = 80);
ALTER TABLE device_state SET (fillfactor = 70);
ALTER TABLE home_state SET (fillfactor = 50);
ALTER TABLE gateway_status SET (fillfactor = 50);

-- A look at `gateway` for each batch cost as much as the rest of its ledger row. The same transaction writes
-- `gateway_status`, which still refuses a gateway that is gone.
ALTER TABLE ledger DROP CONSTRAINT ledger_gateway_id_fkey;

-- Where a device was before: its past stays there, also what arrives late.
CREATE TABLE device_stay (
    device_id int NOT NULL REFERENCES device ON DELETE CASCADE,
    until     timestamptz NOT NULL,            -- what it measured before this is of `home_id`
    home_id   int NOT NULL REFERENCES home ON DELETE CASCADE,
    PRIMARY KEY (device_id, until)
);
ALTER TABLE device ADD COLUMN placed_at timestamptz;  -- when it came to its home; null: when it was registered
CREATE FUNCTION keep_device_stay() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO device_stay (device_id, until, home_id)
    VALUES (new.id, coalesce(new.placed_at, new.registered_at), old.home_id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_stay AFTER UPDATE OF home_id ON device FOR EACH ROW WHEN (old.home_id <> new.home_id)
    EXECUTE FUNCTION keep_device_stay();
GRANT SELECT ON device_stay TO yiju_ingest;
