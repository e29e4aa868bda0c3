"""From broker to table: subscriber -> decode -> ledger -> batch -> store -> acknowledge.

Nothing is lost and nothing is doubled: docs/architecture.md says why.
"""
