"""Typical mistakes in prices: a price, a row, a column or a table that is wrong by a factor of 10, 60, 100 or 1,000."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context as DecimalContext
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

from mps_bill.core.decimals import AMOUNT_PLACES, plain
from mps_bill.core.diagnostics import Place, Problem
from mps_bill.price_sheet.check_sheets import References, check, once_a_mistake, shipped_references
from mps_bill.price_sheet.checks.price_cells import ItemTable, Rate, item_tables
from mps_bill.price_sheet.load_sheets import LoadedSheet, load_text
from mps_bill.price_sheet.spec import split_spec

TODAY = "2026-11-26"
#: A decimal point misplaced by one, two or three places; seconds for minutes, and minutes for seconds.
FACTORS = (Fraction(10), Fraction(1, 10), Fraction(60), Fraction(1, 60), Fraction(100), Fraction(1000))


@dataclass(frozen=True)
class Slip:
    """A sheet with a mistake: what was changed, and the lines at which it may be reported."""

    what: str
    text: str
    lines: frozenset[int]


def tables_of(text: str) -> list[ItemTable]:
    loaded = load_text(text, "f")
    assert loaded.draft
    assert loaded.parts
    assert not loaded.problems
    return item_tables(loaded.parts, loaded.draft.sheet, frozenset())


def cell_slips(text: str, factors: Sequence[Fraction] = FACTORS) -> Iterator[Slip]:
    """Yield a mistake in every single price."""
    for table in tables_of(text):
        for rate in () if table.derived else table.rates:
            for factor in factors if rate.price.value else ():
                found = multiplied(text, [rate.price.place], factor)
                if found:
                    yield Slip(f"{table.code.value} {rate} x {factor}", found, frozenset((rate.price.place.line,)))


def table_slips(text: str, factors: Sequence[Fraction] = FACTORS) -> Iterator[Slip]:
    """Yield a mistake in every item as a whole, in every spec and region of items with several, and in every factor."""
    for table in tables_of(text):
        places: dict[str, list[Place]] = {}
        for rate in table.rates:
            if table.derived:
                places["times"] = [rate.price.place]
            elif rate.price.value:
                places.setdefault("", []).append(rate.price.place)
                places.setdefault(f" {rate.spec}", []).append(rate.price.place)
                places.setdefault(f" in {rate.region}", []).append(rate.price.place)
        for what, where in places.items():
            if len(where) > 1 or table.derived:
                for factor in factors:
                    if found := multiplied(text, where, factor):
                        lines = _lines([table.code.place, *where, *table.spec_places.values()])
                        yield Slip(f"{table.code.value}{what} x {factor}", found, lines)


def swaps(text: str) -> Iterator[Slip]:
    """Yield every two different rows and every two different columns of an item with their prices swapped."""
    for table in tables_of(text):
        for what in ("spec", "region") if not table.derived else ():
            lines: dict[str, dict[object, Rate]] = {}
            for rate in table.rates:
                across = (rate.region if what == "spec" else rate.spec, rate.bound)
                lines.setdefault(getattr(rate, what), {})[across] = rate
            for one, other in combinations(lines, 2):
                pairs = [(lines[one][key], lines[other][key]) for key in lines[one] if key in lines[other]]
                figures = {a.price.place: b.price.value for pair in pairs for a, b in (pair, pair[::-1])}
                if any(a.price.value != b.price.value for a, b in pairs):
                    yield Slip(f"{table.code.value}: {one} and {other}", put(text, figures), _lines(figures))


def flat_lines(text: str) -> Iterator[Slip]:
    """Yield one price for every resolution: of a codec in a region, of a codec in every region, and of an item in a region. This
    is not a mistake; the lines are those that were changed."""
    for table in tables_of(text):
        lines: dict[str, list[Rate]] = {}
        for rate in table.rates if table.template and not table.derived else ():
            parts = split_spec(table.template or "", rate.spec)
            if parts and parts.resolution:
                lines.setdefault(f"{parts.codec} in {rate.region}", []).append(rate)
                lines.setdefault(f"{parts.codec}", []).append(rate)
                lines.setdefault(f"all in {rate.region}", []).append(rate)
        for what, rates in lines.items():
            prices = sorted(rate.price.value for rate in rates)
            # Nobody agrees to the price of the largest resolution for the others.
            for price in {prices[len(prices) // 4], prices[len(prices) // 2]} - {prices[-1]}:
                if len(prices) > 2:
                    figures = {rate.price.place: price for rate in rates}
                    yield Slip(f"{table.code.value} {what}: {price}", put(text, figures), _lines(figures))


def _lines(places: Iterable[Place]) -> frozenset[int]:
    return frozenset(place.line for place in places)


def multiplied(text: str, places: Sequence[Place], factor: Fraction) -> str | None:
    """Return the text with the prices at these places times a factor, to a few digits; None if one would have too many."""
    figures = {place: Fraction(figure_at(text, place)) * factor for place in places}
    rounded = {
        place: _FEW_DIGITS.divide(Decimal(one.numerator), Decimal(one.denominator)) for place, one in figures.items()
    }
    if any(one.normalize().as_tuple().exponent < -AMOUNT_PLACES for one in rounded.values()):
        return None
    return put(text, rounded)


_FEW_DIGITS = DecimalContext(prec=4)


def put(text: str, figures: Mapping[Place, Decimal]) -> str:
    """Return the text with other prices at these places."""
    lines = text.split("\n")
    # Replace from the right, so that earlier columns do not move.
    for place in sorted(figures, reverse=True):
        line, start = lines[place.line - 1], place.column - 1
        end = start + len(figure_at(text, place))
        lines[place.line - 1] = line[:start] + plain(figures[place].normalize()) + line[end:]
    return "\n".join(lines)


def figure_at(text: str, place: Place) -> str:
    line = text.split("\n")[place.line - 1][place.column - 1 :]
    return line[: next((at for at, sign in enumerate(line) if sign not in "0123456789."), len(line))]


def priced_at(text: str, share: Fraction) -> str:
    """Return the sheet with every written price times a share, like a contract."""
    places = [
        rate.price.place for table in tables_of(text) if not table.derived for rate in table.rates if rate.price.value
    ]
    return multiplied(text, places, share) or text


def findings(text: str, *before: str, references: References | None = None) -> tuple[Problem, ...]:
    """Return the report of `prices check` for a sheet after its earlier versions; `references` default to the shipped sheets."""
    sheets = [_loaded(one, f"before-{number}") for number, one in enumerate(before)]
    sheets.append(_loaded(text, "f"))
    found = check(sheets, TODAY, shipped_references(sheets) if references is None else references)
    return once_a_mistake(found)


def _loaded(text: str, name: str) -> LoadedSheet:
    return load_text(text, name)
