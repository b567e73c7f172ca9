"""The options that several commands share, and the values that they stand for."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from mps_bill.cli import completion
from mps_bill.cli.output import invalid
from mps_bill.core.decimals import AMOUNT_PLACES, parse_plain_decimal
from mps_bill.core.diagnostics import InputRejected, accepted, expected, near_miss, quoted, unknown
from mps_bill.core.files import STANDARD_OUTPUT, descriptor
from mps_bill.core.times import parse_offset, parse_second
from mps_bill.metering import EngineName
from mps_bill.metering.usage_columns import is_tag

if TYPE_CHECKING:
    from mps_bill.metering.meter_options import MeterOptions
    from mps_bill.metering.workspace import Resources
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.price_sheet.sheet_model import PriceSheet
    from mps_bill.rating.contract import Contract
    from mps_bill.settlement.account import Account

T = TypeVar("T")

#: The groups of options in --help. Options in none of them form the first group, which is named after the command.
SHOW = "What to show"
READING = "Reading"
ENGINE = "Engine"


def option(spelling: str, help_: str, completed: completion.Complete | None = None, **more: Any) -> Any:
    """Return an option from its spelling, such as `--output -o FILE`, or `--bom` for one without a value."""
    *names, last = spelling.split()
    if last.startswith("-"):
        return typer.Option(*names, last, help=help_, autocompletion=completed, **more)
    return typer.Option(*names, metavar=last, help=help_, autocompletion=completed, **more)


show_option = partial(option, rich_help_panel=SHOW)
reading_option = partial(option, rich_help_panel=READING)
engine_option = partial(option, rich_help_panel=ENGINE)


def argument(metavar: str, help_: str, completed: completion.Complete | None = None, **more: Any) -> Any:
    return typer.Argument(metavar=metavar, help=help_, autocompletion=completed, **more)


def is_given(context: typer.Context, option: typer.CallbackParam) -> bool:
    """Whether an option was given on the command line rather than by a default."""
    return str(context.get_parameter_source(option.name)).endswith("COMMANDLINE")


class DefaultAccount(str):
    """A value of --account from a variable or the config file; `origin` is the variable's name or the place in the file."""

    origin: str


def _with_origin(context: typer.Context, option: typer.CallbackParam, value: str | None) -> str | None:
    if value is None or is_given(context, option):
        return value
    default = DefaultAccount(value)
    _, settings = context.find_root().obj
    default.origin = settings()["account"].origin
    return default


class DefaultText(str):
    """A value of a list option from the config file or the environment."""

    __slots__ = ()


def _marked(context: typer.Context, option: typer.CallbackParam, value: list[str] | None) -> list[str] | None:
    """Mark the values that are only defaults. They are ignored if they do not apply: constants with usage files, groupings with
    formats that have no summaries."""
    return value if value is None or is_given(context, option) else [DefaultText(text) for text in value]


def written_to(output: str | None) -> str | None:
    """Return the file that a result goes to; None for standard output, however it is named."""
    return None if output == "-" or (output is not None and descriptor(output) == STANDARD_OUTPUT) else output


def account(help_: str, metavar: str = "FILE") -> Any:
    """Return the option --account; `help_` says what the command does with the account."""
    return option(f"--account -a {metavar}", help_, callback=_with_origin, show_default=False)


