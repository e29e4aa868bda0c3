-- The office may log a visit for the carer who was there: a sheet on paper, a call from the road.
ALTER TABLE care_visit ADD COLUMN logged_by int REFERENCES person;
COMMENT ON COLUMN care_visit.logged_by IS 'who logged it on the carer''s behalf; null: the carer';
