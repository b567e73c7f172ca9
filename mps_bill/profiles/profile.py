"""One profile: what the fields of a foreign record mean as usage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from mps_bill.core.diagnostics import Problem, in_order
from mps_bill.core.shape import Field, Fields, Located, Many, read
from mps_bill.core.yaml_tree import read_tree
from mps_bill.metering.usage import COLUMNS, REQUIRED_COLUMNS
from mps_bill.profiles import definition as d
from mps_bill.profiles import kinds

TimeForm = Literal["iso", "epoch-seconds", "epoch-milliseconds"]


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A field: `name` as written (a CSV header), and as steps in JSON, `outward` records further out."""

    name: str
    outward: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where one of `fields` is there, and is none of `absent`, a column has `value`."""

    fields: tuple[FieldPath, ...]
    absent: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Column:
    """How one column of usage is made: from the first of `fields` that has a value, from a `constant`, or from a
    `template` of other columns.

    `if_any` goes before `fields`. `words` says what each value of the field means; a value that is not there is refused.
    `default` stands where no field has a value, and a text of `absent` is none. `offset` (seconds east of UTC) serves times
    without one.
    """

    name: str
    fields: tuple[FieldPath, ...] = ()
    constant: str = ""
    template: str = ""
    if_any: Evidence | None = None
    words: Mapping[str, str] | None = None
    absent: tuple[str, ...] = ()
    default: str | None = None
    time: TimeForm = "iso"
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """The records whose `field` has one of `values` (of a refusal: any), and what is told of them."""

    field: FieldPath
    values: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Profile:
    """`records` are the steps to the records of a JSON document; None: the profile reads CSV only.

    Records that meet a condition of `skip` are no usage. One that has the field of a condition of `require` must meet it.
    In a document, a value in a field of `refuse` says that something is missing, and one in `next_page` that it goes on in
    another. `sums_of` is the stretch of time (`hour`) that each record is the sum of, or empty.
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
        """The names of all fields that are looked at in a record."""
        paths = [path for column in self.columns for path in column.fields]
        paths += [path for column in self.columns if column.if_any for path in column.if_any.fields]
        return frozenset(path.name for path in (*paths, *(one.field for one in (*self.skip, *self.require))))

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """The columns that usage, or a text of the profile, needs and the profile does not make."""
        named = [name for column in self.columns for name in d.placeholders(column.template)]
        return tuple(name for name in dict.fromkeys((*REQUIRED_COLUMNS, *named)) if name not in self.column_names)

    def with_constants(self, constants: Mapping[str, str]) -> Profile:
        """The profile with columns that have the same value in every record, whatever it said of them."""
        columns = {column.name: column for column in self.columns}
        columns.update({name: Column(name, constant=value) for name, value in constants.items()})
        return replace(self, columns=_ordered(columns.values()))

    def with_offset(self, offset: int) -> Profile:
        """The profile with `offset` for times without one, where it has none of its own."""
        columns = (
            replace(column, offset=offset) if column.name == "completed_at" and column.offset is None else column
            for column in self.columns
        )
        return replace(self, columns=tuple(columns))


def parse_path(name: str) -> FieldPath:
    """The path that a field's name is in JSON: `^TimeStamp` stands one record further out."""
    inner = name.lstrip(d.OUTWARD)
    return FieldPath(name, len(name) - len(inner), tuple(inner.split(".")))


def read_profile(text: str, file_name: str) -> tuple[Profile | None, tuple[Problem, ...]]:
    """The profile that `text` is, or None and every problem with it, by place."""
    root, form_problems = read_tree(text, file_name)
    if root is None:
        return None, in_order(form_problems)
    fields, shape_problems = read(d.PROFILE, root)
    problems = [*form_problems, *shape_problems]
    profile = _profile(fields, problems) if fields else None
    return (None if problems else profile), in_order(problems)


