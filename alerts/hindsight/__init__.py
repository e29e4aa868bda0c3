"""Hindsight: what the platform would have known, found and raised at each moment of a past, from the stored readings.

    register   homes, gateways and devices as columns           readings   what arrived, and when
    states     the tables that ingest keeps, as arrays           sums       its quarter-hour sums
    signs      signs of life, for the nightly learning          meters     homes with nothing but a smart meter
    alarms     open or update, end, as the engine does          play       the past from its beginning to its end

The detectors, the learning, the inhibition, what was planned and the rules of opening and ending are the engine's own.
Only what ingest and the queries do is said here a second time, in numpy; tests/contract/alerts/test_hindsight.py holds
the two together on PostgreSQL. Two things are not played: births and wills of gateways, which are not kept (a gateway
is away when nothing came for its `gateway_offline_s`), and regional incidents (the notices of their homes stand for
them). `yiju evaluate --simulated` and `yiju detect shadow` stand on it.
"""
