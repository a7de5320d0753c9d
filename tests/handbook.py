"""The tables of docs/rule-packs.md, made from the packs: `python -m tests.handbook` writes them anew."""

from collections.abc import Callable, Iterable, Iterator

from daemon.packtext import payout, span
from rules import packs
from rules.packdata import Limit, Row, Window
from tests.project import ROOT

PAGE = ROOT / "docs" / "rule-packs.md"


def rows() -> Iterator[str]:
    """A line for each row: what it costs, when, by whose word."""
    yield _line("row", "violation", "in force", "payout", "base", "form", "started by", "sources", "mark")
    yield _line(*["---"] * 9)
    for row in (row for pack in packs.all_packs() for row in pack.rows):
        yield _line(
            row.id,
            ", ".join(row.violations) + ("" if row.scope == "order" else f" ({_scope(row)})"),
            span(row.first, row.last),
            payout(row, "en"),
            row.base or "–",
            row.form,
            row.initiation,
            ", ".join(row.source),
            row.confidence,
        )


def windows() -> Iterator[str]:
    """A line for each festival or campaign."""
    yield _line("window", "days", "rule", "only for", "applied", "source")
    yield _line(*["---"] * 6)
    for window in (window for pack in packs.all_packs() for window in pack.windows):
        applied = "yes" if window.applies else f"no: {_obstacle(window)}"
        source = f"{', '.join(window.source)} {window.confidence}"
        yield _line(window.id, span(window.first, window.last), _rule(window), _only_for(window), applied, source)


def limits() -> Iterator[str]:
    """A line for each time a platform gives."""
    yield _line("limit", "platform", "about", "in force", "time", "from – to", "only for", "source")
    yield _line(*["---"] * 8)
    for pack in packs.all_packs():
        for one in pack.limits:
            yield _line(*_limit(pack.platform, one))


def _limit(platform: str, one: Limit) -> Iterable[str]:
    where = f"tag {one.tag}" if one.tag else "–"
    source = f"{', '.join(one.source)} {one.confidence}"
    time = f"{one.hours} h"
    return (
        one.id,
        platform,
        one.about or "–",
        span(one.first, one.last),
        time,
        f"{one.start} – {one.stop}",
        where,
        source,
    )


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _scope(row: Row) -> str:
    return row.scope if row.instead_of is None else f"instead of {row.instead_of}"


def _rule(window: Window) -> str:
    if window.by is not None:
        return f"by {window.by}"
    return f"{window.hours} h" if window.hours is not None else "waived" if window.waives else "–"


def _only_for(window: Window) -> str:
    if window.tag is not None:
        return f"tag {window.tag}"
    if window.category_any:
        return window.category_any[-1]
    return "orders without a stated promise" if window.only_without_promise else "–"


def _obstacle(window: Window) -> str:
    return f"needs {window.needs}" if window.needs else "weak source"


TABLES: dict[str, Callable[[], Iterator[str]]] = {"| row |": rows, "| window |": windows, "| limit |": limits}


def written(text: str) -> str:
    """The page with its tables made anew; a table runs from its head to the first other line."""
    made: list[str] = []
    skipping = False
    for line in text.splitlines():
        head = next((head for head in TABLES if line.startswith(head)), None)
        if head is not None:
            made += TABLES[head]()
        skipping = head is not None or (skipping and line.startswith("|"))
        if not skipping:
            made.append(line)
    return "\n".join(made) + "\n"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
