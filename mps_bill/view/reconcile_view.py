"""The result of `reconcile`: the differences by period, the categories, the sums, and contradictions within the export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from mps_bill.core.decimals import ZERO, amount_text
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import date_text
from mps_bill.reconcile.differences import MEANINGS, BillComparison, Difference, Reconciliation, paid_totals
from mps_bill.reconcile.export import EXPORT_OFFSET, ExportFile
from mps_bill.reconcile.export_columns import PAYMENTS
from mps_bill.reconcile.match import ALL_ITEMS
from mps_bill.reconcile.our_and_their_bills import Paid
from mps_bill.reconcile.periods import BillPeriod
from mps_bill.view.columns import As, Column, Moment, Record, Row, Value, attributes, columns_of, pick, select
from mps_bill.view.reading_report import begin_json, selection_text
from mps_bill.view.tables import Block, Heading, Note, Records, Report, Table, figures_of, table

FORMAT = "mps-bill/reconciliation/1"
#: The keys of a place in the export.
_PLACE = ("file", "line", "column")
_AMOUNTS = mark("Amounts are theirs - ours.")
_GRAINS = {"cycle": mark("billing cycle"), "day": mark("day"), "month": mark("month")}

_PERIOD = (Column("product"), *columns_of("period_start", "period_end", kind="time"))
#: The amounts of both sides and their difference.
_SIDES = columns_of("ours", "theirs", "difference", kind="amount", summed=True)
BILL = (*_PERIOD, Column("rows", "count", "Export rows", summed=True), *_SIDES, Column("verdict", title="Result"))
#: A difference, made by `_difference_record`.
DIFFERENCE = (
    *_PERIOD,
    Column("class", "text", "Category"),
    *columns_of("item", "spec", "region"),
    *columns_of("ours", "theirs", kind="quantity"),
    Column("unit"),
    Column("amount", "amount", summed=True),
    *columns_of("note", "place"),
)
_CATEGORY = (
    Column("class", "text", "Category"),
    Column("meaning"),
    Column("count", "count", summed=True),
    Column("amount", "amount", summed=True),
)
_EXCLUDED = (
    Column("what", "text", "On the bill"),
    Column("why"),
    Column("rows", "count", summed=True),
    Column("payable", "amount", summed=True),
)
_WRONG = (Column("place"), Column("message", "text", "The export contradicts itself"), Column("amount", "amount"))


@dataclass(frozen=True, slots=True)
class ReconcileView:
    """The result of `reconcile`. Printed output shows the differences of the `in_full` bills with the largest (None: of all)."""

    result: Reconciliation
    currency: str
    in_full: int | None = None

    def printed(self) -> Iterator[Block]:
        """Yield the summary, then the details."""
        result = self.result
        is_part = bool(result.selection.only)
        yield Note("\n".join(_read(result)))
        yield Note(_verdict(result, self.currency))
        if not is_part:
            yield self._totals()
        if any(bill.differences for bill in result.bills):
            yield self._categories()
        if not is_part and (paid := paid_totals(result.bills)):
            yield self._payments(*paid)
        _, excluded, contradictions = self._appendix()
        if result.excluded:
            columns = pick(_EXCLUDED, "what", "why", "rows", "payable", unit=self.currency)
            yield replace(excluded, title=tr("Excluded from the comparison"), columns=columns)
        if result.contradictions:
            columns = pick(_WRONG, "place", "message", "amount", titles={"amount": "By"}, unit=self.currency)
            yield replace(contradictions, title=tr("Checks of the export"), columns=columns)
        detailed, rest = self._by_size()
        if detailed:
            yield self._differences(detailed, rest)
        if rest:
            yield Note(self._left_out(rest))
        of_account = ("deduction", "discount")
        if not result.with_account and any(one.category in of_account for _, one in result.differences):
            without = tr(
                "No account was given, so our bills have no resource plans or discounts; give --account to compare them."
            )
            yield Note(without)

    def _by_size(self) -> tuple[list[BillComparison], list[BillComparison]]:
        """Return the bills whose differences are shown, which are the ones that differ most, and the other differing bills."""
        differing = [bill for bill in self.result.bills if bill.differences]
        largest = sorted(differing, key=lambda bill: -sum((abs(one.amount) for one in bill.differences), ZERO))
        shown = {id(bill) for bill in largest[: self.in_full]}
        return [bill for bill in differing if id(bill) in shown], [bill for bill in differing if id(bill) not in shown]

    def _left_out(self, rest: Sequence[BillComparison]) -> str:
        amount = amount_text(sum((one.amount for bill in rest for one in bill.differences), ZERO))
        return tr_many(
            "{n} bill with differences of {amount} {currency} in total is only summarised; --all prints every difference.",
            "{n} bills with differences of {amount} {currency} in total are only summarised; --all prints every difference.",
            len(rest),
            amount=amount,
            currency=self.currency,
        )

    def _differences(self, detailed: Sequence[BillComparison], rest: Sequence[BillComparison]) -> Table:
        titles = {"item": "What", "amount": self.currency}
        columns = pick(DIFFERENCE, "class", "item", "ours", "theirs", "amount", titles=titles)
        rows: list[Record | Heading] = []
        for bill in detailed:
            name = {"product": bill.product, "period": date_text(bill.period.name)}
            text = tr(
                "{product} {period}: ours {ours}, theirs {theirs}, {difference}",
                **name,
                ours=amount_text(bill.ours),
                theirs=amount_text(bill.theirs),
                difference=amount_text(bill.difference),
            )
            rows.append(Heading("{product} {period}".format(**name) if self.result.selection.only else text))
            for one in bill.differences:
                shown = {"class": f"  {one.category}", "item": _described(one)}
                rows.append({**_difference_record(bill, one), **shown})
        if rest:
            amount = sum((one.amount for bill in rest for one in bill.differences), ZERO)
            rows.append({"class": tr_many("and {n} more bill", "and {n} more bills", len(rest)), "amount": amount})
        total: Record = {"class": tr("Total difference"), "amount": self.result.difference}
        return table(tr("Differences (theirs - ours)"), columns, rows, [total])

    def _categories(self) -> Table:
        found = self._by_category()
        count = sum(number for _, _, number, _ in found)
        total = (tr("Total difference"), None, count, self.result.difference)
        columns = pick(_CATEGORY, "class", "meaning", "count", "amount", titles={"amount": self.currency})
        return Table(tr("By category"), columns, [row for row in found if row[2]], (total,))

    def _by_category(self) -> list[tuple[str, str, int, Decimal]]:
        return [
            (name, tr(MEANINGS[name]), count, amount) for name, (count, amount) in self.result.by_category().items()
        ]

    def _totals(self) -> Table:
        bills = self.result.bills
        products = groupby(sorted(bills, key=lambda bill: bill.product), key=lambda bill: bill.product)
        rows = [(product, *_sums(list(members))) for product, members in products]
        columns = (Column("Product"), Column("Bills", "count"), Column("Equal", "count"), *self._side_columns())
        return Table(tr("Payable"), columns, rows, ((tr("Total"), *_sums(bills)),))

    def _side_columns(self) -> tuple[Column, ...]:
        *sides, difference = _SIDES
        return (*sides, replace(difference, unit=self.currency))

    def _payments(self, ours: Paid, theirs: Paid) -> Table:
        rows = [(tr(title, sense="paid"), *_sides(ours[name], theirs[name])) for name, (title, _) in PAYMENTS.items()]
        total = (tr("Payable"), *_sides(sum(ours.values(), ZERO), sum(theirs.values(), ZERO)))
        columns = (Column("Paid by"), *self._side_columns())
        return Table(tr("Payments of the bills that both sides have"), columns, rows, (total,))

    def records(self) -> Records:
        """Return a row for each difference, whose amounts add up to the total, then the export's contradictions with amount 0."""
        return Records(DIFFERENCE, self._records())

    def _records(self) -> Iterator[Record]:
        yield from (_difference_record(*found) for found in self.result.differences)
        for one in self.result.contradictions:
            message = f"{one.message}: by {amount_text(one.amount)}"
            yield {"class": "contradiction", "amount": ZERO, "note": message, "place": str(one.place)}

    def document(self) -> dict[str, Any]:
        """Return the whole result, with times on the provider's clock."""
        result = self.result
        is_part = bool(result.selection.only)
        document: dict[str, Any] = {
            **begin_json(FORMAT, self.currency, result.selection, EXPORT_OFFSET),
            "equal": result.equal,
            "tolerance": result.tolerance,
            "files": [attributes(file, "name", "form", "encoding", "rows") for file in result.export.files],
            "compared_by": dict(result.grains),
            "without_items": sorted(result.as_a_whole),
            "bills": [_bill_json(bill, is_part=is_part) for bill in result.bills],
            "classes": {name: {"count": count, "amount": amount} for name, _, count, amount in self._by_category()},
            "total": {"difference": result.difference} if is_part else _sides_json(result.ours, result.theirs),
            "set_apart": [
                {"product": one.product, "reason": one.reason, "rows": len(one.rows), "payable": one.payable}
                for one in result.excluded
            ],
            "contradictions": [
                {**attributes(one.place, *_PLACE), "message": one.message, "amount": one.amount}
                for one in result.contradictions
            ],
        }
        outside, payable = result.outside
        if outside:
            document["outside_months"] = {"bills": outside, "payable": payable}
        if not is_part and (paid := paid_totals(result.bills)):
            document["paid"] = _paid_json(*paid)
        return document

    def tables(self) -> Report:
        bills = () if self.result.selection.only else (self._bills(),)
        return self._report(*bills, self._all_differences(), *self._appendix())

    def page(self) -> Report:
        """Return the report with the summary first and the details of at most `in_full` bills."""
        detailed, rest = self._by_size()
        found = [(bill, one) for bill in detailed for one in bill.differences]
        remark = self._left_out(rest) if rest else tr(_AMOUNTS)
        differences = replace(self._all_differences(found), remark=remark)
        categories, excluded, contradictions = self._appendix()
        if self.result.selection.only:
            return self._report(differences, categories, excluded, contradictions)
        paid = paid_totals(self.result.bills)
        payments = [self._payments(*paid)] if paid else []
        return self._report(self._totals(), categories, *payments, excluded, contradictions, differences, self._bills())

    def _bills(self) -> Table:
        return table(tr("Bills"), BILL, map(_bill_record, self.result.bills))

    def _all_differences(self, found: Iterable[tuple[BillComparison, Difference]] | None = None) -> Table:
        rows = (_difference_record(*one) for one in (self.result.differences if found is None else found))
        return table(tr("Differences"), DIFFERENCE, rows, remark=tr(_AMOUNTS))

    def _appendix(self) -> tuple[Table, Table, Table]:
        result = self.result
        excluded = [(one.product, tr(one.reason), len(one.rows), one.payable) for one in result.excluded]
        wrong = [(str(one.place), tr(one.message), one.amount) for one in result.contradictions]
        whole = tr("The categories add up to the whole difference.")
        not_compared = tr("Rows of the export that are not compared with any bill.")
        where = tr("Contradictions within the export.")
        return (
            Table(tr("Categories"), _CATEGORY, self._by_category(), remark=whole),
            Table(tr("Excluded"), _EXCLUDED, excluded, remark=not_compared),
            Table(tr("Contradictions"), _WRONG, wrong, remark=where),
        )

    def _report(self, *tables: Table) -> Report:
        result = self.result
        facts: list[tuple[str, Value]] = [
            (tr("Currency"), self.currency),
            (tr("Result"), tr("equal") if result.equal else tr("different")),
            (tr("Tolerance of a row"), result.tolerance),
            *((file.name, _of_file(file, ", {1}")) for file in result.export.files),
        ]
        sums = [(tr("Ours: payable"), "ours"), (tr("Theirs: payable"), "theirs"), (tr("Difference"), "difference")]
        if result.selection.only:
            sums = [(tr("Difference"), "amount")]
        return Report(
            title=tr("Reconciliation"),
            date=max((bill.period.end for bill in result.bills), default=0),
            facts=facts,
            figures=figures_of(tables[0], *sums),
            tables=tables,
            currency=self.currency,
            about=[_verdict(result, self.currency)],
            notes=[_verdict(result, self.currency), *_read(result)],
        )


