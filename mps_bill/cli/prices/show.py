"""`mps-bill prices show` and `list`: price tables, what has a price where, and the shipped sheets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from mps_bill.cli import completion, options
from mps_bill.cli.options import option
from mps_bill.cli.output import say
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.cli.prices.check import Sheets

if TYPE_CHECKING:
    from mps_bill.price_sheet.sheet_model import PriceSheet
    from mps_bill.price_sheet.table import Selection


_REGION = "Only prices in this region. Repeatable."
_AT = "Only what is in force at TIME, such as 2024-04-01T00:00:00+08:00."


@shows("printed", "document", "records")
def show(
    paths: Sheets,
    *,
    item: Annotated[list[str] | None, option("--item CODE", "Only this item. Repeatable.", completion.items)] = None,
    region: Annotated[list[str] | None, option("--region REGION", _REGION, completion.regions)] = None,
    spec: Annotated[list[str] | None, option("--spec SPEC", "Only this spec. Repeatable.", completion.specs)] = None,
    at: Annotated[str | None, option("--at TIME", _AT)] = None,
    coverage: Annotated[bool, option("--coverage", "Show which specs have a price in which regions.")] = False,
    output: OutputOptions,
) -> int:
    """The price tables of price sheets, for people.

    Exit codes: 0 done; 1 nothing to show; 2 wrong command line; 3 a sheet is wrong.
    """
    second = options.second_option(at, "--at")

    from mps_bill.price_sheet.table import Selection, grids, price_rows, unpriced_rows
    from mps_bill.price_sheet.table import coverage as coverage_of
    from mps_bill.view.price_view import CoverageView, PriceView

    sheets = _in_force(options.load_sheets(paths), second)
    selection = Selection(tuple(item or ()), tuple(region or ()), tuple(spec or ()), second)
    _check_selection(sheets, selection)
    #: The view, what of each sheet it shows, and what beside that.
    priced: tuple[Any, Any, Any] = (PriceView, price_rows, unpriced_rows)
    view_of, rows_of, beside = (CoverageView, coverage_of, grids) if coverage else priced
    found = ((sheet, list(rows_of(sheet, selection))) for sheet in sheets)
    view = view_of([(sheet, rows, list(beside(sheet, selection))) for sheet, rows in found if rows])
    output.show(view)
    if not view.tables:
        say("Nothing to show: no sheet has such a price" + (" in force at that time." if at else "."))
    return output.end(found=not view.tables)


@shows("printed", "document", "records")
def list_sheets(output: OutputOptions) -> int:
    """The price sheets that come with the program.

    Id, site, product, currency, period, number of items, and the sources with the days they were read.
    """
    from mps_bill.price_sheet.find import shipped_sheets
    from mps_bill.view.price_view import SheetListView

    output.show(SheetListView(options.load_sheets(list(shipped_sheets()))))
    return output.end()


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
    for name, words, known in (
        ("--item", selection.items, [item.code for item in items]),
        ("--spec", selection.specs, [spec for item in items for spec in (*item.prices, *item.aliases)]),
        (
            "--region",
            selection.regions,
            [*groups, *(region for sheet in sheets for region in regions_of(sheet)), *KNOWN],
        ),
    ):
        options.check_known(words if sheets else (), known, name, "none of the sheets")
