-- The outbox of one gateway. Version: PRAGMA user_version.

-- Names the outbox. A gateway that gets a new one may start its numbers again at 1, as the session is new.
CREATE TABLE session (
    id TEXT NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0,           -- readings that were thinned away
    heard INTEGER NOT NULL DEFAULT 0,          -- when a device's newest message was said, in ms since 1970
    marks BLOB NOT NULL DEFAULT x'',           -- the last messages taken, 8 bytes each: a broker may give one twice
    known INTEGER NOT NULL DEFAULT 0           -- the platform's time when it was last heard, in ms since 1970
);

-- One row a lane. `next_seq` outlives its batches, so that no number is ever used twice; the rest is kept by triggers.
CREATE TABLE lane (
    name TEXT PRIMARY KEY,
    next_seq INTEGER NOT NULL DEFAULT 1,
    batches INTEGER NOT NULL DEFAULT 0,
    readings INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Stretches of time in which the home's clock ran without a jump (gateway/eras.py). `base` is what the clock showed, in
-- ms, when the machine was started; `shift` is what is to be added to its times, NULL while nobody knows.
CREATE TABLE era (id INTEGER PRIMARY KEY, boot TEXT NOT NULL, base INTEGER NOT NULL, shift INTEGER);

-- Readings of the bulk lane that are in no batch yet, as JSON arrays, of the newest era. `since` is when the oldest was
-- received, in ms.
CREATE TABLE waiting (id INTEGER PRIMARY KEY, since INTEGER NOT NULL, n INTEGER NOT NULL, readings BLOB NOT NULL);

-- Sealed batches that the platform has not acknowledged, each as the bytes that go on the wire (its era's `shift` and
-- flags are put in when it goes). Era 0: the clock is known to be right.
CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    lane TEXT NOT NULL REFERENCES lane (name),
    seq INTEGER NOT NULL,
    since INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    thinned INTEGER NOT NULL DEFAULT 0,
    era INTEGER NOT NULL DEFAULT 0,
    payload BLOB NOT NULL
);
CREATE UNIQUE INDEX batch_by_seq ON batch (lane, seq);
CREATE INDEX batch_by_era ON batch (era, since);
CREATE INDEX batch_to_thin ON batch (seq) WHERE lane = 'bulk' AND thinned = 0;

CREATE TRIGGER batch_comes AFTER INSERT ON batch BEGIN
    UPDATE lane SET batches = batches + 1, readings = readings + NEW.readings, bytes = bytes + NEW.bytes
    WHERE name = NEW.lane;
END;
CREATE TRIGGER batch_goes AFTER DELETE ON batch BEGIN
    UPDATE lane SET batches = batches - 1, readings = readings - OLD.readings, bytes = bytes - OLD.bytes
    WHERE name = OLD.lane;
END;
CREATE TRIGGER batch_is_thinned AFTER UPDATE ON batch BEGIN
    UPDATE lane SET readings = readings + NEW.readings - OLD.readings, bytes = bytes + NEW.bytes - OLD.bytes
    WHERE name = NEW.lane;
END;

-- Each device's last value of each metric: what the next one is compared with to know whether it changed.
CREATE TABLE last_value (
    device TEXT NOT NULL,
    metric TEXT NOT NULL,
    value REAL NOT NULL,
    cleared INTEGER NOT NULL,                  -- whether it was ever 0
    PRIMARY KEY (device, metric)
) WITHOUT ROWID;

INSERT INTO lane (name) VALUES ('urgent'), ('bulk');
PRAGMA user_version = 2;
