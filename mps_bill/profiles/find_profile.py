"""Finding the shipped profile that reads a file, by the shape of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from mps_bill.core.diagnostics import InputRejected, one_of, printable, quoted
from mps_bill.metering import usage_problems as usage_kinds
from mps_bill.metering.csv_rows import read_rows
from mps_bill.metering.foreign_forms import has_usage_columns
from mps_bill.metering.sources import FORMATS, UsageSource, read_errors
from mps_bill.profiles import foreign_files as files
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.convert import CsvRecord
from mps_bill.profiles.json_records import JsonRecord, records_of, shown
from mps_bill.profiles.profile_definition import load_profile, shipped_profiles
from mps_bill.profiles.profile_model import Profile
from mps_bill.profiles.usage_fields import Record, usage_fields

#: The number of answers that are looked at, and of their records.
_LOOKED_AT = 20
_START = 1 << 16


def find_profile(sources: Sequence[UsageSource]) -> tuple[Profile, UsageSource] | None:
    """The profile of the first file that is not a usage file, and the file; None if all are usage files, or CSV that no profile
    knows.

    Raises:
        InputRejected: no profile, or more than one, reads a JSON or XML file; or the file cannot be read.
    """
    # Only the first table is looked at: a run may have thousands.
    tables = [source for source in sources if source.format.startswith("csv") and not source.url]
    others = [source for source in sources if source not in tables and source.format != "parquet" and not source.url]
    for source in (*others, *tables[:1]):
        form = _form(source)
        is_table = source.format in FORMATS
        if form is None or (form == "csv" and is_table and is_usage(source)):
            continue
        if _begins_as_bill(source):
            raise files.rejected(source, kinds.NO_PROFILE, files.NO_USAGE)
        profiles = [profile for name in shipped_profiles() if (profile := load_profile(name)[0])]
        if form == "csv":
            header = _header(source)
            every = profiles
            profiles = [one for one in profiles if one.known_by and all(path.name in header for path in one.known_by)]
            if not profiles and (cause := _nearly(header, every)):
                raise files.rejected(source, kinds.NO_PROFILE, cause, 1, 1)
        fitting, has_rows = _fitting(source, form, profiles)
        if len(fitting) == 1:
            if usage := next((table for table in tables[:1] if _form(table) == "csv" and is_usage(table)), None):
                message = f"this is a usage file, but {source.name} is not; convert that file first, with usage convert"
                raise files.rejected(usage, kinds.NO_PROFILE, message, 1, 1)
            return fitting[0], source
        if form != "csv" or fitting or not is_table:
            if fitting:
                what = "this file" if has_rows else "this answer, which has no rows that would show its kind"
                message = f"{one_of([one.id for one in fitting])} can read {what}; choose the profile with --profile"
                raise files.rejected(source, kinds.NO_PROFILE, message)
            raise files.rejected(source, kinds.NO_PROFILE, _unknown(source, form), 1, 1)
    return None


def known_profile(value: Any) -> str:
    """The id of the shipped profile that knows an answer or a record; empty if none does."""
    members = value if isinstance(value, dict) else {}
    for name in shipped_profiles():
        profile, _ = load_profile(name)
        if profile and any(test(profile, members) for test in (files.lists, files.knows, files.begins)):
            return profile.id
    return ""


def _nearly(header: Sequence[str], profiles: Sequence[Profile]) -> str:
    """Why a header does not fit a profile, if only separators or capital letters differ; else empty."""
    for separator, called in ((",", ""), (";", '";"'), ("\t", "a TAB"), ("|", '"|"')):
        names = {name.strip(' "').casefold() for name in ",".join(header).split(separator)}
        for profile in profiles:
            known = [path.name for path in profile.known_by]
            if known and names >= {name.casefold() for name in known}:
                wanted = (
                    f'profile {profile.id} reads the columns {", ".join(known)}, spelled like this and separated by ","'
                )
                return wanted + (f"; here they are separated by {called}" if called else "")
    return ""


def is_usage(source: UsageSource) -> bool:
    """Whether the header of a table has a column that only usage has."""
    with source.open() as stream:
        return has_usage_columns(stream)


def _form(source: UsageSource) -> str | None:
    """CSV, JSON or XML; None for a table that is empty or cannot be read, which its reader will report."""
    try:
        return files.form_of(source)
    except InputRejected:
        if source.format not in FORMATS:
            raise
    except read_errors() as error:
        if source.format not in FORMATS:
            message = f"it cannot be read: {printable(str(error))}"
            raise files.rejected(source, usage_kinds.UNREADABLE_FILE, message) from error
    return None


def _header(source: UsageSource) -> list[str]:
    with source.open() as stream:
        return [name.strip() for name in next(read_rows(stream)).fields]


def _fitting(source: UsageSource, form: str, profiles: Sequence[Profile]) -> tuple[list[Profile], bool]:
    """The profiles that know the beginning of the file; if there are several, those that know the item of its first record. And
    whether they know something in it, or only that it is an answer without records."""
    fitting: list[Profile] = []
    empty: list[Profile] = []
    firsts: dict[str, Record | None] = {}
    if form == "csv":
        fitting = list(profiles)
        firsts = dict.fromkeys((profile.id for profile in fitting), next(_table(source), None))
    else:
        for document in files.documents_of(source, form):
            if asked := [profile for profile in profiles if files.action_of(document) in profile.actions]:
                return asked, True
            for profile in profiles:
                if profile.records is None:
                    continue
                with files.rejecting(source, form):
                    answers = list(islice(files.answers_of(document, profile), _LOOKED_AT))
                found = list(islice(records_of(answers, profile.records), _LOOKED_AT))
                # A member that is not an object, such as null, is skipped.
                objects = (
                    one for one in found if isinstance(one, JsonRecord) and isinstance(one.scopes[0].value, dict)
                )
                record = next(objects, None)
                if record is not None and files.knows(profile, record.scopes[0].value):
                    fitting.append(profile)
                    firsts[profile.id] = record
                elif any(isinstance(one.span.value, dict) and files.lists(profile, one.span.value) for one in answers):
                    fitting.append(profile)
                elif not found and profile not in empty:
                    empty.append(profile)
            if fitting:
                break
    if len(fitting) > 1:
        fitting = [profile for profile in fitting if _knows_item(firsts.get(profile.id), profile)] or fitting
    return fitting or empty, bool(fitting)


def _begins_as_bill(source: UsageSource) -> bool:
    """Whether a file begins like the provider's bills, in any of their encodings."""
    with source.open() as stream:
        start = stream.read(_START)
    return any(files.is_bill(start.decode(encoding, "ignore")) for encoding in ("utf-8", "gb18030"))


