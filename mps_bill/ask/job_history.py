"""What became of the rows of one job: the bill that each stands in, and how that was paid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from mps_bill.ask.all_accounts import bill_accounts
from mps_bill.core.diagnostics import Place, ProblemReport, near_miss
from mps_bill.metering.encodings import in_utf8
from mps_bill.metering.exact_reader import (
    PlacedRecord,
    SeenRecord,
    meet,
    open_files,
    placed_records,
    values_of,
)
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.records import Identity
from mps_bill.metering.scheme import record_micros
from mps_bill.metering.sources import UsageSource
from mps_bill.pipeline import settle_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill
from mps_bill.rating.lines import Charge, LineItem, month_key
from mps_bill.rating.month_use import month_total
from mps_bill.rating.selection import EVERYTHING, Selection
from mps_bill.settlement.account import Account
from mps_bill.settlement.settle_cycles import Settlement

#: Bytes of usage whose jobs are looked through for one that is near.
_SMALL = 5_000_000


@dataclass(frozen=True, slots=True)
class Explained:
    """One row of a job, and what became of it: `bill` and `lines` are those it stands in (None: the job failed).

    `repeats` is the place of the row that this one repeats; a repeat is not billed.
    """

    placed: PlacedRecord
    micros: int
    repeats: Place | None
    bill: Bill | None
    lines: tuple[LineItem, ...]
    #: How the bill was paid, where the job is explained with an account; None for late usage, which is not charged.
    settlement: Settlement | None = None
    late: bool = False
    #: What the month had used of all that counts with the charge before this bill, in micros; None where the price does not ask.
    month_used: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every good row of a job, and the problems of the rejected rows."""

    records: tuple[Explained, ...]
    problems: ProblemReport


def explain_job(
    sources: Sequence[UsageSource],
    book: PriceBook,
    options: MeterOptions,
    job_id: str,
    account: Account | None = None,
    selection: Selection = EVERYTHING,
) -> Explanation:
    """Every row of a job, of those that are selected, with the bill it stands in, in the order of the files; empty where no
    row has that job.

    With an account the bills are those that `settle_usage` pays from it, and each row knows how its bill was paid.

    Raises:
        InputRejected: as `bill_usage`.
    """
    with in_utf8(sources, options.resources.temp_folder, options.notify) as readable:
        explanation = _explain(readable, book, options, job_id, account)
    shown = (one for one in explanation.records if selection.has_record(one.placed.key, one.placed.assignment))
    return replace(explanation, records=tuple(shown))


def near_job(sources: Sequence[UsageSource], job_id: str) -> str:
    """`; did you mean "x"?` for the nearest job of usage files that are small and do not have that job."""
    if sum(source.size for source in sources) > _SMALL:
        return ""
    jobs = dict.fromkeys(values_of(sources, "job_id"))
    return "" if job_id in jobs else near_miss(job_id, jobs, priced=False)


def _explain(
    sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions, job_id: str, account: Account | None
) -> Explanation:
    settlements: tuple[Settlement, ...] = ()
    late: tuple[Bill, ...] = ()
    files, _ = open_files(sources, book, options)
    bills: dict[tuple[str, str, int], Bill] = {}
    rows: tuple[PlacedRecord, ...]
    if account is None:
        several = bill_accounts(sources, book, replace(options, accounts=None))
        problems = several.problems
        rows = tuple(placed_records(files, job_id))
        wanted = {placed.key.account for placed in rows}
        for name, run in several:
            if name in wanted:
                bills.update({(name, bill.cycle.product, bill.cycle.start): bill for bill in run.bills})
    else:
        settled = settle_usage(sources, book, options, account)
        problems = settled.problems
        rows = tuple(placed_records(files, job_id))
        settlements, late = settled.settled.settlements, settled.settled.late
        issued = (*(settlement.bill for settlement in settlements), *late)
        bills.update({("", bill.cycle.product, bill.cycle.start): bill for bill in issued})
    paid = {id(settlement.bill): settlement for settlement in settlements}
    seen: dict[Identity, SeenRecord] = {}
    for placed in () if options.trust_unique else rows:
        meet(placed, seen)
    explained = []
    for placed in rows:
        record = placed.record
        known = seen.get(record.identity)
        if known and known.conflict:
            continue
        bill: Bill | None = None
        lines: tuple[LineItem, ...] = ()
        micros = record.micros
        month_used: int | None = None
        if placed.assignment:
            found = placed.assignment
            bill = bills[placed.key.account, found.sheet.product, found.cycle_start]
            lines = tuple(
                line
                for line in bill.lines
                if (line.item.code, line.spec, line.region) == (found.item.code, found.spec, found.region)
            )
            micros = record_micros(found.item, placed.key.unit, record.micros)
            earlier = (other for (name, _, _), other in bills.items() if name == placed.key.account)
            month_used = _month_used(lines[0].charge, bill, earlier, account)
        repeats = known.first if known and known.first != Place(placed.source.name, placed.row.line) else None
        settlement = paid.get(id(bill)) if bill else None
        is_late = any(bill is other for other in late)
        explained.append(Explained(placed, micros, repeats, bill, lines, settlement, is_late, month_used))
    return Explanation(tuple(explained), problems)


def _month_used(charge: Charge, bill: Bill, bills: Iterable[Bill], account: Account | None) -> int | None:
    """What the month had used of all that counts with a charge before its bill: by the account before the run, and by the
    bills before this one."""
    if not charge.price.by_month:
        return None
    used = dict(account.month_used) if account else {}
    for other in takewhile(lambda other: other is not bill, bills):
        for line in other.lines:
            key = month_key(line.charge)
            used[key] = used.get(key, 0) + line.billed_micros
    return month_total(charge, used)
