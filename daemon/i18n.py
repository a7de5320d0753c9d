"""Chinese and English wherever a person reads (gettext). Logs, JSON keys and exit codes stay English."""

import gettext as _gettext
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

DOMAIN = "forestall"
LOCALES = Path(__file__).resolve().parent / "locale"
LANGUAGES = ("zh", "en")


override: ContextVar[str | None] = ContextVar("language", default=None)
"""The language of a client for whom the daemon runs a command."""


def language() -> str:
    """The language of this process: FORESTALL_LANG, else the locale; Chinese for zh, English otherwise.

    As everywhere with gettext, LANGUAGE is heard before the locale, but not where the locale is C.
    """
    if (chosen := override.get()) is not None:
        return chosen
    if named := os.environ.get("FORESTALL_LANG"):
        return _known(named)
    named = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "C")
    preferred = os.environ.get("LANGUAGE", "").split(":")[0]
    return _known(preferred if preferred and named.split(".")[0] not in ("C", "POSIX") else named)


def _known(named: str) -> str:
    return "zh" if named.lower().startswith("zh") else "en"


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Within the block everything is said in that language."""
    token = override.set(lang)
    try:
        yield
    finally:
        override.reset(token)


@cache
def translation(lang: str) -> _gettext.NullTranslations:
    """The catalogue of a language; English is the source text itself."""
    names = ["zh_CN"] if lang == "zh" else ["en"]
    return _gettext.translation(DOMAIN, LOCALES, names, fallback=True)


def gettext(text: str, lang: str | None = None) -> str:
    """`text` in the given or the process's language."""
    return translation(lang or language()).gettext(text)


def ngettext(one: str, many: str, count: int, lang: str | None = None) -> str:
    """The form of a text for `count` things."""
    return translation(lang or language()).ngettext(one, many, count)
