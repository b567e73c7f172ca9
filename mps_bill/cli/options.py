"""Options that several commands share, and what they turn into."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from mps_bill.core.diagnostics import InputRejected, one_of, quoted
from mps_bill.core.times import parse_offset, parse_second
from mps_bill.price_sheet.book import PriceBook


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


class Engine(StrEnum):
    """What reads usage."""

    auto = "auto"
    duckdb = "duckdb"
    python = "python"


#: The format that an output file's name asks for.
SUFFIXES = {".json": Format.json, ".csv": Format.csv, ".md": Format.markdown, ".txt": Format.table}

Usage = Annotated[
    list[str],
    typer.Argument(
        metavar="USAGE...",
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
    ),
]
FormatOption = Annotated[
    Format | None,
    typer.Option("--format", "-f", help="How to print; without it the suffix of --output decides, else table."),
]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the result to FILE instead of standard output."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on standard error but errors.")]
By = Annotated[
    list[str] | None,
    typer.Option(
        "--by", metavar="GROUPING", help="Summarise by hour, day, month, item, region or a tag_... column. Repeatable."
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option(metavar="OFFSET", help="Offset such as +08:00 for times that have none; without it they are refused."),
]
IgnoreExtra = Annotated[bool, typer.Option("--ignore-extra-columns", help="Pass over columns that are not known.")]
MaxErrors = Annotated[int, typer.Option(min=1, metavar="N", help="Problems that are listed one by one.")]
Rejects = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Write bad rows with their problems to FILE and go on with the good ones; still exits 3."
    ),
]
EngineOption = Annotated[Engine, typer.Option("--engine", help="What reads the usage; auto picks by size.")]
TrustUnique = Annotated[bool, typer.Option("--trust-unique", help="Leave out the check for repeated records.")]
AsOf = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Hold back bills that are issued after TIME, such as 2023-11-10T14:00:00+08:00."),
]


def offset_option(value: str | None, name: str = "--timezone") -> int | None:
    """Seconds east of UTC for an option that is an offset."""
    if value is None:
        return None
    try:
        return parse_offset(value)
    except ValueError as error:
        remedy = "; a zone's name is not taken, since hours of a zone with daylight saving can occur twice"
        raise typer.BadParameter(f"{error}{remedy}", param_hint=name) from None


def second_option(value: str | None, name: str) -> int | None:
    """Seconds since the epoch for an option that is a time."""
    if value is None:
        return None
    try:
        return parse_second(value)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from None


def format_for(chosen: Format | None, output: str | None) -> Format:
    """The format that was asked for, or the one that the name of the output file asks for."""
    if chosen:
        return chosen
    if output is None:
        return Format.table
    for suffix, format_ in SUFFIXES.items():
        if output.lower().endswith(suffix):
            return format_
    raise typer.BadParameter(
        f"{quoted(output)} does not end in {one_of(list(SUFFIXES))}; give --format", param_hint="--output"
    )


def groupings(by: list[str] | None) -> tuple[str, ...]:
    """The groupings asked for, checked."""
    from mps_bill.metering.usage import TAG_PREFIX

    words = ("hour", "day", "month", "item", "region")
    for grouping in by or ():
        if grouping not in words and not grouping.startswith(TAG_PREFIX):
            raise typer.BadParameter(
                f"{quoted(grouping)} is not {one_of([*words, 'a tag_... column'])}", param_hint="--by"
            )
    return tuple(dict.fromkeys(by or ()))


def load_book(prices: list[str]) -> PriceBook:
    """The price book of the run.

    Raises:
        InputRejected: with every problem of every sheet.
    """
    from mps_bill.price_sheet.load import load_price_book

    book, problems = load_price_book(prices)
    if book is None:
        raise InputRejected(problems)
    return book
