-- Who has taken a message to send it. What a dead worker had taken is free as soon as it is known to be dead.

ALTER TABLE delivery ADD COLUMN claimed_by text;  -- alert_worker.name; NULL: nobody, or who has no name
CREATE INDEX ON delivery (claimed_by) WHERE claimed_by IS NOT NULL;
