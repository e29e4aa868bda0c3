"""What listeners hear of alerts: `yiju/v1/alerts/{region}`. Rows of `alert_notice`, published and then deleted.

At least once: a row goes only when the broker has taken the message. Not retained: who connects later asks the API.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from core.wire import VERSION, AlertNotice, alert_topic, encode, to_ms
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
MOST: Final = 200
STALE: Final = timedelta(days=1)  # while no broker was there; nobody is helped by yesterday's
Publish = Callable[[str, bytes], bool]


def publish_notices(connection: Connection, publish: Publish, now: datetime) -> int:
    """Publishes what waits, oldest first. `publish` says whether the broker has it. Returns how many went.

    The rows are locked meanwhile, so that two workers do not say the same twice.
    """
    done: list[int] = []
    with connection.transaction():
        connection.execute(QUERIES["forget_stale_notices"], {"before": now - STALE})
        for row in connection.execute(QUERIES["waiting_notices"], {"most": MOST}).fetchall():
            notice = AlertNotice(
                VERSION, row["id"], row["alert_id"], row["event"], row["kind"], row["severity"], row["state"],
                row["region_key"], row["home_key"], to_ms(row["at"]),
            )  # fmt: skip
            if not publish(alert_topic(row["region_key"]), encode(notice)):
                break
            done.append(row["id"])
        if done:
            connection.execute(QUERIES["forget_notices"], {"ids": done})
    return len(done)
