"""An account as values: the sources that pay bills, and what the program must remember from run to run.

Times are whole seconds since the epoch. Money is Decimal with at most two decimal places, except frozen amounts, which are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from operator import attrgetter
from typing import Final, TypeVar

from mps_bill.core.decimals import ZERO
from mps_bill.core.laws import BrokenLaw, law
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.contract import LIST_PRICES, Contract
from mps_bill.rating.lines import MonthUsage
from mps_bill.settlement.sources import SOURCES
from mps_bill.settlement.sources.payment_source import PaymentSource, QuantitySource

S = TypeVar("S", bound=PaymentSource)
ChargedDays = Mapping[tuple[str, str], tuple[str, ...]]
ChargedMonths = Mapping[tuple[str, str], int]

#: In `Account.settled_through`: every product that is not listed.
EVERY_PRODUCT = "*"


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money paid in at a time. Once it has `arrived` it is in the balance (or has repaid bills) and never counts again.

    Two top-ups with the same time and amount need an `id` each.
    """

    at: int
    amount: Decimal
    arrived: bool = False
    id: str | None = None


# Not frozen, for the same reason as lines (`rating.lines`): an account in debt has one for every hour.
@dataclass(slots=True)
class Debt:
    """The outstanding `amount` of a bill (by the start of its cycle) or of a monthly statement (`month` is set)."""

    product: Final[str]
    cycle_start: Final[int]
    month: Final[str | None]
    issued_at: Final[int]
    amount: Final[Decimal]


def debt_order(debt: Debt) -> tuple[int, bool, int, str]:
    """The order in which debts are repaid, kept and read: by issue time, then bills before statements, as they are paid, then by
    cycle and product."""
    return (debt.issued_at, debt.month is not None, debt.cycle_start, debt.product)


@dataclass(frozen=True, slots=True)
class FrozenMonth:
    """Exact net amounts, by item in order of first use, of a month that is settled as a whole. `discount` was already deducted.
    `paid_at_billing` is the part of the sum that vouchers paid when the hours were billed; `limited` is the part of it, by item,
    paid by vouchers that are limited to items."""

    product: str
    month: str
    items: tuple[tuple[str, Decimal], ...]
    discount: Decimal = ZERO
    paid_at_billing: Decimal = ZERO
    limited: tuple[tuple[str, Decimal], ...] = ()

    @property
    def net(self) -> Decimal:
        return sum((amount for _, amount in self.items), ZERO)

    @property
    def amount(self) -> Decimal:
        """The frozen amount, which the statement will ask for, before rounding."""
        return self.net - self.paid_at_billing


def _nothing() -> tuple[PaymentSource, ...]:
    return tuple(source() for source in SOURCES)


# Not frozen, for the same reason as lines (`rating.lines`): every bill makes another account.
@dataclass(slots=True)
class Account:
    """An account. `sources` has an instance of each source of `SOURCES`, in their order.

    `settled_through` maps a product (or `*`) to the end of its last settled cycle; `outstanding` is oldest first. `settled_at` is
    the time that the account has reached: nothing is paid before it any more. `charged` has, by product and day of the billing
    clock (`2023-11-10`), a digest (`settlement.charged.digest`) of each charged cycle that begins on that day, in order of
    charging, which identifies its usage when it comes again. For cycles long past, `charged_months` only records, by product and
    month, that they were charged: bit n is the cycle that begins with hour n of the month (from 0).
    """

    id: Final[str]
    currency: Final[str]
    sources: Final[tuple[PaymentSource, ...]] = field(default_factory=_nothing)
    contract: Final[Contract] = LIST_PRICES
    top_ups: Final[tuple[TopUp, ...]] = ()
    settled_through: Final[Mapping[str, int]] = field(default_factory=dict)
    settled_at: Final[int | None] = None
    outstanding: Final[Sequence[Debt]] = ()
    frozen: Final[tuple[FrozenMonth, ...]] = ()
    month_used: Final[MonthUsage] = field(default_factory=dict)
    charged: Final[ChargedDays] = field(default_factory=dict)
    charged_months: Final[ChargedMonths] = field(default_factory=dict)

    def of(self, source: type[S]) -> S:
        """The account's instance of a source."""
        for one in self.sources:
            if type(one) is source:
                return one
        raise BrokenLaw(f"an account has no instance of {source.name}")

    def having(self, *sources: PaymentSource) -> Account:
        """The account with these instances of their sources instead of its own."""
        new = {type(one): one for one in sources}
        return self.with_sources(tuple(new.get(type(one), one) for one in self.sources))

    def with_sources(self, sources: tuple[PaymentSource, ...]) -> Account:
        """Do what `replace` does, in a third of the time: every bill needs it."""
        id_, currency, _, *others = _values(self)
        return Account(id_, currency, sources, *others)

    def settled(self, product: str) -> int | None:
        """The end of the last settled cycle of `product`, or None if nothing is settled."""
        return self.settled_through.get(product, self.settled_through.get(EVERY_PRODUCT))

    def cuts(self, book: PriceBook) -> tuple[int, ...]:
        """The seconds at which sources of quantity begin or cease to cover usage within a cycle of some product, in order:
        usage before and after each of them must be known separately."""
        calendars = [book.calendar(product) for product in book.versions]
        sources = (source for source in self.sources if isinstance(source, QuantitySource))
        moments = {moment for source in sources for moment in source.bounds()}
        return tuple(sorted(at for at in moments if any(calendar.cycle_start(at) != at for calendar in calendars)))

    @property
    def owed(self) -> Decimal:
        return sum((debt.amount for debt in self.outstanding), ZERO)

    @property
    def frozen_amount(self) -> Decimal:
        return sum((month.amount for month in self.frozen), ZERO)

    @property
    def available_credit(self) -> Decimal:
        """Balance + credit line - amounts unsettled. Source: the provider's definition of available credit."""
        holdings = (one for source in self.sources if source.counts_as_credit for one in source.holdings())
        return sum((one.left for one in holdings), ZERO) - self.owed - self.frozen_amount

    def check(self) -> None:
        """Check the invariant that no source is below zero or above its original amount."""
        for source in self.sources:
            for holding in source.holdings():
                law(
                    holding.left >= 0 and (holding.whole is None or holding.left <= holding.whole),
                    "{} {} has {} of {}",
                    source.name,
                    holding.id,
                    holding.left,
                    holding.whole,
                )
        law(all(debt.amount > 0 for debt in self.outstanding), "an outstanding amount is not above zero")


_values = attrgetter(*(one.name for one in fields(Account)))
