"""The first stage of a tick: what the platform knows now, as the arrays that detectors look at.

view         reads it from the database           columns      rows -> numpy columns
policies, devices, homes                          each tick
slow, whereabouts, supplies                       once a minute
"""

from alerts.observe.view import View, observe

__all__ = ["View", "observe"]
