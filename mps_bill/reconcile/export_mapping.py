"""What the names on a bill stand for: mappings from YAML, each over those before it. Reading the files is the only I/O here."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from mps_bill.core.diagnostics import Place, Problem, in_order, printable, quoted
from mps_bill.core.units import Unit
from mps_bill.documents.read_document import ReadDocument, read_document, read_text
from mps_bill.documents.shapes import Fields, Located, defined_at
from mps_bill.price_sheet.regions import KNOWN
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile import mapping_definition as d
from mps_bill.reconcile.export import ExportRow, ItemName
from mps_bill.reconcile.export_columns import heading

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BillMapping:
    """The names on bills, folded by `folded`, and what they stand for; and the columns of headings, folded by `heading`."""

    products: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    items: Mapping[str, ItemName] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)

    def over(self, other: BillMapping) -> BillMapping:
        """Both together; where both have a name, this one counts."""
        return BillMapping(*({**getattr(other, one.name), **getattr(self, one.name)} for one in fields(self)))

    def product(self, row: ExportRow) -> str | None:
        return _get(self.products, row.product_code) or _get(self.products, row.product)

    def region(self, row: ExportRow) -> str | None:
        """The region of the row: its own column, as a name or an id, else the one in its instance ID."""
        if row.region:
            return row.region if row.region in KNOWN else _get(self.regions, row.region)
        return next((part for part in instance_parts(row.instance) if part in KNOWN), None)

    def item(self, row: ExportRow) -> ItemName | None:
        """By code, else by name, else by instance spec; with the special value of the instance ID, where it has one."""
        special = special_value(row.instance)
        ending = d.SPECIAL + special if special else ""
        names = [name + ending for name in (row.item_code, row.item, row.instance_spec) if name]
        return next((found for name in names if (found := _get(self.items, name))), None)

    def unit(self, name: str) -> Unit | None:
        return _get(self.units, name)


@lru_cache(maxsize=10_000)
def folded(name: str) -> str:
    """A name as it is looked up: without regard to case, spaces around it, and full-width forms, as in `华东2（上海）`."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def instance_parts(instance: str) -> list[str]:
    return [part.strip() for part in instance.split(d.SPECIAL)]


def special_value(instance: str) -> str:
    """What distinguishes rows of one billing item: `5x` of `17**42;cn-beijing;ram-23**88;5x`; empty where nothing does.

    Source: the provider's page on querying MPS bills: the instance ID has the service instance, the region, since May 2023
    the account that used it (`admin-...` or `ram-...`), and a special value such as the tier of high-speed transcoding.
    """
    rest = [part for part in instance_parts(instance)[1:] if part and part not in KNOWN]
    return d.SPECIAL.join(part for part in rest if not part.startswith(("admin-", "ram-")))


def load_mapping(names: Sequence[str]) -> tuple[BillMapping | None, tuple[Problem, ...]]:
    """The mapping that is shipped with the program and the files of the user, each over those before it."""
    mapping = BillMapping()
    problems: list[Problem] = []
    shipped = sorted(Path(__file__).with_name("shipped").glob("*.yaml"))
    files = [(path, f"reconcile/{path.name}") for path in shipped] + [(Path(name), printable(name)) for name in names]
    for path, called in files:
        one, found = _mapping(read_document(d.DOCUMENT, path, called))
        problems += found
        mapping = one.over(mapping) if one else mapping
    return (None if problems else mapping), in_order(problems)


def read_mapping(text: str, name: str) -> tuple[BillMapping | None, tuple[Problem, ...]]:
    """The mapping that `text` is, or None and every problem with it. `name` is for places only."""
    return _mapping(read_text(d.DOCUMENT, text, name))


def _mapping(document: ReadDocument[Fields]) -> tuple[BillMapping | None, tuple[Problem, ...]]:
    found, problems = document.fields, list(document.problems)
    if found is None or problems:
        return None, document.problems
    products, columns = (
        [(name, entry.key) for entry in found.parts(many) if entry.value for name in entry.value.parts]
        for many in (d.PRODUCTS, d.COLUMNS)
    )
    items = [
        (entry.key, Located(meant, entry.key.place))
        for entry in found.parts(d.ITEMS)
        if entry.value and (meant := entry.value.value)
    ]
    regions = [(entry.key, entry.value) for entry in found.parts(d.REGIONS) if entry.value]
    units = [(entry.key, entry.value) for entry in found.parts(d.UNITS_FIELD) if entry.value]
    mapping = BillMapping(
        _meanings(products, problems),
        _meanings(regions, problems),
        _meanings(units, problems),
        _meanings(items, problems),
        _meanings(columns, problems, heading),
    )
    return (None if problems else mapping), in_order(problems)


def _meanings(
    pairs: Iterable[tuple[Located[str], Located[T]]], problems: list[Problem], fold: Callable[[str], str] = folded
) -> dict[str, T]:
    """The meanings by folded name. Two names that fold to one and stand for different things contradict each other."""
    meanings: dict[str, T] = {}
    places: dict[str, Place] = {}
    for name, meaning in pairs:
        key = fold(name.value)
        first = places.setdefault(key, name.place)
        if meanings.setdefault(key, meaning.value) != meaning.value:
            message = f"duplicate name {quoted(name.value)} with another meaning; {defined_at(first)}"
            problems.append(Problem(name.place, kinds.REPEATED_NAME, message))
    return meanings


def _get(meanings: Mapping[str, T], name: str) -> T | None:
    return meanings.get(folded(name)) if name else None
