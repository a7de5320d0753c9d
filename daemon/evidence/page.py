"""An appeal pack as one page that can be printed: for a platform's clerk, who knows nothing of Forestall.

Made from the document alone, so that the same document gives the same bytes and a changed page shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from daemon import foreign, i18n, reasons, words
from daemon.i18n import gettext as _
from daemon.show import money
from rules.instant import parse, to_datetime

Document = Mapping[str, Any]
DASH = "–"
PAGE = Template("""<!DOCTYPE html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 15px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; color: #1a1a1a;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.sub, footer { color: #555; } footer { margin-top: 2rem; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; } thead { display: table-header-group; } tr { break-inside: avoid; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid #ddd; }
th { font-weight: 600; white-space: nowrap; } td.when, td.num { white-space: nowrap; }
td.mark { font-weight: 700; } .words { white-space: pre-wrap; } code { font-size: .85em; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } }
</style>
</head>
<body>
<h1>$title</h1>
<p class="sub">$subtitle</p>
$parts
<footer>$footer</footer>
</body>
</html>
""")


def render(document: Document) -> str:
    """The page, in the language the document was made in."""
    token = i18n.override.set(document["language"])
    try:
        return _page(document, ZoneInfo(document["timezone"]))
    finally:
        i18n.override.reset(token)


def _page(document: Document, zone: ZoneInfo) -> str:
    parts = (
        _part(_("The order"), _facts(document, zone)),
        _part(_("Ship-by time: who says what"), _candidates(document, zone)),
        _part(_("What happened"), _timeline(document, zone)),
        _part(_("What was said and offered"), _said(document, zone)),
        _part(_("Receipts"), _receipts(document, zone)),
        _part(_("Platform rules for this order"), _rules(document, zone)),
        _part(_("Proof"), _proof(document)),
    )
    made = _("made {moment}; all times are {zone}")
    return PAGE.substitute(
        lang="zh-CN" if i18n.language() == "zh" else "en",
        title=escape(_("Evidence for order {order}").format(order=document["order_id"])),
        subtitle=escape(f"{document['shop']} · {document['platform']}"),
        parts="\n".join(parts),
        footer=escape(made.format(moment=_moment(document["made_at"], zone), zone=document["timezone"])),
    )


def _part(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}"


def _facts(document: Document, zone: ZoneInfo) -> str:
    order = document["order"]
    rows = [
        (_("status"), words.say(words.STATUSES, order["status"])),
        (_("paid"), _paid(order, zone)),
        (_("ship by"), _moment(document["ship_by"], zone)),
        (_("hand over by"), _moment(document["act_by"], zone)),
    ]
    rows += [
        (words.say(words.VIOLATIONS, case["violation"]), f"{_life(case, zone)}  {reasons.sentence(case['reason'])}")
        for case in document["cases"]
    ]
    return _table((), rows)


def _paid(order: Mapping[str, Any], zone: ZoneInfo) -> str:
    amount = money(order["paid_minor"], order["currency"])
    return _("{amount}, paid {moment}").format(amount=amount, moment=_moment(order["paid_at"], zone))


def _life(case: Mapping[str, Any], zone: ZoneInfo) -> str:
    """From when to when a case stood."""
    return f"{_moment(case['opened_at'], zone)} – {_moment(case['closed_at'], zone) if case['closed_at'] else '…'}"


def _candidates(document: Document, zone: ZoneInfo) -> str:
    rows = [
        (
            _("in force") if one["effective"] else "",
            _moment(one["ship_by"], zone),
            words.say(words.SOURCES, one["source"]),
            _moment(one["observed_at"], zone),
        )
        for one in document["candidates"]
    ]
    return _table(("", _("ship by"), _("says"), _("seen")), rows)


def _timeline(document: Document, zone: ZoneInfo) -> str:
    rows = [
        (_moment(one["at"], zone), words.say(words.ENTRIES, one["event"]), _told(one, zone), _link(one))
        for one in document["timeline"]
    ]
    return _table((_("time"), "", "", _("link")), rows)


def _link(one: Mapping[str, Any]) -> str:
    """The place in the chain; in brackets where only the hash of the entry is in this pack."""
    return f"({one['seq']})" if one.get("withheld") else str(one["seq"])


def _told(one: Mapping[str, Any], zone: ZoneInfo) -> str:
    """One entry in a sentence."""
    match one["event"]:
        case "observed":
            return "; ".join(f"{_name(name)}: {_value(name, value, zone)}" for name, value in one["facts"].items())
        case "fact":
            count = f": {one['points']}" if "points" in one else ""
            return f"{words.say(words.FACTS, one['fact'])}{count} ({_moment(one['happened_at'], zone)})"
    said = [words.say(words.VIOLATIONS, one.get("case"))]
    if one.get("step"):
        said.append(words.say(words.STEPS, one["step"]))
    if one.get("amount_minor") is not None:
        said.append(money(one["amount_minor"], one.get("currency")))
    if one.get("outcome"):
        said.append(words.say(words.OUTCOMES, one["outcome"]))
    return f"{' · '.join(said)} – {reasons.sentence(one.get('reason'))}"


def _name(name: str) -> str:
    """What a fact is called; one of a line carries the line's id."""
    *line, last = name.split(".")
    said = words.say(foreign.FIELDS, last)
    return f"{said} ({'.'.join(line[1:])})" if line else said


