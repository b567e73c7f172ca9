"""The results of a run: the closing statement of every source, the totals of all bills and statements, and the overdue bills."""

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

#: Sources that every account file has, which are shown even if they are empty.
_ALWAYS = {source.name for source in SOURCES if any(key.required for key in source.keys)}


def is_held(source: str, id_: str, *amounts: Decimal) -> bool:
    """Whether an account has a source, or a part of it with an id. An account has a source without parts if every account has it,
    or if any of its `amounts` (opening, moved or closing) is not 0."""
    return bool(id_ or source in _ALWAYS or any(amounts))


@dataclass(frozen=True, slots=True)
class ClosingRow:
    """A source from the start to the end of the run: `opening` + `added` - `taken` = `closing`, in `unit`.

    If the run used it up, `used_up_at` is the issue time of the bill or statement that took the last of it.
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
    """The amount that a run took of one plan, voucher, ...; `used_up_at` is the issue time of the bill or statement that took the
    last of it, if nothing was added since."""

    taken: Decimal = ZERO
    used_up_at: int | None = None


def use_of_sources(settled: Settled) -> dict[tuple[str, str], Use]:
    """The use of sources in the run, by their name and the id of the part."""
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
    """The source, id, amount and remaining amount of each deduction, of quantity and of money."""
    for taken, _ in step.covers if isinstance(step, Settlement) else ():
        yield taken.source.name, taken.id, taken.taken, taken.left
    for paid in step.payment.deductions:
        yield paid.source, paid.id or "", paid.amount, paid.remaining


def closing_rows(settled: Settled) -> tuple[ClosingRow, ...]:
    """The rows of all sources, in the order of `SOURCES`, and of the outstanding and frozen amounts.

    Of `outstanding`, `added` is new and `taken` is repaid; of `frozen`, `taken` is released.
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


#: The keys in JSON of the sources that pay a payable, of outstanding and of frozen amounts, in the order of the totals.
POOLS = (*(source.pool for source in MONEY_SOURCES), "outstanding", "frozen")


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of all bills and statements: the payable of `amounts` = the sums `paid` by sources + `outstanding` + `frozen`.

    `frozen` is what the run froze less what its statements released. `units` are the units that each source of quantity gave, by
    id.
    """

    amounts: Amounts
    units: dict[str, dict[str, Decimal]]
    paid: dict[str, Decimal]
    outstanding: Decimal
    frozen: Decimal

    @property
    def by_payer(self) -> dict[str, Decimal]:
        """The parts of the payable that each source paid, that are outstanding, and that are frozen."""
        return {**self.paid, "outstanding": self.outstanding, "frozen": self.frozen}

    @property
    def by_pool(self) -> dict[str, Decimal]:
        """The same by `POOLS`."""
        return dict(zip(POOLS, self.by_payer.values(), strict=True))


def totals(settled: Settled) -> Totals:
    """The totals of a run, which must add up."""
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
    """A bill that was overdue from its issue time on: `debt.amount` was outstanding, and `left` still is.

    `cleared_at` is the time at which a top-up repaid the last of it.
    """

    debt: Debt
    left: Decimal
    cleared_at: int | None


def overdue_bills(settled: Settled) -> tuple[OverdueBill, ...]:
    """Every bill or statement that is or was outstanding, oldest first; those of earlier runs with the amount that was left."""
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
    """The time at which future top-ups will have repaid everything outstanding; None if they do not."""
    received = ZERO
    for top_up in sorted(account.top_ups, key=lambda top_up: top_up.at):
        if not top_up.arrived:
            received += top_up.amount
            if received >= account.owed:
                return top_up.at
    return None


def _add(found: dict[tuple[str, int, str | None, int], OverdueBill], debt: Debt) -> None:
    """Add a debt; two corrections of one cycle issued at the same time count as one."""
    same = found.get(_key(debt))
    if same:
        debt = replace(debt, amount=debt.amount + same.debt.amount)
    found[_key(debt)] = OverdueBill(
        debt, debt.amount if same is None else same.left + debt.amount - same.debt.amount, None
    )


def _key(debt: Debt) -> tuple[str, int, str | None, int]:
    return (debt.product, debt.cycle_start, debt.month, debt.issued_at)


def overdue_since(account: Account) -> int | None:
    """The issue time of the oldest outstanding bill; None if there is none."""
    return min((debt.issued_at for debt in account.outstanding), default=None)