def _profile(fields: Fields, problems: list[Problem]) -> Profile | None:
    table = fields.get(d.COLUMNS_FIELD)
    columns = {}
    for entry in table.parts if table else ():
        if entry.value is not None:
            columns[entry.key.value] = _column(entry.key.value, entry.value, problems)
    id_, name, records = fields.get(d.ID), fields.get(d.NAME), fields.get(d.RECORDS)
    next_page, sums_of = fields.get(d.NEXT_PAGE), fields.get(d.SUMS_OF)
    if not (id_ and name):
        return None
    return Profile(
        id=id_.value,
        name=name.value,
        notes=_texts(fields.get(d.NOTES)),
        records=_record_steps(records.value) if records else None,
        skip=tuple(_conditions(fields, d.SKIP)),
        require=tuple(_conditions(fields, d.REQUIRE)),
        columns=_ordered(columns.values()),
        next_page=parse_path(next_page.value) if next_page else None,
        refuse=tuple(_conditions(fields, d.REFUSE)),
        sums_of=sums_of.value if sums_of else "",
    )


def _column(name: str, value: Located[str] | Fields, problems: list[Problem]) -> Column:
    if isinstance(value, Located):
        return Column(name, (parse_path(value.value),))
    problems += _needless(name, value)
    single, several, constant = value.get(d.FIELD), value.get(d.FIELDS), value.get(d.CONSTANT)
    template, words, default = value.get(d.TEXT), value.get(d.MAP), value.get(d.DEFAULT)
    time, offset = value.get(d.TIME), value.get(d.TIME_OFFSET)
    names = (single.value,) if single else _texts(several)
    return Column(
        name,
        tuple(map(parse_path, names)),
        constant=constant.value if constant else "",
        template=template.value if template else "",
        if_any=_evidence(value.get(d.IF_ANY)),
        words={entry.key.value: entry.value.value for entry in words.parts if entry.value} if words else None,
        absent=_texts(value.get(d.ABSENT)),
        default=default.value if default else None,
        time=cast("TimeForm", time.value) if time else "iso",
        offset=offset.value if offset else None,
    )


def _evidence(fields: Fields | None) -> Evidence | None:
    names, value = (fields.get(d.EVIDENCE), fields.get(d.VALUE)) if fields else (None, None)
    if not (fields and names and value):
        return None
    return Evidence(tuple(map(parse_path, _texts(names))), _texts(fields.get(d.ABSENT)), value.value)


def _needless(name: str, value: Fields) -> list[Problem]:
    """Keys that would do nothing: without a field there is nothing to read, and only one column is a time."""
    keys = []
    if not (value.has(d.FIELD) or value.has(d.FIELDS)):
        keys += [d.IF_ANY.key, d.MAP.key, d.ABSENT.key, d.DEFAULT.key, d.TIME.key, d.TIME_OFFSET.key]
    elif name != "completed_at":
        keys += [d.TIME.key, d.TIME_OFFSET.key]
    return [
        Problem(value.place, kinds.NEEDLESS_KEY, f'"{key}" does nothing for this column {name}; remove it')
        for key in keys
        if key in value.given
    ]


def _conditions(fields: Fields, field: Field[Many[Fields]]) -> Iterator[Condition]:
    many = fields.get(field)
    for part in many.parts if many else ():
        name, values, because = part.get(d.CONDITION_FIELD), part.get(d.VALUES), part.get(d.BECAUSE)
        if name and because:
            yield Condition(parse_path(name.value), _texts(values), because.value)


def _texts(many: Many[Located[str]] | None) -> tuple[str, ...]:
    return tuple(part.value for part in many.parts) if many else ()


def _record_steps(path: str) -> tuple[str, ...]:
    """`A.B[].C[]` as the steps A, B, each, C, each."""
    steps: list[str] = []
    for part in path.split("."):
        name = part.removesuffix(d.EACH)
        steps += [name] if name else []
        steps += [d.EACH] if part.endswith(d.EACH) else []
    return tuple(steps)


def _ordered(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns in the order of the documentation, tags behind them by name."""
    rank = {name: number for number, name in enumerate(COLUMNS)}
    return tuple(sorted(columns, key=lambda column: (rank.get(column.name, len(rank)), column.name)))
