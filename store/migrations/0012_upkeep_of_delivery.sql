-- What delivery, questions and enrolment leave behind is forgotten too (store/retention.py says when and why).

-- A bundle that goes takes its number off the messages that were in it.
CREATE INDEX delivery_bundle_of ON delivery (bundle_id) WHERE bundle_id IS NOT NULL;
CREATE INDEX delivery_digest_of ON delivery (digest_id) WHERE digest_id IS NOT NULL;
CREATE INDEX delivery_of_no_alert ON delivery (created_at) WHERE alert_id IS NULL;

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
        WHEN 'audit' THEN
            DELETE FROM audit WHERE ctid = ANY (ARRAY(SELECT ctid FROM audit WHERE at < moment LIMIT most));
    END CASE;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
