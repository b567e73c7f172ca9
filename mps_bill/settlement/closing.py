"""What a run comes to: the closing statement of every source, the totals of all bills and statements, and when the account was
overdue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from mps_bill.core.decimals import ZERO
from mps_bill.core.laws import law
from mps_bill.rating.bills import Amounts, sum_amounts
from mps_bill.settlement.account import Account, Debt
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle_cycles import Settled, Settlement
from mps_bill.settlement.sources import MONEY_SOURCES, SOURCES
from mps_bill.settlement.sources.payment_source import QuantitySource
from mps_bill.settlement.waterfall import Arrival

#: Sources that every account file names, and people see also where they are empty.
_ALWAYS = {source.name for source in SOURCES if any(key.required for key in source.keys)}


def is_held(source: str, id_: str, *amounts: Decimal) -> bool:
    """Whether an account has a source, or a part of it with an id: where the source has no parts, it is because every account
    has it, or because any of its `amounts` (what was or is there, or moved) is not 0."""
    return bool(id_ or source in _ALWAYS or any(amounts))


@dataclass(frozen=True, slots=True)
class ClosingRow:
    """A source from the start of the run to its end: `opening` + `added` - `taken` = `closing`, in `unit`.

    `used_up_at` is set where the run took the last of it: when the bill or statement that did was issued.
    """

    source: str
    id: str
    unit: str
    opening: Decimal
    added: Decimal
    taken: Decimal
    used_up_at: int | None = None
    of_money: bool = True
    expires_at: int | None = None

    @property
    def closing(self) -> Decimal:
        return self.opening + self.added - self.taken


@dataclass(slots=True)
class Use:
    """What a run took of one plan, voucher, ...; `used_up_at` is when the bill or statement that took the last was issued,
    where nothing was added since."""

    taken: Decimal = ZERO
    used_up_at: int | None = None


def use_of_sources(settled: Settled) -> dict[tuple[str, str], Use]:
    """What the run took of sources, by their name and the id in them."""
    found: dict[tuple[str, str], Use] = {}
    for step in settled.steps:
        if isinstance(step, Arrival):
            for name in step.added:
                found.setdefault((name, ""), Use()).used_up_at = None
            continue
        issued_at = step.bill.cycle.issued_at if isinstance(step, Settlement) else step.statement.issued_at
        for source, id_, amount, remaining in _deductions(step):
            use = found.setdefault((source, id_), Use())
            use.taken += amount
            use.used_up_at = None if remaining else issued_at
    return found


def _deductions(step: Settlement | StatementSettlement) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    """Source, id, what it gave, and what it had left then, of quantity and of money."""
    for taken, _ in step.covers if isinstance(step, Settlement) else ():
        yield taken.source.name, taken.id, taken.taken, taken.left
    for paid in step.payment.deductions:
        yield paid.source, paid.id or "", paid.amount, paid.remaining


def closing_rows(settled: Settled) -> tuple[ClosingRow, ...]:
    """What each source holds, in the order of `SOURCES`, and what is outstanding or frozen.

    Under `outstanding` what is added is new and what is taken is repaid; under `frozen` what is taken is released.
    """
    closing = settled.closing
    after = [(source.name, one.id, one.left) for source in closing.sources for one in source.holdings()]
    after += [("outstanding", "", closing.owed), ("frozen", "", closing.frozen_amount)]
    rows = (*_source_rows(settled), *_owed_rows(settled))
    for row, (source, id_, left) in zip(rows, after, strict=True):
        law(
            (row.source, row.id, row.closing) == (source, id_, left),
            "the movements of {} {} do not add up: {} and {}", source, id_, row.closing, left,
        )  # fmt: skip
    return rows


def _source_rows(settled: Settled) -> Iterator[ClosingRow]:
    uses = use_of_sources(settled)
    for source in settled.opening.sources:
        added = sum((arrival.added.get(source.name, ZERO) for arrival in settled.arrivals), ZERO)
        for one in source.holdings():
            unit, use = one.unit or settled.opening.currency, uses.get((source.name, one.id), Use())
            yield ClosingRow(
                source.name, one.id, unit, one.left, added, use.taken, use.used_up_at, one.unit is None, one.expires_at
            )


def _owed_rows(settled: Settled) -> Iterator[ClosingRow]:
    opening, sums = settled.opening, totals(settled)
    repaid = sum((part for arrival in settled.arrivals for _, part in arrival.repaid), ZERO)
    released = sum((step.released for step in settled.statements), ZERO)
    yield ClosingRow("outstanding", "", opening.currency, opening.owed, sums.outstanding, repaid)
    yield ClosingRow("frozen", "", opening.currency, opening.frozen_amount, sums.frozen + released, released)


#: Where a payable amount is taken from, by the names of JSON, in the order of the totals.
POOLS = (*(source.pool for source in MONEY_SOURCES), "outstanding", "frozen")


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all bills and statements: the payable of `amounts` = what each source `paid` + `outstanding` + `frozen`.

    `frozen` is what the run froze less what its statements released. `units` has what each source of quantity gave, by id.
    """

    amounts: Amounts
    units: dict[str, dict[str, Decimal]]
    paid: dict[str, Decimal]
    outstanding: Decimal
    frozen: Decimal

    @property
    def by_payer(self) -> dict[str, Decimal]:
        """What of the payable each source paid, and what is outstanding and frozen of it."""
        return {**self.paid, "outstanding": self.outstanding, "frozen": self.frozen}

    @property
    def by_pool(self) -> dict[str, Decimal]:
        """The same by `POOLS`."""
        return dict(zip(POOLS, self.by_payer.values(), strict=True))


