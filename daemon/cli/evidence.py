"""`forestall evidence`: appeal packs for others, anchors, and the check that nothing was tampered with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from daemon import config as configuration
from daemon.cli import screen
from daemon.cli.session import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    Session,
    ShopOption,
    find_shop,
    here,
    maybe_opened,
    opened,
    out,
    writing,
)
from daemon.errors import Usage
from daemon.evidence import anchors, appeal, packfile, verify
from daemon.evidence.anchors import Recorded
from daemon.evidence.chain import Checked, Damage
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from rules.instant import format_utc

app = typer.Typer(help="Evidence: appeal packs, and the proof that nothing was changed.", no_args_is_help=True)
OutOption = Annotated[Path, typer.Option("--out", help="FILE.zip, or FILE.html with FILE.json beside it.")]
AnchorsOption = Annotated[
    list[Path] | None, typer.Option("--anchors", help="Anchor files or appeal packs kept elsewhere; may be repeated.")
]


@app.command("export")
def export(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The platform's order id.")],
    file: OutOption,
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    json: JsonOption = False,
) -> None:
    """Write an appeal pack: all that happened to one order, and the proof."""
    with opened(config) as session:
        name = find_shop(session, order, shop)
        document = appeal.build(session.database, session.installation.shops, name, order, session.now)
    with writing(here(file)):
        files = packfile.write(document, here(file))
    checked, parts = packfile.examine(packfile.Pack(file.name, document, None), Recorded())
    if json:
        out().json({"files": [str(path) for path in files], "digest": document["digest"], **_chain(checked, parts)})
    else:
        for path in files:
            out().print(_("written: {file}").format(file=path))
    if checked.damage or parts:
        out().say(_("the evidence of this shop is damaged: forestall evidence verify --all"))
        raise typer.Exit(1)


@app.command("verify")
def verify_evidence(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="An appeal pack: .zip, .html or .json.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All chains in the database.")] = False,
    anchor_files: AnchorsOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Tell whether evidence was altered, removed, cut off or rewritten."""
    if every == (file is not None):
        raise Usage(_("name an appeal pack, or say --all"))
    kept = [here(path) for path in anchor_files or ()]
    with maybe_opened(config, needed=every) as session:
        own = _own_anchors(session) if session is not None else None
        known = verify.recorded(kept, own)
        found = list(_every(session, known) if file is None and session else _one(session, here(file or Path()), known))
    _report(found, known, json)
    if any(checked.damage or parts for _name, checked, parts in found):
        raise typer.Exit(1)


@app.command("anchor")
def anchor(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Record every chain's head now, and print it to be kept elsewhere."""
    with opened(config) as session:
        path = _own_anchors(session)
        with writing(path):
            heads = anchors.record(session.database, path, session.now)
        if json:
            made = [{"shop": h.shop, "seq": h.seq, "hash": h.hash.hex(), "at": format_utc(session.now)} for h in heads]
            out().json({"file": str(path), "anchors": made})
            return
        for line in anchors.lines(heads, session.now):
            out().out.write(line.decode())
    out().say(_("also in {file}; keep a copy where nobody who can write there can reach it").format(file=path))


Found = tuple[str, Checked, list[str]]
"""What was checked, how its chain is, and which other parts of a pack are not what they were."""


def _every(session: Session, known: Recorded) -> Iterator[Found]:
    for checked in verify.every_chain(session.database, known):
        yield checked.shop, checked, []


def _one(session: Session | None, file: Path, known: Recorded) -> Iterator[Found]:
    pack = packfile.read(file)
    lost = verify.with_database(session.database, pack, known) if session is not None else None
    checked, parts = packfile.examine(pack, known)
    yield pack.name, checked, parts
    if lost is not None:
        yield _("the database"), Checked(checked.shop, damage=[lost]), []


def _own_anchors(session: Session) -> Path:
    return anchors.path_of(configuration.url_of(session.settings), session.settings.base)


def _report(found: list[Found], known: Recorded, json: bool) -> None:
    notes = [_("{place} is no anchor").format(place=place) for place in known.unreadable]
    if not any(checked.shop in known.of for _name, checked, _parts in found):
        notes.append(_("no anchor to compare with: what was cut off or rewritten as a whole does not show"))
    if json:
        whole = not any(checked.damage or parts for _name, checked, parts in found)
        chains = [{"name": name, **_chain(checked, parts)} for name, checked, parts in found]
        out().json({"ok": whole, "chains": chains, "notes": notes})
        return
    for name, checked, parts in found:
        known_by = ngettext("{n} link", "{n} links", checked.links).format(n=checked.links)
        if checked.shop in known.of:
            said = ngettext("{n} anchor", "{n} anchors", checked.anchors)
            known_by += ", " + said.format(n=checked.anchors)
        out().print(screen.pairs([(name, known_by)]))
        lines = [*map(_damage, checked.damage), *(_("altered: the {part} of the pack").format(part=p) for p in parts)]
        if checked.unlisted:
            lines.append(_("… and {n} more").format(n=checked.unlisted))
        for line in lines or [_("whole")]:
            out().print(f"  {line}")
    for note in notes:
        out().say(note)


def _chain(checked: Checked, parts: list[str]) -> dict[str, Any]:
    head = None
    if checked.at is not None:
        head = {"seq": checked.seq, "hash": checked.hash.hex(), "at": format_utc(checked.at)}
    return {
        "shop": checked.shop,
        "links": checked.links,
        "head": head,
        "anchors": checked.anchors,
        "anchored": checked.anchored,
        "damage": [{"kind": one.kind, "first": one.first, "last": one.last} for one in checked.damage],
        "more": checked.unlisted,
        "parts": parts,
    }


def _damage(damage: Damage) -> str:
    """What is wrong, and what that means."""
    span = str(damage.first) if damage.first == damage.last else f"{damage.first}–{damage.last}"
    count = damage.last - damage.first + 1
    match damage.kind:
        case "altered":
            return _("altered: link {span} does not follow from the one before").format(span=span)
        case "missing":
            text = ngettext("missing: link {span} is gone", "missing: links {span} are gone", count)
            return text.format(span=span)
        case "cut":
            text = ngettext(
                "cut off: link {span} was there when the head was recorded",
                "cut off: links {span} were there when the head was recorded",
                count,
            )
            return text.format(span=span)
        case "rewritten":
            return _("rewritten: somewhere in links {span} the chain is not the recorded one").format(span=span)
