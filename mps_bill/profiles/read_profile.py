"""Reading profiles: files, and those that are shipped with the program, by id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from mps_bill.core.diagnostics import Place, Problem, in_order, near_miss, one_of, quoted
from mps_bill.core.files import read_document
from mps_bill.documents.shapes import Field, Fields, Located, Many, read
from mps_bill.documents.yaml_tree import decode, read_tree
from mps_bill.profiles import profile_definition as d
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.profile import Column, Condition, Evidence, Profile, TimeForm, in_column_order, parse_path

_SUFFIXES = (".yaml", ".yml")


def shipped_profiles() -> dict[str, Path]:
    """Id to file of every profile that is shipped with the program, by id."""
    return {path.stem: path for path in sorted(Path(__file__).with_name("shipped").glob("*.yaml"))}


def load_profile(name: str) -> tuple[Profile | None, tuple[Problem, ...]]:
    """The profile that `name` is, a file or the id of a shipped one; or None and every problem with it."""
    shipped = shipped_profiles()
    if name in shipped:
        path, shown = shipped[name], f"profiles/{name}.yaml"
    elif name.endswith(_SUFFIXES):
        path, shown = Path(name), name
    else:
        hint = near_miss(name, shipped) or f"; shipped: {one_of(tuple(shipped))}"
        message = f"{quoted(name)} is not a shipped profile or a file that ends in {one_of(_SUFFIXES)}{hint}"
        return None, (Problem(Place("--profile"), kinds.NO_SUCH_PROFILE, message),)
    try:
        data = read_document(path)
    except OSError as error:
        message = f"the profile cannot be read: {error.strerror or error}"
        return None, (Problem(Place(shown), kinds.NO_SUCH_PROFILE, message),)
    text, problems = decode(data, shown)
    return (None, problems) if text is None else read_profile(text, shown)


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
        columns=in_column_order(columns.values()),
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
        value_map={entry.key.value: entry.value.value for entry in words.parts if entry.value} if words else None,
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
    """Keys without effect: without a field there is nothing to read, and only one column is a time."""
    keys = []
    if not (value.has(d.FIELD) or value.has(d.FIELDS)):
        keys += [d.IF_ANY.key, d.MAP.key, d.ABSENT.key, d.DEFAULT.key, d.TIME.key, d.TIME_OFFSET.key]
    elif name != "completed_at":
        keys += [d.TIME.key, d.TIME_OFFSET.key]
    return [
        Problem(value.place, kinds.NEEDLESS_KEY, f'"{key}" has no effect on this column {name}; remove it')
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
