"""What `reconcile` found, as JSON, as CSV and as tables for a workbook."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

from mps_bill.core.decimals import amount_text, stripped
from mps_bill.core.diagnostics import Place
from mps_bill.core.times import iso
from mps_bill.reconcile.differences import MEANINGS, BillComparison, Difference, Reconciliation, paid_totals
from mps_bill.reconcile.export import EXPORT_OFFSET
from mps_bill.reconcile.sides import Paid
from mps_bill.report.bill_csv import spreadsheet_text
from mps_bill.report.data_tables import DataTable, Field, Moment, Summary, Value
from mps_bill.report.reconcile import count_text

FORMAT = "mps-bill/reconciliation/1"
_PAID = ("voucher", "card", "cash", "outstanding")


def reconciliation_json(result: Reconciliation, currency: str) -> dict[str, Any]:
    """The whole result; amounts are strings, times carry the offset of the provider's clock."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "currency": currency,
        "equal": result.equal,
        "tolerance": stripped(result.tolerance),
        "files": [
            {"name": file.name, "form": file.form, "encoding": file.encoding, "rows": file.rows}
            for file in result.statement.files
        ],
        "compared_by": dict(result.grains),
        "bills": [_bill_json(bill) for bill in result.bills],
        "classes": {
            kind: {"count": count, "amount": stripped(amount)} for kind, (count, amount) in result.by_class().items()
        },
        "total": _sides_json(result.ours, result.theirs),
        "set_apart": [
            {"product": one.what, "reason": one.reason, "rows": len(one.rows), "payable": stripped(one.payable)}
            for one in result.apart
        ],
        "contradictions": [
            {**_place_json(one.place), "message": one.message, "amount": stripped(one.amount)}
            for one in result.contradictions
        ],
    }
    if paid := paid_totals(result.bills):
        document["paid"] = _paid_json(*paid)
    return document


def _bill_json(bill: BillComparison) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "product": bill.product,
        "start": iso(bill.period.start, EXPORT_OFFSET),
        "end": iso(bill.period.end, EXPORT_OFFSET),
        **_sides_json(bill.ours, bill.theirs),
        "rows": bill.rows,
        "differences": [_difference_json(difference) for difference in bill.differences],
    }
    if bill.paid:
        shown["paid"] = _paid_json(*bill.paid)
    return shown


def _difference_json(difference: Difference) -> dict[str, Any]:
    line = difference.line
    return {
        "class": difference.kind,
        "item": line.item if line else None,
        "spec": line.spec if line else None,
        "region": line.region if line else None,
        "ours": None if difference.ours is None else stripped(difference.ours),
        "theirs": None if difference.theirs is None else stripped(difference.theirs),
        "unit": difference.unit or None,
        "amount": stripped(difference.amount),
        "note": difference.note or None,
        **(_place_json(difference.place) if difference.place else {"file": None, "line": None, "column": None}),
    }


def _place_json(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column}


def _sides_json(ours: Decimal, theirs: Decimal) -> dict[str, str]:
    return {"ours": stripped(ours), "theirs": stripped(theirs), "difference": stripped(theirs - ours)}


def _paid_json(ours: Paid, theirs: Paid) -> dict[str, dict[str, str]]:
    return {column: _sides_json(getattr(ours, column), getattr(theirs, column)) for column in _PAID}


_DIFFERENCE_FIELDS = (
    Field("Product"),
    Field("Period start", "time"),
    Field("Period end", "time"),
    Field("Class"),
    Field("Item"),
    Field("Spec"),
    Field("Region"),
    Field("Ours", "quantity"),
    Field("Theirs", "quantity"),
    Field("Unit"),
    Field("Amount", "amount", summed=True),
    Field("Note"),
    Field("Place"),
)


