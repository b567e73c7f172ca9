"""`mps-bill config`: the defaults of options from the config file and the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mps_bill.cli.command_help import group_of_commands
from mps_bill.cli.options import option
from mps_bill.cli.output import invalid
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.config import FILE_NAME, FILE_VARIABLE, KEYS, LISTS, Setting, find_config, load_settings
from mps_bill.core.diagnostics import quoted
from mps_bill.core.files import is_special, near_file
from mps_bill.core.language import ENGLISH
from mps_bill.render.formats import DEFAULTS

if TYPE_CHECKING:
    from mps_bill.view.books import Books

config = group_of_commands("Show the defaults of options, and where they come from.")

#: The parameters of keys that have another name. `format` belongs to no parameter: commands look it up by its key.
_PARAMETERS = {"set": "constants", "language": "lang"}
#: Groups of commands that use no default except that of --lang, because their options mean something else. The same holds for
#: two options of compare: --account is another account than one's own, and --by groups changes.
_GROUPS_OF_THEIR_OWN = ("prices", "config")
_OF_THEIR_OWN = {("compare", "account"), ("compare", "by")}
#: The program's own defaults, for keys that are not set.
_OF_THE_PROGRAM = {"format": DEFAULTS[0], "language": ENGLISH}

FileOption = Annotated[
    str | None,
    option(
        "--config FILE",
        f"Config file with defaults of options. Default: the nearest {FILE_NAME} in this folder or one above.",
        envvar=FILE_VARIABLE,
    ),
]


def set_defaults(context: typer.Context, file: str | None) -> None:
    """Give every command its defaults. They are read only when a command needs a value that was not given."""
    path = _config_path(file)

    @cache
    def settings() -> dict[str, Setting]:
        return load_settings(path, os.environ)

    context.obj = path, settings
    defaults = {_PARAMETERS.get(key, key): partial(_default, settings, key) for key in KEYS}
    context.default_map = _defaults_by_command(context.command, defaults)


def books_of_config(context: typer.Context) -> Books:
    """Return the accounts for journals."""
    from mps_bill.view.books import books_of

    _, settings = context.obj
    return books_of(settings().get("books", Setting((), "default")).values)


def _default(settings: Callable[[], Mapping[str, Setting]], key: str) -> str | list[str] | None:
    setting = settings().get(key)
    if setting is None or not setting.values:
        return None
    return list(setting.values) if key in LISTS else setting.values[0]


def _defaults_by_command(command: Any, defaults: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults by the names of the commands below `command`."""
    found: dict[str, Any] = {}
    for name, below in getattr(command, "commands", {}).items():
        if getattr(below, "commands", None):
            shared = {"lang": defaults["lang"]} if name in _GROUPS_OF_THEIR_OWN else defaults
            found[name] = _defaults_by_command(below, shared)
        else:
            found[name] = {key: value for key, value in defaults.items() if (name, key) not in _OF_THEIR_OWN}
    return found


def _config_path(file: str | None) -> Path | None:
    if file is None:
        try:
            return find_config(Path.cwd())
        except FileNotFoundError:
            # The working folder no longer exists, so there are no folders above it.
            return None
    if not file:
        return None
    if not (os.path.isfile(file) or is_special(file)):
        raise invalid("--config", f"{quoted(file)} is not a file{near_file(Path(file))}")
    return Path(os.path.abspath(file))


@config.command()
@shows("printed", "document", "records")
def show(context: typer.Context, *, output: OutputOptions) -> int:
    """Show every default, and where it comes from.

    A default comes from an environment variable, a place in the config file, or the program.
    """
    from mps_bill.view.config_view import ConfigView

    path, settings = context.obj
    origin, root = "found from the working folder upwards" if path else "default", context.find_root()
    if root.params.get("config_file") is not None:
        is_given = str(root.get_parameter_source("config_file")).endswith("COMMANDLINE")
        origin = "--config" if is_given else FILE_VARIABLE
    rows = [("config", os.path.relpath(path) if path else "", origin)]
    for key in KEYS:
        setting = settings().get(key, Setting((), "default"))
        value = ", ".join(setting.values) or (_OF_THE_PROGRAM.get(key, "") if setting.origin == "default" else "")
        rows.append((key, value, setting.origin))
    if setting := settings().get("books"):
        rows.append(("books", ", ".join(setting.values), setting.origin))
    output.show(ConfigView(rows))
    return output.end()
