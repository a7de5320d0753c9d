"""`forestall policy diff` and `policy backtest`: what a playbook would have done with recorded orders, in money."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from daemon import backtest as tested
from daemon import show, whatif, words
from daemon.backtest import Backtest, Verdict
from daemon.cli import screen
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, MostOption, here, instant, out, shared_zone
from daemon.i18n import gettext as _
from daemon.recording import Recording, record
from daemon.replay import Simulation
from daemon.whatif import Step, Steps
from rules.playbook import Playbook

PathsArgument = Annotated[list[Path], typer.Argument(metavar="PATH…", help="Recordings: .jsonl .csv .xlsx, also .gz.")]
PlaybookOption = Annotated[
    Path | None, typer.Option("--playbook", help="This playbook; left out: the configured or shipped one.")
]
ObservedOption = Annotated[str | None, typer.Option("--observed-at", help="When files without a time were true.")]
NAMED = 5
"""Order ids a line of the table names by itself."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backtest")(backtest)
    app.command("diff")(diff)


def backtest(
    paths: PathsArgument,
    playbook: PlaybookOption = None,
    observed_at: ObservedOption = None,
    most: MostOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Tell for which recorded orders the playbook would have helped, and what that is in money."""
    settings = whatif.settings_of(config)
    plays = whatif.playbook_of(here(playbook) if playbook is not None else None, settings)
    recording = record(
        map(here, paths), settings, instant(observed_at, "--observed-at", shared_zone(settings), past=True)
    )
    made = tested.backtest(recording, whatif.shops_of(settings, recording, plays))
    if json:
        out().json(_document(made, plays))
        return
    heads = ["", _("orders"), _("money"), _("orders behind it")]
    rows = [(_said(word), *_cells(made.of(word), most or NAMED)) for word in tested.WORDS]
    out().table(screen.table(heads, rows, right=(1, 2)))
    told = sum(one.told for one in made.of("unchanged"))
    text = _("of the unchanged, {told} were only told to the seller; {n} orders cannot be judged")
    out().print(text.format(told=told, n=sum(made.not_judged.values())))


def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="A playbook.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The playbook to compare it with.")],
    paths: PathsArgument,
    observed_at: ObservedOption = None,
    most: MostOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Tell what changes from playbook A to B over recorded orders, per order and in money."""
    settings = whatif.settings_of(config)
    recording = record(
        map(here, paths), settings, instant(observed_at, "--observed-at", shared_zone(settings), past=True)
    )
    plays = [whatif.playbook_of(here(path), settings) for path in (before, after)]
    lives = [_life(recording, settings, one) for one in plays]
    changes = list(_changes(lives[0][0], lives[1][0]))
    if json:
        sides = {
            side: {"playbook": play.version, "digest": play.digest, "actions": dict(sorted(counts.items()))}
            for side, play, (_steps, counts) in zip("ab", plays, lives, strict=True)
        }
        out().json({**sides, "money_minor": _sums(changes), "orders": changes})
        return
    for change in changes[:most]:
        _print(change)
    screen.rest(len(changes), most)
    for kind in sorted(lives[0][1].keys() | lives[1][1].keys()):
        a, b = lives[0][1][kind], lives[1][1][kind]
        out().print(f"{words.say(words.KINDS, kind)}: {a} → {b}")
    money = ", ".join(show.money(minor, currency) for currency, minor in _sums(changes).items()) or show.money(0, None)
    out().print(_("{n} orders change; B pays {money} more than A").format(n=len(changes), money=money))


def _life(recording: Recording, settings: Any, plays: Playbook) -> tuple[dict[tuple[str, str], Steps], Counter[str]]:
    """The steps of every order under a playbook, and how many actions of each kind there were."""
    simulation = Simulation(whatif.shops_of(settings, recording, plays))
    whatif.live(simulation, recording)
    counts = Counter(str(line["action"]) for line in whatif.lines(simulation) if line["event"] == "action")
    return whatif.steps(whatif.lines(simulation)), counts


def _changes(a: dict[tuple[str, str], Steps], b: dict[tuple[str, str], Steps]) -> Iterator[dict[str, Any]]:
    """The orders for which something differs, with the steps that do."""
    for name in sorted(a.keys() | b.keys()):
        before, after = a.get(name, {}), b.get(name, {})
        differing = [place for place in sorted({*before, *after}) if _differs(before.get(place), after.get(place))]
        if not differing:
            continue
        known = [step for step in (*before.values(), *after.values()) if step.currency is not None]
        yield {
            "shop": name[0],
            "order_id": name[1],
            "changes": [
                {"case": case, "step": step, "a": _step(before.get((case, step))), "b": _step(after.get((case, step)))}
                for case, step in differing
            ],
            "money_minor": _paid(after.values()) - _paid(before.values()),
            "currency": known[0].currency if known else None,
        }


def _differs(a: Step | None, b: Step | None) -> bool:
    """Whether a step comes, goes, moves or changes. When a step is not done for the same reason is nobody's concern."""
    if a is not None and b is not None and not a.done and not b.done:
        return a.reason != b.reason
    return a != b


def _step(step: Step | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {"at": step.at, "action": step.action, "done": step.done, "reason": step.reason, "pays": step.amount_minor}


def _paid(steps: Iterable[Step]) -> int:
    return sum(step.amount_minor or 0 for step in steps)


def _sums(changes: list[dict[str, Any]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for change in changes:
        if change["money_minor"]:
            sums[change["currency"] or "CNY"] += change["money_minor"]
    return dict(sorted(sums.items()))


def _print(change: dict[str, Any]) -> None:
    money = f"  {show.money(change['money_minor'], change['currency'])}" if change["money_minor"] else ""
    out().print(f"{change['order_id']} [{change['shop']}]{money}")
    for one in change["changes"]:
        out().print(f"  {one['case']} {one['step']}: {_short(one['a'])} → {_short(one['b'])}")


def _short(step: dict[str, Any] | None) -> str:
    if step is None:
        return screen.DASH
    return step["at"] if step["done"] else f"{_('not done')} ({step['reason']})"


def _said(word: str) -> str:
    match word:
        case "helped":
            return _("helped: late, and begun before the deadline")
        case "wasted":
            return _("wasted: in time anyway, yet the buyer was approached")
        case "missed":
            return _("missed: late, and nothing was done before")
    return _("unchanged")


def _cells(verdicts: list[Verdict], most: int) -> tuple[str, str, str]:
    money = ", ".join(show.money(minor, currency) for currency, minor in _money(verdicts).items())
    ids = ", ".join(one.order_id for one in verdicts[:most])
    return str(len(verdicts)), money or screen.DASH, ids + (" …" if len(verdicts) > most else "")


def _money(verdicts: list[Verdict]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for one in verdicts:
        if one.money_minor:
            sums[one.currency or "CNY"] += one.money_minor
    return dict(sorted(sums.items()))


def _document(made: Backtest, plays: Playbook) -> dict[str, Any]:
    found: dict[str, Any] = {
        word: {
            "orders": len(verdicts := made.of(word)),
            "money_minor": _money(verdicts),
            "told": sum(one.told for one in verdicts),
            "list": [tested.shown(one) for one in verdicts],
        }
        for word in tested.WORDS
    }
    judged = {"not_judged": dict(sorted(made.not_judged.items()))}
    return {"playbook": plays.version, "digest": plays.digest, **found, **judged}
