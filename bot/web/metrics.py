"""What the program counts about itself, for Prometheus: low numbers of names, never a person."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """A `bot.core.meter.Meter` with a registry of its own, so that several programs in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._sent = Counter(
            "loaso_messages",
            "Messages that left or did not, by account, lane and outcome (sent, failed, unknown, waiting).",
            ("account", "lane", "outcome"),
            registry=self._registry,
        )
        self._inbound = Histogram(
            "loaso_inbound_seconds",
            "How long it took to store and answer an event, by account and kind.",
            ("account", "kind"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._queued = Gauge(
            "loaso_replies_waiting", "Replies that wait to leave.", ("account",), registry=self._registry
        )
        self._runs = Gauge("loaso_runs", "Runs that are not over, by state.", ("state",), registry=self._registry)
        self._ready = Gauge("loaso_ready", "1 while the database and every account work.", registry=self._registry)

    def sent(self, account: str, lane: str, outcome: str, count: int = 1) -> None:
        self._sent.labels(account, str(lane), str(outcome)).inc(count)

    def inbound(self, account: str, kind: str, seconds: float) -> None:
        self._inbound.labels(account, str(kind)).observe(seconds)

    def queued(self, account: str, waiting: int) -> None:
        self._queued.labels(account).set(waiting)

    def runs(self, state: str, count: int) -> None:
        """So many runs are in that state now."""
        self._runs.labels(str(state)).set(count)

    def ready(self, ok: bool) -> None:
        """Whether everything works, as of the last time somebody asked."""
        self._ready.set(int(ok))

    def page(self) -> bytes:
        """Everything, in the text format that Prometheus reads."""
        return generate_latest(self._registry)
