"""The format of YAML profiles, and reading them: from a file, or a shipped profile by its id."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from mps_bill.core.diagnostics import Place, Problem, near_miss, one_of, quoted, unknown
from mps_bill.documents.fields import Field, Fields, Located, Made, optional
from mps_bill.documents.read_document import Document, ReadDocument, read_document
from mps_bill.documents.shapes import Either, ListOf, MapOf, Object
from mps_bill.documents.values import LOWER_CASE, Choice, Text, format_field, line, matching, offset, word, words
from mps_bill.metering.usage_columns import COLUMNS, TAG_FORM, TAG_PATTERN, TAG_PREFIX, is_tag
from mps_bill.price_sheet.sheet_definition import SOURCE
from mps_bill.profiles import profile_model as model
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.profile_model import EACH, Column, Condition, FieldPath, Profile, placeholders

FORMAT_NAME = "mps-bill/profile/1"
_STEP = r"[^\s.\[\]^]+"
_RECORDS = rf"({_STEP}(\[\])?\.)*{_STEP}\[\]|\[\]"
_FACTOR = re.compile("[1-9][0-9]{0,9}")
_FIELD = r"\^*\S([^\r\n]{0,198}\S)?"


def parse_column(text: str) -> str:
    """The name of a column of usage, checked.

    Raises:
        ValueError: there is no such column; the message names the nearest one.
    """
    if text not in COLUMNS and not is_tag(text):
        form = TAG_FORM if text.startswith(TAG_PREFIX) else "a tag is named tag_..."
        raise ValueError(f"unknown usage column {quoted(text)}{near_miss(text, COLUMNS, priced=False)}; {form}")
    return text


def _parse_template(text: str) -> str:
    for name in placeholders(text):
        if name not in COLUMNS:
            raise ValueError(unknown("usage column", name, COLUMNS, where=f" in {quoted(text)}", priced=False))
    if not placeholders(text) or re.search("[{}]", model.without_placeholders(text)):
        raise ValueError(f"{quoted(text)} is not a text with columns; write one such as ims-{{completed_at}}-{{spec}}")
    return text


def _parse_field(text: str) -> FieldPath:
    return model.parse_path(_field_name(text))


def _parse_records(text: str) -> tuple[str, ...]:
    """Parse `A.B[].C[]` into the steps A, B, each, C, each."""
    steps: list[str] = []
    for part in _records_path(text).split("."):
        name = part.removesuffix(EACH)
        steps += [name] if name else []
        steps += [EACH] if part.endswith(EACH) else []
    return tuple(steps)


_field_name = matching(_FIELD, "a field", "a name, or a path such as Output.Video")
_records_path = matching(_RECORDS, "a path to records", "one such as JobList.Job[], or [] for a list at the top")
# A value may be empty if it is written as "".
_word = word("a value", r"[^\r\n]{0,200}", kinds.BAD_NAME, "one line of text")
_field = Text("a field", _parse_field, _FIELD, kinds.BAD_PATH)
_fields = ListOf("the fields", _field, unique=True)
_words = ListOf("the values", _word, unique=True)
_shipped_id = word("a profile's id", LOWER_CASE, kinds.BAD_ID, "the id of a shipped profile")


def _line(name: str) -> Text[str]:
    return line(name, kinds.BAD_NAME, 500)


def _paths(**meanings: str) -> list[Field[Any]]:
    """Optional keys whose values are fields."""
    return [optional(key, _field, meaning) for key, meaning in meanings.items()]


FIELD = optional("field", _field, "the field that has the value")
FIELDS = optional("fields", _fields, "fields; the first with a value counts")
CONSTANT = optional("constant", _word, "the value for every record")
TEXT = optional(
    "text",
    Text("a text with columns", _parse_template, r".*\{.*\}.*", kinds.BAD_TEMPLATE),
    "a text made from other columns, such as ims-{completed_at}-{spec}",
    name="template",
)
MAP = optional(
    "map",
    MapOf("a map", _word, _word),
    "the value of the column for each value of the field; any other is refused",
    name="value_map",
)
DEFAULT = optional("default", _word, "the value if no field has one")
TIME = optional(
    "time",
    Choice[model.TimeForm]("a form of time", words("iso", "epoch-seconds", "epoch-milliseconds"), kinds.UNKNOWN_TIME),
    "how the field writes a time (default: iso)",
)
TIME_OFFSET = optional("offset", offset(kinds.BAD_OFFSET), "the offset of times that are written without one")
ABSENT = optional("absent", _words, "values of a field that count as none, such as a width of 0")
IF_ANY = optional(
    "if_any",
    Object(
        "a value by evidence",
        (
            Field("fields", _fields, "the fields that are looked for"),
            ABSENT,
            Field("value", _word, "the value that the column then has"),
        ),
        make=model.Evidence,
    ),
    "if one of these fields is present (also as a list or object), the column has this value",
)
VALUES = Field("values", _words, "the values that meet the condition")
CONDITION_FIELD = Field("field", _field, "the field that is checked")
NEEDED_IF = optional(
    "needed_if",
    Object("the records that need a value", (CONDITION_FIELD, VALUES), make=Condition),
    "records, by value of a field, for which the default is not used",
)
TIMES = optional("times", ListOf("the factors", _word), "factors of a quantity: whole numbers, or names of parameters")


def _column(*, field: FieldPath | None = None, fields: tuple[FieldPath, ...] = (), **values: Any) -> Column:
    return Column("", (field,) if field else fields, **values)


COLUMN = Object(
    "a column",
    (FIELD, FIELDS, CONSTANT, TEXT, IF_ANY, MAP, ABSENT, DEFAULT, NEEDED_IF, TIMES, TIME, TIME_OFFSET),
    one_of=(FIELD.key, FIELDS.key, CONSTANT.key, TEXT.key),
    make=_column,
)

BECAUSE = Field("because", _line("a reason"), "the reason, as it is reported")
SKIP_CONDITION = Object(
    "a condition",
    (CONDITION_FIELD, VALUES, BECAUSE, optional("without", _field, "a field that these records do not have")),
    make=Condition,
)
REFUSAL = Object(
    "a refusal",
    (
        CONDITION_FIELD,
        BECAUSE,
        *_paths(
            where="only an answer that has this field too",
            without="only an answer that does not have this field",
            answered_by="the field of a record of the run that has what is missing",
        ),
        optional("asked", _word, "the action whose answers are not refused, by the request stored with them"),
    ),
    make=model.Refusal,
)
_template: Object[dict[str, str]] = Object(
    "a template",
    (Field("item", _word, "the billable item of the records of this template"), optional("spec", _word, "their spec")),
    make=dict,
)
AUDIO = Object(
    "audio",
    (
        Field("item", _word, "the billable item of an output with only audio"),
        Field("instead_of", _words, "the items of templates that an output with only audio does not have"),
    ),
    make=model.Audio,
)
PARAMETER = Object(
    "a parameter",
    (Field("about", _line("a description"), "what the parameter is, as it is asked for"), DEFAULT),
    make=model.Parameter,
)
PARAMETERS = optional(
    "parameters",
    MapOf("the parameters", Text("a parameter's name", str, "[a-z][a-z_]{0,39}", kinds.BAD_NAME), PARAMETER),
    "values that --set gives to the profile, for factors and maps",
)
_name = Text("a column's name", parse_column, f"{'|'.join(COLUMNS)}|{TAG_PATTERN}", kinds.UNKNOWN_COLUMN)
_columns: MapOf[str, Located[FieldPath] | Made[Column]] = MapOf(
    "the columns", _name, Either(_field, COLUMN, "a column")
)
COLUMNS_FIELD = optional("columns", _columns, "for each column of usage the field that has it, or how it is made")
EXTENDS = optional(
    "extends",
    _shipped_id,
    "a shipped profile that supplies everything that this one does not give; its columns and templates are added to",
)


def _profile(*, columns: dict[str, FieldPath | Column] | None = None, **values: Any) -> Profile:
    named = (
        replace(how, name=name) if isinstance(how, Column) else Column(name, (how,))
        for name, how in (columns or {}).items()
    )
    return Profile(columns=model.in_column_order(named), **values)


def _check(profile: Fields) -> Iterator[Problem]:
    parameters = [entry.key.value for entry in profile.parts(PARAMETERS)]
    for entry in profile.parts(COLUMNS_FIELD):
        if isinstance(entry.value, Fields):
            yield from _needless_keys(entry.key.value, entry.value)
            yield from _unknown_factors(entry.value, parameters)
    if not profile.has(COLUMNS_FIELD) and not profile.has(EXTENDS):
        message = f'a profile needs "{COLUMNS_FIELD.key}", or "{EXTENDS.key}" with the id of a shipped profile'
        yield Problem(profile.place, kinds.MISSING_COLUMNS, message)


def _unknown_factors(column: Fields, known: Sequence[str]) -> Iterator[Problem]:
    """Factors that are neither numbers nor parameters."""
    for factor in column.parts(TIMES):
        if factor.value not in known and not _FACTOR.fullmatch(factor.value):
            hint = near_miss(factor.value, known)
            message = f"{quoted(factor.value)} is neither a whole number nor a parameter{hint}"
            yield Problem(factor.place, kinds.BAD_NAME, message)


def _needless_keys(name: str, column: Fields) -> Iterator[Problem]:
    """Keys that have no effect: without a field there is nothing to read, and only one column is a time."""
    needless: list[Field[Any]] = [TIME, TIME_OFFSET] if name != "completed_at" else []
    if not (column.has(FIELD) or column.has(FIELDS)):
        needless = [IF_ANY, MAP, ABSENT, DEFAULT, NEEDED_IF, TIMES, TIME, TIME_OFFSET]
    for key in needless:
        if column.has(key):
            message = f'"{key.key}" has no effect on this column {name}; remove it'
            yield Problem(column.place, kinds.NEEDLESS_KEY, message)


PROFILE = Object(
    "a profile",
    (
        format_field(FORMAT_NAME, kinds.UNKNOWN_FORMAT),
        Field(
            "id",
            word("a profile's id", LOWER_CASE, kinds.BAD_ID, "lower-case words joined by -"),
            "the profile's name",
        ),
        Field("name", _line("a name"), "what the profile reads, for people"),
        EXTENDS,
        optional("notes", ListOf("the notes", _line("a note")), "what a user must know"),
        optional("sources", ListOf("the sources", SOURCE), "where the shape of the files was read", name=None),
        optional(
            "records",
            Text("a path to records", _parse_records, _RECORDS, kinds.BAD_PATH),
            "where the records of a JSON document are; without it the profile reads CSV only",
        ),
        optional(
            "known_by", _fields, "fields that every record has; they identify single records and the profile of a file"
        ),
        optional(
            "actions", _words, "the actions of the API with such answers, as named by the request stored with an answer"
        ),
        *_paths(
            next_page="the field of a JSON document that names its next page; without the last page the run is refused",
            listing="the field that only pages have: answers without it are complete in themselves",
            total="the field of a page with the number of records on all pages; any other number in the files is refused",
            page_number="the field with the number of a page; if an earlier page is missing, the run is refused",
            count="the field of an answer with the number of its records; any other number of them is refused",
        ),
        optional(
            "refuse",
            ListOf("the refusals", REFUSAL),
            "fields of a JSON document that mean that something is missing; if one has a value, the run is refused",
        ),
        optional(
            "sums_of",
            Choice("a period", words("hour"), kinds.UNKNOWN_TIME),
            "each record is the sum of an hour; records that are all at midnight of several days are refused",
        ),
        optional("skip", ListOf("the records to skip", SKIP_CONDITION), "records that are not usage; they are counted"),
        optional(
            "require",
            ListOf("the requirements", Object("a condition", (CONDITION_FIELD, VALUES, BECAUSE), make=Condition)),
            "if one of these fields is present, it must have one of the values",
        ),
        PARAMETERS,
        optional("template", _fields, "the fields with the template of a record; the first with a value counts"),
        optional("templates_of", _shipped_id, "a shipped profile whose templates this one has too"),
        optional(
            "templates",
            MapOf("the templates", _word, _template),
            "for each template the item of its records; other templates are reported with their count",
        ),
        optional("audio", AUDIO, "outputs with only audio, whatever their template is"),
        COLUMNS_FIELD,
    ),
    check=_check,
    any_of=(COLUMNS_FIELD.key, EXTENDS.key),
    make=_profile,
)
DOCUMENT = Document("mps-bill import profile, version 1", PROFILE, kinds.NO_SUCH_PROFILE)

_SUFFIXES = (".yaml", ".yml")


def shipped_profiles() -> dict[str, Path]:
    """The file of every profile that is shipped with the program, by id."""
    return {path.stem: path for path in sorted(Path(__file__).with_name("shipped").glob("*.yaml"))}


def load_profile(name: str) -> tuple[Profile | None, tuple[Problem, ...]]:
    """The profile in the file `name`, or the shipped profile with this id; or None and every problem with it."""
    if name.endswith(_SUFFIXES) and name not in shipped_profiles():
        return profile_of(read_document(DOCUMENT, Path(name), name))
    return _shipped(name, Place("--profile"), f" or a file that ends in {one_of(_SUFFIXES)}")


def _shipped(name: str, named_at: Place, otherwise: str = "") -> tuple[Profile | None, tuple[Problem, ...]]:
    shipped = shipped_profiles()
    if name in shipped:
        return _read_shipped(name, shipped[name])
    hint = near_miss(name, shipped, priced=False) or f"; shipped: {one_of(tuple(shipped))}"
    message = f"{quoted(name)} is not a shipped profile{otherwise}{hint}"
    return None, (Problem(named_at, kinds.NO_SUCH_PROFILE, message),)


@cache
def _read_shipped(name: str, path: Path) -> tuple[Profile | None, tuple[Problem, ...]]:
    """A shipped profile. It is read only once, since other profiles refer to it."""
    return profile_of(read_document(DOCUMENT, path, f"profiles/{name}.yaml"))


def profile_of(document: ReadDocument[Made[Profile]]) -> tuple[Profile | None, tuple[Problem, ...]]:
    """The profile in a document, or None and every problem with it, by place."""
    fields = document.fields
    if document.problems or fields is None:
        return None, document.problems
    profile = fields.value
    assert profile is not None
    for name, merged in (
        (profile.templates_of, lambda own, base: replace(own, templates={**base.templates, **own.templates})),
        (profile.extends, Profile.over),
    ):
        if name:
            base, problems = _shipped(name, fields.place)
            if base is None:
                return None, problems
            profile = merged(profile, base)
    return profile.completed(), ()
