"""One profile: how the fields of a foreign record are read as usage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mps_bill.metering.usage import COLUMNS, REQUIRED_COLUMNS

#: Follows the name of a list in a path: each of its members.
EACH = "[]"
#: Before a field's name: look in the record that holds this one, and so on out to the whole document.
OUTWARD = "^"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

TimeForm = Literal["iso", "epoch-seconds", "epoch-milliseconds"]


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A field: `name` as written (a CSV header), and as steps in JSON, `outward` records further out."""

    name: str
    outward: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where one of `fields` is there, and not one of `absent`, a column has `value`."""

    fields: tuple[FieldPath, ...]
    absent: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Column:
    """How one column of usage is made: from the first of `fields` that has a value, from a `constant`, or from a
    `template` of other columns.

    `if_any` goes before `fields`. `value_map` maps the values of the field; any other value is refused. `default` is the value
    where no field has one, and a text of `absent` is none. `offset` (seconds east of UTC) is for times without one.
    """

    name: str
    fields: tuple[FieldPath, ...] = ()
    constant: str = ""
    template: str = ""
    if_any: Evidence | None = None
    value_map: Mapping[str, str] | None = None
    absent: tuple[str, ...] = ()
    default: str | None = None
    time: TimeForm = "iso"
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """The records whose `field` has one of `values` (of a refusal: any), and the reason that is reported."""

    field: FieldPath
    values: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Profile:
    """`records` are the steps to the records of a JSON document; None: the profile reads CSV only.

    Records that meet a condition of `skip` are not usage. One that has the field of a condition of `require` must meet it.
    In a document, a value in a field of `refuse` means that something is missing, and one in `next_page` that another page
    follows. `sums_of` is the period (`hour`) that each record is the sum of, or empty.
    """

    id: str
    name: str
    notes: tuple[str, ...]
    records: tuple[str, ...] | None
    skip: tuple[Condition, ...]
    require: tuple[Condition, ...]
    columns: tuple[Column, ...]
    next_page: FieldPath | None = None
    refuse: tuple[Condition, ...] = ()
    sums_of: str = ""

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def field_names(self) -> frozenset[str]:
        """The names of all fields of a record that the profile reads."""
        paths = [path for column in self.columns for path in column.fields]
        paths += [path for column in self.columns if column.if_any for path in column.if_any.fields]
        return frozenset(path.name for path in (*paths, *(one.field for one in (*self.skip, *self.require))))

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """The columns that usage, or a text of the profile, needs and the profile does not make."""
        named = [name for column in self.columns for name in placeholders(column.template)]
        return tuple(name for name in dict.fromkeys((*REQUIRED_COLUMNS, *named)) if name not in self.column_names)

    def with_constants(self, constants: Mapping[str, str]) -> Profile:
        """The profile with columns that have the same value in every record, instead of its own."""
        columns = {column.name: column for column in self.columns}
        columns.update({name: Column(name, constant=value) for name, value in constants.items()})
        return replace(self, columns=in_column_order(columns.values()))

    def with_offset(self, offset: int) -> Profile:
        """The profile with `offset` for times without one, where it has none of its own."""
        columns = (
            replace(column, offset=offset) if column.name == "completed_at" and column.offset is None else column
            for column in self.columns
        )
        return replace(self, columns=tuple(columns))


def placeholders(template: str) -> list[str]:
    """The columns that a template names: region and spec of `ims-{region}-{spec}`."""
    return _PLACEHOLDER.findall(template)


def without_placeholders(template: str) -> str:
    return _PLACEHOLDER.sub("", template)


def parse_path(name: str) -> FieldPath:
    """The path that a field's name is in JSON: `^TimeStamp` is one record further out."""
    inner = name.lstrip(OUTWARD)
    return FieldPath(name, len(name) - len(inner), tuple(inner.split(".")))


def in_column_order(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns in the order of the documentation, tags behind them by name."""
    rank = {name: number for number, name in enumerate(COLUMNS)}
    return tuple(sorted(columns, key=lambda column: (rank.get(column.name, len(rank)), column.name)))
