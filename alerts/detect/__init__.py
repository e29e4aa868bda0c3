"""Detectors: pure functions from arrays to findings, one a file. They import numpy and core alone.

    sos, fall, urgent (smoke, gas, leak, tamper)   from urgent events, at once
    inactivity, not_returned                       from the home's last sign of life
    device_silent, hub_down, gateway_offline, cannot_watch   from what the platform hears

Each has `find(now, arrays, slack_s) -> Findings`. The arrays hold only the past, so no detector can look
ahead; tests/oracles says the same slowly.
"""
