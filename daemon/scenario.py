"""Scenario files: what a shop says and when, and what the playbook must make of it by then; TOML, many in a file.

docs/policy-tests.md explains them to sellers. Facts are read by the reader of canonical files, so that a scenario
means what the same facts mean in a shop's feed.
"""

import json
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import TypeAdapter as Adapter

from adapters.base import Record, Rejected, ShopSettings
from daemon import adapter
from daemon.config import WarehouseSection
from daemon.errors import ConfigError, NoInput
from daemon.shops import zone_of
from rules import model
from rules.calendars import duration
from rules.errors import PolicyError
from rules.instant import format_utc, parse
from rules.model import EVENTS, Violation

START = "2026-06-01T08:00:00+08:00"
"""When a scenario begins that does not say: a Monday morning in China, no campaign, no holiday."""
USUAL: Mapping[str, Any] = {"status": "paid", "paid_at": "+0m", "paid_minor": 10000, "currency": "CNY"}
"""An order that does not say otherwise: paid at the start, 100.00 yuan."""
LINE: Mapping[str, Any] = {"line_id": "1", "sku": "SKU-1", "quantity": 1, "unit_minor": 10000}
STATES = Literal["open", "closed", "none"]
_ORDER = {field.name for field in fields(model.Order)} - {"shop", "platform", "collection_known"}
_LINE = {field.name for field in fields(model.Line)}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


class Expect(_Strict):
    """What must be so at the scenario's moment. What is left out may be anything. `order`: the first by default."""

    order: str | None = None
    case: dict[Violation, STATES] = Field(default_factory=dict)
    did: tuple[str, ...] | None = None
    only: bool = False
    not_: tuple[str, ...] = Field(default=(), alias="not")
    dropped: dict[str, str] = Field(default_factory=dict)
    texts: dict[str, str] = Field(default_factory=dict)
    pays: int | None = None
    alerts: int | None = None
    ship_by: str | None = None
    act_by: str | None = None


class _Section(_Strict):
    name: str
    platform: str | None = None
    start: str = START
    at: str | None = None
    after: str | None = None
    confirmed: bool | tuple[str, ...] = False
    warehouse: WarehouseSection | None = None
    order: dict[str, Any] | None = None
    orders: tuple[dict[str, Any], ...] = ()
    then: tuple[dict[str, Any], ...] = ()
    expect: Annotated[tuple[Expect, ...], BeforeValidator(_listed), Field(min_length=1)]


