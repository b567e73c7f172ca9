"""The printed parts of a settlement: bills with their deductions, overdue and late bills, the closing statement, the forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mps_bill.core.decimals import ZERO, amount_text
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import DAY, date_text, offset_text, time_text
from mps_bill.pipeline import SettleRun
from mps_bill.price_sheet.words import with_unit
from mps_bill.rating.bills import Bill, sum_amounts
from mps_bill.settlement.charged import Before, cycle_key
from mps_bill.settlement.closing import OverdueBill, cleared_by, is_held
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle_cycles import Settlement, Step
from mps_bill.settlement.sources import MONEY_SOURCES, QUANTITY_SOURCES, TAKEN_IN
from mps_bill.settlement.waterfall import Arrival
from mps_bill.view import bill_view
from mps_bill.view.bill_records import BILL
from mps_bill.view.columns import As, Column, Kind, Moment, Quantity, Record, Row, columns_of, pick
from mps_bill.view.settle_records import CLOSING, PAYERS, POOLS, closing_record, debt_name, deductions
from mps_bill.view.tables import Block, Note, Table, table

#: What the account charged before of a late cycle, if it knows.
_BEFORE: dict[Before | None, str] = {
    None: "",
    "same": mark("the same"),
    "other": mark("other usage"),
    "unknown": mark("yes, long ago"),
}
#: Amounts in money or in the unit of a source of quantity.
_TOOK = (Column("From", sense="source"), Column("for"), *columns_of("Took", "Left", kind="amount"), Column("Unit"))


def steps_not_shown(steps: Sequence[Step], *, more: bool) -> str:
    """Say what is not printed in full: `719 more bills and 2 more top-ups are summarised ...`."""
    bills, statements, top_ups = (
        sum(isinstance(step, kind) for step in steps) for kind in (Settlement, StatementSettlement, Arrival)
    )
    if more:
        texts = (
            (bills, tr_many("{n} more bill", "{n} more bills", bills)),
            (statements, tr_many("{n} more statement", "{n} more statements", statements)),
            (top_ups, tr_many("{n} more top-up", "{n} more top-ups", top_ups)),
        )
    else:
        texts = (
            (bills, tr_many("{n} bill", "{n} bills", bills)),
            (statements, tr_many("{n} statement", "{n} statements", statements)),
            (top_ups, tr_many("{n} top-up", "{n} top-ups", top_ups)),
        )
    parts = [text for number, text in texts if number]
    return tr_many(
        "{steps} is summarised in the closing statement; --all prints every bill in full.",
        "{steps} are summarised in the closing statement; --all prints every bill in full.",
        len(steps),
        steps=tr(" and ").join(parts),
    )


def step_blocks(step: Step, run: SettleRun) -> Iterator[Block]:
    match step:
        case Settlement():
            yield bill_view.bill_table(step.bill, run.currency)
            cycle = step.bill.cycle
            if rows := _paid_rows(step, run.currency):
                title = tr("Paid: {product} {start}", product=cycle.product, start=time_text(cycle.start, run.offset))
                yield Table(title, _TOOK, rows).without_empty("for")
        case StatementSettlement():
            statement = step.statement
            issued = time_text(statement.issued_at, run.offset)
            first, rounding = tr("List amount of the month"), tr("Rounding adjustment")
            sums = bill_view.steps_to_payable(statement.amounts, first, rounding, is_rounded=True)
            if step.paid_at_billing:
                can_pay = (source.pool_title for source in MONEY_SOURCES if source.may_pay_at_billing)
                payers = tr(", ").join(tr(payer, sense="paid").lower() for payer in can_pay)
                sums.append((tr("Paid by {payers} when the hours were billed", payers=payers), step.paid_at_billing))
            rows = [(name, None, amount, None, run.currency) for name, amount in sums]
            title = tr(
                "Statement of {product} for {month}, issued {issued}",
                product=statement.sheet.product,
                month=date_text(statement.month),
                issued=issued,
            )
            yield Table(title, _TOOK, [*rows, *_paid_rows(step, run.currency)]).without_empty("for")
        case Arrival():
            yield Note(_arrival_text(step, run))


def _paid_rows(step: Settlement | StatementSettlement, currency: str) -> list[Row]:
    """Return what each source paid (quantity in its unit, or money), then the outstanding and frozen amounts."""
    rows: list[Row] = []
    for record in deductions(step, currency):
        covered = None
        if isinstance(quantity := record.get("plan_quantity"), Quantity):
            covered = f"{with_unit(str(quantity), quantity.unit)} {record['spec']} {record['region']}"
        name = f"{record['name']} {record['source_id'] or ''}".rstrip()
        took = record.get("units") or record.get("paid")
        rows.append((name, covered, took, record["remaining"], record["remaining_in"]))
    if step.payment.outstanding:
        rows.append((tr("Outstanding"), None, step.payment.outstanding, None, currency))
    if isinstance(step, Settlement) and step.frozen:
        rows.append((tr("Frozen"), tr("until the month is over"), step.frozen, None, currency))
    return rows


def _arrival_text(arrival: Arrival, run: SettleRun) -> str:
    """Return `Top-up of 500.00 CNY at 2023-11-10 12:30: 3.20 repays mps 2023-11-10 10:00, 496.80 to the balance.`"""
    parts = []
    for debt, part in arrival.repaid:
        rest = debt.amount - part
        whole = mark("{amount} repays {bill}")
        text = mark("{amount} repays {bill} ({rest} is left)") if rest else whole
        parts.append(tr(text, amount=amount_text(part), bill=debt_name(debt, run.offset), rest=amount_text(rest)))
    parts += [tr(TAKEN_IN[name].text, amount=amount_text(amount)) for name, amount in arrival.added.items()]
    afterwards = ""
    if arrival.at != arrival.top_up.at:
        afterwards = tr(" (entered afterwards for {time})", time=time_text(arrival.top_up.at, run.offset))
    return tr(
        "Top-up{id} of {amount} {currency} at {time}{afterwards}: {parts}.",
        id="" if arrival.top_up.id is None else f" {arrival.top_up.id}",
        amount=amount_text(arrival.amount),
        currency=run.currency,
        time=time_text(arrival.at, run.offset),
        afterwards=afterwards,
        parts=tr(", ", sense="of parts").join(parts) or tr("nothing"),
    )


def total_table(run: SettleRun, *, is_long: bool) -> Table:
    sums = run.totals
    rows = bill_view.total_rows(sums.amounts)
    rows += [(f"  {tr(PAYERS[name], sense='paid')}", amount) for name, amount in sums.by_payer.items() if amount]
    bills, statements = len(run.settled.settlements), len(run.settled.statements)
    title = tr_many("Total of {n} bill", "Total of {n} bills", bills)
    if statements:
        title += tr_many(" and {n} monthly statement", " and {n} monthly statements", statements)
    return Table(title, bill_view.sum_columns(run.currency, is_long=is_long), rows)


def sources_table(run: SettleRun) -> Table:
    """Return the payments by source, which add up to the payable amount."""
    rows = [(tr(PAYERS[name], sense="paid"), amount) for name, amount in run.totals.by_payer.items() if amount]
    columns = (Column("source"), Column("amount", "amount", unit=run.currency, summed=True))
    return Table(tr("Paid from"), columns, rows, ((tr("Total"), run.totals.amounts.payable),))


def closing_table(run: SettleRun, maximum: int | None = None) -> Table:
    """Return the closing statement. With a `maximum` of rows it also shows when plans, vouchers and cards expire."""
    settled = run.settled
    shown = [row for row in run.closing_rows if is_held(row.source, row.id, row.opening, row.added, row.taken)]
    expires = ("expires",) if maximum else ()
    columns = pick(CLOSING, "source", "unit", "opening", "added", "taken", "closing", "used_up", *expires)
    rows: list[Record] = []
    listed = shown if maximum is None or len(shown) <= maximum else shown[: maximum - 1]
    for row in listed:
        record = dict(closing_record(row, run.offset))
        record["source"] = f"{record['source']} {row.id}".rstrip()
        record |= {name: None for name in ("added", "taken") if not getattr(row, name)}
        rows.append(record)
    if rest := len(shown) - len(listed):
        rows.append({"source": tr("and {n} more", n=rest)})
    before, after = (As(account.available_credit, "amount") for account in (settled.opening, settled.closing))
    available: Record = {"source": tr("Available credit"), "unit": run.currency, "opening": before, "closing": after}
    title = tr("Account {id}", id=settled.closing.id)
    if settled.until is not None:
        at, offset = time_text(settled.until, run.offset), offset_text(run.offset)
        title = tr("Account {id}, {time} (UTC{offset})", id=settled.closing.id, time=at, offset=offset)
    return table(title, columns, rows, [available]).without_empty("used_up", "expires")


def overdue_blocks(run: SettleRun, in_full: int | None) -> Iterator[Block]:
    if not run.overdue:
        return

    def row(bill: OverdueBill) -> Row:
        cleared = tr("still overdue") if bill.cleared_at is None else Moment(bill.cleared_at, run.offset)
        issued = Moment(bill.debt.issued_at, run.offset)
        return (debt_name(bill.debt, run.offset), issued, bill.debt.amount, cleared, bill.left or None)

    def together(bills: Sequence[OverdueBill]) -> Row:
        left = sum((bill.left for bill in bills), ZERO)
        return (None, sum((bill.debt.amount for bill in bills), ZERO), None, left or None)

    rows = bill_view.listed(run.overdue, in_full, row, together)
    columns = (
        Column("Bill"),
        Column("Overdue since", "time"),
        Column("Outstanding", "amount"),
        Column("Repaid at", "time"),
        Column("Still owed", "amount", unit=run.currency),
    )
    yield Table(tr("Overdue bills"), columns, rows)
    account = run.settled.closing
    if account.outstanding:
        oldest = account.outstanding[0]
        at = cleared_by(account)
        how = tr("no top-up in the account clears it")
        if at is not None:
            how = tr("the top-up of {time} clears it", time=time_text(at, run.offset))
        text = tr(
            "The account is overdue: {amount} {currency} is outstanding, the oldest of it since {time} ({bill}); {how}.",
            amount=amount_text(account.owed),
            currency=run.currency,
            time=time_text(oldest.issued_at, run.offset),
            bill=debt_name(oldest, run.offset),
            how=how,
        )
        yield Note(text)


def late_blocks(late: Sequence[Bill], run: SettleRun, in_full: int | None) -> Iterator[Block]:
    before = run.settled.charged_before

    def row(bill: Bill) -> Row:
        was_charged = tr(_BEFORE[before.get(cycle_key(bill.cycle))])
        return (Moment(bill.cycle.start, run.offset), bill.cycle.product, *_late_cells([bill]), was_charged)

    def together(bills: Sequence[Bill]) -> Row:
        return (None, *_late_cells(bills), None)

    rows = bill_view.listed(late, in_full, row, together)
    figures = pick(BILL, "records", "list_amount", unit=run.currency)
    columns = (Column("Cycle", "time"), Column("Product"), *figures, Column("Charged before"))
    total = (tr("Total"), *together(late))
    yield Table(tr("Late usage of settled cycles, not charged"), columns, rows, (total,))
    if all(before.get(cycle_key(bill.cycle)) == "same" for bill in late):
        yield Note(tr("All of it has been charged already: the usage of every cycle equals what was charged for it."))
    else:
        how = tr(
            "--charge-late bills late usage as corrections, except for cycles for which the same usage was charged before. Use it"
            " with files that contain only the missed usage."
        )
        yield Note(how)


def _late_cells(bills: Sequence[Bill]) -> Row:
    return sum(line.records for bill in bills for line in bill.lines), sum_amounts(bills).list_amount


def forecast_blocks(run: SettleRun) -> Iterator[Block]:
    forecast, offset = run.forecast, run.offset
    if forecast is None:
        return
    columns = (*columns_of("Source", "Unit"), *columns_of("Left", "A day", kind="amount"), Column("Runs out", "time"))
    rows: list[Row] = []
    for row in forecast.rows:
        out = tr("not at this rate") if row.runs_out is None else Moment(row.runs_out, offset)
        kind: Kind = "amount" if row.source in PAYERS else "quantity"
        left, a_day = As(row.left, kind), As(row.a_day, kind)
        rows.append((tr(POOLS[row.source]), tr(row.unit), left, a_day, out if row.left else tr("is used up")))
    start, end = time_text(forecast.start, offset), time_text(forecast.end, offset)
    title = mark("Forecast at the rate of {start} to {end} ({span})")
    yield Table(tr(title, start=start, end=end, span=_span(forecast.end - forecast.start)), columns, rows)
    limited = tr(" and ").join(tr(source.title).lower() for source in MONEY_SOURCES if source.may_be_limited())
    assumptions = tr(
        "Assumptions: usage continues at this rate; {quantities} with the same unit are used one after another, then usage is"
        " paid at list price; every {limited} can pay every bill.",
        quantities=tr(" and ").join(tr(source.pool_words) for source in QUANTITY_SOURCES),
        limited=limited,
    )
    yield Note(assumptions)


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, DAY)
    hours = tr("{n} h", n=rest // 3600)
    whole_days = tr("{n} d", n=days)
    return f"{whole_days} {hours}" if days and rest else whole_days if days else hours
