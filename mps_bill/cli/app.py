"""The commands, and their groups in --help."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Annotated

import typer

import mps_bill
from mps_bill.cli.command_help import CommandHelp, GroupHelp
from mps_bill.cli.config import FileOption, set_defaults
from mps_bill.cli.options import option

GROUPS = {
    "First steps and help": ("init", "help", "config"),
    "Bills": ("bill", "settle", "explain", "reconcile", "compare"),
    "Prices": ("estimate", "prices", "plans"),
    "Files": ("usage", "fetch", "schema"),
}
#: The heading of each command (or group of commands) in --help. The command is defined in the module of the same name.
COMMANDS = {name: heading for heading, names in GROUPS.items() for name in names}

#: Printed if no command is given.
NEXT_STEPS = """\
mps-bill makes exact, explainable bills for ApsaraVideo Media Processing. Next steps:

  mps-bill init studio      write a usage file, an account and a config to the folder studio
  mps-bill bill usage.csv   in that folder: bill the usage; settle usage.csv pays the bills
  mps-bill help             list the pages of the manual; mps-bill --help lists the commands"""


def app_for(arguments: Sequence[str] | None = None) -> typer.Typer:
    """Return the program with the command that the arguments name; with all commands if they name none, or there are none.

    Start-up takes most of the time of a small run, so the other commands are not even imported.
    """
    app = typer.Typer(
        name="mps-bill",
        cls=GroupHelp,
        invoke_without_command=True,
        add_completion=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(main)
    for name in COMMANDS if arguments is None else _needed(arguments):
        command = getattr(import_module(f"mps_bill.cli.{name}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=COMMANDS[name])
        else:
            app.command(rich_help_panel=COMMANDS[name])(command)
    _finish(app)
    return app


def _finish(app: typer.Typer) -> None:
    """Give every command this program's --help, with the docstring of its function even if `PYTHONOPTIMIZE=2` has removed it."""
    for command in app.registered_commands:
        command.cls = CommandHelp
    if main.__doc__ is None:
        for described in (app.registered_callback, *app.registered_commands):
            if described and described.callback:
                described.help = _docstring(described.callback) or described.help
    for group in app.registered_groups:
        group.cls = GroupHelp
        if group.typer_instance:
            _finish(group.typer_instance)


def _docstring(function: Callable[..., object]) -> str | None:
    import ast
    import inspect
    import textwrap

    (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(node, ast.FunctionDef)
    return ast.get_docstring(node)


def _needed(arguments: Sequence[str]) -> Iterable[str]:
    """Yield the command that the arguments name: the first argument that is neither an option nor its value. If that is not a
    command, yield all of them."""
    if all(argument in ("--version", "-V") for argument in arguments):
        # No command is needed.
        return ()
    rest = iter(arguments)
    for argument in rest:
        if argument == "--config":
            next(rest, None)
        elif not argument.startswith("-"):
            return (argument,) if argument in COMMANDS else COMMANDS
    return COMMANDS


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mps-bill {mps_bill.__version__}")
        raise typer.Exit


_VERSION_ASKED = "Print the version and exit."


def main(
    context: typer.Context,
    _version_asked: Annotated[bool, option("--version -V", _VERSION_ASKED, callback=_version, is_eager=True)] = False,
    config_file: FileOption = None,
) -> None:
    """Exact, explainable bills for ApsaraVideo Media Processing.

    Exit codes: 0 done; 1 something was found, or rows were rejected; 2 wrong command line; 3 nothing was billed; 4 a
    limit was crossed; 70 a bug in the program; 129, 130 or 143 ended by a signal.
    """
    set_defaults(context, config_file)
    if context.invoked_subcommand is None:
        typer.echo(NEXT_STEPS)
