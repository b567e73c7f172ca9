"""Slips of prices as people make them: a figure, a row, a column or a table that is 10, 60, 100 or 1,000 times off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import Place, Problem
from mps_bill.price_sheet.check_sheets import References, check
from mps_bill.price_sheet.checks.price_cells import ItemTable, item_tables
from mps_bill.price_sheet.load_sheets import LoadedSheet
from mps_bill.price_sheet.mistakes import once_a_mistake
from mps_bill.price_sheet.references import shipped_references
from mps_bill.price_sheet.sheet import read_parts

TODAY = "2026-11-26"
#: A decimal point slipped by one or three places; seconds for minutes.
FACTORS = (Fraction(10), Fraction(1, 10), Fraction(60), Fraction(1000))


@dataclass(frozen=True)
class Slip:
    """A sheet with a slip: what was done to it, and the lines where that shows."""

    what: str
    text: str
    lines: frozenset[int]


def tables_of(text: str) -> list[ItemTable]:
    draft, parts, problems = read_parts(text, "f")
    assert draft
    assert parts
    assert not problems
    return item_tables(parts, draft.sheet, frozenset())


def cell_slips(text: str, factors: Sequence[Fraction] = FACTORS) -> Iterator[Slip]:
    """Every figure by itself."""
    for table in tables_of(text):
        for rate in () if table.derived else table.rates:
            for factor in factors if rate.price.value else ():
                found = multiplied(text, [rate.price.place], factor)
                if found:
                    yield Slip(f"{table.code.value} {rate} x {factor}", found, frozenset((rate.price.place.line,)))


def table_slips(text: str, factors: Sequence[Fraction] = FACTORS) -> Iterator[Slip]:
    """Every item as a whole, every spec and every region of an item that has several, and the factor of derived prices."""
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
                        lines = frozenset({table.code.place.line, *(place.line for place in where)})
                        yield Slip(f"{table.code.value}{what} x {factor}", found, lines | _spec_lines(table))


def _spec_lines(table: ItemTable) -> frozenset[int]:
    return frozenset(place.line for place in table.spec_places.values())


def multiplied(text: str, places: Sequence[Place], factor: Fraction) -> str | None:
    """The text with the figures at these places times a factor; None where one would have too many digits."""
    lines = text.split("\n")
    # From the right, so that columns before stay where they are.
    for place in sorted(places, reverse=True):
        line, start = lines[place.line - 1], place.column - 1
        end = next((at for at in range(start, len(line)) if line[at] not in "0123456789."), len(line))
        value = Fraction(line[start:end]) * factor
        figure = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(10) ** -10)
        if not figure:
            return None
        lines[place.line - 1] = line[:start] + plain(figure.normalize()) + line[end:]
    return "\n".join(lines)


def findings(text: str, *before: str, references: References | None = None) -> tuple[Problem, ...]:
    """What `prices check` reports of a sheet beside versions before it; without `references` by the shipped ones."""
    sheets = [_loaded(one, f"before-{number}") for number, one in enumerate(before)]
    sheets.append(_loaded(text, "f"))
    found = check(sheets, TODAY, shipped_references(sheets) if references is None else references)
    return once_a_mistake(found)


def _loaded(text: str, name: str) -> LoadedSheet:
    return LoadedSheet(name, text, *read_parts(text, name))
