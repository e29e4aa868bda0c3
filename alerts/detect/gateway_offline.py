"""Gateway offline: nothing heard of it for ten minutes, or its will says that it is gone.

A gateway that was never heard is not installed yet and raises nothing.
"""

import numpy as np

from alerts.detect.arrays import Gateways
from alerts.detect.findings import Findings
from core.model import AlertKind, Severity


def find(now: float, gateways: Gateways, slack_s: float = 0.0) -> Findings:
    """Gateways that are away.

    Args:
        now: epoch seconds.
        slack_s: how long a message may be under way; added to every limit.
    """
    silence = now - gateways.heard_at
    limit = np.where(gateways.online, gateways.silent_s, gateways.will_s)
    rows = np.flatnonzero(silence >= limit + slack_s)
    return Findings(
        kind=AlertKind.GATEWAY_OFFLINE,
        severity=Severity.NOTICE,
        home_id=gateways.home_id[rows],
        subject_id=gateways.gateway_id[rows],
        by_subject=True,
        began=gateways.heard_at[rows],
        figures={
            "heard_at": gateways.heard_at[rows],
            "silence_s": silence[rows],
            "gateway_id": gateways.gateway_id[rows],
        },
    )