class _File(_Strict):
    playbook: str | None = None
    platform: str = "generic"
    warehouse: WarehouseSection | None = None
    scenario: tuple[_Section, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario, readied: its records in a shop of its own, the moment, what must be so. Times in µs.

    `playbook`: the file its scenario file names, None = the one in use. `confirmed`: ids of pack rows, or all.
    """

    file: str
    name: str
    shop: str
    platform: str
    playbook: Path | None
    start: int
    at: int
    confirmed: bool | tuple[str, ...]
    warehouse: WarehouseSection | None
    records: tuple[Record, ...]
    order_id: str
    expect: tuple[Expect, ...]


def files(roots: Iterable[Path]) -> list[Path]:
    """The scenario files: each root that is a file, and every .toml below folders, in name order."""
    found: list[Path] = []
    for root in roots:
        if not root.exists():
            raise NoInput(f"{root}: no such file or folder")
        found += sorted(root.rglob("*.toml")) if root.is_dir() else [root]
    return found


def load(paths: Iterable[Path]) -> list[Scenario]:
    """All scenarios of the files. Raises ConfigError with every problem: file, scenario, key and mend."""
    problems: list[str] = []
    drafts = [(path, made) for path in paths if (made := _parsed(path, problems)) is not None]
    shops: dict[str, str] = {}
    lines: list[tuple[str, dict[str, Any]]] = []
    readied = []
    for path, made in drafts:
        for section in made.scenario:
            place = f"{path}: {section.name!r}"
            shop = f"s{len(shops):05}"
            shops[shop] = section.platform or made.platform
            try:
                said = list(_said(section, shop, shops[shop]))
            except (PolicyError, ValueError) as error:
                problems.append(f"{place}: {error}")
                continue
            lines += [(place, line) for line in said]
            readied.append((path, made, section, shop))
    records = _read(lines, shops, problems)
    if problems:
        raise ConfigError("\n".join(problems))
    return [_scenario(path, made, section, shop, shops[shop], records) for path, made, section, shop in readied]


def _parsed(path: Path, problems: list[str]) -> _File | None:
    try:
        return _FILE.validate_python(tomllib.loads(path.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path}: not valid TOML: {error}")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: cannot be read: {error}")
    except ValidationError as error:
        for one in error.errors():
            place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in one["loc"])
            said = one["msg"].removeprefix("Value error, ")
            problems.append(f"{path}: {place}: {said}; docs/policy-tests.md lists the keys")
    return None


def _said(section: _Section, shop: str, platform: str) -> Iterator[dict[str, Any]]:
    """The canonical lines a scenario stands for. Raises ValueError, PolicyError."""
    start = parse(section.start)
    if (section.at is None) == (section.after is None):
        raise ValueError('give one of at = "2026-06-02T17:00:00+08:00" and after = "33h"')
    if (section.order is None) == (not section.orders):
        raise ValueError("give one of [scenario.order] and [[scenario.orders]]")
    given = section.orders or (section.order or {},)
    for number, facts in enumerate(given, 1):
        _known(facts, _ORDER | {"observed_at"}, "order")
        whole = {"observed_at": "+0m", "order_id": str(number), **USUAL, "lines": [{}], **facts}
        whole["lines"] = [{**LINE, "line_id": str(n), **line} for n, line in enumerate(whole["lines"], 1)]
        for line in whole["lines"]:
            _known(line, _LINE, "order.lines")
        yield _dated({"shop": shop, "platform": platform, **whole}, start)
    first = str(given[0].get("order_id", "1"))
    for later in section.then:
        own = {"points"} if later.get("event") == "points_deducted" else set()
        _known(later, {"at", "event", "order", *own, *_ORDER}, "then")
        if "at" not in later:
            raise ValueError('then: say when: at = "+20h"')
        said = {name: value for name, value in later.items() if name not in ("at", "order")}
        if "event" in said and said["event"] not in EVENTS:
            raise ValueError(f"then: no event {said['event']!r}; known: {', '.join(EVENTS)}")
        named = {"shop": shop, "order_id": later.get("order", first), "observed_at": later["at"]}
        extra = {"at": later["at"]} if "event" in said else {"platform": platform}
        yield _dated({**named, **extra, **said}, start)


def _known(given: Mapping[str, Any], names: set[str], where: str) -> None:
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, 1)
            raise ValueError(f"{where}: no fact {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _dated(value: Any, start: int) -> Any:
    """Times written "+20h" (after the start) or "-3h" as instants."""
    if isinstance(value, dict):
        return {name: moment(one, start) if _is_time(name) else _dated(one, start) for name, one in value.items()}
    return [_dated(one, start) for one in value] if isinstance(value, list) else value


def _is_time(name: str) -> bool:
    return name.endswith(("_at", "_by")) or name == "at"


def moment(value: Any, start: int) -> Any:
    """RFC 3339 text of "+20h" counted from `start`; anything else as it is. Raises PolicyError."""
    if not isinstance(value, str) or value[:1] not in ("+", "-"):
        return value
    span = duration(value[1:])
    return format_utc(start + (span if value[0] == "+" else -span))


def _read(
    lines: list[tuple[str, dict[str, Any]]], shops: Mapping[str, str], problems: list[str]
) -> dict[str, list[Record]]:
    """The records of canonical lines, by shop; what the reader refuses is a problem of its scenario."""

    def settings_for(_platform: str | None, _header: frozenset[str], shop: str | None) -> ShopSettings:
        platform = shops[shop or ""]
        return ShopSettings(name=shop or "", platform=platform, timezone=zone_of(platform), privacy_key=b"scenario")

    found: dict[str, list[Record]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenarios.jsonl"
        path.write_text("".join(json.dumps(line, default=str) + "\n" for _, line in lines), "utf-8")
        for one in adapter.reader().read(path, settings_for) if lines else ():
            if isinstance(one, Rejected):
                place = lines[one.line - 1][0] if one.line is not None else "?"
                problems.append(f"{place}: {one.reason} → {one.mend}")
            else:
                found.setdefault(one.shop, []).append(one)
    return found


def _scenario(
    path: Path, made: _File, section: _Section, shop: str, platform: str, records: Mapping[str, list[Record]]
) -> Scenario:
    start = parse(section.start)
    first = (section.orders or (section.order or {},))[0]
    return Scenario(
        file=str(path),
        name=section.name,
        shop=shop,
        platform=platform,
        playbook=path.parent / made.playbook if made.playbook is not None else None,
        start=start,
        at=parse(section.at) if section.at is not None else start + duration(section.after or ""),
        confirmed=section.confirmed,
        warehouse=section.warehouse or made.warehouse,
        records=tuple(records.get(shop, ())),
        order_id=str(first.get("order_id", "1")),
        expect=section.expect,
    )


_FILE: Adapter[_File] = Adapter(_File)
