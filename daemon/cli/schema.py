"""`forestall db`: the schema and a safe copy."""

from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, here, opened, out
from daemon.errors import Usage
from daemon.i18n import gettext as _
from daemon.store.database import revisions
from daemon.store.database import upgrade as upgrade_schema

app = typer.Typer(help="The database: schema and backup.", no_args_is_help=True)


@app.command()
def upgrade(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Bring the database to this version's schema; a new one is made."""
    with opened(config, check=False) as session:
        before, head = revisions(session.database)
        if before == head:
            out().print(_("the schema is up to date ({revision})").format(revision=head))
            return
        upgrade_schema(session.database)
    out().print(_("upgraded from {before} to {head}").format(before=before or _("empty"), head=head))


@app.command()
def current(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show the schema's revision; exit 1 when it is another one."""
    with opened(config, check=False) as session:
        found, head = revisions(session.database)
    if json:
        out().json({"current": found, "head": head})
    else:
        out().print(f"{found or _('empty')} (head: {head})")
    if found != head:
        raise typer.Exit(1)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that does not exist yet.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Copy an SQLite database that may be in use."""
    file = here(file)
    if file.exists():
        raise Usage(_("{file} exists already; name a new file").format(file=file))
    with opened(config) as session:
        if not session.database.is_sqlite:
            raise Usage(_("use pg_dump for PostgreSQL"))
        session.database.backup(file)
    out().print(_("backup written to {file}").format(file=file))
