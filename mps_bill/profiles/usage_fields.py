"""Converting a foreign record to the columns of usage, with all its wrong values at once. Pure.

Only the rules of the profile are checked here: missing fields, values that are not in its map, forms of time. Whether the usage
is right is left to the reader of usage, so that there is one decision however usage was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from mps_bill.core.diagnostics import Kind, expected, near_miss, one_of, quoted
from mps_bill.core.times import LOCAL_TIME, iso, offset_text
from mps_bill.metering.usage_columns import ACCOUNT_COLUMN, TAG_PREFIX
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.json_records import Obstacle, is_there, shown
from mps_bill.profiles.profile_model import Column, Condition, FieldPath, Profile, placeholders

#: The columns, apart from tags, with the user's own text, which may have quotes and line ends.
_FREE_TEXT = ("job_id", "output", ACCOUNT_COLUMN)
#: The columns that are empty for audio.
_PICTURE = ("codec", "width", "height")
_LINE_ENDS = str.maketrans("", "", "\r\n")
_LOCAL_TIME = re.compile(LOCAL_TIME)
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?")
_EPOCH = re.compile(r"0|[1-9][0-9]{0,15}")
#: 3000-01-01T00:00:00Z: the first second that usage cannot have.
_END_OF_TIMES = 32_503_680_000
_EPOCH_UNITS = {"epoch-seconds": 1, "epoch-milliseconds": 1000}


class Record(Protocol):
    """A foreign record: its fields, and their places in the file."""

    def value(self, path: FieldPath) -> Any:
        """The value at `path`; None if there is none, and an `Obstacle` if a text or a list is in the way."""

    def position(self, path: FieldPath | None = None) -> tuple[int, int]:
        """Line and column of a field, or of the record if it has no such field."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem with the value of a field, or with the record if there is no such field; and the column that the value is for."""

    field: FieldPath | None
    kind: Kind
    message: str
    column: str = ""


class _Wrong(Exception):
    """A problem with one value: its field, kind and message."""


def skipped(record: Record, profile: Profile) -> Condition | None:
    """The condition by which the record is skipped, or None."""
    name, text = "", ""
    for condition in profile.skip:
        # Most conditions check the same field.
        if condition.field.name != name:
            name, text = condition.field.name, _text(record, condition.field)
        if text in condition.values and not (condition.without and _text(record, condition.without)):
            return condition
    return None


def template_of(record: Record, profile: Profile) -> str:
    """The template of the record; empty if it has none."""
    for path in profile.template:
        value = record.value(path)
        if isinstance(value, str) and (text := value.strip()):
            return text
    return ""


def usage_fields(record: Record, profile: Profile, template: str = "") -> tuple[list[str], list[Trouble]]:
    """The values of the profile's columns, in their order, and everything that is wrong with the values of the record;
    `template` is the template of the record."""
    troubles = [trouble for condition in profile.require if (trouble := _unmet(record, condition))]
    values: dict[str, str] = {}
    for column in profile.columns:
        values[column.name] = column.default or column.constant
        try:
            values[column.name] = _value(record, column, profile)
        except _Wrong as wrong:
            path, kind, message = wrong.args
            troubles.append(Trouble(path, kind, message, column.name))
    if template and (named := profile.templates.get(template)):
        named = _with_audio(named, values, profile)
        # A template determines these columns, whatever the record has in its fields.
        values.update(named)
        troubles = [trouble for trouble in troubles if trouble.column not in named]
    for column in profile.columns:
        if column.template:
            values[column.name] = column.template.format_map(values)
    return list(values.values()), troubles


def _with_audio(named: Mapping[str, str], values: Mapping[str, str], profile: Profile) -> Mapping[str, str]:
    """The columns that a template sets in a record whose other `values` are these."""
    audio = profile.audio
    if audio and values["item"] == audio.item and named["item"] in audio.instead_of:
        return {}
    if audio and named["item"] == audio.item:
        return {**{column: "" for column in _PICTURE if column in values}, **named}
    return named


def source_field(record: Record, column: Column) -> FieldPath | None:
    """The first field of a column that has a value in the record, or else the first whose value is in `absent`."""
    evidence = _evidence(record, column)
    found = _first(record, column.fields, column.absent) or _first(record, column.fields)
    return evidence or (found[0] if found else None)


def _first(record: Record, paths: Iterable[FieldPath], absent: Sequence[str] = ()) -> tuple[FieldPath, Any, str] | None:
    """The first field with a value that is not in `absent`, the value, and the value as text."""
    for path in paths:
        value = record.value(path)
        text = _as_text(value)
        if text and text not in absent:
            return path, value, text
    return None


