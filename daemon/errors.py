"""What can go wrong in the daemon, named by what the caller should do."""


class DaemonError(Exception):
    """Forestall cannot go on. `exit_code` follows contract §2."""

    exit_code = 1


class ConfigError(DaemonError):
    """Correct the configuration; every problem is listed with its place and mend."""

    exit_code = 78


class SchemaOutdated(ConfigError):
    """The database has another schema than this version needs: run `forestall db upgrade`."""


class UnknownAdapter(ConfigError):
    """No feed or sink of that name is installed; the text names the known ones."""


class Usage(DaemonError):
    """The command was called in a way that has no meaning; the text says how to call it."""

    exit_code = 2


class NoInput(DaemonError):
    """There was nothing usable in the input."""

    exit_code = 65


class Unavailable(DaemonError):
    """A service or the database cannot be reached."""

    exit_code = 69


class Busy(DaemonError):
    """Another process holds the database; try again."""

    exit_code = 75


class TryAgain(DaemonError):
    """It cannot be done at this moment, but soon."""

    exit_code = 75


class LeaseLost(DaemonError):
    """Another worker has taken the row over: drop what was computed, it will be done there."""
