"""The interface of a payment source.

A source is a subclass of `MoneySource` or of `QuantitySource` in a file of its own, listed in `SOURCES`. Nothing else knows which
sources there are. An instance is what one account has of the source; without arguments, it is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final, Self, TypeVar

from mps_bill.core.decimals import ZERO, scaled
from mps_bill.core.laws import law
from mps_bill.core.units import QUANTITY_PLACES, Unit
from mps_bill.documents.fields import Field, Fields, plain
from mps_bill.rating.bills import Cycle
from mps_bill.rating.lines import LineItem
from mps_bill.settlement.entries import Reading, Written, row

#: A line of a bill as sources get it: the item and its exact net amount.
PaidLine = tuple[str, Decimal]
#: Money as a decimal, or in ticks.
Amount = TypeVar("Amount", int, Decimal)
#: A payment that is limited to items: these, and the amount.
LimitedPayment = tuple[frozenset[str], Decimal]


@dataclass(frozen=True, slots=True)
class Holding:
    """The amount `left` of one plan, voucher, ... (`id`), or of a source without parts (""), in its unit.

    `unit` is None for money. `whole` is the original amount, if there is one. The holding can be used from `effective_from` until
    before `expires_at`; None: always.
    """

    id: str
    left: Decimal
    whole: Decimal | None = None
    unit: str | None = None
    effective_from: int | None = None
    expires_at: int | None = None


# Not frozen, for the same reason as lines (`rating.lines`).
@dataclass(slots=True)
class Due:
    """A bill or monthly statement (`month` is set) to be paid: the `payable`, and the exact lines that make it up, which are only
    made when a source calls for them.

    It is paid at `paid_at`: its issue time, or later if the account had already passed that. `limited` are the payments limited
    to items that its lines have already received: from earlier sources, and for a month when its hours were billed.
    """

    product: Final[str]
    cycle_start: Final[int]
    month: Final[str | None]
    issued_at: Final[int]
    paid_at: Final[int]
    lines: Final[Callable[[], Sequence[PaidLine]]]
    payable: Final[Decimal]
    limited: Final[tuple[LimitedPayment, ...]] = ()


# Not frozen, for the same reason as lines (`rating.lines`).
@dataclass(slots=True)
class MoneyDeduction:
    """A payment of a source; `id` is that of the voucher or card, which then has `remaining` left. It is limited to `items`;
    None: any."""

    source: Final[str]
    id: Final[str | None]
    amount: Final[Decimal]
    remaining: Final[Decimal]
    items: Final[frozenset[str] | None] = None


def take_from_lines(
    codes: Iterable[str], rooms: list[Amount], items: Collection[str], amount: Amount
) -> list[tuple[int, Amount]]:
    """Split an amount that is limited to `items` over the lines of these items, in the order of the bill, filling each line
    before the next. Return the parts by the numbers of the lines.

    `codes` are the items of the lines; `rooms`, which is updated, is what limited money may still pay of each. Sources that pay
    and the split of payments over lines (`settlement/attribution.py`) share this rule.

    Raises:
        BrokenLaw: the lines have no room for the amount.
    """
    taken: list[tuple[int, Amount]] = []
    for number, code in enumerate(codes):
        if code in items and (part := min(rooms[number], amount)):
            rooms[number] -= part
            amount -= part
            taken.append((number, part))
    law(not amount, "money limited to items pays more than their lines")
    return taken


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What a top-up adds to a source: the key in JSON and tables, the title of the column, and a text with the `{amount}`."""

    key: str
    title: str
    text: str


