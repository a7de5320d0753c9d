"""Metrics are queries: what a scrape shows is what the database holds at that moment."""

import socket
import urllib.request

import pytest

from daemon import metrics
from daemon.shops import Shops
from daemon.store import feeds, timers
from daemon.store.database import scratch


def test_a_scrape_shows_backlog_and_the_age_of_each_shop() -> None:
    database = scratch()
    shop = Shops().get("north", "taobao")
    with database.begin() as tx:
        feeds.ensure(tx, shop, 1)
        timers.wake(tx, timers.ORDER, [("north", "o-1", "default", 5)])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    metrics.serve(database, f"127.0.0.1:{port}")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()

    assert 'forestall_due_subjects{kind="order"} 1.0' in text
    assert 'forestall_feed_failing{shop="north"} 0.0' in text
    assert "forestall_kill_switch 0.0" in text
    assert "forestall_undelivered_alerts 0.0" in text


def test_an_address_that_is_none_is_refused_with_an_example() -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:9109"):
        metrics.serve(scratch(), "9109")
