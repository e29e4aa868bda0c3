-- A carer's visit to a home, as they tap it: "I am here", "I have left", and how the resident was.
CREATE TABLE care_visit (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id      int NOT NULL REFERENCES home,
    carer_id     int NOT NULL REFERENCES person,
    began_at     timestamptz NOT NULL,
    ended_at     timestamptz CHECK (ended_at >= began_at),  -- null: the carer is there
    found        text CHECK (found IN ('well', 'needs_attention', 'not_met')),  -- null: nobody has said
    together     boolean NOT NULL DEFAULT false,  -- carer and resident left the home together
    ended_itself boolean NOT NULL DEFAULT false,  -- nobody said that it ended
    note         text NOT NULL DEFAULT '',
    logged_at    timestamptz NOT NULL,
    undone_at    timestamptz                      -- a mistake, or replaced by a corrected one
);
CREATE UNIQUE INDEX care_visit_under_way ON care_visit (home_id, carer_id) WHERE ended_at IS NULL AND undone_at IS NULL;
CREATE INDEX care_visit_of_home ON care_visit (home_id, began_at);
CREATE INDEX care_visit_ended ON care_visit (ended_at);
-- Who was on site for an alert was in the home, too.
CREATE INDEX alert_been_on_site ON alert (resolved_at) WHERE on_site_at IS NOT NULL;
COMMENT ON COLUMN muted_finding.cause IS
    'the dedup key of the alert that mutes it, absence:{id}, maintenance:{id}, visit:{id} or on_site:{id of the alert}';

-- Staff of the home's region read and write them. Family learns only that somebody came, and when.
ALTER TABLE care_visit ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON care_visit TO yiju_api
    USING (home_id IN (SELECT id FROM home WHERE region_id IN (SELECT staff_regions())));
CREATE POLICY all_homes ON care_visit TO yiju_alerts USING (true);
GRANT SELECT, INSERT, UPDATE ON care_visit TO yiju_api;
GRANT SELECT, UPDATE ON care_visit TO yiju_alerts;
CREATE FUNCTION visits_for_family(home int, since timestamptz, present timestamptz)
RETURNS TABLE (began_at timestamptz, ended_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT care_visit.began_at, care_visit.ended_at FROM care_visit
    WHERE home_id = home AND home_id IN (SELECT visible_homes()) AND undone_at IS NULL
        AND care_visit.began_at >= since AND care_visit.began_at <= present
    ORDER BY care_visit.began_at DESC
$$;
REVOKE EXECUTE ON FUNCTION visits_for_family FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visits_for_family TO yiju_api;

-- With what care visits leave behind (store/retention.py says when and why).
CREATE OR REPLACE FUNCTION forget_outlived(what text, present timestamptz, keep interval, most int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    moment  timestamptz := believable(present) - greatest(keep, interval '30 days');
    chosen  bigint[];
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
        WHEN 'delivery' THEN  -- of digests and tests; those of an alert stay with it
            chosen := ARRAY(SELECT id FROM delivery WHERE alert_id IS NULL AND created_at < moment LIMIT most);
            DELETE FROM delivery_attempt WHERE delivery_id = ANY (chosen);
            DELETE FROM delivery WHERE id = ANY (chosen);
        WHEN 'digest' THEN
            DELETE FROM digest WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM digest WHERE made_at < moment
                    AND NOT EXISTS (SELECT FROM delivery WHERE delivery.digest_id = digest.id)
                LIMIT most));
        WHEN 'delivery_bundle' THEN
            chosen := ARRAY(SELECT id FROM delivery_bundle WHERE made_at < moment LIMIT most);
            UPDATE delivery SET bundle_id = NULL WHERE bundle_id = ANY (chosen);
            DELETE FROM delivery_bundle WHERE id = ANY (chosen);
        WHEN 'answer_link' THEN  -- one that can still be used stays
            DELETE FROM answer_link WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM answer_link WHERE made_at < moment AND expires_at < moment LIMIT most));
        WHEN 'gateway_command' THEN  -- not while an alert that asked is open
            chosen := ARRAY(
                SELECT id FROM gateway_command AS command
                WHERE created_at < moment AND expires_at < moment AND NOT EXISTS (
                    SELECT FROM alert_question JOIN alert ON alert.id = alert_question.alert_id
                    WHERE alert_question.question_id = command.id AND alert.state <> 'resolved')
                LIMIT most);
            DELETE FROM alert_question WHERE question_id = ANY (chosen);
            DELETE FROM gateway_command WHERE id = ANY (chosen);
        WHEN 'enrolment_code' THEN
            DELETE FROM enrolment_code WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM enrolment_code WHERE created_at < moment AND expires_at < moment LIMIT most));
        WHEN 'platform_trouble' THEN  -- what has not ended stays
            DELETE FROM platform_trouble WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM platform_trouble WHERE ended_at < moment LIMIT most));
        WHEN 'profile' THEN  -- the one in use stays, however old
            DELETE FROM profile WHERE ctid = ANY (ARRAY(
                SELECT old.ctid FROM profile AS old WHERE old.fitted_at < moment AND EXISTS (
                    SELECT FROM profile AS newer WHERE newer.home_id = old.home_id AND newer.version > old.version)
                LIMIT most));
        WHEN 'care_visit' THEN  -- one that has no end yet stays
            DELETE FROM care_visit WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM care_visit WHERE ended_at < moment OR undone_at < moment LIMIT most));
        WHEN 'audit' THEN
            DELETE FROM audit WHERE ctid = ANY (ARRAY(SELECT ctid FROM audit WHERE at < moment LIMIT most));
    END CASE;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
