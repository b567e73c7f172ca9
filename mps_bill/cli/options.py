"""Options that several commands share, and what they turn into."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mps_bill.cli import completion
from mps_bill.core.decimals import AMOUNT_PLACES, parse_plain_decimal
from mps_bill.core.diagnostics import InputRejected, accepted, near_miss, one_of, quoted
from mps_bill.core.files import STANDARD_OUTPUT, descriptor
from mps_bill.core.language import LANGUAGES
from mps_bill.core.times import parse_offset, parse_second
from mps_bill.metering.usage_columns import is_tag

if TYPE_CHECKING:
    from mps_bill.metering.workspace import Resources
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.price_sheet.sheet_model import PriceSheet
    from mps_bill.settlement.account import Account


#: What options are for, as --help groups them; those without a group of these are what a command is about.
SHOW = "What to show"
READING = "Reading"
ENGINE = "Engine"

show_option = partial(typer.Option, rich_help_panel=SHOW)
reading_option = partial(typer.Option, rich_help_panel=READING)
engine_option = partial(typer.Option, rich_help_panel=ENGINE)


class Engine(StrEnum):
    """What reads usage."""

    auto = "auto"
    duckdb = "duckdb"
    python = "python"
    spark = "spark"


Usage = Annotated[
    list[str],
    typer.Argument(
        metavar="USAGE",
        help="Usage files: .csv, .csv.gz, .csv.zst, .parquet, globs, or - for CSV on standard input.",
    ),
]
Prices = Annotated[
    list[str],
    typer.Option(
        "--prices",
        "-p",
        metavar="SHEET",
        help="A price sheet file, a folder of them, or the id of a shipped one. Repeatable.",
        autocompletion=completion.sheets,
        show_default=False,
    ),
]


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


def account(help_: str, *, metavar: str = "FILE") -> Any:
    """The option --account of a command; `help_` says what it does with the account."""
    return typer.Option("--account", "-a", metavar=metavar, show_default=False, help=help_, callback=_with_origin)


Output = Annotated[
    str | None,
    show_option(
        "--output",
        "-o",
        metavar="FILE",
        callback=written_to,
        help="Write the result to FILE. Default: standard output, also written -.",
    ),
]
Language = StrEnum("Language", {name: name for name in LANGUAGES})  # type: ignore[misc]
Lang = Annotated[
    Language | None,
    show_option(
        "--lang",
        show_default=False,
        help="Language of tables, pages, workbooks and charts; what programs read and messages are English. Default: en.",
    ),
]
Bom = Annotated[bool, show_option("--bom", help="Start CSV with a byte order mark, for Excel.")]
InFull = Annotated[
    int | None,
    show_option(
        "--bills",
        min=0,
        metavar="N",
        help="Number of bills that a table prints in full. Default: a few; none from two days on.",
    ),
]
ShowAll = Annotated[bool, show_option("--all", help="Print every bill in full.")]
Summary = Annotated[
    bool,
    show_option(
        "--summary",
        help="Two pages to sign, for html and xlsx: figures, costs by day, by item and --by, who paid, what is left.",
    ),
]
BillingAccount = Annotated[
    str | None,
    show_option(metavar="ID", help="The provider's id of the account, for reports and FOCUS rows."),
]
Quiet = Annotated[bool, show_option("--quiet", "-q", help="Print only errors on standard error.")]
Profile = Annotated[
    str | None,
    reading_option(
        "--profile",
        metavar="PROFILE",
        help="Import profile for files of another format: a file, the id of a shipped profile, none, or auto (the default):"
        " by the shape of the file.",
        autocompletion=completion.profiles,
        show_default=False,
    ),
]
Constants = Annotated[
    list[str] | None,
    reading_option(
        "--set",
        metavar="NAME=VALUE",
        callback=_marked,
        help="With a profile: the value of a column in every row, such as region=cn-shanghai, or of a parameter of the"
        " profile, such as fps=25. Repeatable.",
        show_default=False,
    ),
]
By = Annotated[
    list[str] | None,
    show_option(
        "--by",
        metavar="GROUPING",
        callback=_marked,
        help="Summarise by hour, day, month, item, family, spec, region or a tag_... column; day,item crosses two. Repeatable.",
        autocompletion=completion.groupings,
        show_default=False,
    ),
]
Timezone = Annotated[
    str | None,
    reading_option(
        metavar="OFFSET",
        help="Offset from UTC, such as +08:00, of times written without one. Default: reject such times.",
        show_default=False,
    ),
]
IgnoreExtra = Annotated[bool, reading_option("--ignore-extra-columns", help="Ignore unknown columns.")]
MaxErrors = Annotated[int, reading_option(min=1, metavar="N", help="Number of problems to list one by one.")]
Rejects = Annotated[
    str | None,
    reading_option(
        metavar="FILE",
        help="Write rejected rows with their problems to FILE and go on with the others; the exit code is then 1.",
    ),
]
EngineOption = Annotated[Engine, engine_option("--engine", help="Engine that reads the usage; auto chooses by size.")]
Memory = Annotated[
    str | None,
    engine_option(
        metavar="SIZE",
        help="Memory for reading usage, such as 4GB. Default: 600 MB, or a quarter of a small machine's memory.",
    ),
]
Threads = Annotated[
    int | None,
    engine_option(min=1, metavar="N", help="Threads for reading usage. Default: one for each processor."),
]
TempDir = Annotated[
    str | None,
    engine_option(
        metavar="FOLDER", help="Folder for what does not fit into memory. Default: the system's temporary folder."
    ),
]
Master = Annotated[
    str | None,
    engine_option(metavar="URL", help="With --engine spark: the cluster. Default: this machine."),
]
TrustUnique = Annotated[bool, reading_option("--trust-unique", help="Skip the check for duplicate records.")]
AsOf = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Show bills issued after TIME as pending, such as 2023-11-10T14:00:00+08:00."),
]
FailOver = Annotated[
    str | None,
    show_option(metavar="AMOUNT", help="Exit 4 if the payable total is above AMOUNT."),
]


@contextmanager
def named(name: str, remedy: str = "") -> Iterator[None]:
    """Refuses what is written in the option `name` where it is not understood.

    Raises:
        typer.BadParameter: with the text of the ValueError, and the remedy.
    """
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(f"{error}{remedy}", param_hint=name) from None


def amount_option(value: str | None, name: str) -> Decimal | None:
    """The amount, or the percentage, that an option is."""
    with named(name):
        return None if value is None else parse_plain_decimal(value, places=AMOUNT_PLACES)


def offset_option(value: str | None) -> int | None:
    """Seconds east of UTC for --timezone."""
    with named(
        "--timezone", "; a zone's name is not taken, since hours of a zone with daylight saving can occur twice"
    ):
        return None if value is None else parse_offset(value)


def second_option(value: str | None, name: str) -> int | None:
    """Seconds since the epoch for an option that is a time."""
    with named(name):
        return None if value is None else parse_second(value)


def check_key(key: str, known: Iterable[str], name: str) -> None:
    """Refuses a word that is none of the keys of lines, nor a tag.

    Raises:
        typer.BadParameter: names the option.
    """
    known = list(known)
    if key not in known and not is_tag(key):
        hint = near_miss(key, known, priced=False)
        raise typer.BadParameter(f"{quoted(key)} is not {one_of([*known, 'a tag_... column'])}{hint}", param_hint=name)


def check_known(words: Iterable[str], known: Collection[str], name: str, where: str) -> None:
    """Refuses words that are not among those that are known in a place (`where`, in words).

    Raises:
        typer.BadParameter: names the option.
    """
    for word in words:
        if word not in known:
            hint = near_miss(word, known) or f"; known: {one_of(list(dict.fromkeys(known)))}"
            raise typer.BadParameter(f"{quoted(word)} is in {where}{hint}", param_hint=name)


_SIZE = re.compile(r"([1-9][0-9]{0,8}) ?([KMGT]?)(i?)B?", re.IGNORECASE)


def resources(memory: str | None, threads: int | None, temp_dir: str | None, master: str | None) -> Resources:
    """What a run may use, checked."""
    from mps_bill.metering.workspace import Resources

    size = None
    if memory is not None:
        match = _SIZE.fullmatch(memory)
        if not match:
            raise typer.BadParameter(f"{quoted(memory)} is not a size such as 512MB or 4GB", param_hint="--memory")
        number, unit, binary = match.groups()
        size = int(number) * (1024 if binary else 1000) ** " KMGT".index(unit.upper() or " ")
    if temp_dir is not None and not (os.path.isdir(temp_dir) and os.access(temp_dir, os.W_OK)):
        raise typer.BadParameter(f"{quoted(temp_dir)} is not a folder to write to", param_hint="--temp-dir")
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

    loaded, problems = load_sheets(paths, subfolders=subfolders)
    found = [*problems, *(problem for sheet in loaded for problem in sheet.problems)]
    if found:
        raise InputRejected(found)
    return [sheet.draft.sheet for sheet in loaded if sheet.draft]


def load_account(name: str, book: PriceBook) -> Account:
    """The account in the file `name`, to look at only.

    Raises:
        InputRejected: with every problem of the file.
    """
    from mps_bill.settlement.save import open_account

    with open_account(name, book, lock=False) as file:
        return file.account
