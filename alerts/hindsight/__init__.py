"""Hindsight: what the platform would have known, found and raised at each moment of a past, from the stored readings.

    register   homes, gateways and devices as columns           readings   what arrived, and when
    states     the tables that ingest keeps, as arrays           sums       its quarter-hour sums
    view       a moment's View, put together by alerts.observe   alarms     open or update, end, as the engine does
    play       the past from its beginning to its end

The detectors, the learning, the inhibition and the rules of opening and ending are the engine's own. Only what ingest
and the queries do is said here a second time, in numpy; tests/contract/alerts/test_hindsight.py holds the two
together on PostgreSQL. `yiju evaluate --simulated` and `yiju detect shadow` stand on it.
"""
