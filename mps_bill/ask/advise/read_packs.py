"""Packs from the text of their file, held against the price sheets of the run."""

from __future__ import annotations

from mps_bill.ask.advise import pack_definition as d
from mps_bill.ask.advise import pack_problems as kinds
from mps_bill.ask.advise.packs import Pack, PackList, PackType
from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import Kind, Place, Problem, in_order, near_miss, quoted
from mps_bill.core.units import MICROS, UNITS
from mps_bill.documents.shapes import Entry, Fields, read
from mps_bill.documents.yaml_tree import read_tree
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.context import source_of
from mps_bill.price_sheet.regions import known_regions
from mps_bill.price_sheet.sheet_definition import CURRENCY
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.settlement.sources.resource_plans import COVERS, REGIONS, UNIT


def read_packs(text: str, file_name: str, book: PriceBook) -> tuple[PackList | None, tuple[Problem, ...]]:
    """The packs that `text` lists, or None and every problem with it, by place. `file_name` is for places only."""
    root, form_problems = read_tree(text, file_name)
    problems = list(form_problems)
    if root is None:
        return None, in_order(problems)
    fields, shape_problems = read(d.PACK_LIST, root)
    problems += shape_problems
    found = _Reader(book, problems).packs(fields) if fields else None
    return (None if problems else found), in_order(problems)


class _Reader:
    """Turns the fields of a document into packs; whatever contradicts the price sheets of the run becomes a problem.

    An item or spec that the sheets do not have is no problem: a list of packs is for every customer of a site, and a price
    sheet perhaps for one contract. It is kept, to be told with the advice.
    """

    def __init__(self, book: PriceBook, problems: list[Problem]) -> None:
        self.book = book
        self.problems = problems
        self.items: dict[str, list[Item]] = {}
        for item in book.items:
            self.items.setdefault(item.code, []).append(item)

    def tell(self, place: Place, kind: Kind, message: str) -> None:
        self.problems.append(Problem(place, kind, message))

    def packs(self, fields: Fields) -> PackList | None:
        id_, currency, types = fields.get(d.ID), fields.get(CURRENCY), fields.get(d.PACKS)
        if currency and currency.value != self.book.currency:
            message = f"the packs are sold in {currency.value}, and the price sheets are in {self.book.currency}"
            self.tell(currency.place, kinds.OTHER_CURRENCY, message)
        found = [pack for entry in types.parts if entry.value for pack in self._of_type(entry)] if types else []
        return PackList(id_.value, currency.value, tuple(found)) if id_ and currency else None

    def _of_type(self, entry: Entry[str, Fields]) -> list[Pack]:
        fields = entry.value
        assert fields is not None
        type_ = self._type(entry.key.value, fields)
        sizes = fields.get(d.SIZES)
        first: dict[int, Place] = {}
        packs = []
        for size in sizes.parts if sizes else ():
            units = int(size.key.value * MICROS)
            earlier = first.setdefault(units, size.key.place)
            if earlier is not size.key.place:
                message = f"the size {plain(size.key.value)} stands already at line {earlier.line}; keep one of the two"
                self.tell(size.key.place, kinds.DUPLICATE_SIZE, message)
            elif type_ and size.value:
                packs.append(Pack(type_, units, size.value.value))
        return sorted(packs, key=lambda pack: pack.units)

    def _type(self, id_: str, fields: Fields) -> PackType | None:
        name, unit, valid_for = fields.get(d.NAME), fields.get(UNIT), fields.get(d.VALID_FOR)
        regions, covers, sources = fields.get(REGIONS), fields.get(COVERS), fields.get(d.SOURCES)
        notes = fields.get(d.NOTES)
        known = known_regions(self.book)
        for region in regions.parts if regions else ():
            if region.value not in known:
                message = f"region {quoted(region.value)} is not known{near_miss(region.value, known)}"
                self.tell(region.place, kinds.UNKNOWN_REGION, message)
        if not (name and unit and valid_for and covers and sources):
            return None
        unknown: list[str] = []
        for entry in covers.parts:
            code = entry.key.value
            items = self.items.get(code, [])
            if not items:
                unknown.append(f"{code}{near_miss(code, self.items)}")
            elif all(item.unit.dimension != UNITS[unit.value].dimension for item in items):
                message = f"{code} is billed by {items[0].unit.name}, and {unit.value} does not convert to it"
                self.tell(unit.place, kinds.UNIT_MISMATCH, message)
            specs = [spec for item in items for spec in item.prices]
            for part in entry.value.parts if entry.value and items else ():
                if part.key.value not in specs:
                    unknown.append(f"{code} {part.key.value}{near_miss(part.key.value, specs)}")
        return PackType(
            id=id_,
            name=name.value,
            unit=UNITS[unit.value],
            valid_for=valid_for.value,
            regions=frozenset(region.value for region in regions.parts) if regions else None,
            covers={
                entry.key.value: {part.key.value: part.value.value for part in entry.value.parts if part.value}
                for entry in covers.parts
                if entry.value
            },
            sources=tuple(source for source in map(source_of, sources.parts) if source),
            notes=tuple(note.value for note in notes.parts) if notes else (),
            unknown=tuple(unknown),
        )
