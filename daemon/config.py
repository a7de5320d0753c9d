"""The configuration file (contract §3): read, checked as a whole, every problem told at once with its place.

Reading has no effect outside; the running daemon replaces the whole configuration on reload or keeps the old.
"""

import difflib
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from daemon import secret
from daemon.errors import ConfigError
from rules import calendars, platforms
from rules.calendars import duration
from rules.hours import Hours
from rules.instant import HOUR, MINUTE, SECOND

ModeName = Literal["shadow", "live"]
Duration = Annotated[int, BeforeValidator(lambda v: duration(v) if isinstance(v, str) else v)]
OpenHours = Annotated[Hours, BeforeValidator(lambda v: Hours.parse(v) if isinstance(v, str) else v)]
Country = Annotated[str, BeforeValidator(lambda v: _country(v) if isinstance(v, str) else v)]
Platform = Annotated[str, BeforeValidator(lambda v: platforms.named(v) if isinstance(v, str) else v)]
Zone = Annotated[ZoneInfo, BeforeValidator(lambda v: _zone(v) if isinstance(v, str) else v)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class DatabaseSection(_Strict):
    """Where rows live."""

    url: str = "sqlite:///forestall.db"


class ModeSection(_Strict):
    """What may really be done. `default` holds for every kind that is not named."""

    default: ModeName = "shadow"
    alert: ModeName | None = None
    task: ModeName | None = None
    negotiate: ModeName | None = None
    contact: ModeName | None = None
    compensate: ModeName | None = None
    delist: ModeName | None = None
    relist: ModeName | None = None


class Column(_Strict):
    """One mapped column of any shop's file; a list of them is the first `also` the others.

    `per`: whose amounts the column holds, its line's or the order's.
    """

    column: str
    unit: Literal["minor", "major"] = "minor"
    values: dict[str, str] | None = None
    per: Literal["line", "order"] | None = None
    also: tuple["MappedColumn", ...] = ()


def _column(value: object) -> object:
    if isinstance(value, list) and value:
        first = _column(value[0])
        return {**first, "also": value[1:]} if isinstance(first, dict) else first
    return {"column": value} if isinstance(value, str) else value


MappedColumn = Annotated[Column, BeforeValidator(_column)]


class WarehouseSection(_Strict):
    """When the courier comes: `open` like "Mon-Sat 09:00-18:00", `pickups` local times."""

    open: str
    pickups: tuple[str, ...] = Field(min_length=1)
    scan_lag: str = "0m"

    @model_validator(mode="after")
    def _readable(self) -> Self:
        calendars.warehouse(self.open, self.pickups, self.scan_lag, ZoneInfo("UTC"))
        return self


class Window(_Strict):
    """A stretch of planned maintenance: cases opened in it stay silent until it is over."""

    since: str
    until: str


class ShopSection(BaseModel):
    """One shop. Keys that are not listed here belong to its feed and are handed on to it.

    `country`: its days off close the warehouse, its made-up workdays open it.
    `points_line`: the seller's own number of penalty points in a calendar year that must not be reached.
    """

    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True)

    seller: str = "default"
    platform: Platform
    feed: str = "files"
    path: Path | None = None
    timezone: Zone | None = None
    stale_after: Duration | None = None
    poll_s: int = Field(default=60, ge=1)
    points_line: int | None = Field(default=None, ge=1)
    country: Country | None = None
    keep: frozenset[str] = frozenset()
    warehouse: WarehouseSection | None = None
    maintenance: tuple[Window, ...] = ()
    columns: dict[str, MappedColumn] = Field(default_factory=dict)
    history: dict[str, str] = Field(default_factory=dict)

    @property
    def options(self) -> dict[str, str]:
        """The feed's own settings, as written (secrets still references)."""
        return {name: str(value) for name, value in (self.__pydantic_extra__ or {}).items()}


class AlertSection(BaseModel):
    """Where the seller is told. Keys that are not listed here belong to the sink and are handed on to it."""

    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True)

    sink: str
    hours: OpenHours | None = None
    kinds: tuple[Literal["alert", "task", "negotiate", "contact", "compensate", "delist", "relist"], ...] = ("alert",)

    @property
    def options(self) -> dict[str, str]:
        """The sink's own settings, as written (secrets still references)."""
        return {name: str(value) for name, value in (self.__pydantic_extra__ or {}).items()}


class PlaybookSection(_Strict):
    """The seller's own playbook, relative to the configuration file."""

    path: Path | None = None


class DaemonSection(_Strict):
    """How the process runs."""

    socket: Path | None = None
    language: Literal["zh", "en"] | None = None
    start_delay: Duration = 0
    boot_report_after: Duration = 10 * MINUTE
    keep_closed: Duration = 400 * 24 * HOUR
    call_timeout: Duration = 20 * SECOND
    metrics: str | None = None


