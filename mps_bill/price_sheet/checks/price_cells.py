"""The input of the checks: a sheet with the sheets it is compared with, and a table of its unit prices for each item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise, zip_longest

from mps_bill.core.diagnostics import Fact, Kind, Place, Problem, all_of, counted, quoted
from mps_bill.core.units import Unit
from mps_bill.documents.fields import Fields, Located, Many
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet.price_kinds.price_kind import Price, WrittenRate
from mps_bill.price_sheet.prices import PriceEntry
from mps_bill.price_sheet.sheet import SheetDraft
from mps_bill.price_sheet.sheet_model import Item, PriceSheet, Resolution
from mps_bill.price_sheet.sheet_parts import SheetParts
from mps_bill.price_sheet.spec import SpecParts, split_spec


@dataclass(frozen=True, slots=True, eq=False)
class Rate:
    """A single unit price in the sheet, such as that of one tier; it equals only itself. `bound` is that of its tier, which can
    be compared with the bounds of prices of the same form."""

    price: Located[Decimal]
    spec: str
    region: str
    tier: str
    bound: object

    def __str__(self) -> str:
        return f"{quoted(self.spec)} in {self.region}{self.tier}"


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """The price of a spec in a region or group, as in the price table: one rate, or one for each tier."""

    rates: tuple[Rate, ...]
    bounds: tuple[object, ...]


QUESTION = "is the decimal point right?"
#: Rounds ratios that are only compared with large factors.
ROUGH = Context(prec=12)

#: group -> its regions
Groups = Mapping[str, tuple[str, ...]]
#: Each rate's share of the price in the version before or in the reference, if one of these has it
Shares = Mapping[Rate, Fraction]
#: region or group -> cell
Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True, eq=False)
class ItemTable:
    """The valid prices of an item. The place of prices that come from another item (`derived`) is that of the factor."""

    code: Located[str]
    fields: Fields
    unit: Unit | None
    template: str | None
    resolutions: Sequence[Resolution]
    rows: Mapping[str, Row]
    #: The place of each spec, and its codec and resolution if the template derives it.
    spec_places: Mapping[str, Place]
    spec_parts: Mapping[str, SpecParts | None]
    groups: Groups
    #: The code of the item that the prices come from, if it is another item.
    base: str | None = None

    @property
    def derived(self) -> bool:
        return self.base is not None

    @property
    def by_codec(self) -> dict[str, dict[str, str]]:
        """Codec -> resolution -> spec, for specs that the template derives; empty text for a part that it does not have."""
        found: dict[str, dict[str, str]] = {}
        for spec, parts in self.spec_parts.items():
            if parts:
                found.setdefault(parts.codec or "", {})[parts.resolution or ""] = spec
        return found

    @property
    def rows_by_codec(self) -> dict[str, dict[str, Row]]:
        """Codec -> resolution -> row, lowest resolution first; empty if specs do not name a resolution."""
        sizes = self.resolutions
        if not all(low.long <= high.long and low.short <= high.short for low, high in pairwise(sizes)):
            return {}
        return {
            codec: {size.name: row for size in sizes if (row := self.rows.get(specs.get(size.name, "")))}
            for codec, specs in self.by_codec.items()
        }

    @property
    def rates(self) -> Iterator[Rate]:
        for row in self.rows.values():
            for cell in row.values():
                yield from cell.rates


@dataclass(frozen=True, slots=True)
class CheckedSheet:
    """The readable part of a sheet, valid or not, as the input of every check.

    Values at the places in `wrong` have an error already and get no warning. `draft` is None if the head is not valid. `today` is
    a date such as 2026-11-23. The sheet is expected to have the same names as the version `before` it (None: there is none) and
    the reference sheets.
    """

    parts: SheetParts
    draft: SheetDraft | None
    tables: Sequence[ItemTable]
    wrong: Set[Place]
    today: str
    before: SheetDraft | None = None
    references: Sequence[PriceSheet] = ()
    #: Rates that are odd compared with these other sheets.
    odd: Set[Rate] = frozenset()
    shares: Shares = field(default_factory=dict)

    @property
    def others(self) -> tuple[PriceSheet, ...]:
        return (*((self.before.sheet,) if self.before else ()), *self.references)

    def in_others(self, code: str) -> Iterator[Item]:
        """Yield the items with this code in the other sheets."""
        return (sheet.items[code] for sheet in self.others if code in sheet.items)

    def invalid_items(self) -> set[str]:
        """Return the codes of items with an error, or whose prices come from such an item."""
        starts = [(table.code.place.line, table.code.value) for table in self.tables]
        file = self.parts.fields.place.file
        lines = [place.line for place in self.wrong if place.file == file]
        found = {max(before)[1] for line in lines if (before := [start for start in starts if start[0] <= line])}
        return found | {table.code.value for table in self.tables if table.base in found}


def item_tables(parts: SheetParts, sheet: PriceSheet | None, wrong: Set[Place]) -> list[ItemTable]:
    """Return the table of every item, without prices that have an error. `sheet` was built from `parts`."""
    sets = parts.resolution_sets
    tables = []
    for entry in parts.fields.parts(d.ITEMS):
        fields = entry.value
        if fields is None:
            continue
        unit, template, resolutions = (
            fields.get(d.UNIT),
            fields.value_of(d.SPEC),
            sets.get(fields.value_of(d.RESOLUTION_SET) or ""),
        )
        written, derivation = fields.get(d.PRICES), fields.get(d.PRICES_FROM)
        rows: dict[str, Row] = {}
        places: dict[str, Place] = {}
        if written:
            rows = {row.key.value: _row(row.key.value, row.value, wrong) for row in written.parts if row.value}
            places = {row.key.value: row.key.place for row in written.parts}
        elif derivation and sheet and entry.key.value in sheet.items:
            times = derivation.get(d.TIMES)
            rows = _derived_rows(sheet, entry.key.value, times.place if times else derivation.place)
        tables.append(
            ItemTable(
                code=entry.key,
                fields=fields,
                unit=unit.value if unit and unit.place not in wrong else None,
                template=template,
                resolutions=resolutions.resolutions if resolutions else (),
                rows=rows,
                spec_places=places,
                spec_parts={spec: split_spec(template, spec) if template else None for spec in places},
                groups=parts.groups,
                base=None if written or derivation is None else derivation.value_of(d.BASE) or "",
            )
        )
    return tables


def _row(spec: str, prices: Many[PriceEntry], wrong: Set[Place]) -> Row:
    row: dict[str, Cell] = {}
    for entry, next_ in zip_longest(prices.parts, prices.parts[1:]):
        # Digits in place of a region are the rest of a price with a decimal comma.
        lost = wrong and next_ and next_.key.place in wrong and next_.key.value.isdigit()
        rates = entry.value.rates(wrong) if entry.value and entry.key.place not in wrong and not lost else None
        if rates is not None:
            row[entry.key.value] = _cell(rates, spec, entry.key.value)
    return row


def _cell(rates: Sequence[WrittenRate], spec: str, region: str) -> Cell:
    found = tuple([Rate(price, spec, region, words, bound) for price, bound, words in rates])
    return Cell(found, tuple([bound for _, bound, _ in rates]))


def _derived_rows(sheet: PriceSheet, code: str, place: Place) -> dict[str, Row]:
    def cell(price: Price, spec: str, region: str) -> Cell:
        return _cell([(Located(figure, place), bound, "") for bound, figure in price.figures()], spec, region)

    prices = sheet.items[code].prices.items()
    return {spec: {region: cell(price, spec, region) for region, price in row.items()} for spec, row in prices}


# ---- Flat lines -----------------------------------------------------------------------------------------------------

#: The number of equal prices that is a flat line; a few equal prices in different rows or items may be a coincidence.
_FLAT: Mapping[object, int] = {"spec": 2, "region": 3, "item": 5}


def beyond_flat_lines(odd: Set[Rate], table: ItemTable, part: Fraction) -> set[Rate]:
    """Return the odd rates, except those in flat lines whose odd part is no larger than `part`. A single price for every
    resolution, or for every region, is far from some of the prices that it is compared with, and is judged as a whole."""
    lines: dict[tuple[object, ...], list[Rate]] = {}
    for rate in table.rates if odd else ():
        figure = (rate.bound, rate.price.value)
        lines.setdefault(("spec", rate.spec, *figure), []).append(rate)
        if table.resolutions:
            lines.setdefault(("region", rate.region, *figure), []).append(rate)
            lines.setdefault(("item", "", *figure), []).append(rate)
    flat = [line for key, line in lines.items() if len(line) >= _FLAT[key[0]]]
    fair = [line for line in flat if sum(1 for rate in line if rate in odd) <= part * len(line)]
    return set(odd).difference(*fair)


# ---- Findings, combined ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Odd:
    """A rate that looks odd, and why: `costs 0.651, 10 times the 0.0651 before`. `by_figures`: the evidence is other prices, not
    only their ratios."""

    rate: Rate
    why: str
    kind: Kind
    by_figures: bool = True
    #: Whether it is higher than expected.
    high: bool = True
    #: The rates of the same item that are the evidence.
    near: tuple[Rate, ...] = ()

    def problem(
        self,
        more: str = "",
        question: str = QUESTION,
        place: Place | None = None,
        also: tuple[Place, ...] = (),
        facts: tuple[Fact, ...] = (),
    ) -> Problem:
        """Return a finding at the rate, or at `place`; `more` says what else is odd."""
        message = f"{self.rate} {self.why}{more}; {question}"
        return Problem(place or self.rate.price.place, self.kind, message, also=also, facts=facts)


def folded(odd: Sequence[Odd], table: ItemTable) -> Iterator[Problem]:
    """Yield a problem for each odd rate. If all rates of an item, a region, a spec or a tier table are odd, that is one mistake,
    with one problem at the item, the region's first price, the spec or the first tier."""
    left = {one.rate: one for one in odd}
    for scope, rates, place in _shares(table) if len(left) > 1 else ():
        priced = [rate for rate in rates if rate.price.value] or rates
        if len(priced) > 1 and all(rate in left for rate in priced):
            first, more = left[priced[0]], len(priced) - 1
            others = f"the other price {scope} is" if more == 1 else f"the {more} other prices {scope} are"
            yield first.problem(f", and {others} off as well", place=None if table.derived else place)
            for rate in priced:
                del left[rate]
    for first, *rest in _blocks(left.values()):
        places = tuple(one.rate.price.place for one in rest)
        lines = [str(line) for line in sorted({place.line for place in places} - {first.rate.price.place.line})]
        where = f" on line{'s' if len(lines) > 1 else ''} {all_of(lines, 6)}" if lines else ""
        others = f", like {counted(len(places), 'price')} near it{where}"
        yield first.problem(others if places else "", also=places)


