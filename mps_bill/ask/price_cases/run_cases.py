"""Running price cases: the rows go through the whole pipeline like those of a usage file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from mps_bill.ask.price_cases.read_cases import AMOUNTS, ISSUED_AT, LINE, LINES, Case, CaseFile
from mps_bill.core.decimals import EXACT, amount_text, plain, stripped
from mps_bill.core.diagnostics import InputRejected, Kind, Place, Problem
from mps_bill.core.times import iso
from mps_bill.core.units import in_unit
from mps_bill.documents.fields import Fields, Located
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
    """A value that differs from the expected one. `difference` is the actual less the expected amount; empty for other values."""

    place: Place
    what: str
    expected: str
    actual: str
    difference: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case with its mismatches. `refusals` are unexpected problems of its usage."""

    case: Case
    mismatches: tuple[Mismatch, ...]
    refusals: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        return not self.mismatches and not self.refusals


@dataclass(frozen=True, slots=True)
class FileResult:
    """The results of one case file; `sheet` is the version that priced them."""

    name: str
    sheet: str
    results: tuple[CaseResult, ...]

    @property
    def failed(self) -> int:
        return sum(not result.passed for result in self.results)


def run_cases(file: CaseFile) -> FileResult:
    sheet = next(iter(file.book.sheets))
    return FileResult(file.name, sheet.ref, tuple(run_case(case, file.book) for case in file.cases))


def run_case(case: Case, book: PriceBook) -> CaseResult:
    """Bill the usage of a case, and compare the bills with its expectation."""
    sheet = next(iter(book.sheets))
    offset = sheet.billing.calendar.offset
    source = _source(case, iso(sheet.effective_from, offset))
    try:
        run = bill_usage([source], book, MeterOptions(engine="python"))
    except InputRejected as rejected:
        return _refused(case, rejected)
    if case.refusal:
        return _not_refused(case, case.refusal, "billed")
    mismatches = sorted(_compare(run, case.expect, offset), key=lambda mismatch: mismatch.place)
    return CaseResult(case, tuple(mismatches), ())


def _source(case: Case, start: str) -> UsageSource:
    """Return the rows as CSV. A row without a time is completed at `start`."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(RECORD_COLUMNS)
    time = RECORD_COLUMNS.index("completed_at")
    writer.writerows((*row[:time], row[time] or start, *row[time + 1 :]) for row in case.rows)
    data = stream.getvalue().encode()
    return UsageSource(case.place.file, Path(), "csv", len(data), rows=lambda: read_rows(io.BytesIO(data)))


def _not_refused(case: Case, wanted: Located[Kind], actual: str) -> CaseResult:
    return CaseResult(case, (Mismatch(wanted.place, "the usage", f"refused for {wanted.value}", actual),), ())


def _refused(case: Case, rejected: InputRejected) -> CaseResult:
    kinds = rejected.report.counts.keys()
    if case.refusal and case.refusal.value in kinds:
        return CaseResult(case, (), ())
    if case.refusal:
        return _not_refused(case, case.refusal, f"refused for {', '.join(map(str, sorted(kinds)))}")
    # The second line of the CSV is the first row.
    problems = (replace(problem, place=case.row_places[problem.place.line - 2]) for problem in rejected.report.shown)
    return CaseResult(case, (), tuple(problems))


def _compare(run: BillRun, expect: Fields, offset: int) -> Iterator[Mismatch]:
    amounts = sum_amounts(run.bills, run.months)
    for field in AMOUNTS:
        yield from _compare_value(field.key, expect.get(field), getattr(amounts, field.key))
    times = expect.get(ISSUED_AT)
    if times:
        wanted = ", ".join(iso(time.value, offset) for time in times.parts)
        found = ", ".join(iso(bill.cycle.issued_at, offset) for bill in run.bills)
        if wanted != found:
            yield Mismatch(times.place, "issued_at", wanted, found or "no bill")
    lines = expect.get(LINES)
    if lines:
        actual_lines = [line for bill in run.bills for line in bill.lines]
        if len(actual_lines) != len(lines.parts):
            yield Mismatch(lines.place, "lines", str(len(lines.parts)), _listed(actual_lines))
        for number, (wanted_line, line) in enumerate(zip(lines.parts, actual_lines, strict=False), 1):
            yield from _compare_line(f"line {number}", wanted_line, line)


def _listed(lines: Sequence[LineItem]) -> str:
    return f"{len(lines)} ({'; '.join(f'{line.item.code} {line.spec} {line.region}' for line in lines)})"


def _compare_line(name: str, expect: Fields, line: LineItem) -> Iterator[Mismatch]:
    actual: dict[str, str | Decimal] = {
        "item": line.item.code,
        "spec": line.spec,
        "region": line.region,
        "tier": line.tier or "",
        "quantity": in_unit(line.micros, line.item.unit),
        "unit_price": line.unit_price,
        "amount": line.amount,
    }
    for field in LINE.fields:
        yield from _compare_value(f"{name} {field.key}", expect.get(field), actual[field.key])


def _compare_value(what: str, wanted: Located[Any] | None, actual: str | Decimal) -> Iterator[Mismatch]:
    if wanted is None or wanted.value == actual:
        return
    if isinstance(actual, str):
        yield Mismatch(wanted.place, what, wanted.value, actual or "none")
        return
    difference = EXACT.subtract(actual, wanted.value)
    signed = f"{'+' if difference > 0 else ''}{stripped(difference)}"
    yield Mismatch(wanted.place, what, plain(wanted.value), amount_text(actual), signed)