class PaymentSource:
    """What an account has of a source."""

    __slots__ = ()

    #: The name of one payment in JSON and CSV, for people, and within a text.
    name: ClassVar[str]
    title: ClassVar[str]
    words: ClassVar[str]
    #: The name of all that an account has of it.
    pool: ClassVar[str]
    pool_title: ClassVar[str]
    #: Its name in the closing statement, if that is not `title`.
    left_title: ClassVar[str] = ""
    #: A description of its account in other books.
    in_books: ClassVar[str]
    #: Whether it has several parts, each with an id.
    has_ids: ClassVar[bool] = True
    #: Whether its payments are owed to the provider, up to the `whole` of its holding.
    is_owed: ClassVar[bool] = False
    #: Whether the amount left counts as available credit.
    counts_as_credit: ClassVar[bool] = False
    #: What a top-up adds to it; None if it takes no top-ups, like every source with ids.
    taken_in: ClassVar[TakenIn | None] = None
    #: The keys of the account file that people write, and those that the program writes; each is named like its attribute.
    keys: ClassVar[tuple[Field[Any], ...]]
    kept_keys: ClassVar[tuple[Field[Any], ...]] = ()

    @classmethod
    def read(cls, fields: Fields, reading: Reading) -> Self:
        """Read the source from an account file; problems are reported to `reading`."""
        cls.check(fields, reading)
        found = ((key.name or key.key, fields.get(key)) for key in (*cls.keys, *cls.kept_keys))
        return cls(**{name: plain(value) for name, value in found if value is not None})

    @classmethod
    def check(cls, fields: Fields, reading: Reading) -> None:
        """Report contradictions within its keys or with the price sheets."""

    def written(self, offset: int) -> Mapping[str, Written]:
        """The written values of its keys, except those that are left out; times are on the clock `offset`. An entry that the file
        already has may differ only in single values."""
        return row((*self.keys, *self.kept_keys), self, offset)

    def holdings(self) -> tuple[Holding, ...]:
        """All holdings of the account, in the order of the file."""
        raise NotImplementedError

    def figures(self) -> Mapping[str, Any]:
        """The amounts left, by the keys of an account in JSON."""
        left = {one.id: one.left for one in self.holdings()}
        return {self.pool: left if self.has_ids else left[""]}

    def refilled(self, amount: Decimal) -> tuple[Decimal, PaymentSource]:
        """The part of a top-up that it takes, and the source after it. Sources are called from the last to the first."""
        return ZERO, self


class MoneySource(PaymentSource):
    """A source that pays money. A forecast assumes that it pays everything due as long as something is left of it."""

    __slots__ = ()

    #: The column of the provider's bills that has its payments (`reconcile.export_columns.PAYMENTS`).
    column: ClassVar[str]
    #: Whether the provider granted it, so that FOCUS has its payments as credits.
    is_granted: ClassVar[bool] = False
    #: Whether an account can let it pay when the bill of each hour is made, even under monthly settlement
    #: (`vouchers_at: billing`); it then pays no statement.
    may_pay_at_billing: ClassVar[bool] = False

    @classmethod
    def may_be_limited(cls) -> bool:
        """Whether its parts can be limited to items or by a minimum."""
        return False

    def pay(self, due: Due, left: Decimal) -> tuple[Sequence[MoneyDeduction], MoneySource]:
        """Pay what it can of `left`, which earlier sources have not paid of `due`; return the payments and the source after."""
        raise NotImplementedError


@dataclass(slots=True)
class Uncovered:
    """What sources of quantity have left uncovered of the charges of a cycle; each takes from it what it covers."""

    cycle: Final[Cycle]
    #: The micros by the starts of segments, the earliest first, of the charges that a source has looked at, by their numbers.
    looked_at: Final[dict[int, dict[int, int]]] = field(default_factory=dict)

    def left(self, number: int) -> dict[int, int]:
        """The micros left of a charge, by the starts of its segments."""
        if number not in self.looked_at:
            charge = self.cycle.charges[number]
            self.looked_at[number] = dict(charge.segments or ((self.cycle.start, charge.micros),))
        return self.looked_at[number]

    def is_known(self, moment: int) -> bool:
        """Whether usage before and after a moment is known separately."""
        return not self.cycle.start < moment < self.cycle.end or moment in self.cycle.cuts


# Not frozen, for the same reason as lines (`rating.lines`).
@dataclass(slots=True)
class QuantityDeduction:
    """`micros` of a charge (its number in the cycle) that a source covered with `units` (millionths of `unit`).

    They were taken from the part `id` of the source, which people know by `name`; it then had `remaining` units left.
    """

    source: Final[type[QuantitySource]]
    id: Final[str]
    name: Final[str]
    charge: Final[int]
    micros: Final[int]
    units: Final[int]
    unit: Final[Unit]
    remaining: Final[int]

    @property
    def taken(self) -> Decimal:
        return scaled(self.units, QUANTITY_PLACES)

    @property
    def left(self) -> Decimal:
        return scaled(self.remaining, QUANTITY_PLACES)

    def explanation(self, line: LineItem, cycle: Cycle) -> str:
        """How it covered a part of `line`, for `explain`."""
        raise NotImplementedError


class QuantitySource(PaymentSource):
    """A source that covers quantity before prices apply. The provider's bill has it as deducted by resource packages."""

    __slots__ = ()

    #: The name of all that an account has of it within a text.
    pool_words: ClassVar[str]
    #: The key of the units that it gave, by id, in the totals of JSON; with `_usage`, the key of their account in other books.
    total_key: ClassVar[str]

    def bounds(self) -> Iterable[int]:
        """The moments, if any, at which it begins or ceases to cover usage: usage before and after each must be known
        separately (`Account.cuts`)."""
        return ()

    def cover(self, uncovered: Uncovered) -> tuple[Sequence[QuantityDeduction], QuantitySource]:
        """Cover what it can of the charges of a cycle; return its deductions and the source after them."""
        raise NotImplementedError