def _blocks(odd: Iterable[Odd]) -> list[list[Odd]]:
    """Group the rates, in the order given, that are off in the same direction and share a region or a spec with others."""
    blocks: list[tuple[set[tuple[str, str, bool]], list[Odd]]] = []
    for one in odd:
        keys, block = {("spec", one.rate.spec, one.high), ("region", one.rate.region, one.high)}, [one]
        apart = []
        for others in blocks:
            if keys.isdisjoint(others[0]):
                apart.append(others)
            else:
                keys, block = keys | others[0], [*others[1], *block]
        blocks = [*apart, (keys, block)]
    return [block for _, block in blocks]


def _shares(table: ItemTable) -> Iterator[tuple[str, Sequence[Rate], Place | None]]:
    """Yield each group that may be wrong as a whole: its name, its rates, and its place if that is not the first rate."""
    by_region: dict[str, list[Rate]] = {}
    for rate in table.rates:
        by_region.setdefault(rate.region, []).append(rate)
    yield f"of {table.code.value}", list(table.rates), table.code.place
    for region, rates in by_region.items():
        yield f"in {region}", rates, None
    for spec, row in table.rows.items():
        of_spec = [rate for cell in row.values() for rate in cell.rates]
        yield f"of {quoted(spec)}", of_spec, table.spec_places.get(spec)
        for region, cell in row.items():
            yield f"of {quoted(spec)} in {region}", cell.rates, None
