"""What people do to many cases or tasks at once, whichever screen asks: found by key, order or filter, one answer each.

One transaction for all: what is so already, or cannot be done, is said and does not stop the others.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, RowMapping

from daemon import words
from daemon.errors import Usage
from daemon.store import hands, views, work
from daemon.store.journal import Journal
from daemon.store.work import Thing
from rules.model import Kind, Outcome, Violation

Act = Callable[[Connection, Journal, RowMapping], None]
"""What is done to one case or task. Raises `hands.Already` or Usage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which ones a person means: names (keys or order ids), narrowed by shop and kind; or all that these two leave.

    `kind`: of a case its violation; of a task its action, step or violation. `undo`: those to take something back of.
    """

    names: tuple[str, ...] = ()
    shop: str | None = None
    kind: str | None = None
    everything: bool = False
    undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one: done now, so already (`by` whom, `at` when, where known), or refused and why.

    `row`: the case or task as it was before; None for a name that names nothing.
    """

    name: str
    did: Literal["done", "already", "refused"]
    by: str = ""
    at: int | None = None
    why: str = ""
    row: RowMapping | None = None


def carry_out(connection: Connection, thing: Thing, choice: Choice, act: Act, now: int) -> list[Answer]:
    """Do it to all that are chosen, in the caller's transaction at `now`.

    Raises Usage, before anything is changed, for an order known in several shops or a kind that there is not.
    """
    check_kind(connection, thing, choice.kind)
    chosen = list(
        _everything(connection, thing, choice, now) if choice.everything else _named(connection, thing, choice)
    )
    journal = Journal()
    answers = [_answer(connection, journal, thing, act, name, row) for name, row in chosen]
    journal.write(connection, now)
    return answers


def check_kind(connection: Connection, thing: Thing, kind: str | None) -> None:
    """Raises Usage, naming the kinds there are, for one that never is; one of which there is none today is known."""
    if kind is None:
        return
    found = work.kinds(connection, thing)
    ever = {*Violation} if thing == "case" else {*Violation, *Kind, *words.STEPS} - {Kind.ALERT}
    if kind not in ever.union(found):
        raise Usage(f"nothing is of kind {kind!r}; there is {', '.join(found or sorted(Violation))}")


def _answer(
    connection: Connection, journal: Journal, thing: Thing, act: Act, name: str, row: RowMapping | None
) -> Answer:
    if row is None:
        return Answer(name=name, did="refused", why=_unknown(connection, thing, name))
    try:
        act(connection, journal, row)
    except hands.Already as said:
        return Answer(name=name, did="already", by=said.by, at=said.at, row=row)
    except Usage as error:
        return Answer(name=name, did="refused", why=str(error), row=row)
    return Answer(name=name, did="done", row=row)


def _unknown(connection: Connection, thing: Thing, name: str) -> str:
    if views.shops_of(connection, name):
        return f"order {name} has no case" if thing == "case" else f"order {name} has no task"
    if thing == "case":
        return f"no case and no order {name!r}; `forestall cases list` shows the keys"
    return f"no task and no order {name!r}; `forestall tasks list` shows the keys"


def _everything(
    connection: Connection, thing: Thing, choice: Choice, now: int
) -> Iterator[tuple[str, RowMapping | None]]:
    for row in work.listed(connection, thing, choice.shop, now):
        if work.is_of(row, choice.kind):
            yield row["key"], row


def _named(connection: Connection, thing: Thing, choice: Choice) -> Iterator[tuple[str, RowMapping | None]]:
    """(key, row) of each named one, once; the name and None where it names nothing."""
    seen = set[str]()
    for name in choice.names:
        found = work.by_key(connection, thing, name) or _of_order(connection, thing, choice, name)
        for row in found or (None,):
            key = name if row is None else row["key"]
            if key not in seen:
                seen.add(key)
                yield key, row


def _of_order(connection: Connection, thing: Thing, choice: Choice, order_id: str) -> Sequence[RowMapping]:
    """Those of an order that can still be acted on, else the newest of each sort."""
    known = views.shops_of(connection, order_id)
    if len(known) > 1 and choice.shop is None:
        raise Usage(f"order {order_id} is known in several shops: {', '.join(known)}; add --shop")
    shop = choice.shop if choice.shop is not None else next(iter(known), "")
    rows = [row for row in work.of_order(connection, thing, shop, order_id) if work.is_of(row, choice.kind)]
    newest = {(row["violation"], row.get("step")): row for row in rows}
    return [row for row in rows if _is_wanted(thing, row, choice.undo)] or list(newest.values())


def _is_wanted(thing: Thing, row: RowMapping, undo: bool) -> bool:
    """Whether it is one that an act, or the undoing of one, can still change."""
    if thing == "case":
        return row["closed_at"] is None or (undo and row["reason"] == "RESOLVED_BY_PERSON")
    return row["outcome"] in hands.BY_PERSON.values() if undo else row["outcome"] == Outcome.NEEDS_HUMAN