def _value(name: str, value: Any, zone: ZoneInfo) -> str:
    if name.endswith(("_at", "_by")) and isinstance(value, str):
        return _moment(value, zone)
    if name == "status":
        return words.say(words.STATUSES, value)
    if name == "flags" and isinstance(value, list):
        return ", ".join(words.say(words.FLAGS, one) for one in value) or DASH
    if name.endswith("_minor") and isinstance(value, int):
        return money(value, None)
    if isinstance(value, list):
        return ", ".join(_value("", one, zone) for one in value)
    if isinstance(value, dict):
        return " ".join(_value(key, one, zone) for key, one in value.items())
    return DASH if value is None else str(value)


def _said(document: Document, zone: ZoneInfo) -> str:
    rows = [
        (
            _moment(one["at"], zone),
            f"{words.say(words.KINDS, one['kind'])} · {words.say(words.OUTCOMES, one['outcome'])}",
            one["text"] or words.say(words.STEPS, one["step"]),
            money(one["amount_minor"], one["currency"]) if one["amount_minor"] is not None else "",
        )
        for one in document["messages"]
    ]
    return _table((_("time"), "", _("text"), _("amount")), rows)


def _receipts(document: Document, zone: ZoneInfo) -> str:
    rows = [
        (
            _moment(one["at"], zone),
            str(one["key"]),
            words.say(words.OUTCOMES, one["outcome"]),
            reasons.sentence(one["reason"]),
        )
        for one in document["receipts"]
    ]
    return _table((_("time"), _("what"), _("outcome"), _("receipt")), rows)


def _rules(document: Document, zone: ZoneInfo) -> str:
    rows = [
        (
            words.say(words.VIOLATIONS, rule["id"]) if rule["id"] in words.VIOLATIONS else rule["id"],
            _("applies") if rule["fired"] else _("does not apply"),
            reasons.sentence(rule["reason"]),
            money(rule["amount_minor"], document["order"]["currency"]) if rule["amount_minor"] is not None else "",
        )
        for rule in document["rules"]
    ]
    laws = [
        (_moment(law["since"], zone), law["pack"], law["pack_digest"], law["playbook"], law["playbook_digest"])
        for law in document["policies"]
    ]
    heads = (_("in force since"), _("rule pack"), "", _("playbook"), "")
    regime = _("the order is judged by {pack}").format(pack=document["pack"])
    return "\n".join(
        (_table((_("rule"), "", _("why"), _("at most")), rows), f"<p>{escape(regime)}</p>", _table(heads, laws))
    )


def _proof(document: Document) -> str:
    chain = document["chain"]
    head = chain["head"] or {"seq": 0, "hash": ""}
    how = _(
        "Every entry above stands in a chain of hashes (BLAKE2b, 256 bit): who changes one changes all that follow. "
        "The number in the last column is the link; in brackets: of that entry only the hash is given. "
        "The file beside this page holds the entries word for word; `forestall evidence verify` checks them."
    )
    rows = [
        (_("newest link"), str(head["seq"])),
        (_("its hash"), head["hash"]),
        (_("this pack's hash"), document["digest"]),
    ]
    return f"<p>{escape(how)}</p>\n{_table((), rows)}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "\n".join(
        "<tr>" + "".join(f'<td class="words">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
    if not body:
        return f"<p>{escape(_('nothing'))}</p>"
    top = "".join(f"<th>{escape(name)}</th>" for name in heads)
    head = f"<thead><tr>{top}</tr></thead>" if heads else ""
    return f"<table>{head}<tbody>\n{body}\n</tbody></table>"


def _cell(text: str) -> str:
    return f'<td class="words">{escape(text)}</td>'


def _moment(text: str | None, zone: ZoneInfo) -> str:
    """The whole local time, with its year: this page may be read much later."""
    return DASH if text is None else to_datetime(parse(text), zone).strftime("%Y-%m-%d %H:%M:%S")
