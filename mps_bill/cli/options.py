"""Options that several commands share, and what they turn into."""

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
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from mps_bill.cli import completion
from mps_bill.cli.output import invalid
from mps_bill.core.decimals import AMOUNT_PLACES, parse_plain_decimal
from mps_bill.core.diagnostics import InputRejected, accepted, near_miss, one_of, quoted
from mps_bill.core.files import STANDARD_OUTPUT, descriptor
from mps_bill.core.times import parse_offset, parse_second
from mps_bill.metering.usage_columns import is_tag

if TYPE_CHECKING:
    from mps_bill.metering.workspace import Resources
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.price_sheet.sheet_model import PriceSheet
    from mps_bill.settlement.account import Account

T = TypeVar("T")

#: What options are for, as --help groups them; those without a group of these are what a command is about.
SHOW = "What to show"
READING = "Reading"
ENGINE = "Engine"


def option(spelling: str, help_: str, completed: completion.Complete | None = None, **more: Any) -> Any:
    """An option as it is written, such as `--output -o FILE`, or `--bom` where it takes no value."""
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
    """Whether an option stands on the command line, and is not only a default."""
    return str(context.get_parameter_source(option.name)).endswith("COMMANDLINE")


class DefaultAccount(str):
    """A value of --account that a variable or the config file has; `origin` says which, or where in it."""

    origin: str


def _with_origin(context: typer.Context, option: typer.CallbackParam, value: str | None) -> str | None:
    if value is None or is_given(context, option):
        return value
    default = DefaultAccount(value)
    _, settings = context.find_root().obj
    default.origin = settings()["account"].origin
    return default


class DefaultText(str):
    """A value of a list that the config file or the environment has, and not the command line."""

    __slots__ = ()


def _marked(context: typer.Context, option: typer.CallbackParam, value: list[str] | None) -> list[str] | None:
    """Values that are only defaults give way: constants to usage files, groupings to formats without summaries."""
    return value if value is None or is_given(context, option) else [DefaultText(text) for text in value]


def written_to(output: str | None) -> str | None:
    """Where a result goes; None, standard output, also where it is named."""
    return None if output == "-" or (output is not None and descriptor(output) == STANDARD_OUTPUT) else output


def account(help_: str, metavar: str = "FILE") -> Any:
    """The option --account of a command; `help_` says what it does with the account."""
    return option(f"--account -a {metavar}", help_, callback=_with_origin, show_default=False)


Usage = Annotated[
    list[str],
    argument("USAGE", "Usage files: .csv, .csv.gz, .csv.zst, .parquet, globs, or - for CSV on standard input."),
]
_PRICES = "A price sheet file, a folder of them, or the id of a shipped one. Repeatable."
Prices = Annotated[list[str], option("--prices -p SHEET", _PRICES, completion.sheets, show_default=False)]
_OUTPUT = "Write the result to FILE. Default: standard output, also written -."
Output = Annotated[str | None, show_option("--output -o FILE", _OUTPUT, callback=written_to)]
_IN_FULL = "Number of bills to print in full. Default: 6, or none for two days or more."
InFull = Annotated[int | None, show_option("--bills N", _IN_FULL, min=0)]
ShowAll = Annotated[bool, show_option("--all", "Print every bill in full.")]
_BILLING_ACCOUNT = "The provider's id of the account, for reports and FOCUS rows."
BillingAccount = Annotated[str | None, show_option("--billing-account ID", _BILLING_ACCOUNT)]
Quiet = Annotated[bool, show_option("--quiet -q", "Print only errors on standard error.")]
_PROFILE = (
    "Import profile for files of another format: a file, the id of a shipped profile, none, or auto (the default): by the"
    " shape of the file."
)
Profile = Annotated[str | None, reading_option("--profile PROFILE", _PROFILE, completion.profiles, show_default=False)]
_CONSTANTS = (
    "With a profile: the value of a column in every row, such as region=cn-shanghai, or of a parameter of the profile, such"
    " as fps=25. Repeatable."
)
Constants = Annotated[
    list[str] | None, reading_option("--set NAME=VALUE", _CONSTANTS, callback=_marked, show_default=False)
]
_BY = "Summarise by hour, day, month, item, family, spec, region or a tag_... column; day,item crosses two. Repeatable."
By = Annotated[
    list[str] | None, show_option("--by GROUPING", _BY, completion.groupings, callback=_marked, show_default=False)
]
_TIMEZONE = "Offset from UTC, such as +08:00, of times written without one. Default: reject such times."
Timezone = Annotated[str | None, reading_option("--timezone OFFSET", _TIMEZONE, show_default=False)]
MaxErrors = Annotated[int, reading_option("--max-errors N", "Number of problems to list one by one.", min=1)]
_AS_OF = "Show bills issued after TIME as pending, such as 2023-11-10T14:00:00+08:00."
AsOf = Annotated[str | None, option("--as-of TIME", _AS_OF)]
FailOver = Annotated[str | None, show_option("--fail-over AMOUNT", "Exit 4 if the payable total is above AMOUNT.")]


_REJECTS = "Write rejected rows with their problems to FILE and go on with the others; the exit code is then 1."
_MEMORY = "Memory for reading usage, such as 4GB. Default: 600 MB, or a quarter of a small machine's memory."
_THREADS = "Threads for reading usage. Default: one for each processor."
_TEMP_DIR = "Folder for what does not fit into memory. Default: the system's temporary folder."
_MASTER = "With --engine spark: the cluster. Default: this machine."


