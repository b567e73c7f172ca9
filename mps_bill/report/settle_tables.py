"""Settlements as tables: each bill with its deductions, what is late, pending, overdue, and the closing statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from mps_bill.core.decimals import amount_text, scaled, stripped
from mps_bill.core.times import DAY, clock, offset_text
from mps_bill.core.units import QUANTITY_PLACES
from mps_bill.pipeline import SettleRun
from mps_bill.rating.bills import Bill, sum_amounts
from mps_bill.report.bill_tables import bill_table, pending_table, quantity
from mps_bill.report.control_totals import control_totals_text
from mps_bill.report.document import Document, Note, Row, Table, number, text
from mps_bill.settlement.account import Debt
from mps_bill.settlement.charged import Before, cycle_key
from mps_bill.settlement.forecast import Forecast
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.overdue import cleared_by
from mps_bill.settlement.settle import Settlement, Step
from mps_bill.settlement.waterfall import Arrival, Payment

#: The sources by the names that people know.
SOURCE_NAMES = {
    "resource_plan": "Resource plan",
    "voucher": "Voucher",
    "stored_value_card": "Stored-value card",
    "balance": "Balance",
    "credit_line": "Credit line left",
    "outstanding": "Outstanding",
    "frozen": "Frozen",
}
#: The same, taken together.
_POOLS = {
    "resource_plan": "Resource plans",
    "voucher": "Vouchers",
    "stored_value_card": "Stored-value cards",
    "balance": "Balance",
    "credit_line": "Credit line",
}
#: Late cycles that are listed one by one.
_LATE_IN_FULL = 24
#: Cycles that a warning names.
_NAMED = 6
#: What was charged of a late cycle before, as far as the account knows.
_BEFORE: dict[Before | None, str] = {
    None: "",
    "same": "the same",
    "other": "other usage",
    "unknown": "yes, long ago",
}
#: What stands in a column of amounts that are in money or in a plan's unit.
_PAID_COLUMNS = (text("From"), text("For"), number("Took"), number("Left"), text("Unit"))


def settle_document(run: SettleRun, in_full: int | None) -> Document:
    """The whole printed report of `settle`: the first `in_full` steps (None: all), and what they come to."""
    settled = run.settled
    shown = settled.steps[:in_full]
    blocks: list[Table | Note] = []
    for step in shown:
        blocks += _step_blocks(step, run)
    if len(shown) < len(settled.steps):
        rest = len(settled.steps) - len(shown)
        more = "more " if shown else ""
        said = f"{rest} {more}{'step is' if rest == 1 else 'steps are'}"
        blocks.append(Note(f"{said} in the closing statement; --all prints every bill in full."))
    if settled.settlements or settled.statements:
        blocks.append(_total_table(run))
    if settled.charged_again:
        blocks.append(Note(charged_again_text(run)))
    blocks.append(_closing_table(run))
    blocks += _overdue_blocks(run)
    if settled.late:
        blocks += _late_blocks(settled.late, run, in_full)
    if settled.pending:
        blocks.append(pending_table(settled.pending, run.currency))
    if run.forecast:
        blocks += _forecast_blocks(run.forecast, run.offset)
    blocks.append(Note(control_totals_text(run.control_totals)))
    return Document(tuple(blocks))


def _step_blocks(step: Step, run: SettleRun) -> Iterator[Table | Note]:
    match step:
        case Settlement():
            yield bill_table(step.bill, run.currency)
            rows = tuple(deduction_rows(step, run.currency))
            if rows:
                cycle = step.bill.cycle
                yield _paid_table(f"Paid: {cycle.product} {clock(cycle.start, run.offset)}", rows)
        case StatementSettlement():
            yield _statement_table(step, run)
        case Arrival():
            yield Note(arrival_text(step, run))


def _paid_table(title: str, rows: tuple[Row, ...]) -> Table:
    """Rows under `_PAID_COLUMNS`, of which "For" is left out where money alone has paid."""
    if any(row[1] for row in rows):
        return Table(title, _PAID_COLUMNS, rows)
    return Table(title, (_PAID_COLUMNS[0], *_PAID_COLUMNS[2:]), tuple((row[0], *row[2:]) for row in rows))


def deduction_rows(settlement: Settlement, currency: str) -> Iterator[Row]:
    """What each source took of a bill: plans in their unit, the others in money."""
    lines = settlement.bill.lines
    for deduction, number_ in zip(settlement.plan_deductions, settlement.plan_lines, strict=True):
        line, plan = lines[number_], deduction.plan
        took, left = (stripped(scaled(units, QUANTITY_PLACES)) for units in (deduction.units, deduction.remaining))
        covered = f"{quantity(deduction.micros, line)} {line.item.unit.name} {line.spec} {line.region}"
        yield (f"Resource plan {plan.id}", covered, took, left, plan.unit.name)
    yield from _payment_rows(settlement.payment, currency)
    if settlement.frozen:
        yield ("Frozen", "until the month is over", amount_text(settlement.frozen), "", currency)


def _payment_rows(payment: Payment, currency: str) -> Iterator[Row]:
    for deduction in payment.deductions:
        name = f"{SOURCE_NAMES[deduction.source].removesuffix(' left')} {deduction.id or ''}".rstrip()
        yield (name, "", amount_text(deduction.amount), amount_text(deduction.remaining), currency)
    if payment.outstanding:
        yield ("Outstanding", "", amount_text(payment.outstanding), "", currency)


def _statement_table(step: StatementSettlement, run: SettleRun) -> Table:
    statement = step.statement
    amounts = statement.amounts
    title = (
        f"Statement of {statement.sheet.product} for {statement.month}, issued {clock(statement.issued_at, run.offset)}"
    )
    rows = [
        ("List amount of the month, released", "", amount_text(amounts.list_amount), "", run.currency),
        ("Rounding adjustment", "", amount_text(amounts.rounding_adjustment), "", run.currency),
        ("Payable", "", amount_text(amounts.payable), "", run.currency),
        *_payment_rows(step.payment, run.currency),
    ]
    return _paid_table(title, tuple(rows))


def arrival_text(arrival: Arrival, run: SettleRun) -> str:
    """`Top-up of 500.00 CNY at 2023-11-10 12:30: 3.20 repays mps 2023-11-10 10:00, 496.80 to the balance.`"""
    parts = [
        f"{amount_text(part)} repays {debt_name(debt, run.offset)}"
        + (f" ({amount_text(rest)} is left)" if rest else "")
        for debt, part in arrival.repaid
        for rest in (debt.amount - part,)
    ]
    if arrival.credit_restored:
        parts.append(f"{amount_text(arrival.credit_restored)} restores the credit line")
    if arrival.to_balance:
        parts.append(f"{amount_text(arrival.to_balance)} to the balance")
    name = "Top-up" if arrival.top_up.id is None else f"Top-up {arrival.top_up.id}"
    said = f"{name} of {amount_text(arrival.amount)} {run.currency} at {clock(arrival.at, run.offset)}"
    if arrival.at != arrival.top_up.at:
        said += f" (entered afterwards for {clock(arrival.top_up.at, run.offset)})"
    return f"{said}: {', '.join(parts) or 'nothing'}."


def debt_name(debt: Debt, offset: int) -> str:
    return f"{debt.product} {debt.month or clock(debt.cycle_start, offset)}"


def _total_table(run: SettleRun) -> Table:
    sums = run.totals
    rows: list[Row] = [
        ("List amount", amount_text(sums.amounts.list_amount)),
        ("Rounding adjustments", amount_text(sums.amounts.rounding_adjustment)),
        ("Payable", amount_text(sums.amounts.payable)),
    ]
    paid: Iterable[tuple[str, Decimal]] = (
        *((_POOLS[source], amount) for source, amount in sums.paid.items()),
        ("Outstanding", sums.outstanding),
        ("Frozen", sums.frozen),
    )
    rows += [(f"  {name}", amount_text(amount)) for name, amount in paid if amount]
    bills, statements = len(run.settled.settlements), len(run.settled.statements)
    title = f"Total of {bills} bill{'' if bills == 1 else 's'}"
    if statements:
        title += f" and {statements} monthly statement{'' if statements == 1 else 's'}"
    return Table(title, (text(""), number(run.currency)), tuple(rows))


def _closing_table(run: SettleRun) -> Table:
    settled = run.settled
    account = settled.closing
    rows: list[Row] = []
    for row in run.closing_rows:
        if row.source in ("credit_line", "outstanding", "frozen") and not (row.opening or row.added or row.taken):
            continue
        show = stripped if row.source == "resource_plan" else amount_text
        moved = (show(amount) if amount else "" for amount in (row.added, row.taken))
        name = f"{SOURCE_NAMES[row.source]} {row.id}".rstrip()
        gone = "" if row.used_up_at is None else clock(row.used_up_at, run.offset)
        rows.append((name, row.unit, show(row.opening), *moved, show(row.closing), gone))
    available = ("Available credit", run.currency, *map(amount_text, (settled.opening.available_credit,)), "", "")
    numbers = (number("Opening"), number("Added"), number("Taken"), number("Closing"))
    used_up = (text("Used up"),) if any(row[-1] for row in rows) else ()
    columns = (text("Source"), text("Unit"), *numbers, *used_up)
    rows = [row[: len(columns)] for row in rows]
    at = "" if settled.until is None else f", {clock(settled.until, run.offset)} (UTC{offset_text(run.offset)})"
    total = (*available, amount_text(account.available_credit), "")[: len(columns)]
    return Table(f"Account {account.id}{at}", columns, tuple(rows), (total,))


def _overdue_blocks(run: SettleRun) -> Iterator[Table | Note]:
    found = run.overdue
    if not found:
        return
    rows = []
    for bill in found:
        debt = bill.debt
        cleared = clock(bill.cleared_at, run.offset) if bill.cleared_at is not None else "still overdue"
        since = clock(debt.issued_at, run.offset)
        left = amount_text(bill.left) if bill.left else ""
        rows.append((debt_name(debt, run.offset), since, amount_text(debt.amount), cleared, left))
    columns = (
        text("Bill"),
        text("Overdue since"),
        number("Outstanding"),
        text("Repaid at"),
        number(f"Still owed {run.currency}"),
    )
    yield Table("Overdue bills", columns, tuple(rows))
    account = run.settled.closing
    if account.outstanding:
        oldest = account.outstanding[0]
        since = f"{amount_text(account.owed)} {run.currency} is outstanding, the oldest of it since"
        since += f" {clock(oldest.issued_at, run.offset)} ({debt_name(oldest, run.offset)})"
        at = cleared_by(account)
        how = "no top-up in the account clears it" if at is None else f"the top-up of {clock(at, run.offset)} clears it"
        yield Note(f"The account is overdue: {since}; {how}.")


def _late_blocks(late: Sequence[Bill], run: SettleRun, in_full: int | None) -> Iterator[Table | Note]:
    shown = late if in_full is None else late[:_LATE_IN_FULL]
    before = run.settled.charged_before
    rows = [
        (
            clock(bill.cycle.start, run.offset),
            bill.cycle.product,
            *_late_cells([bill]),
            _BEFORE[before.get(cycle_key(bill.cycle))],
        )
        for bill in shown
    ]
    if len(shown) < len(late):
        rest = late[len(shown) :]
        rows.append((f"and {len(rest)} more", "", *_late_cells(rest), ""))
    columns = (
        text("Cycle"),
        text("Product"),
        number("Records"),
        number(f"List amount {run.currency}"),
        text("Charged before"),
    )
    total = ("Total", "", *_late_cells(late), "")
    yield Table("Late usage of settled cycles, not charged", columns, tuple(rows), (total,))
    if all(before.get(cycle_key(bill.cycle)) == "same" for bill in late):
        yield Note("All of it was charged before: the usage of every cycle is the same that was charged.")
    else:
        yield Note(
            "--charge-late bills late usage as corrections, but for cycles of which the same was charged before. Give it"
            " files that hold only what was missed."
        )


def charged_again_text(run: SettleRun, most: int = _NAMED) -> str:
    """The warning that corrections can hold records which are charged already, with the first `most` of their cycles."""
    cycles = [settlement.bill.cycle for settlement in run.settled.charged_again]
    named = [f"{cycle.product} {clock(cycle.start, run.offset)}" for cycle in cycles[:most]]
    if len(cycles) > most:
        named.append(f"{len(cycles) - most} more")
    many = len(cycles) > 1
    known = all(run.settled.charged_before[cycle_key(cycle)] == "other" for cycle in cycles)
    return (
        f"{len(cycles)} correction{'s are of cycles' if many else ' is of a cycle'} charged before"
        f"{' with other usage' if known else ''}"
        f" ({', '.join(named)}). The account cannot tell records apart: a record that was charged then and stands in"
        " these files too is charged twice."
    )


def _late_cells(bills: Sequence[Bill]) -> tuple[str, str]:
    records = sum(line.records for bill in bills for line in bill.lines)
    return str(records), amount_text(sum_amounts(bills).list_amount)


def _forecast_blocks(forecast: Forecast, offset: int) -> Iterator[Table | Note]:
    columns = (text("Source"), text("Unit"), number("Left"), number("A day"), text("Runs out"))
    rows = []
    for row in forecast.rows:
        if not row.left:
            out = "is used up"
        elif row.runs_out is None:
            out = "not at this rate"
        else:
            out = clock(row.runs_out, offset)
        rows.append((_POOLS[row.source], row.unit, stripped(row.left), stripped(row.a_day), out))
    span = f"{clock(forecast.start, offset)} to {clock(forecast.end, offset)} ({_span(forecast.end - forecast.start)})"
    yield Table(f"Forecast at the rate of {span}", columns, tuple(rows))
    yield Note(
        "It assumes that usage goes on so, that plans of a unit follow one another and what they cover is paid at list"
        " price when they have run out, and that any voucher pays any bill."
    )


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, DAY)
    hours = f"{rest // 3600} h"
    return f"{days} d {hours}" if days and rest else f"{days} d" if days else hours


def notices(run: SettleRun) -> Iterator[str]:
    """What a person should know of a run beside its result, whatever the format."""
    if count := len(run.settled.overtaken):
        yield (
            f"{'1 bill was' if count == 1 else f'{count} bills were'} issued before the time that the account had reached,"
            " and paid as of that time; where products have other lags or cycles, --as-of keeps them in step."
        )
    if run.settled.late:
        rows = run.control_totals.rows_late
        yield f"{rows} row{' is' if rows == 1 else 's are'} late usage of settled cycles and not charged."
    if run.settled.charged_again:
        yield charged_again_text(run)