def _evidence(record: Record, column: Column) -> FieldPath | None:
    """The first field for which a column gets the value of its `if_any`."""
    if column.if_any is not None:
        for path in column.if_any.fields:
            value = record.value(path)
            if is_there(value) and _as_text(value) not in column.if_any.absent:
                return path
    return None


def _value(record: Record, column: Column, profile: Profile) -> str:
    """The value of a column in a record, without its `template`."""
    if column.if_any and _evidence(record, column):
        return column.if_any.value
    found = _first(record, column.fields, column.absent)
    if found:
        return _meaning(*found, column, profile)
    needed = column.needed_if
    if column.fields and (column.default is None or (needed and _text(record, needed.field) in needed.values)):
        wanted = one_of([field.name for field in column.fields])
        message = f"the record has no {wanted}, which {column.name} is made from"
        raise _Wrong(None, kinds.MISSING_VALUE, message)
    return column.default or column.constant


def _text(record: Record, path: FieldPath) -> str:
    """The text of a field, without spaces around it; empty if there is none."""
    return _as_text(record.value(path))


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return "" if value is None else str(value)


def _meaning(path: FieldPath, value: Any, text: str, column: Column, profile: Profile) -> str:
    """The value of `column` for the value at `path`."""
    if not isinstance(value, str):
        if isinstance(value, Obstacle):
            message = f"{value}; {column.name} needs an object with {path.name.removeprefix(value.name + '.')}"
        else:
            message = f"{path.name} is {shown(value)}; {column.name} needs a value"
        raise _Wrong(path, kinds.NOT_A_VALUE, message)
    is_free = column.name in _FREE_TEXT or column.name.startswith(TAG_PREFIX)
    if not (text.translate(_LINE_ENDS) if is_free else text).isprintable() or ('"' in text and not is_free):
        message = f"{path.name} {quoted(text)} has a quote or an invisible character, which {column.name} cannot have"
        raise _Wrong(path, kinds.BAD_CHARACTER, message)
    if column.value_map is not None:
        if text not in column.value_map:
            known = tuple(column.value_map)
            message = f"{path.name} {quoted(text)} is not in the map of {column.name} in profile {profile.id}"
            hint = near_miss(text, known) or expected(known)
            raise _Wrong(path, kinds.UNKNOWN_WORD, message + hint)
        meaning = column.value_map[text]
        text = _with_parameters(meaning, path, text, profile) if profile.parameters else meaning
    if column.times:
        return _multiplied(text, path, column, profile)
    if column.time != "iso":
        return _from_epoch(text, path, column)
    if column.offset is not None and _LOCAL_TIME.fullmatch(text):
        return text + offset_text(column.offset)
    return text


def _with_parameters(value: str, path: FieldPath, text: str, profile: Profile) -> str:
    """The value of a map, with its parameters replaced by their values."""
    for name in placeholders(value):
        if name not in profile.parameters:
            continue
        parameter = profile.parameter(name)
        if parameter is None:
            message = f"{path.name} is {quoted(text)}: give --set {name}=... ({profile.parameters[name].about})"
            raise _Wrong(path, kinds.MISSING_VALUE, message)
        value = value.replace(f"{{{name}}}", parameter)
    return value


def _multiplied(text: str, path: FieldPath, column: Column, profile: Profile) -> str:
    """The exact product of a plain decimal and the factors of a column. Other texts do not change; usage readers refuse them."""
    if not _DECIMAL.fullmatch(text):
        return text
    product = Fraction(text)
    for factor in column.times:
        value = factor if factor not in profile.parameters else profile.parameter(factor)
        if value is None or not _DECIMAL.fullmatch(value):
            message = f"--set {factor}={value or '...'} is not a plain decimal ({profile.parameters[factor].about})"
            raise _Wrong(path, kinds.MISSING_VALUE, message)
        product *= Fraction(value)
    places = 0
    while (product * 10**places).denominator > 1:
        places += 1
    digits = str(int(product * 10**places)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def _from_epoch(text: str, path: FieldPath, column: Column) -> str:
    per_second = _EPOCH_UNITS[column.time]
    if not _EPOCH.fullmatch(text) or int(text) // per_second >= _END_OF_TIMES:
        unit = column.time.removeprefix("epoch-")
        message = f"{path.name} {quoted(text)} is not a whole number of {unit} from 1970 on, before the year 3000"
        raise _Wrong(path, kinds.BAD_EPOCH, message)
    second, fraction = divmod(int(text), per_second)
    moment = iso(second, 0)
    return f"{moment[:19]}.{fraction:03}{moment[19:]}" if fraction else moment


def _unmet(record: Record, condition: Condition) -> Trouble | None:
    text = _text(record, condition.field)
    if not text or text in condition.values:
        return None
    message = f"{condition.field.name} is {quoted(text)}, and must be {one_of(condition.values)}: {condition.because}"
    return Trouble(condition.field, kinds.UNMET_CONDITION, message)