Usage = Annotated[
    list[str],
    argument("USAGE", "Usage files: .csv, .csv.gz, .csv.zst, .parquet, globs, or - for CSV on standard input."),
]
_PRICES = "A price sheet file, a folder of them, or the id of a shipped one. Repeatable."
Prices = Annotated[list[str], option("--prices -p SHEET", _PRICES, completion.sheets, show_default=False)]
_OUTPUT = "Write the result to FILE. Default: standard output, which can also be given as -."
Output = Annotated[str | None, show_option("--output -o FILE", _OUTPUT, callback=written_to)]
_IN_FULL = "Number of bills to print in full. Default: 6, or none if the bills span two days or more."
InFull = Annotated[int | None, show_option("--bills N", _IN_FULL, min=0)]
ShowAll = Annotated[bool, show_option("--all", "Print every bill in full.")]
_BILLING_ACCOUNT = "The provider's account id, to show in reports and FOCUS rows."
BillingAccount = Annotated[str | None, show_option("--billing-account ID", _BILLING_ACCOUNT)]
Quiet = Annotated[bool, show_option("--quiet -q", "Print only errors on standard error.")]
_PROFILE = (
    "Import profile for files in another format: a file, the id of a shipped profile, none, or auto (the default), which"
    " detects the profile from the files."
)
Profile = Annotated[str | None, reading_option("--profile PROFILE", _PROFILE, completion.profiles, show_default=False)]
_CONSTANTS = (
    "With a profile: set a column to one value in every row, such as region=cn-shanghai, or set a parameter of the profile,"
    " such as fps=25. Repeatable."
)
Constants = Annotated[
    list[str] | None, reading_option("--set NAME=VALUE", _CONSTANTS, callback=_marked, show_default=False)
]
_BY = "Summarise by hour, day, month, item, family, spec, region or a tag_... column; day,item makes a crosstab. Repeatable."
By = Annotated[
    list[str] | None, show_option("--by GROUPING", _BY, completion.groupings, callback=_marked, show_default=False)
]
_TIMEZONE = "Offset from UTC, such as +08:00, for times written without one. Default: reject such times."
Timezone = Annotated[str | None, reading_option("--timezone OFFSET", _TIMEZONE, show_default=False)]
MaxErrors = Annotated[int, reading_option("--max-errors N", "Number of problems to list one by one.", min=1)]
_AS_OF = "Treat bills issued after TIME, such as 2023-11-10T14:00:00+08:00, as pending."
AsOf = Annotated[str | None, option("--as-of TIME", _AS_OF)]
FailOver = Annotated[str | None, show_option("--fail-over AMOUNT", "Exit 4 if the payable total is above AMOUNT.")]


_REJECTS = "Write rejected rows with their problems to FILE and bill the others; the exit code is then 1."
_ENGINE = "Engine that reads the usage; auto chooses by size."
_MEMORY = "Memory for reading usage, such as 4GB. Default: 600 MB, or a quarter of a small machine's memory."
_THREADS = "Threads for reading usage. Default: one for each processor."
_TEMP_DIR = "Folder for data that does not fit into memory. Default: the system's temporary folder."
_MASTER = "With --engine spark: the cluster. Default: this machine."
_SIZE = re.compile(r"([1-9][0-9]{0,8}) ?([KMGT]?)(i?)B?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """The options of every command that reads usage."""

    profile: Profile = None
    constants: Constants = None
    rejects: Annotated[str | None, reading_option("--rejects FILE", _REJECTS)] = None
    max_errors: MaxErrors = 20
    timezone: Timezone = None
    ignore_extra_columns: Annotated[bool, reading_option("--ignore-extra-columns", "Ignore unknown columns.")] = False
    trust_unique: Annotated[bool, reading_option("--trust-unique", "Skip the check for duplicate records.")] = False
    engine: Annotated[EngineName, engine_option("--engine", _ENGINE)] = "auto"
    memory: Annotated[str | None, engine_option("--memory SIZE", _MEMORY)] = None
    threads: Annotated[int | None, engine_option("--threads N", _THREADS, min=1)] = None
    temp_dir: Annotated[str | None, engine_option("--temp-dir FOLDER", _TEMP_DIR)] = None
    master: Annotated[str | None, engine_option("--master URL", _MASTER)] = None
    quiet: Quiet = False

    def meter_options(self) -> MeterOptions:
        """Return how usage is read.

        Raises:
            typer.BadParameter: an option is not understood.
        """
        from mps_bill.metering.meter_options import MeterOptions

        return MeterOptions(
            assumed_offset=offset_option(self.timezone),
            ignore_extra_columns=self.ignore_extra_columns,
            max_errors=self.max_errors,
            engine=self.engine,
            resources=self._resources(),
            trust_unique=self.trust_unique,
        )

    def _resources(self) -> Resources:
        from mps_bill.metering.workspace import Resources

        size = None
        if self.memory is not None:
            match = _SIZE.fullmatch(self.memory)
            if not match:
                raise invalid("--memory", f"{quoted(self.memory)} is not a size such as 512MB or 4GB")
            number, unit, binary = match.groups()
            size = int(number) * (1024 if binary else 1000) ** " KMGT".index(unit.upper() or " ")
        folder = self.temp_dir
        if folder is not None and not (os.path.isdir(folder) and os.access(folder, os.W_OK)):
            raise invalid("--temp-dir", f"{quoted(folder)} is not a folder that can be written to")
        return Resources(memory=size, threads=self.threads, temp_folder=folder, spark_master=self.master)


def takes(**groups: type[Any]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command the options of some data classes, such as `reading=ReadingOptions`.

    Each field of the class is an option, whose type says how it is spelled. The command receives the options of a class as
    one value, in the parameter with that name.
    """

    def given(command: Callable[..., int]) -> Callable[..., int]:
        for name, made in groups.items():
            spelled = typing.get_type_hints(made, include_extras=True)
            # How a data class, and a signature, mark what has no default.
            empty = {dataclasses.MISSING: inspect.Parameter.empty}
            fields = {
                one.name: (spelled[one.name], empty.get(one.default, one.default)) for one in dataclasses.fields(made)
            }
            command = with_options(command, name, fields, made)
        return command

    return given


def with_options(
    command: Callable[..., int], name: str, shared: Mapping[str, tuple[object, object]], make: Callable[..., object]
) -> Callable[..., int]:
    """Replace the parameter `name` of a command with the options `shared` (each with its spelling and default). The command
    receives what `make` returns for them."""
    signature = inspect.signature(command, eval_str=True)
    own_place = [
        inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=spelled)
        for option, (spelled, default) in shared.items()
    ]
    parameters = [one for own in signature.parameters.values() for one in (own_place if own.name == name else [own])]

    @wraps(command)
    def run(**given: object) -> int:
        made = make(**{option: given.pop(option) for option in shared})
        return command(**given, **{name: made})

    # The command line library reads the options from the signature, and their types from the annotations.
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


