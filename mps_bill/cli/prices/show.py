"""`mps-bill prices show` and `list`: price tables, what has a price where, and the shipped sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.output import open_output, say, write_document
from mps_bill.cli.prices.check import Sheets
from mps_bill.core.diagnostics import InputRejected, near_miss, one_of, quoted

if TYPE_CHECKING:
    from mps_bill.price_sheet.sheet_model import PriceSheet
    from mps_bill.price_sheet.table import Selection
    from mps_bill.report.document import Document, Row


def show(
    paths: Sheets,
    item: Annotated[list[str] | None, typer.Option(metavar="CODE", help="Only this item. Repeatable.")] = None,
    region: Annotated[
        list[str] | None, typer.Option(metavar="REGION", help="Only prices in this region. Repeatable.")
    ] = None,
    spec: Annotated[list[str] | None, typer.Option(metavar="SPEC", help="Only this spec. Repeatable.")] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only what is in force at TIME, such as 2024-04-01T00:00:00+08:00."),
    ] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Which specs have a price in which regions.")] = False,
    format_: options.FormatOption = None,
    output: options.Output = None,
) -> int:
    """The price table of sheets, as a person would print it.

    Exit codes: 0 done; 1 nothing to show; 2 wrong command line; 3 a sheet is wrong.
    """
    format_ = options.format_for(format_, output)
    second = options.second_option(at, "--at")

    from mps_bill.price_sheet.table import Selection, price_rows
    from mps_bill.price_sheet.table import coverage as coverage_of
    from mps_bill.report import price_table

    sheets = _in_force(_load(paths), second)
    selection = Selection(tuple(item or ()), tuple(region or ()), tuple(spec or ()))
    _check_selection(sheets, selection)
    if coverage:
        covered = [(sheet, cover) for sheet in sheets if (cover := list(coverage_of(sheet, selection)))]
        found = bool(covered)
        parts = (price_table.coverage_document, price_table.coverage_json, price_table.coverage_csv)
        _write(covered, parts, format_, output)
    else:
        priced = [(sheet, rows) for sheet in sheets if (rows := list(price_rows(sheet, selection)))]
        found = bool(priced)
        _write(priced, (price_table.prices_document, price_table.prices_json, price_table.prices_csv), format_, output)
    if not found:
        say("Nothing to show: no sheet has such a price" + (" in force at that time." if at else "."))
    return exit_codes.DONE if found else exit_codes.FOUND


def list_sheets(format_: options.FormatOption = None, output: options.Output = None) -> int:
    """The price sheets that come with the program.

    Id, site, product, currency, period, number of items, and the sources with the days they were read.
    """
    format_ = options.format_for(format_, output)

    from mps_bill.price_sheet.find import shipped_sheets
    from mps_bill.report import price_table

    sheets = _load(list(shipped_sheets()))
    _write(sheets, (price_table.list_document, price_table.list_json, price_table.list_csv), format_, output)
    return exit_codes.DONE


def _load(paths: Sequence[str]) -> list[PriceSheet]:
    """Every sheet that the paths name, of whatever site and currency.

    Raises:
        InputRejected: with every problem of every sheet.
    """
    from mps_bill.price_sheet.load_sheets import load_sheets

    loaded, problems = load_sheets(paths)
    found = [*problems, *(problem for sheet in loaded for problem in sheet.problems)]
    if found:
        raise InputRejected(found)
    return [sheet.draft.sheet for sheet in loaded if sheet.draft]


def _in_force(sheets: list[PriceSheet], second: int | None) -> list[PriceSheet]:
    """The sheets in force at a time; of the versions of an id the one that started last. All of them without a time."""
    if second is None:
        return sheets
    latest: dict[str, PriceSheet] = {}
    for sheet in sorted(sheets, key=lambda sheet: sheet.effective_from):
        if sheet.effective_from <= second:
            latest[sheet.id] = sheet
    in_force = [sheet for sheet in latest.values() if sheet.effective_to is None or second < sheet.effective_to]
    return [sheet for sheet in sheets if sheet in in_force]


def _check_selection(sheets: Sequence[PriceSheet], selection: Selection) -> None:
    """A word that no sheet has is a mistake on the command line, not an empty table."""
    from mps_bill.price_sheet.regions import KNOWN
    from mps_bill.price_sheet.table import regions_of

    items = [item for sheet in sheets for item in sheet.items.values()]
    groups = [group for sheet in sheets for group in sheet.region_groups]
    for option, words, known in (
        ("--item", selection.items, [item.code for item in items]),
        ("--spec", selection.specs, [spec for item in items for spec in item.prices]),
        (
            "--region",
            selection.regions,
            [*groups, *(region for sheet in sheets for region in regions_of(sheet)), *KNOWN],
        ),
    ):
        for word in words if sheets else ():
            if word not in known:
                hint = near_miss(word, known) or f"; known: {one_of(list(dict.fromkeys(known)))}"
                raise typer.BadParameter(f"{quoted(word)} is in none of the sheets{hint}", param_hint=option)


def _write(
    values: Any,
    parts: tuple[Callable[[Any], Document], Callable[[Any], dict[str, Any]], Callable[[Any], Iterable[Row]]],
    format_: options.Format,
    output: str | None,
) -> None:
    """Writes values by the part that makes their document, their JSON or their CSV rows."""
    as_document, as_json, as_rows = parts
    with open_output(output) as stream:
        match format_:
            case options.Format.json:
                from mps_bill.report.bill_json import write_json

                write_json(stream, as_json(values))
            case options.Format.csv:
                import csv

                from mps_bill.report.bill_csv import spreadsheet_text

                writer = csv.writer(stream)
                writer.writerows([spreadsheet_text(str(cell)) for cell in row] for row in as_rows(values))
            case _:
                write_document(stream, as_document(values), format_)
