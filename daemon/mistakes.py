"""What is wrong with settings, playbooks and command lines, in the reader's language.

Where something is refused it is said in English, with values in it: so it is logged, stored and put into JSON. Only
where a person reads it is it recognised by its shape and said in Chinese; what is not known here stays as it is.
A test holds `OURS` against the source.
"""

from daemon import foreign, shapes
from daemon.i18n import gettext, language

OURS = (
    "{}: no such file; run `forestall init` or name one with --config",
    "{}: not valid TOML: {}",
    "{}: cannot be read: {}",
    "{}: cannot be read ({}); correct [playbook] path",
    "{}: not UTF-8 text; save it as UTF-8",
    "{}: holds a secret; write cred:NAME, file:PATH or env:NAME instead",
    "no such setting; remove it or correct its name",
    "no such setting; remove it or correct its name (did you mean {}?)",
    "is missing; add it",
    'no time zone {}; write one like "Asia/Shanghai"',
    "write cred:NAME, file:PATH or (for development) env:NAME, never the secret itself",
    "the environment has no {}; set it, or use file:PATH",
    "cred:{} needs systemd's LoadCredential=; by hand use file:PATH",
    "cred:{}: a credential name has no slash",
    "{}: {}; create it with mode 0600",
    "{}: others may read it; run `chmod 600 {}`",
    "{}: {}; check the name and its permissions",
    "{}: is not UTF-8 text; store the secret as text",
    "{}: is empty; write the secret into it",
    "{} cannot carry out {}; remove them from kinds",
    '{}: {}; write "module:Class" of an importable class',
    'no {} in {}; known: {}; or write "module:Class"',
    '{} is no address; write "127.0.0.1:9109"',
    "sink {}: option {} is missing: add it",
    "sink {}: option {} is empty: give it a value or remove it",
    "sink {}: option {} must be seconds above 0 and at most 60, such as 10",
    "sink {}: option {} must be a port number from 1 to 65535, such as 587",
    "sink {}: option {} must be true or false",
    "sink {}: option 'url' holds blanks or non-ASCII characters: percent-encode them",
    "sink {}: option 'url' must be a whole http:// or https:// address with a host",
    "sink {}: option {} is missing: a login needs username and password",
    "shop {}: a files feed needs path, the folder to watch",
    "{}: another program has the file open; close it or try again",
    "{}: cannot be opened ({}); check the path and its permissions",
    "{}: cannot be written ({}); name a file in a folder with room",
    (
        "the database is at revision {}, which this version does not know: it was made by a later version of "
        "Forestall; install that version, or restore the backup made before the upgrade"
    ),
    "{}: {}; create it or correct [database] url",
    "another Forestall process holds the database in {}; stop it or try again",
    "PostgreSQL cannot be reached ({}); check [database] url",
    "PostgreSQL needs the extra: pip install 'forestall[postgres]'",
    "{}: no such file or folder",
    "nothing usable in {} files",
    "nothing usable in {} files; the first problem: {}: {} → {}",
    "{} (mend: {})",
    "{} is no duration",
    'write "48h", "30m", "2d" or "PT4H"',
    "no holidays are known for {}",
    'write an ISO country code such as "CN"',
    "pick-up {} is outside every opening time of {}",
    "widen open, or correct the pick-up",
    "{}: no hours follow the days",
    "{}: {} names no weekday",
    "{}: {} is no span of hours",
    "{}: {} must end after it starts, on the same day",
    'write "Mon-Sat 09:00-18:00"',
    "{} is no time of day",
    'write "18:00"',
    '{} is no opening hours; write "09:00-21:00"',
    "{}: the end must come after the start, on the same day",
    "{} has no offset, and the shop has no timezone",
    '{} has no unit; write "12h", "30m" or "2d"',
    "{} is longer than 400 days",
    "step {}: give exactly one of lead, after, delay",
    "step {}: a contact needs channel, intent and template",
    "step {} is there twice: names become keys, give each its own",
    "step {} waits for {}, which is no earlier step",
    "a $ stands alone; write $$ for a dollar sign",
    "unknown field ${}; known: {}",
    "no platform {}; known: {}",
    "no channel {}; known: {}",
    "no approved text {}; known: {}; or write [templates.{}]",
    "the text {} is about {}, not {}",
    "on {} the text {} may not say {} in its line {} ({}); {}, or name the platforms it is for",
    "say that shipping takes longer, never why",
    "leave out numbers, addresses and other channels: the buyer answers in the platform's chat",
    "ask for no money and set no condition",
    "leave refund and cancellation to the buyer",
    "offer no other goods",
    "promise no money; tell it after it is paid, with intent goodwill",
    "sink {}: unknown option {}; {}: rename or remove it",
    "it takes none",
    "it takes {}",
    "sink {}: option {} must be {}, such as ops@example.com",
    "an e-mail address",
    "1 to {} e-mail addresses, split by commas",
    "the database {}, this version needs {}: run `forestall db upgrade`",
    "is empty",
    "is at revision {}",
)
"""What Forestall's own code says; `{}` stands for a value."""