def _unknown(source: UsageSource, form: str) -> str:
    """Why no profile reads a file, based on its header or its first document."""
    value: Any = _header(source) if form == "csv" else next(iter(files.documents_of(source, form))).value
    if form != "csv" and (error := files.error_in(value, 1)):
        return f"the file begins with an error of the provider, {error}"
    if form == "csv":
        named = ", ".join(map(quoted, value[:6]))
        begin = f"a header with {named}" if len(value) > 1 else f"the value {named}"
    else:
        is_object = isinstance(value, dict) and value
        begin = f"an object with {', '.join(map(quoted, islice(value, 6)))}" if is_object else shown(value)
    return (
        f"no import profile matches this file, which begins with {begin}; choose one with --profile: a file, or a shipped"
        f" one ({', '.join(shipped_profiles())})"
    )


def _table(source: UsageSource) -> Iterator[CsvRecord]:
    with source.open() as stream:
        rows = read_rows(stream)
        index = {name.strip(): number for number, name in enumerate(next(rows).fields)}
        for row in rows:
            if not row.flaw and len(row.fields) >= len(index):
                yield CsvRecord(row, index)


def _knows_item(record: Record | None, profile: Profile) -> bool:
    """Whether the profile's map has the item of a record."""
    items = tuple(column for column in profile.columns if column.name == "item")
    return record is not None and not usage_fields(record, replace(profile, columns=items, require=()))[1]
