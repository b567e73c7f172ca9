"""`mps-bill prices history`: the prices of a sheet over its versions."""

from __future__ import annotations

from typing import Annotated

from mps_bill.cli import completion, options
from mps_bill.cli.options import argument, option
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.core.diagnostics import InputRejected, Place, Problem, near_miss, one_of, quoted
from mps_bill.core.files import shipped_folder

_PATHS = "Files and folders, with their subfolders, of its versions. Default: the shipped ones."


@shows("printed", "document", "records")
def history(
    sheet: Annotated[str, argument("ID", "The id of a price sheet, such as mps-china.", completion.sheets)],
    paths: Annotated[list[str] | None, argument("PATH", _PATHS)] = None,
    *,
    item: Annotated[list[str] | None, option("--item CODE", "Only this item. Repeatable.")] = None,
    output: OutputOptions,
) -> int:
    """The prices of a sheet over its versions: a column for each, and how a price changed last.

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
