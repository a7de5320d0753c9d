"""What reached nobody, said where people look: how many alerts, what the other side says, and the mend."""

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping

from daemon import mistakes, reasons, words
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from daemon.store import deliveries, receivers
from daemon.store.deliveries import Undelivered
from daemon.store.receivers import Receiver
from rules.instant import format_utc
from rules.model import Outcome


@dataclass(frozen=True, slots=True)
class Silence:
    """One reason why people do not hear what they should. `count`: alerts it holds back."""

    code: str
    count: int
    text: str


_WHO = re.compile(r"^sink '[^']*'(?: \([^)]*\))?: ")
CODES = ("undelivered", "perhaps_undelivered", "receiver")


def found(connection: Connection, names: Iterable[str], now: int) -> list[Silence]:
    """All reasons at `now`, in the reader's language; `names`: the receivers that are configured."""
    rows = deliveries.undelivered(connection, now)
    named = {row.receiver for row in rows}
    silent = [one for one in receivers.every(connection) if one.since is not None and one.name in set(names) - named]
    return [*_alerts(rows), *(_alone(one.name, one.words) for one in silent)]


def _alerts(rows: list[Undelivered]) -> Iterator[Silence]:
    """Alerts nobody has, and those that somebody may have, by what the receivers say."""
    for perhaps in (False, True):
        some = [row for row in rows if row.perhaps is perhaps]
        if not some:
            continue
        count = len({row.key for row in some})
        why = _("; ").join(dict.fromkeys(reason(row.receiver, row.words) for row in some))
        if perhaps:
            text = ngettext(
                "{n} alert has perhaps reached nobody: {why}; see forestall alerts list",
                "{n} alerts have perhaps reached nobody: {why}; see forestall alerts list",
                count,
            )
        else:
            text = ngettext(
                "{n} alert has reached nobody: {why}; see forestall alerts list",
                "{n} alerts have reached nobody: {why}; see forestall alerts list",
                count,
            )
        yield Silence("perhaps_undelivered" if perhaps else "undelivered", count, text.format(n=count, why=why))


def never_tried(connection: Connection, names: Iterable[str]) -> list[str]:
    """A sentence for each configured receiver of which nobody knows yet whether it takes anything."""
    known = {one.name: one for one in receivers.every(connection)}
    return [untried(name) for name in sorted(names) if name not in known or is_untried(known[name])]


def is_untried(one: Receiver) -> bool:
    """Whether it has never been called."""
    return one.since is None and one.took_at is None


def untried(name: str) -> str:
    """What is said of one that has never been called."""
    return _("[{name}] has never been tried: forestall alerts test {word}").format(name=name, word=shlex.quote(name))


def _alone(name: str, words: str) -> Silence:
    """A receiver that takes nothing, though no alert waits for it alone."""
    text = _("{receiver} takes nothing at present: {words}; try it: forestall alerts test {name}")
    return Silence("receiver", 0, text.format(receiver=f"[{name}]", words=said(words), name=shlex.quote(name)))


def said(words: str, lang: str | None = None) -> str:
    """What a receiver said, without its name, in the given or the reader's language; values stay as they are."""
    if words == "NO_SINK":
        return _("no receiver for alerts is entered: enter one under [alerts]", lang)
    return mistakes.translated(_WHO.sub("", words, count=1), lang)


def reason(receiver: str | None, words: str) -> str:
    """Which receiver says what."""
    return said(words) if receiver is None else f"[{receiver}] {said(words)}"


def document(row: RowMapping, queue: Sequence[RowMapping], waits: Collection[str]) -> dict[str, Any]:
    """An alert for scripts, with what became of it at each receiver. `waits`: the keys of those that reached nobody."""
    return {
        "key": row["key"],
        "shop": row["shop"],
        "cause": row["cause"],
        "step": row["step"],
        "reason": row["reason"],
        "at": format_utc(row["at"]),
        "outcome": row["outcome"],
        "undelivered": row["key"] in waits,
        "deliveries": [_delivery(one) for one in queue],
    }


def _delivery(one: RowMapping) -> dict[str, Any]:
    return {
        "receiver": one["sink"],
        "outcome": one["outcome"],
        "tries": one["attempts"],
        "perhaps": one["outcome"] in deliveries.WAITING and one["doubts"] >= deliveries.DOUBTS,
        "at": _utc(one["outcome_at"]),
        "next_at": _utc(one["due_at"]),
        "words": one["note"],
    }


def states(row: RowMapping, queue: Sequence[RowMapping], waits: Collection[str]) -> list[str]:
    """What became of an alert, receiver by receiver, for people."""
    return [_state(one, waits=row["key"] in waits) for one in queue] or [_without(row)]


def _without(row: RowMapping) -> str:
    """What became of an alert that went to no receiver."""
    if row["outcome"] == Outcome.PLANNED:
        return said(row["note"]) if row["note"] else words.say(words.OUTCOMES, Outcome.PLANNED)
    if row["outcome"] == Outcome.READY:
        return said("NO_SINK")
    if row["outcome"] == Outcome.VOID:
        return reasons.sentence(row["note"])
    return words.say(words.OUTCOMES, row["outcome"])


def _state(one: RowMapping, *, waits: bool) -> str:
    """What became of an alert at one receiver."""
    name = f"[{one['sink']}]"
    if one["outcome"] == Outcome.SETTLED:
        return _("{name} told ({answer})").format(name=name, answer=said(one["note"]))
    if one["outcome"] == Outcome.VOID:
        return f"{name} {reasons.sentence(one['note'])}"
    if not one["note"]:
        return f"{name} " + (_("waits: the receiver takes nothing at present") if waits else _("waits for its turn"))
    doubt = _("perhaps told") if one["doubts"] >= deliveries.DOUBTS else _("not told")
    return _("{name} {doubt}: {words}").format(name=name, doubt=doubt, words=said(one["note"]))


def _utc(instant: int | None) -> str | None:
    return format_utc(instant) if instant is not None else None
