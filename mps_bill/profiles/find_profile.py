"""Which of the shipped profiles reads a file, found by the file's shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from mps_bill.core.diagnostics import InputRejected, one_of, printable, quoted
from mps_bill.metering import kinds as usage_kinds
from mps_bill.metering.csv_rows import read_rows
from mps_bill.metering.foreign_forms import has_usage_columns
from mps_bill.metering.sources import FORMATS, UsageSource, read_errors
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.convert import CsvRecord
from mps_bill.profiles.foreign_files import answers_of, documents_of, form_of, knows, lists, rejected
from mps_bill.profiles.json_records import Document, NoRecords, records_of, shown, value_at
from mps_bill.profiles.profile import Profile
from mps_bill.profiles.read_profile import load_profile, shipped_profiles
from mps_bill.profiles.usage_fields import Record, usage_fields


def find_profile(sources: Sequence[UsageSource]) -> tuple[Profile, UsageSource] | None:
    """The profile of the first file that is no usage file, and the file; None where all are usage files, or CSV that no
    profile knows.

    Raises:
        InputRejected: no profile, or more than one, reads a file of JSON or XML; or it cannot be read.
    """
    # Of a table the first file speaks for the others: a run may have thousands.
    tables = [source for source in sources if source.format.startswith("csv") and not source.url]
    others = [source for source in sources if source not in tables and source.format != "parquet" and not source.url]
    for source in (*others, *tables[:1]):
        form = _form(source)
        is_table = source.format in FORMATS
        if form is None or (form == "csv" and is_table and is_usage(source)):
            continue
        profiles = [profile for name in shipped_profiles() if (profile := load_profile(name)[0])]
        if form == "csv":
            header = _header(source)
            profiles = [one for one in profiles if one.known_by and all(path.name in header for path in one.known_by)]
        fitting = _fitting(source, form, profiles)
        if len(fitting) == 1:
            if usage := next((table for table in tables[:1] if _form(table) == "csv" and is_usage(table)), None):
                message = (
                    f"this is a usage file, and {source.name} is not; make usage of that first, with usage convert"
                )
                raise rejected(usage, kinds.NO_PROFILE, message, 1, 1)
            return fitting[0], source
        if form != "csv" or fitting or not is_table:
            if fitting:
                message = f"{one_of([one.id for one in fitting])} can read this file; name the profile with --profile"
                raise rejected(source, kinds.NO_PROFILE, message)
            message = (
                f"no profile knows this file, which begins with {_begin(source, form)}; name one with --profile, of"
            )
            message += f" your own or shipped with the program ({', '.join(shipped_profiles())})"
            raise rejected(source, kinds.NO_PROFILE, message, 1, 1)
    return None


def is_usage(source: UsageSource) -> bool:
    """Whether the header of a table has a column that only usage has."""
    with source.open() as stream:
        return has_usage_columns(stream)


def action_of(document: Document) -> str:
    """The action that the request beside an answer asks for; empty where there is none."""
    members = document.value if isinstance(document.value, dict) else {}
    action = value_at(members, ("Request", "Action"))
    return action if isinstance(action, str) else ""


def _form(source: UsageSource) -> str | None:
    """CSV, JSON or XML; None for a table that is empty or cannot be read, which its reader reports.

    Raises:
        InputRejected: another file is empty or cannot be read.
    """
    try:
        return form_of(source)
    except InputRejected:
        if source.format not in FORMATS:
            raise
    except read_errors() as error:
        if source.format not in FORMATS:
            message = f"it cannot be read: {printable(str(error))}"
            raise rejected(source, usage_kinds.UNREADABLE_FILE, message) from error
    return None


def _header(source: UsageSource) -> list[str]:
    with source.open() as stream:
        return [name.strip() for name in next(read_rows(stream)).fields]


def _fitting(source: UsageSource, form: str, profiles: Sequence[Profile]) -> list[Profile]:
    """The profiles that know what the file begins with: of several those that know the item of its first record."""
    fitting: list[Profile] = []
    firsts: dict[str, Record | None] = {}
    if form == "csv":
        fitting = list(profiles)
        firsts = dict.fromkeys((profile.id for profile in fitting), next(_table(source), None))
    else:
        for document in documents_of(source, form):
            if asked := [profile for profile in profiles if action_of(document) in profile.actions]:
                return asked
            for profile in profiles:
                if profile.records is None:
                    continue
                answers = list(islice(answers_of(document, profile), 1))
                record = next(records_of(answers, profile.records), None)
                if isinstance(record, NoRecords) or record is None:
                    if any(isinstance(one.span.value, dict) and lists(profile, one.span.value) for one in answers):
                        fitting.append(profile)
                elif isinstance(record.scopes[0].value, dict) and knows(profile, record.scopes[0].value):
                    fitting.append(profile)
                    firsts[profile.id] = record
            if fitting:
                break
    if len(fitting) > 1:
        fitting = [profile for profile in fitting if _knows_item(firsts.get(profile.id), profile)] or fitting
    return fitting


def _begin(source: UsageSource, form: str) -> str:
    """What the header or the first document of a file is, for a message."""
    if form == "csv":
        return f"a header with {', '.join(map(quoted, _header(source)[:6]))}"
    value = next(iter(documents_of(source, form))).value
    if not isinstance(value, dict) or not value:
        return shown(value)
    code, text = (value_at(value, (key,)) for key in ("Code", "Message"))
    if isinstance(code, str) and isinstance(text, str):
        return f"an error of the provider, {printable(code)}: {printable(text)}"
    return f"an object with {', '.join(map(quoted, islice(value, 6)))}"


def _table(source: UsageSource) -> Iterator[CsvRecord]:
    with source.open() as stream:
        rows = read_rows(stream)
        index = {name.strip(): number for number, name in enumerate(next(rows).fields)}
        for row in rows:
            if not row.flaw and len(row.fields) >= len(index):
                yield CsvRecord(row, index)


def _knows_item(record: Record | None, profile: Profile) -> bool:
    """Whether the map of the profile has the item of a record."""
    items = tuple(column for column in profile.columns if column.name == "item")
    return record is not None and not usage_fields(record, replace(profile, columns=items, require=()))[1]
