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
from mps_bill.documents.shapes import Field, Fields, plain
from mps_bill.rating.bills import Cycle
from mps_bill.rating.lines import LineItem
from mps_bill.settlement.entries import Reading, Written, row

#: A line of a bill as a source sees it: the item and its exact net amount.
PaidLine = tuple[str, Decimal]
#: Money as a decimal, or in ticks.
Amount = TypeVar("Amount", int, Decimal)
#: What was paid that is of some items alone: these, and how much.
LimitedPayment = tuple[frozenset[str], Decimal]


@dataclass(frozen=True, slots=True)
class Holding:
    """What is `left` of one plan, voucher, ... (`id`), or of a source that has no parts (""), in its unit.

    `unit` is None for money. `whole` is what there was at first, where there is such a bound. It can be used from
    `effective_from` until before `expires_at`; None: always.
    """

    id: str
    left: Decimal
    whole: Decimal | None = None
    unit: str | None = None
    effective_from: int | None = None
    expires_at: int | None = None


# Not frozen, for the reason that lines (`rating.lines`) are not.
@dataclass(slots=True)
class Due:
    """A bill or monthly statement (`month` is set) that is to be paid: `payable`, and the exact lines behind it, which are
    made when a source asks for them.

    It is paid at `paid_at`, which is its issue time, or later where the account had passed that already. `limited` is what was
    paid of its lines already that is of some items alone: by sources before, and of a month when its hours were billed.
    """

    product: Final[str]
    cycle_start: Final[int]
    month: Final[str | None]
    issued_at: Final[int]
    paid_at: Final[int]
    lines: Final[Callable[[], Sequence[PaidLine]]]
    payable: Final[Decimal]
    limited: Final[tuple[LimitedPayment, ...]] = ()


# Not frozen, for the reason that lines (`rating.lines`) are not.
@dataclass(slots=True)
class MoneyDeduction:
    """What a source paid; `id` names a voucher or card. `remaining` is what is left of it then. `items` are the only ones that
    it pays for; None: any."""

    source: Final[str]
    id: Final[str | None]
    amount: Final[Decimal]
    remaining: Final[Decimal]
    items: Final[frozenset[str] | None] = None


def take_from_lines(
    codes: Iterable[str], rooms: list[Amount], items: Collection[str], amount: Amount
) -> list[tuple[int, Amount]]:
    """Takes what money limited to `items` pays from the lines of these, in the order of the bill, of each all that it has room
    for; what each line was taken, by its number. `codes` are the items of the lines, `rooms` what limited money has left of
    them, which is changed. Payers and the split of payments over lines (`settlement/attribution.py`) have this one rule.

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
    """What a top-up adds to a source: its key in JSON and tables, the title of its column, and a text with the `{amount}`."""

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
    #: What the closing statement calls it, where that is not `title`.
    left_title: ClassVar[str] = ""
    #: What its account in other books holds, as a text.
    in_books: ClassVar[str]
    #: Whether it is of several parts, each with an id.
    has_ids: ClassVar[bool] = True
    #: Whether what it pays is owed to the provider, up to the `whole` of its holding.
    is_owed: ClassVar[bool] = False
    #: Whether what is left of it counts as available credit.
    counts_as_credit: ClassVar[bool] = False
    #: What a top-up adds to it; None where it takes no top-ups in, as no source with ids does.
    taken_in: ClassVar[TakenIn | None] = None
    #: The keys of the account file that people write, and those that the program writes; each is named as the field that it is.
    keys: ClassVar[tuple[Field[Any], ...]]
    kept_keys: ClassVar[tuple[Field[Any], ...]] = ()

    @classmethod
    def read(cls, fields: Fields, reading: Reading) -> Self:
        """What an account file has of the source; what is wrong is reported to `reading`."""
        cls.check(fields, reading)
        found = ((key.name or key.key, fields.get(key)) for key in (*cls.keys, *cls.kept_keys))
        return cls(**{name: plain(value) for name, value in found if value is not None})

    @classmethod
    def check(cls, fields: Fields, reading: Reading) -> None:
        """Reports what contradicts itself in its keys, or contradicts the price sheets."""

    def written(self, offset: int) -> Mapping[str, Written]:
        """The values of its keys, but for those that are left out; times are on the clock `offset`. Of an entry that stands in
        the file already only single values may differ."""
        return row((*self.keys, *self.kept_keys), self, offset)

    def holdings(self) -> tuple[Holding, ...]:
        """All that the account has of it, in the order of the file."""
        raise NotImplementedError

    def figures(self) -> Mapping[str, Any]:
        """What is left of it, by the keys of an account in JSON."""
        left = {one.id: one.left for one in self.holdings()}
        return {self.pool: left if self.has_ids else left[""]}

    def refilled(self, amount: Decimal) -> tuple[Decimal, PaymentSource]:
        """How much of a top-up it takes in, and the source after it. Sources are asked from the last to the first."""
        return ZERO, self


class MoneySource(PaymentSource):
    """A source that pays money."""

    __slots__ = ()

    #: The column of the provider's bills in which its payments are (`reconcile.export_columns.PAYMENTS`).
    column: ClassVar[str]
    #: Whether an account can have it pay hour by hour, when the bill is made, also where it is settled by the month
    #: (`vouchers_at: billing`); it then pays no statement.
    may_pay_at_billing: ClassVar[bool] = False

    @classmethod
    def may_be_limited(cls) -> bool:
        """Whether what an account has of it can be for some items alone, or from a minimum on."""
        return False

    def pay(self, due: Due, left: Decimal) -> tuple[Sequence[MoneyDeduction], MoneySource]:
        """What it pays of `left`, the part of `due` that no source before it has paid, and the source after it."""
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


# Not frozen, for the reason that lines (`rating.lines`) are not.
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
