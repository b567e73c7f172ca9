"""What the entries of an account file are made of: the shapes of single values, and what every reader of entries checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, plain
from mps_bill.core.diagnostics import Kind, Place, Problem, near_miss, quoted
from mps_bill.core.times import iso
from mps_bill.core.units import MICROS, QUANTITY_PLACES
from mps_bill.documents import values
from mps_bill.documents.shapes import Field, Fields, Located, Many, Text, repeated
from mps_bill.documents.values import decimal_of, number, word
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.regions import known_regions
from mps_bill.price_sheet.sheet_model import Item, specs_named
from mps_bill.settlement import account_problems as kinds

T = TypeVar("T")

#: Money in an account has at most the decimal places of its currency.
MONEY_PLACES = 2
ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_WORD = r"[A-Za-z0-9][A-Za-z0-9_.+-]*"


def moment(name: str) -> Text[int]:
    return values.moment(name, kinds.BAD_TIME)


def _parse_percent(text: str) -> Decimal:
    value = decimal_of(AMOUNT_PLACES, above_zero=True, whole_digits=3)(text)
    if value > 100:
        raise ValueError(f"{quoted(text)} is above 100")
    return value


money = number("an amount of money", kinds.BAD_MONEY, MONEY_PLACES)
quantity = number("a quantity", kinds.BAD_QUANTITY, QUANTITY_PLACES)
coefficient = number("a coefficient", kinds.BAD_COEFFICIENT, AMOUNT_PLACES, above_zero=True)
percent = Text(
    "a percent",
    _parse_percent,
    rf"(?!0(\.0*)?$)([1-9]?[0-9](\.[0-9]{{1,{AMOUNT_PLACES}}})?|100(\.0{{1,{AMOUNT_PLACES}}})?)",
    kinds.BAD_PERCENT,
    {"exclusiveMinimum": 0, "maximum": 100},
)
identifier = word("an id", ID_PATTERN, kinds.BAD_ID, "letters, digits, points, - or _")
# Whether a word is known depends on the price sheets, so any word is read here, and `Reading` looks it up.
item_code = Text("an item code", str, _WORD, kinds.UNKNOWN_ITEM)
spec_code = Text("a spec", str, _WORD, kinds.UNKNOWN_SPEC)
region_id = Text("a region id", str, _WORD, kinds.UNKNOWN_REGION)
product_code = Text("a product", str, _WORD, kinds.UNKNOWN_PRODUCT)

ID = Field("id", identifier, "identifier, unique in its list")
EFFECTIVE_FROM = Field("effective_from", moment("a start"), "the first moment it can be used")
EXPIRES_AT = Field("expires_at", moment("an expiry"), "the moment from which it can no longer be used")


def millionths(value: Decimal) -> int:
    """A quantity with at most six decimals in millionths."""
    return int(EXACT.multiply(value, Decimal(MICROS)))


class Reading:
    """The problems of an account file that is being read, and the words that its price sheets know.

    A part with a wrong value is left out; since it is a problem, the account is not used in the end.
    """

    def __init__(self, book: PriceBook, problems: list[Problem]) -> None:
        self.book = book
        self.problems = problems
        self.offset = book.offset
        self._regions = known_regions(book)
        self._items: dict[str, tuple[Item, ...]] = {}
        for item in book.items:
            self._items[item.code] = (*self._items.get(item.code, ()), item)

    def report(self, place: Place, kind: Kind, message: str) -> None:
        self.problems.append(Problem(place, kind, message))

    def each(self, fields: Fields, field: Field[Many[Fields]], make: Callable[[Fields], T | None]) -> tuple[T, ...]:
        """What `make` makes of the parts of a list, whose ids, where they have some, must differ."""
        parts = fields.parts(field)
        ids = (part.get(ID) for part in parts)
        found = ((id_.value, id_.place, f"id {quoted(id_.value)}") for id_ in ids if id_)
        self.problems += repeated(found, kinds.DUPLICATE_ID)
        made = map(make, parts)
        return tuple(value for value in made if value is not None)

    def items(self, code: Located[str]) -> tuple[Item, ...]:
        """The items of a code, one for each price sheet that has it."""
        items = self._items.get(code.value, ())
        if not items:
            hint = near_miss(code.value, self._items)
            message = f"item {quoted(code.value)} is in no price sheet of the run{hint}"
            self.report(code.place, kinds.UNKNOWN_ITEM, message)
        return items

    def spec(self, spec: Located[str], items: Sequence[Item]) -> None:
        """Looks a spec up in the items of one code; nothing is known of a code without any."""
        if items and not specs_named(spec.value, items):
            known = [word for item in items for word in (*item.prices, *item.aliases)]
            message = f"{items[0].code} has no spec {quoted(spec.value)}{near_miss(spec.value, known)}"
            self.report(spec.place, kinds.UNKNOWN_SPEC, message)

    def region(self, region: Located[str]) -> str:
        if region.value not in self._regions:
            message = f"region {quoted(region.value)} is not known{near_miss(region.value, self._regions)}"
            self.report(region.place, kinds.UNKNOWN_REGION, message)
        return region.value

    def remaining(
        self, fields: Fields, field: Field[Located[Decimal]], whole_field: Field[Located[Decimal]]
    ) -> Decimal | None:
        """What is left, by default all; None where it or the whole is wrong."""
        whole = fields.get(whole_field)
        remaining = fields.get(field) or whole
        if remaining and whole and remaining.value > whole.value:
            excess = remaining.value - whole.value
            message = (
                f"remaining, {plain(remaining.value)}, is {plain(excess)} above {whole_field.key},"
                f" {plain(whole.value)}; what is left is at most the whole"
            )
            self.report(remaining.place, kinds.EXCESSIVE_REMAINING, message)
            return None
        return None if remaining is None or fields.wrong(field) else remaining.value

    def validity(self, fields: Fields) -> tuple[int, int] | None:
        """`effective_from` and `expires_at`; None where they are wrong."""
        start, end = fields.get(EFFECTIVE_FROM), fields.get(EXPIRES_AT)
        if start is None or end is None or not self.is_period(start, end):
            return None
        return start.value, end.value

    def is_period(self, start: Located[int], end: Located[int]) -> bool:
        """Whether the end is after the start, which is reported otherwise."""
        if end.value <= start.value:
            message = (
                f"expires_at, {iso(end.value, self.offset)}, must be after effective_from,"
                f" {iso(start.value, self.offset)}"
            )
            self.report(end.place, kinds.EMPTY_VALIDITY, message)
            return False
        return True