class Config(BaseSettings):
    """The whole configuration. `base` is the file's folder, where relative paths start.

    Environment variables `FORESTALL_SECTION__KEY` override the file.
    """

    model_config = SettingsConfigDict(
        extra="forbid", env_prefix="FORESTALL_", env_nested_delimiter="__", frozen=True, arbitrary_types_allowed=True
    )

    database: DatabaseSection = DatabaseSection()
    mode: ModeSection = ModeSection()
    shops: dict[str, ShopSection] = Field(default_factory=dict)
    alerts: dict[str, AlertSection] = Field(default_factory=dict)
    playbook: PlaybookSection = PlaybookSection()
    daemon: DaemonSection = DaemonSection()

    base: Path = Path()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment beats the file; no dotenv, no secrets directory (they reach no nested shop)."""
        return (env_settings, init_settings)


def load(path: Path) -> Config:
    """The configuration in `path`. Raises ConfigError that lists every problem with file, key and mend."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; run `forestall init` or name one with --config") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse(raw, path)


def parse(raw: dict[str, Any], path: Path) -> Config:
    """A configuration from its TOML tables. Raises ConfigError."""
    problems = [f"{path}: {problem}" for problem in _literal_secrets(raw)]
    if "base" in raw:
        problems.append(f"{path}: base: {_UNKNOWN}")
    try:
        made = Config(**{name: table for name, table in raw.items() if name != "base"})
    except ValidationError as error:
        problems += [f"{path}: {_said(problem)}" for problem in error.errors()]
        raise ConfigError("\n".join(problems)) from None
    if problems:
        raise ConfigError("\n".join(problems))
    return made.model_copy(update={"base": path.resolve().parent})


def strays(shop: str, section: ShopSection, taken: frozenset[str]) -> list[str]:
    """The settings of a shop that neither we nor its feed (which takes `taken`) know, each with the nearest known."""
    known = [*ShopSection.model_fields, *sorted(taken)]
    return [f"shops.{shop}.{name}: {_UNKNOWN}{_nearest(name, known)}" for name in section.options if name not in taken]


def refuse_restart(old: Config, new: Config) -> None:
    """Raises ConfigError that names each setting a running daemon cannot change; values may hold a password."""
    before, after = _fixed(old), _fixed(new)
    text = "{}: changed, which needs a restart; restart the daemon, or put the old value back"
    changed = [text.format(place) for place in before if before[place] != after[place]]
    if changed:
        raise ConfigError("\n".join(changed))


def _fixed(config: Config) -> dict[str, object]:
    """What is taken once, at the start, by its place."""
    settings = config.daemon
    return {"database.url": url_of(config), "daemon.socket": settings.socket, "daemon.metrics": settings.metrics}


def url_of(config: Config) -> str:
    """The database URL with a relative SQLite path made absolute, beside the configuration file."""
    url = config.database.url
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/") and url != prefix:
        return prefix + str(config.base / url.removeprefix(prefix))
    return url


def _literal_secrets(raw: dict[str, Any]) -> list[str]:
    """Secrets written out in the file: refused, and never repeated in the message."""
    return [
        f"{place}: holds a secret; write cred:NAME, file:PATH or env:NAME instead"
        for place, key, value in _settings("", raw)
        if key in secret.SECRET_FIELDS and not secret.is_reference(str(value))
    ]


def _settings(place: str, table: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(dotted place, key, value) of every setting at any depth."""
    for key, value in table.items():
        here = f"{place}.{key}" if place else key
        if isinstance(value, dict):
            yield from _settings(here, value)
        else:
            yield here, key, value


def _said(problem: ErrorDetails) -> str:
    """One problem: its dotted place, what is wrong, how to mend it. Values are not repeated: one may be a secret."""
    place = ".".join(str(part) for part in problem["loc"]) or "the file"
    match problem["type"]:
        case "extra_forbidden":
            return f"{place}: {_UNKNOWN}{_meant(problem['loc'])}"
        case "missing":
            return f"{place}: is missing; add it"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"


_UNKNOWN = "no such setting; remove it or correct its name"


def _meant(location: tuple[int | str, ...]) -> str:
    """The setting that an unknown name was probably meant to be."""
    section: Any = Config
    for part in location[:-1]:
        field = section.model_fields.get(part) if hasattr(section, "model_fields") else None
        section = field.annotation if field is not None else None
    names = list(section.model_fields) if hasattr(section, "model_fields") else []
    return _nearest(str(location[-1]), [name for name in names if name != "base"])


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f' (did you mean "{near[0]}"?)' if near else ""


def _country(code: str) -> str:
    """Raises PolicyError for a country whose days off are not known."""
    calendars.is_holiday(date(2026, 1, 1), code)
    return code


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except Exception as error:
        raise ValueError(f'no time zone {name!r}; write one like "Asia/Shanghai"') from error
