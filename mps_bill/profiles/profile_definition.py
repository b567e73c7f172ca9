"""The profile format: what a YAML profile may have."""

from __future__ import annotations

import re

from mps_bill.core.diagnostics import near_miss, quoted
from mps_bill.core.times import OFFSET, parse_offset
from mps_bill.documents.shapes import Choice, Either, Field, Fields, ListOf, Located, MapOf, Record, Text, matching
from mps_bill.metering.usage import COLUMNS, TAG
from mps_bill.price_sheet.sheet_definition import SOURCE
from mps_bill.profiles import profile_problems as kinds

FORMAT_NAME = "mps-bill/profile/1"
#: Follows the name of a list in a path: each of its members.
EACH = "[]"
#: Before a field's name: look in the record that holds this one, and so on out to the whole document.
OUTWARD = "^"

_WORDS = r"[a-z][a-z0-9]*([_-][a-z0-9]+)*"
_LINE = r"\S([^\r\n]{0,498}\S)?"
_STEP = r"[^\s.\[\]^]+"
_RECORDS = rf"({_STEP}(\[\])?\.)*{_STEP}\[\]|\[\]"
_FIELD = r"\^*\S([^\r\n]{0,198}\S)?"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def placeholders(template: str) -> list[str]:
    """The columns that a template names: region and spec of `ims-{region}-{spec}`."""
    return _PLACEHOLDER.findall(template)


def parse_column(text: str) -> str:
    """The name of a column of usage.

    Raises:
        ValueError: there is no such column; the message has the nearest one.
    """
    if text not in COLUMNS and not re.fullmatch(TAG, text):
        raise ValueError(f"{quoted(text)} is not a usage column{near_miss(text, COLUMNS)}; a tag is named tag_...")
    return text


def _parse_template(text: str) -> str:
    for name in placeholders(text):
        if name not in COLUMNS:
            raise ValueError(
                f"{quoted(text)} names {quoted(name)}, which is not a usage column{near_miss(name, COLUMNS)}"
            )
    if not placeholders(text) or "{" in _PLACEHOLDER.sub("", text) or "}" in _PLACEHOLDER.sub("", text):
        raise ValueError(f"{quoted(text)} is not a text with columns; write one such as ims-{{completed_at}}-{{spec}}")
    return text


def _line(name: str) -> Text[str]:
    return Text(name, matching(_LINE, name, "one line of text"), _LINE, kinds.BAD_NAME)


# A value may be empty, when it is written as "".
_word = Text("a value", matching(r"[^\r\n]{0,200}", "a value", "one line of text"), r"[^\r\n]{0,200}", kinds.BAD_NAME)
_field = Text("a field", matching(_FIELD, "a field", "a name, or a path such as Output.Video"), _FIELD, kinds.BAD_PATH)

FIELD = Field("field", _field, "the field that holds the value", required=False)
FIELDS = Field(
    "fields", ListOf("the fields", _field, unique=True), "fields; the first with a value counts", required=False
)
CONSTANT = Field("constant", _word, "the value of every record", required=False)
TEXT = Field(
    "text",
    Text("a text with columns", _parse_template, r".*\{.*\}.*", kinds.BAD_TEMPLATE),
    "a text made of other columns, such as ims-{completed_at}-{spec}",
    required=False,
)
MAP = Field(
    "map",
    MapOf("a map", _word, _word),
    "the value of the column for each value of the field; any other is refused",
    required=False,
)
DEFAULT = Field("default", _word, "the value where no field has one", required=False)
TIME = Field(
    "time",
    Choice("a form of time", ("iso", "epoch-seconds", "epoch-milliseconds"), kinds.UNKNOWN_TIME),
    "how the field writes a time (default: iso)",
    required=False,
)
TIME_OFFSET = Field(
    "offset",
    Text("an offset from UTC", parse_offset, OFFSET, kinds.BAD_OFFSET),
    "the offset of times that are written without one",
    required=False,
)
ABSENT = Field(
    "absent",
    ListOf("the absent values", _word, unique=True),
    "values of a field that count as none, such as a width of 0",
    required=False,
)
EVIDENCE = Field("fields", ListOf("the fields", _field, unique=True), "the fields that are looked for")
VALUE = Field("value", _word, "the value of the column then")
IF_ANY = Field(
    "if_any",
    Record("a value by evidence", (EVIDENCE, ABSENT, VALUE)),
    "where one of these fields is there, be it a list or an object, the column has this value instead of its own fields'",
    required=False,
)
COLUMN = Record(
    "a column",
    (FIELD, FIELDS, CONSTANT, TEXT, IF_ANY, MAP, ABSENT, DEFAULT, TIME, TIME_OFFSET),
    one_of=(FIELD.key, FIELDS.key, CONSTANT.key, TEXT.key),
)

VALUES = Field("values", ListOf("the values", _word, unique=True), "the values that meet the condition")
BECAUSE = Field("because", _line("a reason"), "the reason, as it is reported")
CONDITION_FIELD = Field("field", _field, "the field that is checked")
CONDITION = Record("a condition", (CONDITION_FIELD, VALUES, BECAUSE))

FORMAT = Field(
    "format", Choice("a format that this program reads", (FORMAT_NAME,), kinds.UNKNOWN_FORMAT), f"always {FORMAT_NAME}"
)
ID = Field(
    "id",
    Text("a profile's id", matching(_WORDS, "a profile's id", "lower-case words joined by -"), _WORDS, kinds.BAD_ID),
    "the profile's name",
)
NAME = Field("name", _line("a name"), "what the profile reads, for people")
NOTES = Field("notes", ListOf("the notes", _line("a note")), "what a user must know", required=False)
SOURCES = Field("sources", ListOf("the sources", SOURCE), "where the shape of the files was read", required=False)
RECORDS = Field(
    "records",
    Text(
        "a path to records",
        matching(_RECORDS, "a path to records", "one such as JobList.Job[], or [] for a list at the top"),
        _RECORDS,
        kinds.BAD_PATH,
    ),
    "where the records of a JSON document are; absent: the profile reads CSV only",
    required=False,
)
SKIP = Field(
    "skip", ListOf("the records to skip", CONDITION), "records that are not usage; they are counted", required=False
)
REQUIRE = Field(
    "require",
    ListOf("the requirements", CONDITION),
    "where one of these fields is there, it must have one of the values",
    required=False,
)
REFUSAL = Record("a refusal", (CONDITION_FIELD, BECAUSE))
REFUSE = Field(
    "refuse",
    ListOf("the refusals", REFUSAL),
    "fields of a JSON document that mean that something is missing; where one has a value, the run is refused",
    required=False,
)
NEXT_PAGE = Field(
    "next_page",
    _field,
    "the field of a JSON document that names its next page; without the last page the run is refused",
    required=False,
)
SUMS_OF = Field(
    "sums_of",
    Choice("a period", ("hour",), kinds.UNKNOWN_TIME),
    "each record is the sum of an hour; records that are all at midnight of several days are refused",
    required=False,
)
_name = Text("a column's name", parse_column, f"{'|'.join(COLUMNS)}|{TAG}", kinds.UNKNOWN_COLUMN)
_columns: MapOf[str, Located[str] | Fields] = MapOf("the columns", _name, Either(_field, COLUMN, "a column"))
COLUMNS_FIELD = Field("columns", _columns, "for each column of usage the field that holds it, or how it is made")
PROFILE = Record(
    "a profile",
    (FORMAT, ID, NAME, NOTES, SOURCES, RECORDS, NEXT_PAGE, REFUSE, SUMS_OF, SKIP, REQUIRE, COLUMNS_FIELD),
)
