"""An account from the text of its file, held against the price sheets of the run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar, cast

from mps_bill.core.decimals import EXACT, ZERO, plain
from mps_bill.core.diagnostics import Kind, Place, Problem, in_order, near_miss, quoted
from mps_bill.core.shape import Entry, Field, Fields, Located, Many, read
from mps_bill.core.times import HOUR, iso
from mps_bill.core.units import MICROS, UNITS
from mps_bill.core.yaml_tree import read_tree
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.regions import known_regions
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.settlement import definition as d
from mps_bill.settlement import kinds
from mps_bill.settlement.account import (
    EVERY_PRODUCT,
    MONEY_PLACES,
    Account,
    Charged,
    ChargedMonth,
    Debt,
    FrozenMonth,
    ResourcePlan,
    StoredValueCard,
    TopUp,
    Voucher,
    VoucherOrder,
    debt_order,
)

T = TypeVar("T")


def read_account(text: str, file_name: str, book: PriceBook) -> tuple[Account | None, tuple[Problem, ...]]:
    """The account that `text` is, or None and every problem with it, by place. `file_name` is for places only."""
    root, form_problems = read_tree(text, file_name)
    problems = list(form_problems)
    if root is None:
        return None, in_order(problems)
    fields, shape_problems = read(d.ACCOUNT, root)
    problems += shape_problems
    if fields is None:
        return None, in_order(problems)
    account = _Reader(book, problems).account(fields)
    return (None if problems else account), in_order(problems)


@dataclass(frozen=True, slots=True)
class _Known:
    """The words of the book, as the account may use them."""

    items: Mapping[str, tuple[Item, ...]]
    products: frozenset[str]
    regions: frozenset[str]


def _known(book: PriceBook) -> _Known:
    items: dict[str, tuple[Item, ...]] = {}
    for item in book.items:
        items[item.code] = (*items.get(item.code, ()), item)
    return _Known(items, frozenset(book.versions), known_regions(book))


def _value(fields: Fields, field: Field[Located[T]], default: T) -> T:
    """The value of an optional key; the default also where the value is wrong, which is told already."""
    found = fields.get(field)
    return default if found is None else found.value


def _parts(fields: Fields, field: Field[Many[T]]) -> tuple[T, ...]:
    found = fields.get(field)
    return found.parts if found else ()


class _Reader:
    """Turns the fields of a document into values; whatever contradicts itself or the book becomes a problem.

    A part with a wrong value is left out; since it is a problem, the account is not used in the end.
    """

    def __init__(self, book: PriceBook, problems: list[Problem]) -> None:
        self.book = book
        self.known = _known(book)
        self.problems = problems
        self.offset = next(iter(book.sheets)).billing.calendar.offset

    def tell(self, place: Place, kind: Kind, message: str) -> None:
        self.problems.append(Problem(place, kind, message))

    def account(self, fields: Fields) -> Account | None:
        id_, currency, balance = fields.get(d.ID), fields.get(d.CURRENCY), fields.get(d.BALANCE)
        if currency and currency.value != self.book.currency:
            message = f"the account is in {currency.value}, and the price sheets are in {self.book.currency}"
            self.tell(currency.place, kinds.OTHER_CURRENCY, message)
        self._check_places(fields.place)
        plans = self._each(fields, d.RESOURCE_PLANS, self._plan)
        vouchers = self._each(fields, d.VOUCHERS, self._voucher)
        cards = self._each(fields, d.STORED_VALUE_CARDS, self._card)
        top_ups = self._each(fields, d.TOP_UPS, self._top_up)
        outstanding = list(self._each(fields, d.OUTSTANDING, self._debt))
        for debts in self._each(fields, d.OUTSTANDING_MONTHS, self._debts):
            outstanding += debts
        frozen = self._each(fields, d.FROZEN, self._frozen)
        month_used = dict(self._each(fields, d.MONTH_USED, self._month_use))
        charged = self._each(fields, d.CHARGED, self._charged)
        charged_months = self._each(fields, d.CHARGED_MONTHS, self._charged_month)
        settled_at = fields.get(d.SETTLED_AT)
        self._check_duplicates(fields)
        self._check_top_ups(fields)
        self._check_owed(fields)
        if id_ is None or currency is None or balance is None:
            return None
        return Account(
            id=id_.value,
            currency=currency.value,
            balance=balance.value,
            credit_line=_value(fields, d.CREDIT_LINE, ZERO),
            credit_used=_value(fields, d.CREDIT_USED, ZERO),
            plans=plans,
            vouchers=vouchers,
            cards=cards,
            top_ups=top_ups,
            voucher_order=cast("VoucherOrder", _value(fields, d.VOUCHER_ORDER, "earliest-expiry")),
            settled_through=_settled_through(fields),
            settled_at=settled_at.value if settled_at else None,
            outstanding=tuple(sorted(outstanding, key=debt_order)),
            frozen=frozen,
            month_used=month_used,
            charged=charged,
            charged_months=tuple(sorted(charged_months, key=lambda month: (month.product, month.month))),
        )

    def _each(self, fields: Fields, field: Field[Many[Fields]], make: Callable[[Fields], T | None]) -> tuple[T, ...]:
        made = map(make, _parts(fields, field))
        return tuple(value for value in made if value is not None)

    def _plan(self, fields: Fields) -> ResourcePlan | None:
        id_, unit, total = fields.get(d.ID), fields.get(d.UNIT), fields.get(d.TOTAL)
        remaining = self._remaining(fields, d.REMAINING, total, "total")
        valid = self._validity(fields)
        covers = fields.get(d.COVERS)
        covered = self._covers(covers, unit) if covers else {}
        regions = fields.get(d.REGIONS)
        for region in regions.parts if regions else ():
            if region.value not in self.known.regions:
                message = f"region {quoted(region.value)} is not known{near_miss(region.value, self.known.regions)}"
                self.tell(region.place, kinds.UNKNOWN_REGION, message)
        if not (id_ and unit and total and remaining is not None and valid):
            return None
        return ResourcePlan(
            id=id_.value,
            name=_value(fields, d.NAME, ""),
            unit=UNITS[unit.value],
            total=_millionths(total.value),
            remaining=_millionths(remaining),
            effective_from=valid[0],
            expires_at=valid[1],
            regions=frozenset(region.value for region in regions.parts) if regions else None,
            covers=covered,
        )

    def _covers(
        self,
        covers: Many[Entry[str, Many[Entry[str, Located[Decimal]]]]],
        unit: Located[str] | None,
    ) -> dict[str, dict[str, Decimal]]:
        found: dict[str, dict[str, Decimal]] = {}
        for entry in covers.parts:
            code = entry.key
            items = self._items(code)
            specs = [spec for item in items for spec in item.prices]
            dimension = UNITS[unit.value].dimension if unit else None
            if items and unit and all(item.unit.dimension != dimension for item in items):
                message = f"{code.value} is billed by {items[0].unit.name}, and {unit.value} does not convert to it"
                self.tell(unit.place, kinds.UNIT_MISMATCH, message)
            found[code.value] = {}
            for part in entry.value.parts if entry.value else ():
                spec = part.key
                if items and spec.value not in specs:
                    message = f"{code.value} has no spec {quoted(spec.value)}{near_miss(spec.value, specs)}"
                    self.tell(spec.place, kinds.UNKNOWN_SPEC, message)
                if part.value:
                    found[code.value][spec.value] = part.value.value
        return found

    def _items(self, code: Located[str]) -> tuple[Item, ...]:
        items = self.known.items.get(code.value, ())
        if not items:
            hint = near_miss(code.value, self.known.items)
            message = f"item {quoted(code.value)} is in no price sheet of the run{hint}"
            self.tell(code.place, kinds.UNKNOWN_ITEM, message)
        return items

    def _voucher(self, fields: Fields) -> Voucher | None:
        id_, face_value, items = fields.get(d.ID), fields.get(d.FACE_VALUE), fields.get(d.ITEMS)
        remaining = self._remaining(fields, d.MONEY_REMAINING, face_value, "face_value")
        valid = self._validity(fields)
        for item in items.parts if items else ():
            self._items(item)
        if not (id_ and face_value and remaining is not None and valid):
            return None
        return Voucher(
            id_.value,
            face_value.value,
            remaining,
            *valid,
            frozenset(item.value for item in items.parts) if items else None,
            _value(fields, d.MINIMUM_AMOUNT, ZERO),
        )

    def _card(self, fields: Fields) -> StoredValueCard | None:
        id_, face_value = fields.get(d.ID), fields.get(d.FACE_VALUE)
        remaining = self._remaining(fields, d.MONEY_REMAINING, face_value, "face_value")
        valid = self._validity(fields)
        if not (id_ and face_value and remaining is not None and valid):
            return None
        return StoredValueCard(id_.value, face_value.value, remaining, *valid)

    def _remaining(
        self, fields: Fields, field: Field[Located[Decimal]], whole: Located[Decimal] | None, whole_key: str
    ) -> Decimal | None:
        """What is left, by default all; None where it or the whole is wrong."""
        remaining = fields.get(field) or whole
        if remaining and whole and remaining.value > whole.value:
            excess = remaining.value - whole.value
            message = (
                f"remaining, {plain(remaining.value)}, is {plain(excess)} above {whole_key}, {plain(whole.value)};"
                " what is left is at most the whole"
            )
            self.tell(remaining.place, kinds.EXCESSIVE_REMAINING, message)
            return None
        return None if remaining is None or fields.wrong(field) else remaining.value

    def _validity(self, fields: Fields) -> tuple[int, int] | None:
        start, end = fields.get(d.EFFECTIVE_FROM), fields.get(d.EXPIRES_AT)
        if start is None or end is None:
            return None
        if end.value <= start.value:
            message = (
                f"expires_at, {iso(end.value, self.offset)}, must be after effective_from,"
                f" {iso(start.value, self.offset)}"
            )
            self.tell(end.place, kinds.EMPTY_VALIDITY, message)
            return None
        return start.value, end.value

    def _top_up(self, fields: Fields) -> TopUp | None:
        at, amount = fields.get(d.AT), fields.get(d.AMOUNT)
        id_ = fields.get(d.ID)
        if not (at and amount):
            return None
        return TopUp(at.value, amount.value, _value(fields, d.ARRIVED, False), id_.value if id_ else None)

    def _debt(self, fields: Fields) -> Debt | None:
        product, start, issued = fields.get(d.PRODUCT), fields.get(d.CYCLE_START), fields.get(d.ISSUED_AT)
        month, amount = fields.get(d.STATEMENT_MONTH), fields.get(d.AMOUNT)
        if not (product and start and issued and amount):
            return None
        if not amount.value:
            self.tell(amount.place, kinds.BAD_MONEY, "nothing is outstanding of this bill; remove its entry")
        return Debt(product.value, start.value, month.value if month else None, issued.value, amount.value)

    def _debts(self, fields: Fields) -> tuple[Debt, ...]:
        product, start, lag = fields.get(d.PRODUCT), fields.get(d.MONTH_START), fields.get(d.ISSUED_AFTER)
        amounts = fields.get(d.AMOUNTS)
        if not (product and start and lag and amounts):
            return ()
        cycles = ((start.value + hour * HOUR, amount) for hour, amount in amounts.value)
        return tuple(Debt(product.value, at, None, at + int(lag.value), amount) for at, amount in cycles)

    def _frozen(self, fields: Fields) -> FrozenMonth | None:
        product, month, items = fields.get(d.PRODUCT), fields.get(d.MONTH), fields.get(d.FROZEN_ITEMS)
        if product and product.value not in self.known.products:
            message = (
                f"amounts of the product {quoted(product.value)} are frozen, and no price sheet of the run is of it;"
                f" give its sheet, so that the month can be paid{near_miss(product.value, self.known.products)}"
            )
            self.tell(product.place, kinds.UNKNOWN_PRODUCT, message)
        if not (product and month and items):
            return None
        amounts = tuple((entry.key.value, entry.value.value) for entry in items.parts if entry.value)
        return FrozenMonth(product.value, month.value, amounts)

    def _month_use(self, fields: Fields) -> tuple[tuple[str, str, str, str, str], int] | None:
        words = [fields.get(field) for field in (d.PRODUCT, d.MONTH, d.ITEM, d.SPEC, d.REGION)]
        used = fields.get(d.USED)
        product, month, item, spec, region = (word.value if word else "" for word in words)
        return ((product, month, item, spec, region), _millionths(used.value)) if all(words) and used else None

    def _charged(self, fields: Fields) -> Charged | None:
        product, day, digests = fields.get(d.PRODUCT), fields.get(d.CHARGED_DAY), fields.get(d.DIGESTS)
        if not (product and day and digests):
            return None
        return Charged(product.value, day.value, tuple(one.value for one in digests.parts))

    def _charged_month(self, fields: Fields) -> ChargedMonth | None:
        product, month, hours = fields.get(d.PRODUCT), fields.get(d.MONTH), fields.get(d.HOURS)
        if not (product and month and hours):
            return None
        return ChargedMonth(product.value, month.value, int(hours.value[1:], 16))

    def _check_duplicates(self, fields: Fields) -> None:
        for field in (d.RESOURCE_PLANS, d.VOUCHERS, d.STORED_VALUE_CARDS, d.TOP_UPS):
            ids = (fields_.get(d.ID) for fields_ in _parts(fields, field))
            found = ((id_.value, id_.place, f"the id {quoted(id_.value)}") for id_ in ids if id_)
            self._tell_duplicates(found, kinds.DUPLICATE_ID)
        keys: tuple[tuple[Field[Many[Fields]], tuple[Field[Located[str]], ...]], ...] = (
            (d.FROZEN, (d.PRODUCT, d.MONTH)),
            (d.MONTH_USED, (d.PRODUCT, d.MONTH, d.ITEM, d.SPEC, d.REGION)),
            (d.CHARGED, (d.PRODUCT, d.CHARGED_DAY)),
            (d.CHARGED_MONTHS, (d.PRODUCT, d.MONTH)),
        )
        for field, key in keys:
            rows = []
            for part in _parts(fields, field):
                words = tuple(_value(part, word, "") for word in key)
                rows.append((words, part.place, quoted(" ".join(words))))
            self._tell_duplicates(rows, kinds.DUPLICATE_ENTRY)

    def _tell_duplicates(self, found: Iterable[tuple[Hashable, Place, str]], kind: Kind) -> None:
        first: dict[Hashable, Place] = {}
        for key, place, what in found:
            earlier = first.setdefault(key, place)
            if earlier is not place:
                self.tell(place, kind, f"{what} stands already at line {earlier.line}; each stands once")

    def _check_top_ups(self, fields: Fields) -> None:
        """Two equal top-ups that no id tells apart are more likely one that was copied."""
        first: dict[TopUp, Place] = {}
        for part in _parts(fields, d.TOP_UPS):
            top_up = self._top_up(part)
            if top_up is None or top_up.id is not None:
                continue
            earlier = first.setdefault(replace(top_up, arrived=False), part.place)
            if earlier is not part.place:
                message = (
                    f"the same amount at the same time stands already at line {earlier.line}; where both were paid,"
                    " give each an id"
                )
                self.tell(part.place, kinds.EQUAL_TOP_UPS, message)

    def _check_owed(self, fields: Fields) -> None:
        used, line = fields.get(d.CREDIT_USED), _value(fields, d.CREDIT_LINE, ZERO)
        if used and not fields.wrong(d.CREDIT_LINE) and used.value > line:
            message = (
                f"credit_used, {plain(used.value)}, is {plain(used.value - line)} above credit_line, {plain(line)}"
            )
            self.tell(used.place, kinds.EXCESSIVE_CREDIT, message)
        balance = fields.get(d.BALANCE)
        debts = _parts(fields, d.OUTSTANDING) or _parts(fields, d.OUTSTANDING_MONTHS)
        if balance and balance.value and debts:
            message = (
                f"the balance is {plain(balance.value)} while bills are outstanding; write money that was paid in"
                " under top_ups, which repay what is outstanding first"
            )
            self.tell(balance.place, kinds.UNREPAID_BALANCE, message)

    def _check_places(self, place: Place) -> None:
        """Bills cut to more decimals than money has could never be paid exactly."""
        for sheet in self.book.sheets:
            if sheet.billing.places > MONEY_PLACES:
                message = (
                    f"{sheet.ref} ({sheet.place}) cuts bills to {sheet.billing.places} decimals; to be paid from an"
                    f" account they have at most {MONEY_PLACES}"
                )
                self.tell(place, kinds.FINER_BILLS, message)


def _millionths(value: Decimal) -> int:
    """A quantity with at most six decimals in millionths."""
    return int(EXACT.multiply(value, Decimal(MICROS)))


def _settled_through(fields: Fields) -> dict[str, int]:
    """`settled_through` holds for every product, unless the times of single products are given, which then decide."""
    by_product = fields.get(d.SETTLED_BY_PRODUCT)
    if by_product:
        return {entry.key.value: entry.value.value for entry in by_product.parts if entry.value}
    whole = fields.get(d.SETTLED_THROUGH)
    return {EVERY_PRODUCT: whole.value} if whole else {}
