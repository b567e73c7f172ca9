"""The common part of tiered prices: the tier table, its checks and its display. A kind says how tiers apply."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Literal, cast

from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import Place, Problem, near_miss, quoted
from mps_bill.core.language import mark, tr
from mps_bill.core.units import QUANTITY_PLACES, Unit, in_unit, money_rate, ticks_at, to_micros
from mps_bill.documents.fields import Entry, Field, Fields, Located, Many, optional
from mps_bill.documents.fields import plain as plain_value
from mps_bill.documents.shapes import MapOf, Record
from mps_bill.documents.values import Choice, Text, decimal_of, decimal_pattern, words
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.price_kinds import price_kind
from mps_bill.price_sheet.price_kinds.price_kind import UNIT_PRICE, CsvRow, Figure, Part, Price, Written, WrittenRate

REST = "rest"
_quantity = decimal_of(QUANTITY_PLACES, above_zero=True)


def _parse_bound(text: str) -> Decimal | None:
    """Return the upper bound of a tier in the item's unit; None for the rest."""
    if text == REST:
        return None
    if not text[:1].isdigit() and (hint := near_miss(text, (REST,))):
        raise ValueError(f"{quoted(text)} is not an upper bound{hint}")
    return _quantity(text)


_TIERS = "tiers"
#: The period and scope over which a quantity accumulates, marked for translation.
_PERIODS = (mark("cycle"), mark("month"), mark("cycle across item"), mark("month across item"))
PER = Field(
    "per",
    Choice[Literal["cycle", "month"]]("a tier period", words("cycle", "month"), kinds.UNKNOWN_TIER_PERIOD),
    "the period over which the quantity accumulates",
)
ACROSS = optional(
    "across",
    Choice[Literal["item"]]("a tier scope", words("item"), kinds.UNKNOWN_TIER_SCOPE),
    "count a month's quantity over all regions and specs of the item with this key; default: each region and spec by itself",
)
_bound = Text(
    "an upper bound",
    _parse_bound,
    f"{REST}|{decimal_pattern(QUANTITY_PLACES, above_zero=True)}",
    kinds.BAD_BOUND,
)


def _check_bounds(table: Many[Entry[Decimal | None, Located[Decimal]]]) -> Iterator[Problem]:
    bounds = [entry.key for entry in table.parts]
    at_rest = next((index for index, bound in enumerate(bounds) if bound.value is None), None)
    if at_rest is None:
        if table.whole:
            message = f"the tiers must end with `{REST}`, the price above the last bound"
            yield Problem(table.place, kinds.MISSING_REST, message)
    elif at_rest < len(bounds) - 1:
        message = f"`{REST}` must be last; put all other bounds before it"
        yield Problem(bounds[at_rest].place, kinds.MISPLACED_REST, message)
    elif at_rest == 0 and table.whole:
        message = f"`{REST}` alone is not a tier table; write its price instead of the table, or add a bound before it"
        yield Problem(bounds[0].place, kinds.LONE_REST, message)
    highest = Decimal(0)
    for bound in bounds:
        if bound.value is None:
            continue
        if bound.value <= highest:
            message = f"the bound {plain(bound.value)} is not above {plain(highest)} before it; write bounds in ascending order"
            yield Problem(bound.place, kinds.UNORDERED_TIERS, message)
        highest = max(highest, bound.value)


UP_TO = Field(
    "up_to",
    MapOf("a tier table", _bound, UNIT_PRICE, check=_check_bounds, required=(REST,), at_least=2),
    "inclusive upper bounds in the item's unit, ascending, and `rest`; each with its price",
)


class TierTable(Written[Fields]):
    """`{tiers: volume, per: month, up_to: {3000: 0.1, rest: 0.09}}`, where the value of `tiers` is the kind."""

    @staticmethod
    def shape(models: tuple[type[TieredPrice], ...]) -> Record:
        return Record("a tiered price", (_tiers(models), PER, ACROSS, UP_TO), check=_check_across)

    def price(self, unit: Unit) -> TieredPrice | None:
        fields = self.value
        if not fields.valid:
            return None
        model, per, across, table = (plain_value(fields.get(one)) for one in (_tiers(self.models), PER, ACROSS, UP_TO))
        tiers = (Tier(None if bound is None else to_micros(bound, unit), price) for bound, price in table.items())
        return cast(TieredPrice, model(per, tuple(tiers), unit, fields.place, across))

    def rates(self, wrong: Set[Place]) -> tuple[WrittenRate, ...] | None:
        table = self.value.get(UP_TO)
        if table is None or not table.whole or any(entry.key.place in wrong for entry in table.parts):
            return None
        tiers = [(entry.key.value, entry.value) for entry in table.parts if entry.value]
        return tuple(
            (price, bound, ", above the last tier" if bound is None else f", up to {plain(bound)}")
            for bound, price in tiers
        )