def totals(settled: Settled) -> Totals:
    """The totals of a run; they add up, which is a law."""
    amounts = sum_amounts((step.bill for step in settled.settlements), (step.statement for step in settled.statements))
    payments = [step.payment for step in settled.settlements] + [step.payment for step in settled.statements]
    units = {
        source.name: dict.fromkeys((one.id for one in source.holdings()), ZERO)
        for source in settled.opening.sources
        if isinstance(source, QuantitySource)
    }
    for settlement in settled.settlements:
        for taken, _ in settlement.covers:
            units[taken.source.name][taken.id] += taken.taken
    paid = {one.name: sum((payment.paid_by(one.name) for payment in payments), ZERO) for one in MONEY_SOURCES}
    outstanding = sum((payment.outstanding for payment in payments), ZERO)
    released = sum((step.released for step in settled.statements), ZERO)
    frozen = sum((step.frozen for step in settled.settlements), ZERO) - released
    law(sum(paid.values(), outstanding + frozen) == amounts.payable, "the totals do not add up")
    return Totals(amounts, units, paid, outstanding, frozen)


@dataclass(frozen=True, slots=True)
class OverdueBill:
    """A bill that was overdue from its issue time on: `debt.amount` was outstanding, of which `left` still is.

    `cleared_at` is when a top-up repaid the last of it.
    """

    debt: Debt
    left: Decimal
    cleared_at: int | None


def overdue_bills(settled: Settled) -> tuple[OverdueBill, ...]:
    """Every bill or statement that is or was outstanding, oldest first; from earlier runs with what was left of it."""
    found: dict[tuple[str, int, str | None, int], OverdueBill] = {}
    for debt in settled.opening.outstanding:
        _add(found, debt)
    for step in settled.steps:
        if isinstance(step, Arrival):
            for repaid, part in step.repaid:
                bill = found[_key(repaid)]
                left = bill.left - part
                found[_key(repaid)] = replace(bill, left=left, cleared_at=None if left else step.at)
        elif step.payment.debt:
            _add(found, step.payment.debt)
    return tuple(found.values())


def cleared_by(account: Account) -> int | None:
    """When the top-ups that are still to arrive will have repaid all that is outstanding; None where they do not."""
    received = ZERO
    for top_up in sorted(account.top_ups, key=lambda top_up: top_up.at):
        if not top_up.arrived:
            received += top_up.amount
            if received >= account.owed:
                return top_up.at
    return None


def _add(found: dict[tuple[str, int, str | None, int], OverdueBill], debt: Debt) -> None:
    """Adds a debt; two corrections of one cycle can be issued at one time, and count as one."""
    same = found.get(_key(debt))
    if same:
        debt = replace(debt, amount=debt.amount + same.debt.amount)
    found[_key(debt)] = OverdueBill(
        debt, debt.amount if same is None else same.left + debt.amount - same.debt.amount, None
    )


def _key(debt: Debt) -> tuple[str, int, str | None, int]:
    return (debt.product, debt.cycle_start, debt.month, debt.issued_at)


def overdue_since(account: Account) -> int | None:
    """The issue time of the oldest bill that is outstanding; None where none is."""
    return min((debt.issued_at for debt in account.outstanding), default=None)
