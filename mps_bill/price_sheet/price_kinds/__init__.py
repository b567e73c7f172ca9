"""The kinds of price, one file each (its form in a sheet, the cost of a quantity, its display), and the shape of any price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mps_bill.core.diagnostics import Place, Problem
from mps_bill.documents.fields import Schema, Shape
from mps_bill.documents.shapes import Either, Record
from mps_bill.documents.yaml_tree import MapNode, Node
from mps_bill.price_sheet.price_kinds.flat import FlatPrice
from mps_bill.price_sheet.price_kinds.graduated import GraduatedPrice
from mps_bill.price_sheet.price_kinds.price_kind import Price, Written
from mps_bill.price_sheet.price_kinds.volume import VolumePrice

PRICE_KINDS: tuple[type[Price], ...] = (FlatPrice, GraduatedPrice, VolumePrice)


@dataclass(frozen=True, slots=True)
class _OneForm:
    """The shape of a form; the value that it reads knows its form."""

    form: type[Written[Any]]
    models: tuple[type[Price], ...]
    shape: Shape[Any]

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Written[Any] | None:
        value = self.shape.read(node, at, problems)
        return None if value is None else self.form(value, self.models)

    def schema(self) -> Schema:
        return self.shape.schema()

    @property
    def keys(self) -> set[str]:
        return {field.key for field in self.shape.fields} if isinstance(self.shape, Record) else set()


@dataclass(frozen=True, slots=True)
class _AnyForm:
    """The forms that are mappings. A value is read in the form that has the most of its keys."""

    forms: Sequence[_OneForm]

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Written[Any] | None:
        keys = {entry.key.text for entry in node.entries} if isinstance(node, MapNode) else set()
        return max(self.forms, key=lambda form: len(keys & form.keys)).read(node, at, problems)

    def schema(self) -> Schema:
        schemas = [form.schema() for form in self.forms]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def price_shape() -> Shape[Written[Any]]:
    """Return the shape of a price of any kind: a single value in one form, or a mapping in one of the others."""
    models: dict[type[Written[Any]], tuple[type[Price], ...]] = {}
    for kind in PRICE_KINDS:
        models[kind.form] = (*models.get(kind.form, ()), kind)
    forms = [_OneForm(form, of_form, form.shape(of_form)) for form, of_form in models.items()]
    (single,) = (form for form in forms if not form.keys)
    return Either(single, _AnyForm([form for form in forms if form.keys]), "a price")
