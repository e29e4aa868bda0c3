"""SOS: somebody pressed for help. Any button of the home is the home's call for help."""

from alerts.detect.arrays import UrgentEvents
from alerts.detect.findings import Findings
from alerts.detect.urgent import at_once
from core.model import AlertKind, Severity


def find(now: float, events: UrgentEvents) -> Findings:
    """Every press. `now` in epoch seconds."""
    return at_once(now, events, AlertKind.SOS, Severity.URGENT)
