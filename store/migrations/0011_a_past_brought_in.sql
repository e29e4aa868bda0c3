-- Which batches were never on a wire: their readings count as if they had come when they were measured.
GRANT SELECT (session) ON ledger TO yiju_alerts;
