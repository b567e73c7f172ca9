"""`mps-bill prices diff`: what changed between two price sheets, and what it would have cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from os.path import isdir
from typing import TYPE_CHECKING, Annotated

from mps_bill.cli import options
from mps_bill.cli.options import Reading, argument, option, takes
from mps_bill.cli.output import check_outputs, invalid
from mps_bill.cli.showing import Showing, shows
from mps_bill.core.decimals import amount_text, percent_text, plain, rises_by_more
from mps_bill.core.diagnostics import InputRejected, Problem, accepted, all_of

if TYPE_CHECKING:
    from mps_bill.ask.comparison import Comparison
    from mps_bill.price_sheet.rises import Crossed, Rise
    from mps_bill.price_sheet.sheet_diff import SheetDiff
    from mps_bill.price_sheet.sheet_model import PriceSheet
    from mps_bill.price_sheet.sheet_sets import Ended, SetDiff


_FAIL_IF_UP = "Exit 4 if a bill rises by more than PERCENT: by a price, a rule, or an amount of the usage."
_OLD = "Price sheets: a file, a folder, the id of a shipped one, or - for standard input."
_USAGE = "Bill this usage under both sheets. Repeatable; globs are allowed."


@takes(reading=Reading)
@shows("printed", "document")
def diff(
    old: Annotated[str, argument("OLD", _OLD)],
    new: Annotated[str, argument("NEW", "The price sheets to compare with them.")],
    *,
    usage: Annotated[list[str] | None, option("--usage FILE", _USAGE)] = None,
    fail_if_up: Annotated[str | None, option("--fail-if-up PERCENT", _FAIL_IF_UP)] = None,
    showing: Showing,
    reading: Reading,
) -> int:
    """What changed between two price sheets, or two folders of them, and what it costs.

    Prices are compared by item, spec and region; --usage bills real usage under both sheets.

    Exit codes: 0 nothing changed; 1 something changed; 2 wrong command line; 3 a sheet or the usage is wrong, or the new
    sheet cannot bill the usage; 4 the limit of --fail-if-up was crossed.
    """
    limit = options.amount_option(fail_if_up, "--fail-if-up")
    if old == new == "-":
        raise invalid("NEW", "both sheets cannot be read from standard input; name one of them")
    from mps_bill.cli.metering import read_files

    check_outputs({"--output": showing.output}, read_files(usage or [], {}, [old, new]))

    from mps_bill.price_sheet.sheet_sets import diff_sets
    from mps_bill.view.price_diff_view import PriceDiffView

    sides = _sheets(old, new)
    found = accepted(*diff_sets((old, new), *sides, whole=isdir(old) and isdir(new)))
    try:
        compared = _compare(usage, sides, [old, new], reading, showing) if usage else None
    except InputRejected as rejected:
        # What changed is known all the same, and so may be what has no price any more.
        showing.show(PriceDiffView(found, None, getattr(rejected, "unbilled", ())))
        raise
    crossed = () if limit is None else tuple(_crossed(found, compared, limit, sides[1]))
    showing.show(PriceDiffView(found, compared, (), limit, crossed))
    problems_of_usage = compared.usage.metered.problems if compared else None
    return showing.end(problems_of_usage, found=bool(found), crossed=[one.text for one in crossed])


def _sheets(old: str, new: str) -> tuple[list[PriceSheet], list[PriceSheet]]:
    """The sheets of both sides, of folders with their subfolders.

    Raises:
        InputRejected: with every problem of every sheet.
    """
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
    reading: Reading,
    showing: Showing,
) -> Comparison:
    from mps_bill.ask.comparison import compare_sheets
    from mps_bill.cli.metering import UsageRun
    from mps_bill.price_sheet.book import book_of_latest
    from mps_bill.price_sheet.sheet_problems import MIXED_CURRENCIES

    for sheets in sides:
        other = next((sheet for sheet in sheets if sheet.currency != sheets[0].currency), None)
        if other:
            message = f"{other.id} is in {other.currency}, and {sheets[0].id} in {sheets[0].currency}"
            remedy = "for --usage name sheets of one currency"
            raise InputRejected([Problem(other.place, MIXED_CURRENCIES, f"{message}; {remedy}")])
    run = UsageRun(usage, paths, book_of_latest(sides[0]), reading, showing)
    with run.metering() as (sources, meter_options):
        return compare_sheets(sources, *sides, meter_options)


#: Of the prices that rise too much, and of the items, specs and regions without a price, so many are named.
_NAMED = 5


def _crossed(
    found: SetDiff, compared: Comparison | None, limit: Decimal, sheets: Sequence[PriceSheet]
) -> Iterator[Crossed]:
    """What rises by more than `--fail-if-up`, in words: what is dearer by the sheets alone, and amounts of the usage. What
    cannot be put as a percentage is judged by what it comes to on the usage."""
    from mps_bill.price_sheet.rises import Crossed, Rise, rises

    allowed = f"more than --fail-if-up {plain(limit)} % allows"
    over = [(rise, diff) for diff in found.changed for rise in rises(diff) if rise.exceeds(limit)]
    for since, diff in found.shifted:
        day = diff.new.billing.calendar.day(since)
        at = f" from {day} on, when {diff.new.ref} is in force instead of {diff.old.ref}"
        over += [(replace(rise, when=at), diff) for rise in rises(diff) if rise.exceeds(limit)]
    measured = _sentences(found, [(rise, diff) for rise, diff in over if rise.measured])
    for number, (sentence, rise) in enumerate(measured[:_NAMED]):
        others = f", the highest of {len(measured)} that do" if number == 0 and len(measured) > 1 else ""
        yield Crossed(f"{sentence}, {allowed}{others}", rise)
    if len(measured) > _NAMED:
        yield Crossed(
            f"{len(measured) - _NAMED} more rise by {allowed}", others=[rise for _, rise in measured[_NAMED:]]
        )
    used = set(compared.here.items) if compared else set()
    for item in dict.fromkeys(rise.item for rise, _ in over if not rise.measured):
        if item in used or (compared and not item):
            continue
        why = f"the usage has none of {item}" if compared else "--usage shows what it comes to"
        of_item = [(rise, diff) for rise, diff in over if not rise.measured and rise.item == item]
        for sentence, rise in _sentences(found, of_item):
            yield Crossed(f"{sentence}, which cannot be expressed as a percentage; {why}", rise)
    for one in (one for one in found.ended if one.refuses and (not compared or _is_used(one, compared, sheets))):
        day = one.old.billing.calendar.day(one.since)
        why = f"{one.instead.ref} is in force" if one.instead else "no sheet is in force any more"
        text = (
            f"{one.words(_NAMED)} without a price from {day} on, when {why}; this cannot be expressed as a percentage"
        )
        yield Crossed(text, lost=one.lost)
    if compared is not None:
        unmeasured = dict.fromkeys(rise.item for rise, _ in over if not rise.measured and rise.item in used)
        before, after = compared.here.amounts, compared.there.amounts
        for item, what, old, new in (
            ("", "the list amount", before.list_amount, after.list_amount),
            ("", "the payable amount", before.payable, after.payable),
            *((code, f"the amount of {code}", *compared.amounts(code)) for code in unmeasured),
        ):
            if rises_by_more(old, new, limit):
                by = f" ({percent_text(Fraction(new) / Fraction(old))})" if old else ""
                ratio = Fraction(new) / Fraction(old) if old else None
                rise = Rise(item, what, plain(old), plain(new), ratio, in_figures=True)
                yield Crossed(f"{what} rises from {amount_text(old)} to {amount_text(new)}{by}, {allowed}", rise)


def _is_used(ended: Ended, compared: Comparison, sheets: Sequence[PriceSheet]) -> bool:
    """Whether the usage has something of what has no price any more. What bills the usage, however it names its specs, does not
    lack a price for it."""
    from mps_bill.price_sheet.book import latest
    from mps_bill.price_sheet.sheet_model import EVERY_REGION

    if any(ended.instead is sheet for sheet in latest(sheets)):
        return False
    gone = {(one.item, one.spec): one.regions for one in ended.lost}
    for assignment in (group.assignment for group in compared.usage.metered.groups):
        item, spec, region = assignment.item.code, assignment.spec, assignment.region
        still = ended.instead and ended.instead.price_in(item, spec, region)
        if not still and {region, EVERY_REGION}.intersection(gone.get((item, spec), ())):
            return True
    return False


def _sentences(found: SetDiff, rises: Sequence[tuple[Rise, SheetDiff]]) -> list[tuple[str, Rise]]:
    """Each rise in words, once, with the sheets that have it where there are several."""
    sheets: dict[str, tuple[Rise, list[str]]] = {}
    for rise, diff in sorted(rises, key=lambda pair: pair[0].size, reverse=True):
        sheets.setdefault(str(rise), (rise, []))[1].append(diff.new.ref)
    several = len(found.changed) > 1
    return [
        (f"{sentence} in {all_of(refs)}" if several else sentence, rise) for sentence, (rise, refs) in sheets.items()
    ]
