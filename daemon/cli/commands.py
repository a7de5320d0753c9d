"""All commands: what each does, and the module that does it, loaded when it is wanted.

So `--help`, `--version` and completion wait for no database and no rules, which take most of a second to load.
"""

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from threading import current_thread, main_thread
from typing import Any

import typer
from typer._click.core import Command, Context
from typer.core import TyperCommand, TyperGroup

from daemon import heap

COMMANDS = {
    "demo": ("demo", "Show Forestall at work on sample shops, all on this machine."),
    "init": ("begin", "Write a commented configuration, a drop folder, a database."),
    "check": ("setup", "Tell all that is wrong with configuration and database."),
    "run": ("service", "Run the daemon until SIGTERM; SIGHUP reloads the configuration."),
    "tick": ("tick", "Make one pass of all three hops: poll, decide, dispatch."),
    "today": ("today", "Show what to do next: by when, how many, money at stake."),
    "health": ("health", "Show each shop's disputes and stock-outs against the platform's lines, and what is coming."),
    "why": ("why", "Say why something was done about an order, or why not."),
    "replay": ("replay", "Replay recorded orders with simulated time; nothing is performed."),
    "kill": ("kill", "Stop new external calls (on), allow them again (off), or tell."),
    "orders": ("orders", "Orders: what is open, what is at risk, everything known of one."),
    "cases": ("cases", "Cases: what is at risk, and what you do about it."),
    "tasks": ("tasks", "Tasks: what is left for people to do."),
    "alerts": ("alerts", "Alerts: what you were told, what reached nobody, and a test message."),
    "policy": ("policy", "Rule packs and playbook: what platforms charge, and what you want done."),
    "listings": ("listings", "Listings: stop those that stock does not cover, and undo it."),
    "feeds": ("feeds", "Feeds: how fresh each shop's data is, and what could not be used."),
    "shops": ("shops", "Shops: which there are; another name for one; one that is given up."),
    "evidence": ("evidence", "Evidence: appeal packs, and the proof that nothing was changed."),
    "db": ("schema", "The database: schema and backup."),
}
"""Name → (module of `daemon.cli` with `app`, a group of commands, or `register`; what it does). As help lists them."""


class Later(TyperCommand):
    """A command whose module is loaded when it is carried out; until then its name and help are enough."""

    def __init__(self, name: str, module: str, said: str) -> None:
        super().__init__(name, help=said, rich_markup_mode=None)
        self.module = module
        self.prepare: Callable[[Command], None] = lambda command: None

    @cached_property
    def loaded(self) -> Command:
        """The command itself."""
        module = import_module(f"daemon.cli.{self.module}")
        around = typer.Typer(rich_markup_mode=None)
        around.callback()(_nothing)
        if hasattr(module, "app"):
            around.add_typer(module.app, name=self.name)
        else:
            module.register(around)
        command: Command = typer.main.get_group(around).commands[self.name or ""]
        self.prepare(command)
        if current_thread() is main_thread():  # not one that a daemon loads for a client, beside its work
            heap.settle()
        return command

    def make_context(
        self, info_name: str | None, args: list[str], parent: Context | None = None, **extra: Any
    ) -> Context:
        """What typer asks for to carry the command out, or to complete its words."""
        return self.loaded.make_context(info_name, args, parent, **extra)


class Root(TyperGroup):
    """`forestall` itself."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: Later(name, module, said) for name, (module, said) in COMMANDS.items()}


def _nothing() -> None:
    """A group of one command stays a group."""
