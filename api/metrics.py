"""What Prometheus may know: the requests of this process, and sums over the whole platform."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.reads import QUERIES
from api.reads.homes import SILENT_AFTER
from core.clock import Clock
from store.pool import Pool

SPAN: Final = timedelta(hours=1)
# what -> (name, help, label)
PLATFORM: Final = {
    "batches": ("yiju_batches_stored_last_hour", "Batches stored in the last hour of the platform's clock", None),
    "readings": ("yiju_readings_stored_last_hour", "Readings stored in the last hour", None),
    "rejected": ("yiju_rejected_last_hour", "What was rejected in the last hour", "reason"),
    "open_alerts": ("yiju_open_alerts", "Alerts that are not resolved", "kind"),
    "attempts": ("yiju_delivery_attempts_last_hour", "Attempts to send a message, by how they ended", "reason"),
    "deliveries_queued": ("yiju_deliveries_queued", "Messages that wait to be sent", None),
    "homes": ("yiju_homes", "Homes, by whether the platform can see them", "watch"),
}


class Counters:
    """One app's own registry: requests by route, and the platform's sums, asked for at each scrape."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "yiju_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "yiju_http_seconds", "Time to the first byte of an answer", ["route"], registry=self.registry
        )
        self.registry.register(_Platform(pool, clock))

    def scrape(self) -> bytes:
        """The text that Prometheus reads. Raises psycopg.OperationalError."""
        return generate_latest(self.registry)


class _Platform(Collector):
    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the database when this is registered."""
        return []

    def collect(self) -> Iterable[Metric]:
        now = self._clock.now()
        asked = {"since": now - SPAN, "silent_since": now - SILENT_AFTER}
        with self._pool.connection() as connection:
            rows = connection.execute(QUERIES["platform_counts"], asked).fetchall()
            rows += connection.execute(QUERIES["delivery_counts"], asked).fetchall()
        for what, (name, text, label) in PLATFORM.items():
            family = GaugeMetricFamily(name, text, labels=[label] if label else None)
            for row in rows:
                if row["what"] == what:
                    family.add_metric([row["label"]] if label else [], float(row["amount"]))
            yield family
