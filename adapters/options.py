"""Reads a sink's own options: unknown, missing and malformed ones are refused with the mend.

Every function raises ValueError that names the sink, the option and what to write instead. Values of
options are never quoted in an error: one of them may be a secret.
"""

from collections.abc import Mapping, Sequence

from adapters.base import SinkSettings

LONGEST_TIMEOUT_S = 60.0
"""A call may not outlive the daemon's lease on its row."""


def read(settings: SinkSettings, *, required: Sequence[str] = (), optional: Sequence[str] = ()) -> dict[str, str]:
    """The options, stripped, when all required ones are there and no unknown one is."""
    taken = (*required, *optional)
    for option in settings.options:
        if option not in taken:
            known = f"it takes {', '.join(taken)}" if taken else "it takes none"
            raise ValueError(f"sink {settings.name!r}: unknown option {option!r}; {known}: rename or remove it")
    for option in required:
        if option not in settings.options:
            raise ValueError(f"sink {settings.name!r}: option {option!r} is missing: add it")
    options = {option: value.strip() for option, value in settings.options.items()}
    for option, value in options.items():
        if not value:
            raise ValueError(f"sink {settings.name!r}: option {option!r} is empty: give it a value or remove it")
    return options


def seconds(sink: str, options: Mapping[str, str], option: str, default: float) -> float:
    """A duration in seconds, above 0 and at most 60; `default` when the option is absent."""
    try:
        value = float(options.get(option, default))
    except ValueError:
        value = 0.0
    if not 0 < value <= LONGEST_TIMEOUT_S:
        raise ValueError(f"sink {sink!r}: option {option!r} must be seconds above 0 and at most 60, such as 10")
    return value


def port(sink: str, options: Mapping[str, str], option: str) -> int:
    """A TCP port, 1 to 65535."""
    text = options[option]
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    if not 0 < value < 65536:
        raise ValueError(f"sink {sink!r}: option {option!r} must be a port number from 1 to 65535, such as 587")
    return value


def switch(sink: str, options: Mapping[str, str], option: str) -> bool | None:
    """True or False as written, None when the option is absent."""
    text = options.get(option)
    if text is None:
        return None
    if text not in ("true", "false"):
        raise ValueError(f"sink {sink!r}: option {option!r} must be true or false")
    return text == "true"
