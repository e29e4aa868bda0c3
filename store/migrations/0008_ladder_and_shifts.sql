-- From finding to a human who comes: the ladder, shifts, planned absence, maintenance, regional incidents.

-- An alert is about a home or, when many gateways of a region are gone at once, about a region.
ALTER TABLE alert ALTER COLUMN home_id DROP NOT NULL,
    ADD COLUMN region_id int REFERENCES region,
    ADD CONSTRAINT alert_about_one CHECK (num_nonnulls(home_id, region_id) = 1),
    ADD COLUMN step int NOT NULL DEFAULT 0,             -- how often the rung was told, or which contact was
    ADD COLUMN round int NOT NULL DEFAULT 0,            -- how often the whole ladder was climbed in vain
    ADD COLUMN held boolean NOT NULL DEFAULT false,     -- waits for the end of quiet hours
    ADD COLUMN handed_to int REFERENCES person,         -- asked by name to take it over
    ADD COLUMN hand_due boolean NOT NULL DEFAULT false; -- ... and not told yet

-- The homes of a regional incident.
CREATE TABLE alert_home (
    alert_id  bigint NOT NULL REFERENCES alert,
    home_id   int NOT NULL REFERENCES home,
    joined_at timestamptz NOT NULL,
    PRIMARY KEY (alert_id, home_id)
);
CREATE INDEX ON alert_home (home_id);

-- Questions to the home, "are you all right?", and whether their answer has been taken in.
CREATE TABLE alert_question (
    question_id bigint PRIMARY KEY REFERENCES gateway_command,
    alert_id    bigint NOT NULL REFERENCES alert,
    rung        int NOT NULL,
    settled     boolean NOT NULL DEFAULT false
);
CREATE INDEX alert_question_open ON alert_question (alert_id) WHERE NOT settled;

-- Who, when, from where, why. Append only: no service may change a row, and neither may the owner by mistake.
ALTER TABLE alert_event
    ADD COLUMN source text NOT NULL DEFAULT 'platform'
        CHECK (source IN ('platform', 'page', 'api', 'link', 'sms', 'gateway')),
    ADD COLUMN why text NOT NULL DEFAULT '';
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: add a row that corrects it', TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE ON alert_event FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What was muted stays on record: since when, why, until when.
ALTER TABLE muted_finding DROP CONSTRAINT muted_finding_pkey,
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ADD COLUMN ended_at timestamptz;
COMMENT ON COLUMN muted_finding.cause IS 'the dedup key of the alert that mutes it, absence:{id} or maintenance:{id}';
CREATE UNIQUE INDEX muted_once ON muted_finding (dedup_key) WHERE ended_at IS NULL;
CREATE INDEX ON muted_finding (home_id);

-- The resident is away, in hospital, or has a visitor. It always has an end, and ends by itself on the return.
CREATE TABLE absence (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id    int NOT NULL REFERENCES home,
    kind       text NOT NULL CHECK (kind IN ('away', 'hospital', 'visitor')),
    from_at    timestamptz NOT NULL,
    until_at   timestamptz NOT NULL CHECK (until_at > from_at),
    note       text NOT NULL DEFAULT '',
    entered_by int NOT NULL REFERENCES person,
    entered_at timestamptz NOT NULL,
    ended_at   timestamptz,                    -- before `until_at`: taken back, or the resident is home again
    ended_by   int REFERENCES person           -- null: the platform saw the return
);
CREATE INDEX ON absence (home_id, until_at);

-- Work on the equipment of a home or of all homes of a region.
CREATE TABLE maintenance (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id    int REFERENCES home,
    region_id  int REFERENCES region,
    from_at    timestamptz NOT NULL,
    until_at   timestamptz NOT NULL CHECK (until_at > from_at),
    note       text NOT NULL DEFAULT '',
    entered_by int NOT NULL REFERENCES person,
    entered_at timestamptz NOT NULL,
    ended_at   timestamptz,
    ended_by   int REFERENCES person,
    CHECK (num_nonnulls(home_id, region_id) = 1)
);
CREATE INDEX ON maintenance (until_at);

-- Who is told, in which order.
ALTER TABLE consent ADD COLUMN place int NOT NULL DEFAULT 1;  -- the contact that is told first has the least
ALTER TABLE role_grant DROP CONSTRAINT role_grant_role_check,
    ADD CONSTRAINT role_grant_role_check CHECK (role IN ('worker', 'manager', 'admin', 'centre'));
