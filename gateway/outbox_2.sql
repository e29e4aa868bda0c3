-- Brings an outbox of version 1 to version 2; what it holds stays.
ALTER TABLE session ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN marks BLOB NOT NULL DEFAULT x'';
ALTER TABLE session ADD COLUMN known INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN era INTEGER NOT NULL DEFAULT 0;
CREATE INDEX batch_by_era ON batch (era, since);
CREATE TABLE era (id INTEGER PRIMARY KEY, boot TEXT NOT NULL, base INTEGER NOT NULL, shift INTEGER);
PRAGMA user_version = 2;
