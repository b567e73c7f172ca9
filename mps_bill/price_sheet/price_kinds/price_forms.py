"""A price as it stands in a sheet, in the form of whatever kind it is."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

from mps_bill.core.diagnostics import Place, Problem
from mps_bill.core.units import Unit
from mps_bill.documents.shapes import Either, Record, Schema, Shape
from mps_bill.documents.yaml_tree import MapNode, Node
from mps_bill.price_sheet.price_kinds.price_kind import Form, Price, WrittenRate


@dataclass(frozen=True, slots=True)
class WrittenPrice:
    """What stands in a sheet for a price: the form that it has, and what the form's shape has read."""

    form: Form[Any, Any]
    models: tuple[type[Price], ...]
    value: Any

    def price(self, unit: Unit | None, problems: list[Problem]) -> Price | None:
        """The price, or None and problems."""
        found: Price | None = self.form.price(self.value, self.models, unit, problems)
        return found

    def rates(self, wrong: Set[Place]) -> tuple[WrittenRate, ...] | None:
        """The figures, for warnings; None where something stands at a place of `wrong`."""
        return self.form.rates(self.value, wrong)


@dataclass(frozen=True, slots=True)
class _OneForm:
    """The shape of a form, that remembers the form."""

    form: Form[Any, Any]
    models: tuple[type[Price], ...]
    shape: Shape[Any]

    def read(self, node: Node, at: Place, problems: list[Problem]) -> WrittenPrice | None:
        value = self.shape.read(node, at, problems)
        return None if value is None else WrittenPrice(self.form, self.models, value)

    def schema(self) -> Schema:
        return self.shape.schema()


@dataclass(frozen=True, slots=True)
class _AnyForm:
    """One of the forms that are mappings: the one that has the most of the keys that stand there."""

    forms: Sequence[_OneForm]

    def read(self, node: Node, at: Place, problems: list[Problem]) -> WrittenPrice | None:
        keys = {entry.key.text for entry in node.entries} if isinstance(node, MapNode) else set()
        nearest = max(self.forms, key=lambda form: len(keys & _keys(form.shape)))
        return nearest.read(node, at, problems)

    def schema(self) -> Schema:
        schemas = [form.schema() for form in self.forms]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _keys(shape: Shape[Any]) -> set[str]:
    return {field.key for field in shape.fields} if isinstance(shape, Record) else set()


def price_shape(kinds: Sequence[type[Price]]) -> Shape[WrittenPrice]:
    """The shape of a price of any of these kinds: a single value in one form, or a mapping in one of the others."""
    models: dict[Form[Any, Any], tuple[type[Price], ...]] = {}
    for kind in kinds:
        models[kind.form] = (*models.get(kind.form, ()), kind)
    forms = [_OneForm(form, of_form, form.shape(of_form)) for form, of_form in models.items()]
    (single,) = (form for form in forms if not isinstance(form.shape, Record))
    return Either(single, _AnyForm([form for form in forms if form is not single]), "a price")
