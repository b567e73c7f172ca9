"""`mps-bill prices diff`: what changed between two price sheets, and what the changes cost."""

from __future__ import annotations

from os.path import isdir
from typing import TYPE_CHECKING, Annotated

from mps_bill.cli import options
from mps_bill.cli.options import ReadingOptions, argument, option, takes
from mps_bill.cli.output import check_outputs, invalid
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.core.diagnostics import InputRejected, Problem, accepted

if TYPE_CHECKING:
    from mps_bill.ask.comparison import Comparison
    from mps_bill.price_sheet.sheet_model import PriceSheet


_FAIL_IF_UP = "Exit 4 if a price, the effect of a rule, or an amount of the usage rises by more than PERCENT."
_OLD = "The old price sheets: a file, a folder, the id of a shipped sheet, or - for standard input."
_USAGE = "Bill this usage under both sheets. Repeatable. Globs are allowed."


@takes(reading=ReadingOptions)
@shows("printed", "document")
def diff(
    old: Annotated[str, argument("OLD", _OLD)],
    new: Annotated[str, argument("NEW", "The new price sheets.")],
    *,
    usage: Annotated[list[str] | None, option("--usage FILE", _USAGE)] = None,
    fail_if_up: Annotated[str | None, option("--fail-if-up PERCENT", _FAIL_IF_UP)] = None,
    output: OutputOptions,
    reading: ReadingOptions,
) -> int:
    """Show what changed between two price sheets or two folders of them.

    Prices are compared by item, spec and region. With --usage, real usage is billed under both sheets.

    Exit codes: 0 nothing changed; 1 something changed; 2 wrong command line; 3 a sheet or the usage is wrong, or the usage
    cannot be billed under the new sheet; 4 the limit of --fail-if-up was crossed.
    """
    limit = options.amount_option(fail_if_up, "--fail-if-up")
    if old == new == "-":
        raise invalid("NEW", "both sheets cannot be read from standard input; name one of them")
    from mps_bill.cli.metering import read_files

    check_outputs({"--output": output.path}, read_files(usage or [], {}, [old, new]))

    from mps_bill.ask.rise_limit import crossed_limits
    from mps_bill.price_sheet.sheet_sets import diff_sets
    from mps_bill.view.price_diff_view import PriceDiffView

    sides = _sheets(old, new)
    found = accepted(*diff_sets((old, new), *sides, whole=isdir(old) and isdir(new)))
    try:
        compared = _compare(usage, sides, [old, new], reading, output) if usage else None
    except InputRejected as rejected:
        # The changes are known anyway, and perhaps also which usage has no price any more.
        output.show(PriceDiffView(found, None, getattr(rejected, "unbilled", ())))
        raise
    crossed = () if limit is None else tuple(crossed_limits(found, compared, limit, sides[1]))
    output.show(PriceDiffView(found, compared, (), limit, crossed))
    problems_of_usage = compared.usage.metered.problems if compared else None
    return output.end(problems_of_usage, found=bool(found), crossed=[one.text for one in crossed])


def _sheets(old: str, new: str) -> tuple[list[PriceSheet], list[PriceSheet]]:
    """Return the sheets of both sides, or raise `InputRejected` with every problem. Folders include their subfolders."""
    from mps_bill.metering.sources import STANDARD_INPUT
    from mps_bill.price_sheet.load_sheets import load_sheets, load_stream

    sides: list[list[PriceSheet]] = []
    problems: list[Problem] = []
    for name in (old, new):
        loaded, missing = load_sheets([name], subfolders=True) if name != STANDARD_INPUT else ((load_stream(),), ())
        problems += missing
        problems += (problem for sheet in loaded for problem in sheet.problems)
        sides.append([sheet.draft.sheet for sheet in loaded if sheet.draft])
    if problems:
        raise InputRejected(problems)
    return sides[0], sides[1]


def _compare(
    usage: list[str],
    sides: tuple[list[PriceSheet], list[PriceSheet]],
    paths: list[str],
    reading: ReadingOptions,
    output: OutputOptions,
) -> Comparison:
    from mps_bill.ask.comparison import compare_sheets
    from mps_bill.cli.metering import UsageRun
    from mps_bill.price_sheet.book import book_of_latest
    from mps_bill.price_sheet.sheet_problems import MIXED_CURRENCIES

    for sheets in sides:
        other = next((sheet for sheet in sheets if sheet.currency != sheets[0].currency), None)
        if other:
            message = f"{other.id} is in {other.currency}, and {sheets[0].id} in {sheets[0].currency}"
            remedy = "with --usage, all sheets must have one currency"
            raise InputRejected([Problem(other.place, MIXED_CURRENCIES, f"{message}; {remedy}")])
    run = UsageRun(usage, paths, book_of_latest(sides[0]), reading, output)
    with run.metering() as (sources, meter_options):
        return compare_sheets(sources, *sides, meter_options)
