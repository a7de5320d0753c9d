"""The configuration file (contract §3): read, checked as a whole, every problem told at once with its place.

Reading has no effect outside; the running daemon replaces the whole configuration on reload or keeps the old.
"""

import copy
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from daemon import slips
from daemon.errors import ConfigError
from rules import calendars, platforms
from rules.calendars import duration
from rules.hours import Hours
from rules.instant import HOUR, MINUTE, SECOND

ROUNDS = 20
"""How often a file is read again without what was wrong with it, at most."""
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

    url: Annotated[str, AfterValidator(lambda v: _url(v))] = "sqlite:///forestall.db"


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

    @field_validator("metrics")
    @classmethod
    def _an_address(cls, said: str | None) -> str | None:
        return said if said is None or address(said) else None


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
    return parse(_tables(path), path)


def load_part(path: Path) -> tuple[Config | None, list[str]]:
    """What of a configuration can be understood, and every problem of the rest: a slip hides no other.

    Raises ConfigError for a file that is no TOML.
    """
    return parse_part(_tables(path), path)


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; run `forestall init` or name one with --config") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def parse(raw: dict[str, Any], path: Path) -> Config:
    """A configuration from its TOML tables. Raises ConfigError."""
    made, problems = parse_part(raw, path)
    if problems or made is None:
        raise ConfigError("\n".join(problems))
    return made


def parse_part(raw: dict[str, Any], path: Path) -> tuple[Config | None, list[str]]:
    """What of the tables can be understood, and all problems: what is wrong is left out, and the rest read again."""
    problems = [f"{path}: {problem}" for problem in slips.literal_secrets(raw)]
    if "base" in raw:
        problems.append(f"{path}: base: {slips.UNKNOWN}")
    left = {name: copy.deepcopy(table) for name, table in raw.items() if name != "base"}
    for _ in range(ROUNDS):
        try:
            return Config(**left).model_copy(update={"base": path.resolve().parent}), list(dict.fromkeys(problems))
        except ValidationError as error:
            found = error.errors()
        problems += [f"{path}: {slips.said(problem, Config)}" for problem in found]
        for problem in found:
            slips.take_out(left, problem)
    return None, list(dict.fromkeys(problems))


def strays(shop: str, section: ShopSection, taken: frozenset[str]) -> list[str]:
    """The settings of a shop that neither we nor its feed (which takes `taken`) know, each with the nearest known."""
    known = [*ShopSection.model_fields, *sorted(taken)]
    return [
        f"shops.{shop}.{name}: {slips.UNKNOWN}{slips.nearest(name, known)}"
        for name in section.options
        if name not in taken
    ]


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


def address(said: str) -> tuple[str, int]:
    """Host and port of "host:port". Raises ValueError."""
    host, _, port = said.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f'{said!r} is no address; write "127.0.0.1:9109"')
    return host, int(port)


def url_of(config: Config) -> str:
    """The database URL with a relative SQLite path made absolute, beside the configuration file."""
    url = config.database.url
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/") and url != prefix:
        return prefix + str(config.base / url.removeprefix(prefix))
    return url


def _url(said: str) -> str:
    """Raises ValueError for what names no database of ours; what was written may hold a password."""
    kind = said.partition("://")[0].partition("+")[0] if "://" in said else ""
    try:
        if kind == "postgresql":
            from sqlalchemy.engine import make_url

            make_url(said)
        elif kind != "sqlite":
            raise ValueError
    except Exception:
        raise ValueError("is no database; write sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    return said


def _country(code: str) -> str:
    """Raises PolicyError for a country whose days off are not known."""
    calendars.is_holiday(date(2026, 1, 1), code)
    return code


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except Exception as error:
        raise ValueError(f'no time zone {name!r}; write one like "Asia/Shanghai"') from error