@cache
def _tiers(models: tuple[type[TieredPrice], ...]) -> Field[Located[type[TieredPrice]]]:
    by_word = {kind.model: kind for kind in models}
    meanings = "; ".join(f"{kind.model}: {kind.meaning}" for kind in models)
    return Field(_TIERS, Choice("a tier model", by_word, kinds.UNKNOWN_TIER_MODEL), meanings)


def _check_across(fields: Fields) -> Iterator[Problem]:
    per, across = fields.get(PER), fields.get(ACROSS)
    if across and per and per.value != "month":
        counts = f"`across: {across.value}` counts a month's quantity"
        message = f"{counts}, but these tiers are `per: {per.value}`; write `per: month`"
        yield Problem(across.place, kinds.NEEDLESS_ACROSS, message)


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier of quantities up to and including `up_to` micros (None: the rest)."""

    up_to: int | None
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class TieredPrice(Price):
    """A price by quantity, which accumulates `per` cycle or month, `across` regions and specs (None: each by itself)."""

    form: ClassVar = TierTable
    #: The value of `tiers`, and its meaning in the JSON Schema.
    model: ClassVar[str]
    meaning: ClassVar[str]

    per: Literal["cycle", "month"]
    tiers: tuple[Tier, ...]
    unit: Unit
    place: Place = field(compare=False)
    across: Literal["item"] | None = None

    def part(self, number: int, micros: int) -> Part:
        """Return a quantity at the price of one tier."""
        unit_price = self.tiers[number].unit_price
        return micros, unit_price, self.tier_name(number), ticks_at(micros, money_rate(unit_price, self.unit.micros))

    def tier_name(self, number: int) -> str:
        """Return `0-3000`, `3000-10000` or `100000+`, in the item's unit; the upper bound belongs to the tier."""
        low = self.tiers[number - 1].up_to if number else 0
        return price_kind.tier_text(low or 0, self.tiers[number].up_to, self.unit)

    def before(self, used: int) -> int:
        """Return the quantity in the tiers before that of a cycle."""
        return used if self.by_month else 0

    @property
    def by_month(self) -> bool:
        return self.per == "month"

    @property
    def across_item(self) -> bool:
        return self.across == "item"

    def figures(self) -> tuple[Figure, ...]:
        return tuple((tier.up_to, tier.unit_price) for tier in self.tiers)

    def times(self, factor: Decimal) -> TieredPrice:
        tiers = (replace(tier, unit_price=price_kind.product(tier.unit_price, factor)) for tier in self.tiers)
        return replace(self, tiers=tuple(tiers))

    def kind_words(self) -> str:
        return tr("{model} per {period}", model=tr(self.model), period=tr(self._period))

    def reason(self, currency: str) -> str:
        return tr("{model} tiers per {period}", model=tr(self.model), period=tr(self._period))

    @property
    def _period(self) -> str:
        return self.per + (f" across {self.across}" if self.across else "")

    def table_rows(self) -> Iterator[tuple[str, str]]:
        how = tr(", {kind}", kind=self.kind_words())
        for tier in self.tiers:
            bound = self._bound(tier)
            yield (tr("above") if bound is None else tr("up to {bound}", bound=bound)) + how, plain(tier.unit_price)
            how = ""

    def as_json(self) -> dict[str, Any]:
        tiers = [{"up_to": self._bound(tier), "unit_price": plain(tier.unit_price)} for tier in self.tiers]
        across = {ACROSS.key: self.across} if self.across else {}
        return {_TIERS: self.model, PER.key: self.per, **across, UP_TO.key: tiers}

    def csv_rows(self) -> Iterator[CsvRow]:
        for tier in self.tiers:
            yield (self.model, self._period, self._bound(tier) or "", plain(tier.unit_price))

    def _bound(self, tier: Tier) -> str | None:
        return None if tier.up_to is None else plain(in_unit(tier.up_to, self.unit))