@contextmanager
def named(name: str, remedy: str = "") -> Iterator[None]:
    """Report a `ValueError` inside the context as an invalid value of the option `name`."""
    try:
        yield
    except ValueError as error:
        raise invalid(name, f"{error}{remedy}") from None


def parsed(name: str, value: str | None, parse: Callable[[str], T], remedy: str = "") -> T | None:
    """Return the parsed value of an option; None if it is not given."""
    with named(name, remedy):
        return None if value is None else parse(value)


def amount_option(value: str | None, name: str) -> Decimal | None:
    """Return the amount or percentage given by an option."""
    return parsed(name, value, partial(parse_plain_decimal, places=AMOUNT_PLACES))


def offset_option(value: str | None) -> int | None:
    """Return the seconds east of UTC given by --timezone."""
    remedy = "; names of time zones are not accepted, because an hour can occur twice where clocks change"
    return parsed("--timezone", value, parse_offset, remedy)


def second_option(value: str | None, name: str) -> int | None:
    """Return the seconds since the epoch given by an option."""
    return parsed(name, value, parse_second)


def check_key(key: str, known: Iterable[str], name: str) -> None:
    """Refuse a key of lines that is neither known nor a tag."""
    known = list(known)
    if key not in known and not is_tag(key):
        hint = near_miss(key, known, priced=False) or expected([*known, "a tag_... column"])
        raise invalid(name, f"unknown key {quoted(key)}{hint}")


def check_known(words: Iterable[str], known: Collection[str], name: str, where: str) -> None:
    """Refuse unknown words. `where` completes the message `unknown item "x" (in ...)`, such as `none of the sheets`."""
    for word in words:
        if word not in known:
            raise invalid(name, unknown(name.removeprefix("--"), word, known, where=f" (in {where})"))


def load_book(prices: Sequence[str]) -> PriceBook:
    """Return the price book of the run, or raise `InputRejected` with every problem of every sheet."""
    from mps_bill.price_sheet.load_sheets import load_price_book

    return accepted(*load_price_book(prices))


def load_sheets(paths: Sequence[str], *, subfolders: bool = False) -> list[PriceSheet]:
    """Return every sheet that the paths name, of any site and currency, or raise `InputRejected` with every problem."""
    from mps_bill.price_sheet.load_sheets import load_sheets

    loaded, missing = load_sheets(paths, subfolders=subfolders)
    if problems := [*missing, *(problem for sheet in loaded for problem in sheet.problems)]:
        raise InputRejected(problems)
    return [sheet.draft.sheet for sheet in loaded if sheet.draft]


def load_contract(account: str | None, book: PriceBook) -> Contract:
    """Return the contract of the account in a file, or list prices without a file."""
    from mps_bill.rating.contract import LIST_PRICES

    return LIST_PRICES if account is None else load_account(account, book).contract


def load_account(name: str, book: PriceBook) -> Account:
    """Return the account in the file `name`, for reading only, or raise `InputRejected` with every problem of the file."""
    from mps_bill.settlement.save import open_account

    with open_account(name, book, lock=False) as file:
        return file.account
