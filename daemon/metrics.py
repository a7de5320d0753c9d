"""Prometheus metrics, read from the database when somebody asks: backlog, freshness, what waits for people."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, Connection, func, select, true

from daemon import clock, config, kill
from daemon.errors import Unavailable
from daemon.store import backlog, deliveries, feeds, receivers
from daemon.store.database import Database
from daemon.tables import Action, Case, Delivery
from rules.instant import SECOND

A = Action.__table__  # type: ignore[attr-defined]
C = Case.__table__  # type: ignore[attr-defined]
D = Delivery.__table__  # type: ignore[attr-defined]


@dataclass(slots=True, eq=False)
class Figures(Collector):
    """The daemon's state as gauges; every figure is a query, so nothing is counted twice or forgotten."""

    database: Database

    def collect(self) -> Iterator[Metric]:
        """All metrics at this moment."""
        now = clock.now()
        with self.database.begin() as tx:
            due = backlog.due_count(tx, now)
            oldest = backlog.oldest_due(tx, now)
            rows = feeds.statuses(tx)
            open_cases = _counted(tx, C.c.violation, C.c.closed_at.is_(None))
            outcomes = _counted(tx, A.c.outcome, true())
            told = _counted(tx, D.c.outcome, true())
            unwell = {one.name: float(one.since is not None) for one in receivers.every(tx)}
            untold = len({one.key for one in deliveries.undelivered(tx, now)})
        yield _gauge("forestall_due_subjects", "Subjects that are due and not done.", "kind", due)
        lag = (now - oldest) / SECOND if oldest is not None else 0.0
        yield _gauge("forestall_lag_seconds", "How long the oldest due subject has been waiting.", None, {"": lag})
        ages = {row["shop"]: (now - row["watermark"]) / SECOND for row in rows if row["watermark"] is not None}
        yield _gauge("forestall_feed_age_seconds", "Age of a shop's data (now - watermark).", "shop", ages)
        failing = {row["shop"]: float(row["failing_since"] is not None) for row in rows}
        yield _gauge("forestall_feed_failing", "1 while a shop's feed fails.", "shop", failing)
        refused = {row["shop"]: float(row["quarantined"]) for row in rows}
        yield _gauge("forestall_quarantined_rows", "Input rows that could not be used so far.", "shop", refused)
        yield _gauge("forestall_open_cases", "Open cases.", "violation", open_cases)
        yield _gauge("forestall_actions", "Actions by outcome.", "outcome", outcomes)
        yield _gauge("forestall_deliveries", "Alert deliveries by outcome.", "outcome", told)
        yield _gauge("forestall_receiver_unwell", "1 while a receiver of alerts takes nothing.", "receiver", unwell)
        yield _gauge("forestall_undelivered_alerts", "Alerts that have reached nobody.", None, {"": untold})
        on = float(kill.is_on(self.database))
        yield _gauge("forestall_kill_switch", "1 while new external calls are stopped.", None, {"": on})


def serve(database: Database, address: str) -> None:
    """Serve the metrics over HTTP on "host:port". Raises Unavailable when nothing can listen there."""
    host, port = config.address(address)
    registry = CollectorRegistry()
    registry.register(Figures(database))
    try:
        start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise taken(address, error) from error


def taken(address: str, error: OSError) -> Unavailable:
    """Nothing can listen at that address."""
    why = os.strerror(error.errno) if error.errno else str(error)
    return Unavailable(f"daemon.metrics: cannot listen on {address} ({why}); choose another port, or end what uses it")


def _counted(tx: Connection, column: ColumnElement[str], where: ColumnElement[bool]) -> dict[str, int]:
    rows = tx.execute(select(column, func.count()).where(where).group_by(column)).all()
    return {str(name): int(count) for name, count in rows}


def _gauge(name: str, text: str, label: str | None, values: dict[str, float] | dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label] if label else [])
    for key, value in sorted(values.items()):
        family.add_metric([key] if label else [], value)
    return family
