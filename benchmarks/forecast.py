"""How well the replay of a real order file forecasts its misses: cases in time, none too early, none too late.

Usage: python benchmarks/forecast.py ORDERS.csv.gz DECISIONS.jsonl --zone America/Sao_Paulo
ORDERS has one row an order with the columns order_id, status, purchased_at, approved_at, handed_to_carrier_at,
delivered_at, ship_by; DECISIONS is what `forestall replay --out` wrote for it.
"""

import argparse
import csv
import gzip
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from rules import playbook
from rules.instant import DAY, HOUR, format_utc, parse


@dataclass(frozen=True, slots=True)
class Life:
    """What became of one order (instants; None = never)."""

    order_id: str
    status: str
    paid_at: int | None
    handed_at: int | None
    ship_by: int | None

    @property
    def missed(self) -> bool:
        """Paid at least an hour before its limit, not cancelled, and handed over after it or never.

        An end state without an instant of its own (delivered, but nobody says when) is left out (contract §3).
        """
        if self.ship_by is None or self.paid_at is None or self.status in ("canceled", "unavailable"):
            return False
        if self.handed_at is None and self.status in ("delivered", "shipped"):
            return False
        late = self.handed_at is None or self.handed_at > self.ship_by
        return late and self.paid_at <= self.ship_by - HOUR


def lives(path: Path, zone: ZoneInfo) -> list[Life]:
    """All orders of the file."""

    def at(text: str) -> int | None:
        return parse(text, zone) if text else None

    def handed_over(row: dict[str, str]) -> int | None:
        """What was delivered had been handed over, whatever the hand-over column says later."""
        said = [at(row["handed_to_carrier_at"]), at(row["delivered_at"])]
        return min((instant for instant in said if instant is not None), default=None)

    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [
            Life(
                order_id=row["order_id"],
                status=row["status"],
                paid_at=at(row["approved_at"]),
                handed_at=handed_over(row),
                ship_by=at(row["ship_by"]),
            )
            for row in csv.DictReader(stream)
        ]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("orders", type=Path)
    parser.add_argument("decisions", type=Path)
    parser.add_argument("--zone", type=ZoneInfo, default=ZoneInfo("UTC"))
    options = parser.parse_args()
    known = {life.order_id: life for life in lives(options.orders, options.zone)}
    opened: dict[str, int] = {}
    alerts: Counter[str] = Counter()
    cases = 0
    for line in map(json.loads, options.decisions.open(encoding="utf-8")):
        if line["event"] == "case_opened" and line["case"] == "late_shipment":
            opened.setdefault(line["order_id"], parse(line["at"]))
            cases += 1
        if line["action"] == "alert":
            alerts[line["at"][:10]] += 1
    first_lead = playbook.shipped().first_lead
    misses = [life for life in known.values() if life.missed]
    in_time = [life for life in misses if opened.get(life.order_id, 1 << 62) <= (life.ship_by or 0)]
    known_open = [known[order_id] for order_id in opened]
    after = sum(life.handed_at is not None and opened[life.order_id] > life.handed_at for life in known_open)
    early = sum(opened[life.order_id] < (life.ship_by or 0) - first_lead - 1_000_000 for life in known_open)
    shown = {day: parse(f"{day}T00:00:00Z") for day in alerts}
    days = (max(shown.values()) - min(shown.values())) // DAY + 1 if shown else 1
    total = sum(alerts.values())
    print(f"orders                               {len(known):>8,}")
    print(f"late_shipment cases                  {cases:>8,}")
    print(f"forecastable misses                  {len(misses):>8,}")
    print(f"  with a case in time                {len(in_time):>8,}  {100 * len(in_time) / max(len(misses), 1):.2f} %")
    print(f"cases opened after hand-over         {after:>8,}")
    print(f"cases opened before the first lead   {early:>8,}")
    print(f"alerts                               {total:>8,}  {total / days:.1f} a shop-day over {days} days")
    for life in [life for life in misses if life not in in_time][:5]:
        at = opened.get(life.order_id)
        print(f"  no case in time: {life.order_id}, case {format_utc(at) if at else 'none'}")


if __name__ == "__main__":
    main()
