"""Running usage cases: the rows go through the whole pipeline, as if they stood in a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from mps_bill.ask.price_cases import case_definition as d
from mps_bill.ask.price_cases.read_cases import Case, CaseFile
from mps_bill.core.decimals import EXACT, amount_text, plain, stripped
from mps_bill.core.diagnostics import InputRejected, Place, Problem
from mps_bill.core.times import iso
from mps_bill.core.units import in_unit
from mps_bill.documents.shapes import Field, Fields, Located
from mps_bill.metering.csv_rows import read_rows
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.usage_columns import RECORD_COLUMNS
from mps_bill.pipeline import BillRun, bill_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import sum_amounts
from mps_bill.rating.lines import LineItem


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A value that is not as expected. `difference` is the actual less the expected amount; empty for other values."""

    place: Place
    what: str
    expected: str
    actual: str
    difference: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case with what went wrong. `refusals` are problems of its usage that it did not expect."""

    case: Case
    mismatches: tuple[Mismatch, ...]
    refusals: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        return not self.mismatches and not self.refusals


@dataclass(frozen=True, slots=True)
class FileResult:
    """The results of one file of cases; `sheet` is the version that priced them."""

    name: str
    sheet: str
    results: tuple[CaseResult, ...]

    @property
    def failed(self) -> int:
        return sum(not result.passed for result in self.results)


def run_cases(file: CaseFile) -> FileResult:
    """Every case of a file."""
    sheet = next(iter(file.book.sheets))
    return FileResult(file.name, sheet.ref, tuple(run_case(case, file.book) for case in file.cases))


def run_case(case: Case, book: PriceBook) -> CaseResult:
    """One case: its usage billed, and the bills held against what it expects."""
    sheet = next(iter(book.sheets))
    offset = sheet.billing.calendar.offset
    source = _source(case, iso(sheet.effective_from, offset))
    try:
        run = bill_usage([source], book, MeterOptions(engine="python"))
    except InputRejected as rejected:
        return _refused(case, rejected)
    if case.refusal:
        expected = f"refused for {case.refusal.value}"
        return CaseResult(case, (Mismatch(case.refusal.place, "the usage", expected, "billed"),), ())
    mismatches = sorted(_compare(run, case.expect, offset), key=lambda mismatch: mismatch.place)
    return CaseResult(case, tuple(mismatches), ())


def _source(case: Case, start: str) -> UsageSource:
    """The rows as CSV; a row that says no time was completed at the start of the sheet's period."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(RECORD_COLUMNS)
    time = RECORD_COLUMNS.index("completed_at")
    writer.writerows((*row[:time], row[time] or start, *row[time + 1 :]) for row in case.rows)
    data = stream.getvalue().encode()
    return UsageSource(case.place.file, Path(), "csv", len(data), rows=lambda: read_rows(io.BytesIO(data)))


def _refused(case: Case, rejected: InputRejected) -> CaseResult:
    kinds = rejected.report.counts.keys()
    if case.refusal and case.refusal.value in kinds:
        return CaseResult(case, (), ())
    if case.refusal:
        expected, actual = f"refused for {case.refusal.value}", f"refused for {', '.join(map(str, sorted(kinds)))}"
        return CaseResult(case, (Mismatch(case.refusal.place, "the usage", expected, actual),), ())
    # The second line of the CSV is the first row.
    problems = (replace(problem, place=case.row_places[problem.place.line - 2]) for problem in rejected.report.shown)
    return CaseResult(case, (), tuple(problems))


def _compare(run: BillRun, expect: Fields, offset: int) -> Iterator[Mismatch]:
    amounts = sum_amounts(run.bills, run.months)
    for field, actual in (
        (d.LIST_AMOUNT, amounts.list_amount),
        (d.ADJUSTMENT, amounts.rounding_adjustment),
        (d.PAYABLE, amounts.payable),
    ):
        yield from _compare_decimal(field.key, expect.get(field), actual)
    times = expect.get(d.ISSUED_AT)
    if times:
        wanted = ", ".join(iso(time.value, offset) for time in times.parts)
        found = ", ".join(iso(bill.cycle.issued_at, offset) for bill in run.bills)
        if wanted != found:
            yield Mismatch(times.place, "issued_at", wanted, found or "no bill")
    lines = expect.get(d.LINES)
    if lines:
        actual_lines = [line for bill in run.bills for line in bill.lines]
        if len(actual_lines) != len(lines.parts):
            yield Mismatch(lines.place, "lines", str(len(lines.parts)), _listed(actual_lines))
        for number, (wanted_line, line) in enumerate(zip(lines.parts, actual_lines, strict=False), 1):
            yield from _compare_line(f"line {number}", wanted_line, line)


def _listed(lines: Sequence[LineItem]) -> str:
    return f"{len(lines)} ({'; '.join(f'{line.item.code} {line.spec} {line.region}' for line in lines)})"


def _compare_line(name: str, expect: Fields, line: LineItem) -> Iterator[Mismatch]:
    texts: tuple[tuple[Field[Located[str]], str], ...] = (
        (d.ITEM, line.item.code),
        (d.SPEC, line.spec),
        (d.REGION, line.region),
        (d.TIER, line.tier or ""),
    )
    for field, actual in texts:
        wanted = expect.get(field)
        if wanted and wanted.value != actual:
            yield Mismatch(wanted.place, f"{name} {field.key}", wanted.value, actual or "none")
    decimals = (
        (d.QUANTITY, in_unit(line.micros, line.item.unit)),
        (d.UNIT_PRICE, line.unit_price),
        (d.AMOUNT, line.amount),
    )
    for amount_field, amount in decimals:
        yield from _compare_decimal(f"{name} {amount_field.key}", expect.get(amount_field), amount)


def _compare_decimal(what: str, wanted: Located[Decimal] | None, actual: Decimal) -> Iterator[Mismatch]:
    if wanted is None or wanted.value == actual:
        return
    difference = EXACT.subtract(actual, wanted.value)
    signed = f"{'+' if difference > 0 else ''}{stripped(difference)}"
    yield Mismatch(wanted.place, what, plain(wanted.value), amount_text(actual), signed)