@dataclass(frozen=True, slots=True)
class Reading:
    """How a command reads usage. A field is an option: its type says how it is spelled."""

    profile: Profile = None
    constants: Constants = None
    rejects: Annotated[str | None, reading_option("--rejects FILE", _REJECTS)] = None
    max_errors: MaxErrors = 20
    timezone: Timezone = None
    ignore_extra_columns: Annotated[bool, reading_option("--ignore-extra-columns", "Ignore unknown columns.")] = False
    trust_unique: Annotated[bool, reading_option("--trust-unique", "Skip the check for duplicate records.")] = False
    engine: Annotated[
        Literal["auto", "duckdb", "python", "spark"],
        engine_option("--engine", "Engine that reads the usage; auto chooses by size."),
    ] = "auto"
    memory: Annotated[str | None, engine_option("--memory SIZE", _MEMORY)] = None
    threads: Annotated[int | None, engine_option("--threads N", _THREADS, min=1)] = None
    temp_dir: Annotated[str | None, engine_option("--temp-dir FOLDER", _TEMP_DIR)] = None
    master: Annotated[str | None, engine_option("--master URL", _MASTER)] = None
    quiet: Quiet = False


def takes(**groups: type[Any]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Gives a command the options that the fields of some data classes are, such as `reading=Reading`, and hands each of them
    to it as its parameter of that name."""

    def given(command: Callable[..., int]) -> Callable[..., int]:
        for name, made in groups.items():
            spelled = typing.get_type_hints(made, include_extras=True)
            # What marks a field, and a parameter, without a default.
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
    """A command with the options `shared` (how each is spelled, and its default) in the place of its parameter `name`, which is
    what `make` makes of them."""
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

    # The options are read off the signature, and their types off the annotations.
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


@contextmanager
def named(name: str, remedy: str = "") -> Iterator[None]:
    """Refuses what is written in the option `name` where it is not understood."""
    try:
        yield
    except ValueError as error:
        raise invalid(name, f"{error}{remedy}") from None


def parsed(name: str, value: str | None, parse: Callable[[str], T], remedy: str = "") -> T | None:
    """What the value of an option stands for, where it is given."""
    with named(name, remedy):
        return None if value is None else parse(value)


def amount_option(value: str | None, name: str) -> Decimal | None:
    """The amount, or the percentage, that an option is."""
    return parsed(name, value, partial(parse_plain_decimal, places=AMOUNT_PLACES))


def offset_option(value: str | None) -> int | None:
    """Seconds east of UTC for --timezone."""
    remedy = "; a zone's name is not taken, since hours of a zone with daylight saving can occur twice"
    return parsed("--timezone", value, parse_offset, remedy)


def second_option(value: str | None, name: str) -> int | None:
    """Seconds since the epoch for an option that is a time."""
    return parsed(name, value, parse_second)


def check_key(key: str, known: Iterable[str], name: str) -> None:
    """Refuses a word that is none of the keys of lines, nor a tag."""
    known = list(known)
    if key not in known and not is_tag(key):
        hint = near_miss(key, known, priced=False)
        raise invalid(name, f"{quoted(key)} is not {one_of([*known, 'a tag_... column'])}{hint}")


def check_known(words: Iterable[str], known: Collection[str], name: str, where: str) -> None:
    """Refuses words that are not among those that are known in a place (`where`, in words)."""
    for word in words:
        if word not in known:
            hint = near_miss(word, known) or f"; known: {one_of(list(dict.fromkeys(known)))}"
            raise invalid(name, f"{quoted(word)} is in {where}{hint}")


_SIZE = re.compile(r"([1-9][0-9]{0,8}) ?([KMGT]?)(i?)B?", re.IGNORECASE)


def resources(memory: str | None, threads: int | None, temp_dir: str | None, master: str | None) -> Resources:
    """What a run may use, checked."""
    from mps_bill.metering.workspace import Resources

    size = None
    if memory is not None:
        match = _SIZE.fullmatch(memory)
        if not match:
            raise invalid("--memory", f"{quoted(memory)} is not a size such as 512MB or 4GB")
        number, unit, binary = match.groups()
        size = int(number) * (1024 if binary else 1000) ** " KMGT".index(unit.upper() or " ")
    if temp_dir is not None and not (os.path.isdir(temp_dir) and os.access(temp_dir, os.W_OK)):
        raise invalid("--temp-dir", f"{quoted(temp_dir)} is not a folder to write to")
    return Resources(memory=size, threads=threads, temp_folder=temp_dir, spark_master=master)


def load_book(prices: list[str]) -> PriceBook:
    """The price book of the run.

    Raises:
        InputRejected: with every problem of every sheet.
    """
    from mps_bill.price_sheet.load_sheets import load_price_book

    return accepted(*load_price_book(prices))


def load_sheets(paths: Sequence[str], *, subfolders: bool = False) -> list[PriceSheet]:
    """Every sheet that the paths name, of whatever site and currency.

    Raises:
        InputRejected: with every problem of every sheet.
    """
    from mps_bill.price_sheet.load_sheets import load_sheets

    loaded, missing = load_sheets(paths, subfolders=subfolders)
    if problems := [*missing, *(problem for sheet in loaded for problem in sheet.problems)]:
        raise InputRejected(problems)
    return [sheet.draft.sheet for sheet in loaded if sheet.draft]


def load_account(name: str, book: PriceBook) -> Account:
    """The account in the file `name`, to look at only.

    Raises:
        InputRejected: with every problem of the file.
    """
    from mps_bill.settlement.save import open_account

    with open_account(name, book, lock=False) as file:
        return file.account
