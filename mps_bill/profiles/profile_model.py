"""A profile: how the fields of a foreign record are read as usage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from mps_bill.metering.usage_columns import COLUMNS, REQUIRED_COLUMNS

#: After the name of a list in a path: each of its members.
EACH = "[]"
#: Before a field's name: the field is in the record around this one; repeated, further out, up to the whole document.
OUTWARD = "^"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

TimeForm = Literal["iso", "epoch-seconds", "epoch-milliseconds"]


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A field: `name` as written, which is a CSV header, or in JSON `steps` that begin `outward` records further out."""

    name: str
    outward: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A column has `value` if one of `fields` is present with a value that is not in `absent`."""

    fields: tuple[FieldPath, ...]
    value: str
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """The records whose `field` has one of `values` and that have no value in `without`; `because` is reported as the reason."""

    field: FieldPath
    values: tuple[str, ...]
    because: str = ""
    without: FieldPath | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """How one usage column is made: from the first of `fields` that has a value, from a `constant`, or from a `template` of other
    columns. `profile_definition` has the meaning of the other keys. `offset` is in seconds east of UTC."""

    name: str
    fields: tuple[FieldPath, ...] = ()
    constant: str = ""
    template: str = ""
    if_any: Evidence | None = None
    value_map: Mapping[str, str] | None = None
    absent: tuple[str, ...] = ()
    default: str | None = None
    needed_if: Condition | None = None
    times: tuple[str, ...] = ()
    time: TimeForm = "iso"
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer is incomplete if it has a value in `field`, a value in `where` (if given), and none in `without` (if given). It
    is complete after all if records of the same run have these values in `answered_by`, or if the request stored with it is
    for the action `asked`."""

    field: FieldPath
    because: str
    where: FieldPath | None = None
    without: FieldPath | None = None
    answered_by: FieldPath | None = None
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Audio:
    """The `item` of an output with only audio. A record whose own fields show that it is such an output has this item, even if
    its template gives one of `instead_of`. A record whose template gives this item has no codec and no size, whatever pictures
    it has."""

    item: str
    instead_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that `--set` gives to a profile in addition to columns: its meaning, and its default."""

    about: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile by its keys, whose meanings are in `profile_definition`. `records` are the steps to the records of a JSON
    document (None: the profile reads only CSV), `templates` the columns that each template gives, and `given` the values of
    `parameters`."""

    id: str
    name: str
    columns: tuple[Column, ...]
    extends: str = ""
    notes: tuple[str, ...] = ()
    records: tuple[str, ...] | None = None
    skip: tuple[Condition, ...] = ()
    require: tuple[Condition, ...] = ()
    next_page: FieldPath | None = None
    listing: FieldPath | None = None
    total: FieldPath | None = None
    page_number: FieldPath | None = None
    count: FieldPath | None = None
    refuse: tuple[Refusal, ...] = ()
    sums_of: str = ""
    known_by: tuple[FieldPath, ...] = ()
    actions: tuple[str, ...] = ()
    template: tuple[FieldPath, ...] = ()
    templates_of: str = ""
    templates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    audio: Audio | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def field_names(self) -> frozenset[str]:
        """The names of all fields that the profile reads in a record."""
        paths = [path for column in self.columns for path in column.fields]
        paths += [path for column in self.columns if column.if_any for path in column.if_any.fields]
        paths += [one.field for one in (*self.skip, *self.require)]
        paths += [one.without for one in self.skip if one.without]
        paths += [column.needed_if.field for column in self.columns if column.needed_if]
        return frozenset(path.name for path in (*paths, *self.template))

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """The columns that the profile does not make, although usage or one of its own templates needs them."""
        named = [name for column in self.columns for name in placeholders(column.template)]
        return tuple(name for name in dict.fromkeys((*REQUIRED_COLUMNS, *named)) if name not in self.column_names)

    def over(self, base: Profile) -> Profile:
        """The profile with its missing keys taken from `base`; its columns and templates are added to those of `base`."""
        own = {one.name: value for one in fields(self) if (value := getattr(self, one.name))}
        columns = {column.name: column for column in (*base.columns, *self.columns)}
        own["columns"] = in_column_order(columns.values())
        own["templates"] = {**base.templates, **self.templates}
        return replace(base, **own)

    def completed(self) -> Profile:
        """The profile with a column for the specs of its templates, if they have any."""
        if "spec" in self.column_names or not any("spec" in named for named in self.templates.values()):
            return self
        return replace(self, columns=in_column_order((*self.columns, Column("spec"))))

    @property
    def missing_parameters(self) -> tuple[str, ...]:
        """The parameters without values that every record needs: those used as factors."""
        factors = [name for column in self.columns for name in column.times if name in self.parameters]
        return tuple(name for name in dict.fromkeys(factors) if self.parameter(name) is None)

    def parameter(self, name: str) -> str | None:
        """The value of a parameter; None if it was not given and has no default."""
        return self.given.get(name, self.parameters[name].default)

    def with_constants(self, constants: Mapping[str, str]) -> Profile:
        """The profile with these constant columns in place of its own, and with these values of its parameters. A parameter takes
        precedence over a column of the same name."""
        given = {name: value for name, value in constants.items() if name in self.parameters}
        named = {name: value for name, value in constants.items() if name not in self.parameters}
        columns = {column.name: column for column in self.columns}
        columns.update({name: Column(name, constant=value) for name, value in named.items()})
        templates = {
            template: {name: value for name, value in of.items() if name not in named}
            for template, of in self.templates.items()
        }
        # If the user gives the item of all records, templates do not matter.
        template = () if "item" in named else self.template
        return replace(
            self,
            columns=in_column_order(columns.values()),
            template=template,
            templates=templates,
            given={**self.given, **given},
        )

    def with_offset(self, offset: int) -> Profile:
        """The profile with `offset` for times without one, unless it has its own."""
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
    """The path of a field's name in JSON: `^TimeStamp` is one record further out."""
    inner = name.lstrip(OUTWARD)
    return FieldPath(name, len(name) - len(inner), tuple(inner.split(".")))


def in_column_order(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns in the order of the documentation, followed by tags sorted by name."""
    rank = {name: number for number, name in enumerate(COLUMNS)}
    return tuple(sorted(columns, key=lambda column: (rank.get(column.name, len(rank)), column.name)))