-- A volunteer is no staff: they see a home only while they are called to it.
CREATE TABLE volunteer (
    person_id int NOT NULL REFERENCES person,
    region_id int NOT NULL REFERENCES region,
    PRIMARY KEY (person_id, region_id)
);

-- Shifts: members take turns; every time is a wall clock's in `zone`.
CREATE TABLE rotation (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        text NOT NULL UNIQUE,
    region_id  int NOT NULL REFERENCES region,
    name       text NOT NULL,
    duty       text NOT NULL CHECK (duty IN ('first', 'second')),
    zone       text NOT NULL,
    handovers  text[] NOT NULL,                -- 'HH:MM', ascending
    every_days int NOT NULL CHECK (every_days >= 1),
    starts_on  date NOT NULL,
    ends_on    date                            -- first day without it
);
CREATE INDEX ON rotation (region_id);
CREATE TABLE rotation_member (
    rotation_id int NOT NULL REFERENCES rotation,
    place       int NOT NULL,
    person_id   int REFERENCES person,         -- null: nobody is on in this turn
    PRIMARY KEY (rotation_id, place)
);
-- Somebody else is on for a while; of two that overlap the later one holds. A swap is two of them.
CREATE TABLE shift_cover (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rotation_id  int NOT NULL REFERENCES rotation,
    person_id    int NOT NULL REFERENCES person,
    from_at      timestamptz NOT NULL,
    until_at     timestamptz NOT NULL CHECK (until_at > from_at),
    swap         uuid,                         -- the same in both halves of a swap
    note         text NOT NULL DEFAULT '',
    entered_by   int NOT NULL REFERENCES person,
    entered_at   timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE INDEX ON shift_cover (rotation_id, until_at);
-- Ill, on holiday: nobody is told in that time, and a shift of theirs is a gap until it is covered.
CREATE TABLE leave (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id    int NOT NULL REFERENCES person,
    from_at      timestamptz NOT NULL,
    until_at     timestamptz NOT NULL CHECK (until_at > from_at),
    note         text NOT NULL DEFAULT '',
    entered_by   int NOT NULL REFERENCES person,
    entered_at   timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE INDEX ON leave (person_id, until_at);

-- Several things in one message: what quiet hours held back, a manager's morning.
CREATE TABLE digest (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id int NOT NULL REFERENCES person,
    kind      text NOT NULL CHECK (kind IN ('held', 'morning')),
    day       date NOT NULL,
    made_at   timestamptz NOT NULL,
    lines     jsonb NOT NULL,                  -- alert ids (held), keys of core/words with parameters (morning)
    UNIQUE (person_id, kind, day)
);

-- A delivery says something of an alert, or is a digest.
ALTER TABLE delivery ALTER COLUMN alert_id DROP NOT NULL,
    ADD COLUMN digest_id bigint REFERENCES digest,
    ADD COLUMN purpose text NOT NULL DEFAULT 'alert'
        CHECK (purpose IN ('alert', 'handed', 'emergency', 'ended', 'digest')),
    ADD COLUMN unanswered boolean NOT NULL DEFAULT false,  -- others were told before, and nobody has answered
    ADD CONSTRAINT delivery_about_one CHECK (num_nonnulls(alert_id, digest_id) = 1),
    DROP CONSTRAINT delivery_alert_id_rung_person_id_channel_key,
    ADD UNIQUE NULLS NOT DISTINCT (alert_id, digest_id, purpose, rung, person_id, channel);
CREATE INDEX ON delivery (person_id);

-- Rights ----------------------------------------------------------------------------------------

-- The regions of a person's grants and all below; and those above, whose incidents are theirs too.
CREATE FUNCTION visible_regions() RETURNS SETOF int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE mine AS (
        SELECT region_id AS id FROM role_grant
        WHERE person_id = nullif(current_setting('yiju.person', true), '')::int
    ), below AS (
        SELECT id FROM mine UNION SELECT region.id FROM region JOIN below ON region.parent_id = below.id
    ), above AS (
        SELECT id FROM mine UNION SELECT region.parent_id FROM region JOIN above ON region.id = above.id
        WHERE region.parent_id IS NOT NULL
    )
    SELECT id FROM below UNION SELECT id FROM above
$$;
CREATE OR REPLACE FUNCTION visible_homes() RETURNS SETOF int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE mine AS (
        SELECT region_id AS id FROM role_grant
        WHERE person_id = nullif(current_setting('yiju.person', true), '')::int
        UNION
        SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
    )
    SELECT home.id FROM home WHERE home.region_id IN (SELECT id FROM mine)
    UNION
    SELECT home_id FROM consent
    WHERE person_id = nullif(current_setting('yiju.person', true), '')::int AND withdrawn_at IS NULL
    UNION
    SELECT alert.home_id FROM volunteer
    JOIN delivery ON delivery.person_id = volunteer.person_id
    JOIN alert ON alert.id = delivery.alert_id AND alert.state <> 'resolved' AND alert.home_id IS NOT NULL
    WHERE volunteer.person_id = nullif(current_setting('yiju.person', true), '')::int
$$;
-- Whether a person of `yiju.person` is staff of a region: holds a grant there or above.
CREATE FUNCTION staff_regions() RETURNS SETOF int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE mine AS (
        SELECT region_id AS id FROM role_grant
        WHERE person_id = nullif(current_setting('yiju.person', true), '')::int
        UNION
        SELECT region.id FROM region JOIN mine ON region.parent_id = mine.id
    )
    SELECT id FROM mine
$$;

DROP POLICY seen ON alert;
CREATE POLICY seen ON alert TO yiju_api
    USING (home_id IN (SELECT visible_homes()) OR region_id IN (SELECT visible_regions()));

ALTER TABLE alert_home ENABLE ROW LEVEL SECURITY;
ALTER TABLE muted_finding ENABLE ROW LEVEL SECURITY;
ALTER TABLE absence ENABLE ROW LEVEL SECURITY;
ALTER TABLE maintenance ENABLE ROW LEVEL SECURITY;
ALTER TABLE rotation ENABLE ROW LEVEL SECURITY;
ALTER TABLE rotation_member ENABLE ROW LEVEL SECURITY;
ALTER TABLE shift_cover ENABLE ROW LEVEL SECURITY;
ALTER TABLE leave ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON alert_home TO yiju_api USING (home_id IN (SELECT visible_homes()));
CREATE POLICY seen ON muted_finding TO yiju_api USING (home_id IN (SELECT visible_homes()));
CREATE POLICY seen ON absence TO yiju_api USING (home_id IN (SELECT visible_homes()));
CREATE POLICY seen ON maintenance TO yiju_api
    USING (home_id IN (SELECT visible_homes()) OR region_id IN (SELECT visible_regions()))
    WITH CHECK (home_id IN (SELECT visible_homes()) OR region_id IN (SELECT staff_regions()));
CREATE POLICY seen ON rotation TO yiju_api USING (region_id IN (SELECT visible_regions()));
CREATE POLICY seen ON rotation_member TO yiju_api USING (rotation_id IN (SELECT id FROM rotation));
CREATE POLICY seen ON shift_cover TO yiju_api USING (rotation_id IN (SELECT id FROM rotation));
CREATE POLICY seen ON leave TO yiju_api USING (
    person_id = nullif(current_setting('yiju.person', true), '')::int
    OR person_id IN (SELECT person_id FROM role_grant WHERE region_id IN (SELECT visible_regions())));
CREATE POLICY all_homes ON alert_home TO yiju_alerts USING (true);
CREATE POLICY all_homes ON muted_finding TO yiju_alerts USING (true);
CREATE POLICY all_homes ON absence TO yiju_alerts USING (true);
CREATE POLICY all_homes ON maintenance TO yiju_alerts USING (true);
CREATE POLICY all_homes ON rotation TO yiju_alerts, yiju_register USING (true);
CREATE POLICY all_homes ON rotation_member TO yiju_alerts, yiju_register USING (true);
CREATE POLICY all_homes ON shift_cover TO yiju_alerts USING (true);
CREATE POLICY all_homes ON leave TO yiju_alerts USING (true);

GRANT SELECT, INSERT, UPDATE ON volunteer, rotation TO yiju_register;
GRANT SELECT, INSERT, UPDATE, DELETE ON rotation_member TO yiju_register;
GRANT SELECT ON volunteer, rotation, rotation_member, shift_cover, leave, maintenance TO yiju_alerts;
GRANT SELECT, UPDATE ON absence TO yiju_alerts;
GRANT SELECT, INSERT ON alert_home TO yiju_alerts;
GRANT SELECT, INSERT, UPDATE ON alert_question TO yiju_alerts;
GRANT SELECT, INSERT, UPDATE ON digest TO yiju_alerts;
GRANT SELECT ON volunteer, rotation, rotation_member, alert_home, muted_finding TO yiju_api;
GRANT SELECT, INSERT, UPDATE ON absence, maintenance, shift_cover, leave TO yiju_api;
