"""The parts of account file entries: single values, which are read and written again, and checks that all readers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, amount_text, plain, scaled
from mps_bill.core.diagnostics import Kind, Place, Problem, near_miss, quoted, unknown
from mps_bill.core.times import iso
from mps_bill.core.units import MICROS, QUANTITY_PLACES
from mps_bill.documents import values
from mps_bill.documents.fields import OWN_DEFAULT, Field, Fields, Located, Many, Shape, optional
from mps_bill.documents.shapes import ListOf, MapOf, Record, Unique
from mps_bill.documents.values import Choice, Text, decimal_of, number, word
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_model import Item, specs_named
from mps_bill.settlement import account_problems as kinds

T = TypeVar("T")
#: A value of the account file as written: a word, a list or a mapping.
Written = str | Sequence[Any] | Mapping[str, Any]

#: Money in an account has at most the decimal places of its currency.
MONEY_PLACES = 2
ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_WORD = r"[A-Za-z0-9][A-Za-z0-9_.+-]*"


@dataclass(frozen=True, slots=True)
class Kept(Text[T]):
    """A single value, and the function `write` that makes its text again, on the clock of an offset (seconds)."""

    write: Callable[[Any, int], str] = field(kw_only=True)


def kept(text: Text[T], write: Callable[[Any], str]) -> Kept[T]:
    return Kept(text.name, text.parse, text.pattern, text.kind, text.numbers, write=lambda value, _: write(value))


def moment(name: str) -> Kept[int]:
    text = values.moment(name, kinds.BAD_TIME)
    return Kept(text.name, text.parse, text.pattern, text.kind, write=iso)


def quantity_of(name: str, whole_digits: int = 12) -> Kept[int]:
    """A quantity, in millionths."""
    text = number(name, kinds.BAD_QUANTITY, QUANTITY_PLACES, whole_digits=whole_digits)
    parsed = Text(name, lambda word: millionths(text.parse(word)), text.pattern, text.kind, text.numbers)
    return kept(parsed, quantity_text)


def millionths(value: Decimal) -> int:
    """A quantity with at most six decimal places in millionths."""
    return int(EXACT.multiply(value, Decimal(MICROS)))


def quantity_text(value: int) -> str:
    """The text of a quantity in millionths."""
    return plain(scaled(value, QUANTITY_PLACES))


def _parse_percent(text: str) -> Decimal:
    value = decimal_of(AMOUNT_PLACES, above_zero=True, whole_digits=3)(text)
    if value > 100:
        raise ValueError(f"{quoted(text)} is above 100")
    return value


money = kept(number("an amount of money", kinds.BAD_MONEY, MONEY_PLACES), amount_text)
quantity = quantity_of("a quantity")
coefficient = kept(number("a coefficient", kinds.BAD_COEFFICIENT, AMOUNT_PLACES, above_zero=True), plain)
_PERCENT = rf"(?!0(\.0*)?$)([1-9]?[0-9](\.[0-9]{{1,{AMOUNT_PLACES}}})?|100(\.0{{1,{AMOUNT_PLACES}}})?)"
_PERCENT_BOUNDS = {"exclusiveMinimum": 0, "maximum": 100}
percent = kept(Text("a percent", _parse_percent, _PERCENT, kinds.BAD_PERCENT, _PERCENT_BOUNDS), plain)
identifier = word("an id", ID_PATTERN, kinds.BAD_ID, "letters, digits, points, - or _")
# Whether a word is known depends on the price sheets, so any word is accepted here, and `Reading` looks it up.
item_code = Text("an item code", str, _WORD, kinds.UNKNOWN_ITEM)
spec_code = Text("a spec", str, _WORD, kinds.UNKNOWN_SPEC)
region_id = Text("a region id", str, _WORD, kinds.UNKNOWN_REGION)
product_code = Text("a product", str, _WORD, kinds.UNKNOWN_PRODUCT)

ID = Field("id", identifier, "identifier, unique in its list")
EFFECTIVE_FROM = Field("effective_from", moment("a start"), "the first moment it can be used")
EXPIRES_AT = Field("expires_at", moment("an expiry"), "the moment from which it can no longer be used")


def made(make: Callable[..., T], whole: str = "") -> Callable[..., T]:
    """Return a function that makes the value of an entry: tuples become sets, and `remaining` defaults to the key `whole`."""

    def from_values(**values: Any) -> T:
        if whole:
            values.setdefault("remaining", values[whole])
        return make(**{key: frozenset(value) if isinstance(value, tuple) else value for key, value in values.items()})

    return from_values


def keyed(**values: Any) -> tuple[tuple[Any, ...], Any]:
    """Make a mapping entry of an entry of a list: all values except the last are the key."""
    *key, value = values.values()
    return tuple(key), value


def list_of(
    key: str, several: str, entry: Shape[T], doc: str, *unique: Field[Any], name: str | None = ""
) -> Field[Many[T]]:
    """A key of an account file with a list of entries, possibly empty, that must differ in the fields of `unique`."""
    kind = kinds.DUPLICATE_ID if unique and unique[0].key == ID.key else kinds.DUPLICATE_ENTRY
    differing = Unique(kind, tuple(field.key for field in unique)) if unique else False
    return optional(key, ListOf(several, entry, differing, may_be_empty=True), doc, name=name)


def row(fields: Iterable[Field[Any]], value: object, offset: int) -> dict[str, Written]:
    """Write the attributes of a value under the keys `fields`, times on the clock of an offset. A key without a value, or with
    its default, is left out."""
    return _rows(fields, (value,), offset)[0]


def default_of(field: Field[Any], offset: int) -> Written | None:
    """The written default of a key; None if it has none."""
    has_none = field.default is None or field.default is OWN_DEFAULT
    return None if has_none else _written(field.shape, field.default, offset)


def _rows(fields: Iterable[Field[Any]], values: Iterable[object], offset: int) -> list[dict[str, Written]]:
    # An account can have thousands of entries, so what depends only on their keys is done once.
    keys = [(one.key, attrgetter(one.name or one.key), one.default, one.shape) for one in fields]
    return [
        {
            key: shape.write(part, offset) if isinstance(shape, Kept) else _written(shape, part, offset)
            for key, part_of, default, shape in keys
            if (part := part_of(value)) is not None and part != default
        }
        for value in values
    ]


def _written(shape: Any, value: Any, offset: int) -> Written:
    match shape:
        case ListOf(part=Record(fields=fields)) if isinstance(value, Mapping):
            return [
                {field.key: _written(field.shape, one, offset) for field, one in zip(fields, (*key, last), strict=True)}
                for key, last in value.items()
            ]
        case ListOf(part=Record() as entry):
            return _rows(entry.fields, value, offset)
        case ListOf():
            # Lists of single values contain words, which are written unchanged.
            return sorted(value) if isinstance(value, frozenset) else value
        case MapOf():
            return {key: _written(shape.value, part, offset) for key, part in dict(value).items()}
        case Choice():
            return next(word for word, meant in shape.words.items() if meant == value)
        case Kept():
            return shape.write(value, offset)
    return str(value)


class Reading:
    """An account file while it is read: its problems, whether it has outstanding bills, and the words that the price sheets
    define."""

    def __init__(self, book: PriceBook, problems: list[Problem], *, has_debts: bool) -> None:
        self.book = book
        self.problems = problems
        self.has_debts = has_debts
        self.offset = book.offset
        self._regions = book.known_regions
        self._items: dict[str, tuple[Item, ...]] = {}
        for item in book.items:
            self._items[item.code] = (*self._items.get(item.code, ()), item)

    def report(self, place: Place, kind: Kind, message: str) -> None:
        self.problems.append(Problem(place, kind, message))

    def items(self, code: Located[str]) -> tuple[Item, ...]:
        """Look up the items of a code, one for each price sheet that has it."""
        items = self._items.get(code.value, ())
        if not items:
            hint = near_miss(code.value, self._items)
            message = f"unknown item {quoted(code.value)}; no price sheet of this run has it{hint}"
            self.report(code.place, kinds.UNKNOWN_ITEM, message)
        return items

    def spec(self, spec: Located[str], items: Sequence[Item]) -> None:
        """Look up a spec in the items of one code; without items nothing is reported."""
        if items and not specs_named(spec.value, items):
            known = [word for item in items for word in (*item.prices, *item.aliases)]
            message = unknown("spec", spec.value, known, where=f" of {items[0].code}")
            self.report(spec.place, kinds.UNKNOWN_SPEC, message)

    def regions(self, regions: Iterable[Located[str]]) -> None:
        for region in regions:
            if region.value not in self._regions:
                message = unknown("region", region.value, sorted(self._regions))
                self.report(region.place, kinds.UNKNOWN_REGION, message)

    def remaining(
        self, entry: Fields, field: Field[Located[T]], whole_field: Field[Located[T]], shown: Callable[[T], str]
    ) -> None:
        """Check that the remaining part is at most the whole."""
        remaining: Any = entry.get(field)
        whole: Any = entry.get(whole_field)
        if remaining and whole and remaining.value > whole.value:
            message = (
                f"remaining, {shown(remaining.value)}, is {shown(remaining.value - whole.value)} above"
                f" {whole_field.key}, {shown(whole.value)}; what is left is at most the whole"
            )
            self.report(remaining.place, kinds.EXCESSIVE_REMAINING, message)

    def validity(self, entry: Fields) -> None:
        """Check that the end is after the start."""
        start, end = entry.get(EFFECTIVE_FROM), entry.get(EXPIRES_AT)
        if start and end and end.value <= start.value:
            message = (
                f"expires_at, {iso(end.value, self.offset)}, must be after effective_from,"
                f" {iso(start.value, self.offset)}"
            )
            self.report(end.place, kinds.EMPTY_VALIDITY, message)
