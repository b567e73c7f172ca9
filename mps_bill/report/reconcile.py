"""What `reconcile` found, as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from mps_bill.core.decimals import ZERO, amount_text, plain
from mps_bill.reconcile.differences import (
    CLASSES,
    MEANINGS,
    BillComparison,
    Difference,
    Reconciliation,
    paid_totals,
)
from mps_bill.reconcile.sides import Paid
from mps_bill.report.document import Document, Heading, Note, Row, Table, number, text

_PAID = (("voucher", "Vouchers"), ("card", "Stored-value cards"), ("cash", "Cash"), ("outstanding", "Outstanding"))
_GRAINS = {"cycle": "billing cycle", "day": "day", "month": "month"}


def reconciliation_document(result: Reconciliation, currency: str) -> Document:
    """The differences by period, the classes, the sums, and what the export itself says wrongly."""
    blocks: list[Table | Note] = [Note("\n".join(_read(result)))]
    if result.contradictions:
        blocks.append(_contradictions(result, currency))
    if any(bill.differences for bill in result.bills):
        blocks.append(_differences(result, currency))
        blocks.append(_classes(result, currency))
    blocks.append(_totals(result, currency))
    if paid := paid_totals(result.bills):
        blocks.append(_payments(*paid, currency))
    if result.apart:
        blocks.append(_apart(result, currency))
    blocks.append(Note(_verdict(result, currency)))
    if not result.with_account and any(one.kind == "deduction" for _, one in result.differences):
        blocks.append(
            Note("No account was given, so our bills know no resource plans; give --account to compare them.")
        )
    return Document(tuple(blocks))


def _read(result: Reconciliation) -> Iterator[str]:
    for file in result.statement.files:
        yield f"{file.name}: {count_text(file.rows, 'row')} ({file.form.upper()}, {file.encoding})"
    for product, grain in result.grains.items():
        tolerance = amount_text(result.tolerance)
        yield f"{product} is compared by {_GRAINS[grain]}; a row may differ by {tolerance}, a bill by nothing."


def _contradictions(result: Reconciliation, currency: str) -> Table:
    rows = tuple((str(one.place), one.message, amount_text(one.amount)) for one in result.contradictions)
    columns = (text("Place"), text("The export contradicts itself"), number(f"By {currency}"))
    return Table("The export by itself", columns, rows)


def _differences(result: Reconciliation, currency: str) -> Table:
    rows: list[Row | Heading] = []
    for bill in result.bills:
        if bill.differences:
            money = f"ours {amount_text(bill.ours)}, theirs {amount_text(bill.theirs)}, {amount_text(bill.difference)}"
            rows.append(Heading(f"{bill.product} {bill.period.name}: {money}"))
            rows += [_difference_row(difference) for difference in bill.differences]
    total = ("Whole difference", "", "", "", amount_text(result.theirs - result.ours))
    columns = (text("Class"), text("What"), number("Ours"), number("Theirs"), number(currency))
    return Table("Differences (theirs - ours)", columns, tuple(rows), (total,))


def _difference_row(difference: Difference) -> Row:
    what = [str(difference.line) if difference.line else "", difference.note, difference.unit]
    place = [str(difference.place)] if difference.place else []
    described = ", ".join(filter(None, what)) or MEANINGS[difference.kind]
    shown = (("" if value is None else _figure(value, difference)) for value in (difference.ours, difference.theirs))
    return (
        f"  {difference.kind}",
        " ".join([described, *(f"({one})" for one in place)]),
        *shown,
        amount_text(difference.amount),
    )


def _figure(value: Decimal, difference: Difference) -> str:
    return plain(value) if difference.unit else amount_text(value)


def _classes(result: Reconciliation, currency: str) -> Table:
    found = result.by_class()
    rows = tuple(
        (kind, MEANINGS[kind], str(found[kind][0]), amount_text(found[kind][1])) for kind in CLASSES if found[kind][0]
    )
    count = sum(number for number, _ in found.values())
    total = ("Whole difference", "", str(count), amount_text(result.theirs - result.ours))
    return Table("By class", (text("Class"), text("Meaning"), number("Count"), number(currency)), rows, (total,))


def _totals(result: Reconciliation, currency: str) -> Table:
    rows = []
    for product, members in groupby(sorted(result.bills, key=lambda bill: bill.product), key=lambda bill: bill.product):
        bills = list(members)
        rows.append((product, *_bill_counts(bills), *_money(bills)))
    total = ("Total", *_bill_counts(result.bills), *_money(result.bills))
    columns = (
        text("Product"),
        number("Bills"),
        number("Equal"),
        number("Ours"),
        number("Theirs"),
        number(f"Difference {currency}"),
    )
    return Table("Payable", columns, tuple(rows), (total,))


def _bill_counts(bills: Sequence[BillComparison]) -> tuple[str, str]:
    return str(len(bills)), str(sum(not bill.differences for bill in bills))


def _money(bills: Sequence[BillComparison]) -> tuple[str, str, str]:
    ours, theirs = (sum(amounts, ZERO) for amounts in zip(*((bill.ours, bill.theirs) for bill in bills), strict=True))
    return amount_text(ours), amount_text(theirs), amount_text(theirs - ours)


def _payments(ours: Paid, theirs: Paid, currency: str) -> Table:
    rows = []
    for column, title in _PAID:
        mine, other = getattr(ours, column), getattr(theirs, column)
        rows.append((title, amount_text(mine), amount_text(other), amount_text(other - mine)))
    total = ("Payable", amount_text(ours.total), amount_text(theirs.total), amount_text(theirs.total - ours.total))
    columns = (text("Paid by"), number("Ours"), number("Theirs"), number(f"Difference {currency}"))
    return Table("How the bills that both sides have were paid", columns, tuple(rows), (total,))


def _apart(result: Reconciliation, currency: str) -> Table:
    rows = tuple((one.what, one.reason, str(len(one.rows)), amount_text(one.payable)) for one in result.apart)
    columns = (text("On the bill"), text("Why"), number("Rows"), number(f"Payable {currency}"))
    return Table("Set apart, in no comparison", columns, rows)


def _verdict(result: Reconciliation, currency: str) -> str:
    if result.equal:
        return f"Equal: {count_text(len(result.bills), 'bill')}, {amount_text(result.ours)} {currency} on both sides."
    differing = sum(bool(bill.differences) for bill in result.bills)
    said = (
        [f"{differing} of {count_text(len(result.bills), 'bill')} {'differs' if differing == 1 else 'differ'}"]
        if differing
        else []
    )
    if result.contradictions:
        said.append(f"the export contradicts itself in {count_text(len(result.contradictions), 'place')}")
    sentence = "; ".join(said)
    return f"{sentence[0].upper()}{sentence[1:]}."


def count_text(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
