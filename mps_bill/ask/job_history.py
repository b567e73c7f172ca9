"""How the rows of one job were billed: the bill of each row, and how it was paid."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mps_bill.ask.all_accounts import AccountsUsage, meter_accounts
from mps_bill.core.diagnostics import Place, ProblemReport, near_miss
from mps_bill.metering.encodings import in_utf8
from mps_bill.metering.exact_reader import PlacedRecord, SeenRecord, count_row, open_files, placed_records, values_of
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.records import Identity
from mps_bill.metering.scheme import record_micros
from mps_bill.metering.sources import UsageSource
from mps_bill.pipeline import SettleRun, settle_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill
from mps_bill.rating.lines import LineItem
from mps_bill.rating.selection import EVERYTHING, Selection
from mps_bill.settlement.account import Account
from mps_bill.settlement.settle_cycles import Settlement

#: The maximum bytes of usage in which a similar job id is searched.
_SMALL = 5_000_000


@dataclass(frozen=True, slots=True)
class Explained:
    """One row of a job with the bill and the lines that it is in (None: the job failed).

    `repeats` is the place of the row that this one repeats. A repeated row is not billed.
    """

    placed: PlacedRecord
    micros: int
    repeats: Place | None
    bill: Bill | None
    lines: tuple[LineItem, ...]
    #: How the bill was paid, if there is an account; None for late usage, which is not charged.
    settlement: Settlement | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every valid row of a job, and the problems of the rejected rows."""

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
    """Return the selected rows of a job with their bills, in the order of the files. The result is empty if no row has the job.

    With an account, the bills are those that `settle_usage` pays from it, and each row has the payment of its bill.

    Raises:
        InputRejected: as `bill_usage`.
    """
    with in_utf8(sources, options.resources.temp_folder, options.notify) as readable:
        files, _ = open_files(readable, book, options)
        if account is None:
            usage = meter_accounts(readable, book, replace(options, accounts=None))
            rows = tuple(placed_records(files, job_id))
            billed = _listed(usage, options.tags, {placed.key.account for placed in rows})
        else:
            billed = _settled(settle_usage(readable, book, options, account))
            rows = tuple(placed_records(files, job_id))
        seen: dict[Identity, SeenRecord] = {}
        for placed in () if options.trust_unique else rows:
            count_row(placed, seen)
        shown = (placed for placed in rows if selection.has_record(placed.key, placed.assignment))
        met = ((placed, seen.get(placed.record.identity)) for placed in shown)
        explained = (billed.explained(placed, known) for placed, known in met if not (known and known.conflict))
        return Explanation(tuple(explained), billed.problems)


def near_job(sources: Sequence[UsageSource], job_id: str) -> str:
    """Return `; did you mean "x"?` for the most similar job id, if the usage files are small and do not have the job."""
    if sum(source.size for source in sources) > _SMALL:
        return ""
    jobs = dict.fromkeys(values_of(sources, "job_id"))
    return "" if job_id in jobs else near_miss(job_id, jobs, priced=False)


@dataclass(frozen=True, slots=True)
class _Billed:
    """The bills that rows can be in, by account, product and start of the cycle; for each account in order of issue."""

    bills: Mapping[tuple[str, str, int], Bill]
    problems: ProblemReport
    paid: Mapping[int, Settlement] = field(default_factory=dict)
    late: tuple[Bill, ...] = ()

    def explained(self, placed: PlacedRecord, seen: SeenRecord | None) -> Explained:
        """Explain a row; `seen` is the first occurrence of its record."""
        repeats = seen.first if seen and seen.first != Place(placed.source.name, placed.row.line) else None
        found = placed.assignment
        if not found:
            return Explained(placed, placed.record.micros, repeats, None, ())
        name = placed.key.account
        bill = self.bills[name, found.sheet.product, found.cycle_start]
        lines = tuple(line for line in bill.lines if line.charge.has_usage_of(found))
        return Explained(
            placed,
            record_micros(found.item, placed.key.unit, placed.record.micros),
            repeats,
            bill,
            lines,
            self.paid.get(id(bill)),
            any(bill is other for other in self.late),
        )


def _listed(usage: AccountsUsage, tags: tuple[str, ...], wanted: Container[str]) -> _Billed:
    """Return the bills of the wanted accounts at list prices."""
    runs = ((name, run) for name, run in usage.bills(tags) if name in wanted)
    bills = {(name, bill.cycle.product, bill.cycle.start): bill for name, run in runs for bill in run.bills}
    return _Billed(bills, usage.problems)


def _settled(run: SettleRun) -> _Billed:
    """Return the bills that an account pays, and those of late usage."""
    settlements, late = run.settled.settlements, run.settled.late
    issued = (*(settlement.bill for settlement in settlements), *late)
    bills = {("", bill.cycle.product, bill.cycle.start): bill for bill in issued}
    return _Billed(bills, run.problems, {id(one.bill): one for one in settlements}, late)
