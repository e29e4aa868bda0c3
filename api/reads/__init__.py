"""What may be read: each function asks the database within a visit, under row-level security, and writes the audit."""

from store.queries import load_queries

QUERIES = load_queries(__package__)
