"""Commands with this program's --help, and faster conversion of option values than that of the command line library."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from mps_bill.cli.exit_codes import WRONG_COMMAND_LINE
from mps_bill.cli.options import SHOW
from mps_bill.cli.output import say

#: An example of every command. Most use only the files that `mps-bill init` writes.
EXAMPLES = {
    "init": "init studio --sheet",
    "help": "help reconcile",
    "bill": "bill usage.csv --prices mps-china --by day --output bill.html",
    "settle": "settle usage.csv --prices mps-china --account account.yaml --save after.yaml",
    "explain": "explain usage.csv --prices mps-china --job job-1",
    "reconcile": "reconcile usage.csv --prices mps-china --bill bill-detail.csv",
    "compare": "compare usage.csv --prices mps-china --region cn-shanghai=cn-beijing",
    "estimate": "estimate transcoding H264.HD 90 minute --region cn-shanghai --prices mps-china",
    "schema": "schema account --output account.schema.json",
    "config show": "config show",
    "fetch jobs": "fetch jobs --region cn-shanghai --from 2026-10-01 --to 2026-11-01 --output jobs.json",
    "fetch metering": "fetch metering --kind transcoding --from 2026-10-01 --to 2026-11-01 --output metering.json",
    "fetch bills": "fetch bills --month 2026-10 --level item --output bills.json",
    "fetch account": "fetch account --output studio.yaml",
    "plans advise": "plans advise usage.csv --prices mps-china --packs mps-china-packs",
    "prices check": "prices check price-sheet.yaml --strict",
    "prices test": "prices test mps-china",
    "prices diff": "prices diff mps-china price-sheet.yaml --usage usage.csv",
    "prices show": "prices show mps-china --item transcoding --region cn-shanghai",
    "prices history": "prices history mps-china --item transcoding",
    "prices list": "prices list",
    "usage check": "usage check usage.csv --prices mps-china",
    "usage convert": "usage convert jobs.json --profile mts-query-job-list --output usage.csv",
}

#: The heading of the first group of options in --help, by command; by default "What to bill".
_ABOUT = {"fetch": "What to fetch", "prices": "What to look at", "estimate": "What to price", "init": "What to write"}
_Sections = dict[str, list[tuple[str, str]]]


class _Conversion:
    """The conversion of one parameter. Most values are absent, text that stays text, or a word from a list. Only other values
    are left to the library, because importing its conversions takes longer than a small bill."""

    def __init__(self, taken: Any, of_the_library: Callable[[], Any]) -> None:
        self._taken, self._of_the_library = taken, of_the_library

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if self._taken == list[str] and isinstance(value, list | tuple):
            return list(value)
        if isinstance(self._taken, type):
            if isinstance(value, self._taken):
                return value
        elif isinstance(value, str) and value in get_args(self._taken):
            return value
        return self._of_the_library().coerce(value, param=param, ctx=ctx)


def convert_where_needed(parameters: Iterable[Any]) -> None:
    """Give the parameters of a command conversions that import nothing for values that need no conversion."""
    for parameter in parameters:
        spelled = parameter.type_descriptor
        if spelled.parameter_info.parser is None:
            parameter.get_runtime_param = partial(_Conversion, spelled.annotation, parameter.get_runtime_param)


class CommandHelp(TyperCommand):
    """A command whose --help groups the options and ends with an example."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        convert_where_needed(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        words = ctx.command_path.split()[1:]
        about = next((_ABOUT[word] for word in words if word in _ABOUT), "What to bill")
        _write_sections(formatter, _by_use(self, ctx, about, SHOW))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        example = EXAMPLES.get(" ".join(ctx.command_path.split()[1:]))
        if example:
            # An example is never wrapped, so that it can be copied.
            with formatter.section("Example"):
                formatter.write(f"  mps-bill {example}\n")


class GroupHelp(TyperGroup):
    """A group of commands whose --help lists them under their headings. Without a command it prints its --help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not self.invoke_without_command and not ctx.resilient_parsing:
            say(ctx.get_help())
            raise typer.Exit(WRONG_COMMAND_LINE)
        convert_where_needed(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        shown = {name: command for name, command in self.commands.items() if not command.hidden}
        widest = max(len(name) for name in shown)
        sections = _by_use(self, ctx, "Options", "Options")
        for name, command in shown.items():
            about = command.get_short_help_str(formatter.width - 4 - widest)
            sections.setdefault(_panel(command) or "Commands", []).append((f"{name:{widest}}", about))
        _write_sections(formatter, sections)


def group_of_commands(about: str) -> typer.Typer:
    """Return a group of commands."""
    group = typer.Typer(help=about)
    # Without a callback, the library would turn a group of one command into that command.
    group.callback()(_nothing)
    return group


def _nothing() -> None:
    pass


def _panel(shown: Any) -> str | None:
    """Return the heading under which a command or an option wants to be listed in --help."""
    return getattr(shown, "rich_help_panel", None)


def _by_use(command: TyperCommand | TyperGroup, ctx: Any, about: str, for_help: str) -> _Sections:
    """Return arguments and options by heading: `about` for those without one. --help comes last, under `for_help`."""
    sections: _Sections = {"Arguments": [], about: [], for_help: []}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is None:
            continue
        if param.param_type_name == "argument":
            sections["Arguments"].append((param.metavar or record[0], record[1]))
        else:
            title = for_help if "--help" in param.opts else _panel(param) or about
            sections.setdefault(title, []).append(record)
    return sections


def _write_sections(formatter: Any, sections: _Sections) -> None:
    for title, records in sections.items():
        if records:
            with formatter.section(title):
                formatter.write_dl(records)