def _period_record(product: str, period: BillPeriod) -> Record:
    return {
        "product": product,
        "period_start": Moment(period.start, EXPORT_OFFSET),
        "period_end": Moment(period.end, EXPORT_OFFSET),
    }


def _bill_record(bill: BillComparison) -> Record:
    return {
        **_period_record(bill.product, bill.period),
        **attributes(bill, "rows", "ours", "theirs", "difference"),
        "verdict": tr("different") if bill.differences else tr("equal"),
    }


def _difference_record(bill: BillComparison, difference: Difference) -> Record:
    line = difference.line
    ours, theirs = (
        None if value is None else As(value, "price" if difference.unit else "amount")
        for value in (difference.ours, difference.theirs)
    )
    return {
        **_period_record(bill.product, bill.period),
        "class": difference.category,
        "item": line.item if line else None,
        "spec": line.spec if line else None,
        "region": line.region if line else None,
        "ours": ours,
        "theirs": theirs,
        "unit": tr(difference.unit) or None,
        "amount": difference.amount,
        "note": tr(difference.note) or None,
        "place": str(difference.place) if difference.place else None,
    }


def _described(difference: Difference) -> str:
    """Return what differs, and its place in the export."""
    line = difference.line
    what = [
        "" if line is None else tr("all items") if line == ALL_ITEMS else str(line),
        tr(difference.note),
        tr(difference.unit),
    ]
    place = [f"({difference.place})"] if difference.place else []
    return " ".join([tr(", ", sense="of parts").join(filter(None, what)) or tr(MEANINGS[difference.category]), *place])