LIBRARIES = (
    "Extra inputs are not permitted",
    "Field required",
    "Input should be {}",
    "Input should be {} or {}",
    "Input should be a valid string",
    "Input should be a valid integer",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid boolean",
    "Input should be a valid boolean, unable to interpret input",
    "Input should be a valid dictionary",
    "Input should be a valid dictionary or instance of {}",
    "Input should be a valid tuple",
    "Input should be a valid list",
    "Input should be a valid frozenset",
    "Input should be a valid set",
    "Input is not a valid path",
    "Input is not a valid path for {}",
    "Input should be greater than or equal to {}",
    "Input should be greater than {}",
    "Input should be less than or equal to {}",
    "Input should be an instance of {}",
    "Tuple should have at least {} item after validation, not {}",
    "String should match pattern {}",
    "String should have at least {} character",
    "{}; docs/policy-tests.md lists the keys",
    "{} (at line {}, column {})",
    "{} (at end of document)",
    "Expected '=' after a key in a key/value pair",
    "Invalid value",
    "Invalid statement",
    "Cannot overwrite a value",
    "Cannot declare {} twice",
    "Unclosed array",
    "Unterminated string",
    "Expected {} at the end of a table declaration",
    "Expected newline or end of document after a statement",
    "Illegal character {}",
    "[Errno {}] {}",
    "No such file or directory",
    "Permission denied",
    "Is a directory",
    "Not a directory",
    "Read-only file system",
    "No space left on device",
    "unable to open database file",
    "file is not a database",
    "No such option: {}",
    "No such option: {} (Possible options: {})",
    "No such command {}.",
    "No such command {}. Did you mean {}?",
    "Missing command.",
    "Missing option {}.",
    "Missing argument {}.",
    "Missing argument {}. Choose from:",
    "Invalid value: {}",
    "Invalid value for {}: {}",
    "{} is not one of {}.",
    "Option {} requires an argument.",
    "Option {} does not take a value.",
    "Got unexpected extra argument(s) ({})",
)
"""What pydantic, tomllib, the system and typer say."""


def translated(text: str, lang: str | None = None) -> str:
    """Each line in the given or the process's language; places and values in it stay as they are."""
    lang = lang or language()
    return text if lang == "en" else "\n".join(_said(line, lang) for line in text.split("\n"))


def _said(text: str, lang: str) -> str:
    found = shapes.match(text, OURS + LIBRARIES)
    if found is not None:
        known, values = found
        return gettext(known, lang).format(*(_said(value, lang) for value in values))
    of_a_file = foreign.translated(text, lang)
    if of_a_file != text:
        return of_a_file
    place, colon, rest = text.partition(": ")
    return f"{_said(place, lang)}{colon}{_said(rest, lang)}" if colon else text