def write_reconciliation_csv(stream: IO[str], result: Reconciliation) -> None:
    """A row per difference; `amount` sums to the whole difference. Contradictions of the export follow with amount 0."""
    writer = csv.writer(stream)
    writer.writerow([field.title.lower().replace(" ", "_") for field in _DIFFERENCE_FIELDS])
    for row in _difference_values(result):
        writer.writerow([_cell(value) for value in row])
    for one in result.contradictions:
        blank = [""] * (len(_DIFFERENCE_FIELDS) - 7)
        message = spreadsheet_text(f"{one.message}: by {amount_text(one.amount)}")
        writer.writerow(["", "", "", "contradiction", *blank, "0", message, spreadsheet_text(str(one.place))])


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Moment):
        return iso(value.second, value.offset)
    return spreadsheet_text(value) if isinstance(value, str) else stripped(Decimal(value))


def _difference_values(result: Reconciliation) -> Iterator[tuple[Value, ...]]:
    for bill, difference in result.differences:
        line = difference.line
        yield (
            bill.product,
            Moment(bill.period.start, EXPORT_OFFSET),
            Moment(bill.period.end, EXPORT_OFFSET),
            difference.kind,
            line.item if line else None,
            line.spec if line else None,
            line.region if line else None,
            difference.ours,
            difference.theirs,
            difference.unit or None,
            difference.amount,
            difference.note or None,
            str(difference.place) if difference.place else None,
        )


def reconciliation_tables(result: Reconciliation, currency: str) -> tuple[Summary, tuple[DataTable, ...]]:
    """The result as a workbook's summary and sheets."""
    bills = tuple(
        (
            bill.product,
            Moment(bill.period.start, EXPORT_OFFSET),
            Moment(bill.period.end, EXPORT_OFFSET),
            bill.rows,
            bill.ours,
            bill.theirs,
            bill.difference,
            "equal" if not bill.differences else "different",
        )
        for bill in result.bills
    )
    bill_fields = (
        Field("Product"),
        Field("Period start", "time"),
        Field("Period end", "time"),
        Field("Export rows", "count", summed=True),
        Field("Ours", "amount", summed=True),
        Field("Theirs", "amount", summed=True),
        Field("Difference", "amount", summed=True),
        Field("Verdict"),
    )
    classes = tuple((kind, MEANINGS[kind], count, amount) for kind, (count, amount) in result.by_class().items())
    class_fields = (Field("Class"), Field("Meaning"), Field("Count", "count", True), Field("Amount", "amount", True))
    apart = tuple((one.what, one.reason, len(one.rows), one.payable) for one in result.apart)
    apart_fields = (Field("On the bill"), Field("Why"), Field("Rows", "count", True), Field("Payable", "amount", True))
    wrong = tuple((str(one.place), one.message, one.amount) for one in result.contradictions)
    wrong_fields = (Field("Place"), Field("The export contradicts itself"), Field("Amount", "amount"))
    tables = (
        DataTable("Bills", bill_fields, bills),
        DataTable("Differences", _DIFFERENCE_FIELDS, tuple(_difference_values(result)), "Amounts are theirs - ours."),
        DataTable("Classes", class_fields, classes, "The classes add up to the whole difference."),
        DataTable("Set apart", apart_fields, apart, "Rows of the export that no bill of the run can be held against."),
        DataTable("Contradictions", wrong_fields, wrong, "Where the export contradicts itself."),
    )
    facts: tuple[tuple[str, Value], ...] = (
        ("Currency", currency),
        ("Verdict", "equal" if result.equal else "different"),
        ("Tolerance of a row", result.tolerance),
        *((file.name, f"{count_text(file.rows, 'row')}, {file.encoding}") for file in result.statement.files),
    )
    sums = tuple(
        (f"{title}: payable" if title != "Difference" else title, "Bills", title)
        for title in ("Ours", "Theirs", "Difference")
    )
    date = max((bill.period.end for bill in result.bills), default=0)
    return Summary("Reconciliation", date, facts, sums), tables
