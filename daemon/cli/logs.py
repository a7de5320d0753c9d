"""Logs of a command: on stderr, canonical lines."""

import sys

import structlog

_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
"""Tracebacks without local variables: those hold orders, texts and keys."""


def show(quiet: bool = False) -> None:
    """Canonical log lines on stderr (quiet: warnings only); JSON unless a person watches."""
    person = sys.stderr.isatty()
    level = 30 if quiet else 20
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if person else [structlog.processors.ExceptionRenderer(_TRACEBACKS)]),
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if person
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