def _sums(bills: Sequence[BillComparison]) -> Row:
    """Return the number of bills, the number of equal ones, and the amounts of both sides."""
    ours, theirs = (sum((getattr(bill, side) for bill in bills), ZERO) for side in ("ours", "theirs"))
    return (len(bills), sum(not bill.differences for bill in bills), *_sides(ours, theirs))


def _sides(ours: Decimal, theirs: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    return ours, theirs, theirs - ours


def _of_file(file: ExportFile, more: str) -> str:
    """Say how many rows of a file were read; `more` has placeholders for its form and encoding."""
    if file.form == "other":
        return tr("not CSV or JSON, skipped")
    return tr_many("{n} row", "{n} rows", file.rows) + more.format(file.form.upper(), file.encoding)


def _read(result: Reconciliation) -> Iterator[str]:
    if not result.selection.is_everything:
        yield selection_text(result.selection, EXPORT_OFFSET)
    for file in result.export.files:
        yield tr("{name}: {value}", name=file.name, value=_of_file(file, " ({0}, {1})"))
    if excluded := sum(len(one.rows) for one in result.excluded):
        number = len(result.export.rows)
        yield tr_many(
            "{n} row = {compared} compared + {excluded} excluded",
            "{n} rows = {compared} compared + {excluded} excluded",
            number,
            compared=number - excluded,
            excluded=excluded,
        )
    outside, payable = result.outside
    if outside:
        yield tr_many(
            "{n} of our bills is for a month that the export does not cover; not compared: {amount}",
            "{n} of our bills are for months that the export does not cover; not compared: {amount}",
            outside,
            amount=amount_text(payable),
        )
    for product, grain in result.grains.items():
        tolerance = amount_text(result.tolerance)
        by = tr(_GRAINS[grain])
        compared = mark("{product} is compared by {grain}; a row may differ by {tolerance}, a bill not at all.")
        yield tr(compared, product=product, grain=by, tolerance=tolerance)
        if product in result.as_a_whole:
            yield tr(
                "{product} has no billing items here, so each {grain} is compared as a whole; to see items, fetch"
                " DescribeInstanceBill with IsBillingItem=true and Granularity=DAILY.",
                product=product,
                grain=by,
            )


def _verdict(result: Reconciliation, currency: str) -> str:
    if result.equal and result.selection.only:
        return tr("Equal: no difference in the lines that are shown.")
    if result.equal:
        return tr_many(
            "Equal: {n} bill, {amount} {currency} on both sides.",
            "Equal: {n} bills, {amount} {currency} on both sides.",
            len(result.bills),
            amount=amount_text(result.ours),
            currency=currency,
        )
    differing = sum(bool(bill.differences) for bill in result.bills)
    parts = []
    if differing:
        bills = tr_many("{n} bill", "{n} bills", len(result.bills))
        parts.append(tr_many("{n} of {bills} differs", "{n} of {bills} differ", differing, bills=bills))
    if result.contradictions:
        places = len(result.contradictions)
        where = tr_many("{n} place", "{n} places", places)
        parts.append(tr("the export contradicts itself in {places}", places=where))
    sentence = tr("; ").join(parts)
    return tr("{sentence}.", sentence=f"{sentence[0].upper()}{sentence[1:]}")


def _bill_json(bill: BillComparison, *, is_part: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "product": bill.product,
        "start": Moment(bill.period.start, EXPORT_OFFSET),
        "end": Moment(bill.period.end, EXPORT_OFFSET),
        **({} if is_part else _sides_json(bill.ours, bill.theirs)),
        "rows": bill.rows,
        "differences": [_difference_json(bill, difference) for difference in bill.differences],
    }
    if bill.paid and not is_part:
        shown["paid"] = _paid_json(*bill.paid)
    return shown


def _difference_json(bill: BillComparison, difference: Difference) -> dict[str, Any]:
    record = _difference_record(bill, difference)
    return {
        **select(record, "class", "item", "spec", "region", "ours", "theirs", "unit", "amount", "note"),
        **(attributes(difference.place, *_PLACE) if difference.place else dict.fromkeys(_PLACE)),
    }


def _sides_json(ours: Decimal, theirs: Decimal) -> dict[str, Decimal]:
    return dict(zip(("ours", "theirs", "difference"), _sides(ours, theirs), strict=True))


def _paid_json(ours: Paid, theirs: Paid) -> dict[str, dict[str, Decimal]]:
    return {column: _sides_json(ours[column], theirs[column]) for column in PAYMENTS}
