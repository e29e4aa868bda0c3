"""Detectors: pure functions from arrays to findings, one a file. They import numpy and core alone.

    sos, fall, urgent (smoke, gas, leak, tamper)   from urgent events, at once
    inactivity, not_returned                       from the home's last sign of life
    device_silent, hub_down, gateway_offline, cannot_watch   from what the platform hears

What inactivity knows of a home is learned each night (docs/detection.md):

    spells       how a silence began           memory      what is kept of a home's past
    hazard       how surprising a silence is   calibrate   from a budget to a threshold
    personal     limits to look up             alike       what a silence is like, to explain it
    power        signs of life from a meter    coverage    what of the past could be seen

Each detector has `find(now, arrays, slack_s) -> Findings`. The arrays hold only the past, so no detector can look
ahead; tests/oracles says the same slowly.
"""
