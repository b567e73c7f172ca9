"""`mps-bill prices show`, `history` and `list`: price tables, the versions of a sheet, and the shipped sheets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from mps_bill.cli import completion, options
from mps_bill.cli.options import argument, option
from mps_bill.cli.output import say
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.cli.prices.check import Sheets
from mps_bill.core.diagnostics import InputRejected, Place, Problem, near_miss, one_of, quoted
from mps_bill.core.files import shipped_folder

if TYPE_CHECKING:
    from mps_bill.price_sheet.sheet_model import PriceSheet
    from mps_bill.price_sheet.table import Selection


_REGION = "Only prices in this region. Repeatable."
_AT = "Only prices in force at TIME, such as 2024-04-01T00:00:00+08:00."


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
    """Show the prices of price sheets, as tables.

    Exit codes: 0 done; 1 nothing to show; 2 wrong command line; 3 a sheet is wrong.
    """
    second = options.second_option(at, "--at")

    from mps_bill.price_sheet.table import Selection, grids, price_rows, unpriced_rows
    from mps_bill.price_sheet.table import coverage as coverage_of
    from mps_bill.view.price_view import CoverageView, PriceView

    sheets = _in_force(options.load_sheets(paths), second)
    selection = Selection(tuple(item or ()), tuple(region or ()), tuple(spec or ()), second)
    _check_selection(sheets, selection)
    #: The view, and the functions that return what it shows of each sheet.
    priced: tuple[Any, Any, Any] = (PriceView, price_rows, unpriced_rows)
    view_of, rows_of, more_of = (CoverageView, coverage_of, grids) if coverage else priced
    found = ((sheet, list(rows_of(sheet, selection))) for sheet in sheets)
    view = view_of([(sheet, rows, list(more_of(sheet, selection))) for sheet, rows in found if rows])
    output.show(view)
    if not view.sheets:
        say("Nothing to show: no sheet has a matching price" + (" in force at that time." if at else "."))
    return output.end(found=not view.sheets)


_PATHS = "Files or folders (with their subfolders) with the versions of the sheet. Default: the shipped sheets."


@shows("printed", "document", "records")
def history(
    sheet: Annotated[str, argument("ID", "The id of a price sheet, such as mps-china.", completion.sheets)],
    paths: Annotated[list[str] | None, argument("PATH", _PATHS)] = None,
    *,
    item: Annotated[list[str] | None, option("--item CODE", "Only this item. Repeatable.")] = None,
    output: OutputOptions,
) -> int:
    """Show the prices of a sheet in all its versions.

    There is a column for each version, and one for the latest change of a price.

    Exit codes: 0 done; 2 wrong command line; 3 a sheet is wrong, or none has the id.
    """
    from mps_bill.price_sheet import sheet_problems as kinds
    from mps_bill.price_sheet.table import price_history
    from mps_bill.view.price_view import PriceHistoryView

    sheets = options.load_sheets(paths or [str(shipped_folder("pricing"))], subfolders=True)
    versions = sorted((one for one in sheets if one.id == sheet), key=lambda one: one.effective_from)
    if not versions:
        ids = sorted({one.id for one in sheets})
        message = f"no price sheet has the id {quoted(sheet)}{near_miss(sheet, ids) or f'; there are {one_of(ids)}'}"
        raise InputRejected([Problem(Place(sheet), kinds.NO_SUCH_SHEET, message)])
    known = sorted({code for version in versions for code in version.items})
    options.check_known(item or (), known, "--item", f"no version of {sheet}")
    output.show(PriceHistoryView(versions, list(price_history(versions, item or ()))))
    return output.end()


@shows("printed", "document", "records")
def list_sheets(output: OutputOptions) -> int:
    """List the price sheets that come with the program.

    The list has the id, site, product, currency, period and number of items of each sheet, and its sources with the days on
    which they were read.
    """
    from mps_bill.price_sheet.find import shipped_sheets
    from mps_bill.view.price_view import SheetListView

    output.show(SheetListView(options.load_sheets(list(shipped_sheets()))))
    return output.end()


def _in_force(sheets: list[PriceSheet], second: int | None) -> list[PriceSheet]:
    """Return the sheets in force at a time, at most one version of each id; all sheets if there is no time."""
    if second is None:
        return sheets
    latest: dict[str, PriceSheet] = {}
    for sheet in sorted(sheets, key=lambda sheet: sheet.effective_from):
        if sheet.effective_from <= second:
            latest[sheet.id] = sheet
    in_force = [sheet for sheet in latest.values() if sheet.effective_to is None or second < sheet.effective_to]
    return [sheet for sheet in sheets if sheet in in_force]


def _check_selection(sheets: Sequence[PriceSheet], selection: Selection) -> None:
    """Refuse a selected word that no sheet has: it is a mistake on the command line, and not an empty result."""
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
