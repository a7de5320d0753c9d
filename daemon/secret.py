"""Secrets are references, never values: `cred:NAME`, `file:PATH`, for development `env:NAME`."""

import os
import stat
from pathlib import Path

SECRET_FIELDS = frozenset(
    {"secret", "app_secret", "access_token", "refresh_token", "password", "token", "api_key", "privacy_key"}
)
"""Settings whose value must be a reference."""
_FORMS = "write cred:NAME, file:PATH or (for development) env:NAME, never the secret itself"


def resolve(reference: str, base: Path) -> str:
    """The secret behind a reference; relative files are looked up beside the configuration (`base`).

    Raises ValueError that says what is wrong and how to mend it, and never contains the secret.
    """
    scheme, _, name = reference.partition(":")
    match scheme:
        case "cred":
            return _read(_credential(name))
        case "file":
            return _private(base / name)
        case "env":
            if name not in os.environ:
                raise ValueError(f"the environment has no {name}; set it, or use file:PATH")
            return os.environ[name]
    raise ValueError(_FORMS)


def is_reference(value: str) -> bool:
    """Whether a setting names a secret rather than being one."""
    return value.partition(":")[0] in ("cred", "file", "env")


def _credential(name: str) -> Path:
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory is None:
        raise ValueError(f"cred:{name} needs systemd's LoadCredential=; by hand use file:PATH")
    if "/" in name or name in ("", ".", ".."):
        raise ValueError(f"cred:{name}: a credential name has no slash")
    return Path(directory) / name


def _private(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; create it with mode 0600") from error
    if stat.S_IMODE(mode) & 0o077:
        raise ValueError(f"{path}: others may read it; run `chmod 600 {path}`")
    return _read(path)


def _read(path: Path) -> str:
    try:
        text = path.read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; check the name and its permissions") from error
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not UTF-8 text; store the secret as text") from None
    if not text:
        raise ValueError(f"{path}: is empty; write the secret into it")
    return text
