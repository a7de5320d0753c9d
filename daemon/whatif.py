"""Living through a recording: with the shops and playbook of a configuration, or with another playbook."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from daemon import config as configuration
from daemon.config import Config
from daemon.errors import ConfigError, Usage
from daemon.i18n import gettext as _
from daemon.installation import build, usable
from daemon.recording import Recording
from daemon.replay import AFTERMATH, LEAST_WINDOW, Simulation
from daemon.shops import Shops
from daemon.store import journal
from rules import playbook
from rules.errors import PolicyError
from rules.model import Kind
from rules.playbook import Playbook

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one step of one order: when (RFC 3339), done or dropped, why, and what it would have paid."""

    at: str
    action: str
    done: bool
    reason: str
    amount_minor: int | None
    currency: str | None


Steps = dict[tuple[str, str], Step]
"""(violation/episode, step) → what became of it."""


def settings_of(config: Path) -> Config | None:
    """The configuration when there is one; a replay needs none. Raises ConfigError for one that was asked for."""
    if not config.exists() and config == Path("forestall.toml"):
        return None
    return configuration.load(config)


def playbook_of(path: Path | None, settings: Config | None) -> Playbook:
    """The playbook in a file, else the configured one, else the shipped one. Raises ConfigError, Usage."""
    if path is not None and not path.is_file():
        raise Usage(_("{file}: no such file; name a playbook, or leave it out for the one in use").format(file=path))
    if path is None:
        return usable(build(settings, adapters=False)).shops.playbook if settings is not None else playbook.shipped()
    try:
        return playbook.load(path)
    except PolicyError as error:
        raise ConfigError(str(error)) from error


def shops_of(settings: Config | None, recording: Recording, plays: Playbook | None = None) -> Shops:
    """Configured shops as configured, all others by platform; all known before time begins to move.

    Everything in shadow. With `plays` every shop is played by that playbook.
    """
    shops = usable(build(settings, adapters=False)).shops if settings is not None else Shops()
    shops.default_mode, shops.modes, shops.on_sight = "shadow", {}, True
    if plays is not None:
        shops.playbook = plays
        for name, shop in list(shops.known.items()):
            shops.known[name] = replace(shop, policy=replace(shop.policy, playbook=plays))
    for name, platform in sorted(recording.platforms.items()):
        shops.get(name, platform)
    return shops


def span(recording: Recording, since: int | None = None) -> tuple[int, int]:
    """Where time begins, and the last fact (µs)."""
    start = since if since is not None else recording.tape.first or 0
    return start, recording.tape.last or start


def live(
    simulation: Simulation,
    recording: Recording,
    since: int | None = None,
    until: int | None = None,
    step: int = LEAST_WINDOW,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Let time pass over a recording; returns where it ended: `until`, or 72 h after all is due (contract §2)."""
    start, last = span(recording, since)

    def end() -> int:
        return until if until is not None else max(last, simulation.last_deadline() or last) + AFTERMATH

    facts = (record for record in recording.tape.play() if until is None or record.observed_at <= until)
    simulation.run(facts, start, max(step, LEAST_WINDOW), end, progress)
    return end()


def lines(simulation: Simulation) -> Iterator[Line]:
    """Every decision line of a life."""
    with simulation.database.begin() as tx:
        yield from journal.lines(tx)


def steps(told: Iterator[Line]) -> dict[tuple[str, str], Steps]:
    """The steps of each order (shop, order id), from decision lines."""
    found: dict[tuple[str, str], Steps] = {}
    for line in told:
        if line["order_id"] is None or line["event"] not in ("action", "dropped"):
            continue
        case = "/".join(str(line["key"]).split("/")[2:4])
        found.setdefault((line["shop"], line["order_id"]), {})[case, line["step"]] = Step(
            line["at"], line["action"], line["event"] == "action", line["reason"],
            line["amount_minor"] if line["event"] == "action" and line["action"] == Kind.COMPENSATE else None,
            line["currency"],
        )  # fmt: skip
    return found
