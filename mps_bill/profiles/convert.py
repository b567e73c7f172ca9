"""Converting foreign files to usage: reading them, and writing their usage as CSV.

A converted source can be read in two ways: engines read the file of canonical CSV, and `rows` gives the same rows with the
places of the original file, so that every message about usage names the file that the user knows.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mps_bill.core.diagnostics import InputRejected, Place, Problem, near_miss, one_of, printable, quoted
from mps_bill.metering import usage_problems as usage_kinds
from mps_bill.metering.csv_rows import Flaw, Row, read_rows, wrong_width
from mps_bill.metering.encodings import in_utf8
from mps_bill.metering.foreign_forms import foreign_form
from mps_bill.metering.records import Layout, RecordReader
from mps_bill.metering.scheme import scheme_for
from mps_bill.metering.sources import UsageSource, read_errors
from mps_bill.metering.workspace import run_folder
from mps_bill.price_sheet.book import PriceBook
from mps_bill.profiles import foreign_files as files
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.completeness import Completeness
from mps_bill.profiles.json_documents import Document
from mps_bill.profiles.json_records import Answer, JsonRecord, NoRecords, records_of, shown
from mps_bill.profiles.profile_model import EACH, Column, FieldPath, Profile
from mps_bill.profiles.usage_fields import Record, skipped, source_field, template_of, usage_fields

#: The part of a document that shows whether it is a bill.
_START = 1 << 16
_ZERO = re.compile(r"0+(\.0*)?")


@dataclass(slots=True)
class Converted:
    """A foreign file, the number of usage `rows` that it makes, the numbers of its documents and answers, and the outcome of its
    records. Once the file is read to its end, `source` is its usage.

    `skipped` counts skipped records by reason; `templates` counts the billed records of each template that the profile does not
    name; `empty` counts the successful records of length 0; `on_trust` counts the pages that name a next page but have no
    request that says which page they are.
    """

    source: UsageSource
    rows: int = 0
    documents: int = 0
    answers: int = 0
    empty: int = 0
    on_trust: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    templates: Counter[str] = field(default_factory=Counter)

    @property
    def records(self) -> int:
        return self.rows + sum(self.skipped.values())


@dataclass(slots=True, kw_only=True)
class ConvertedRow(Row):
    """A usage row made from a foreign record; its places are those of the record."""

    record: Record
    columns: Sequence[Column]
    all_flaws: tuple[Flaw, ...]

    def flaws_outside(self, ignored: frozenset[int]) -> tuple[Flaw, ...]:  # noqa: ARG002 (a converted row ignores none)
        return self.all_flaws

    def position(self, index: int) -> tuple[int, int]:
        return self.record.position(source_field(self.record, self.columns[index]))


@contextmanager
def converted_sources(
    sources: Sequence[UsageSource], profile: Profile, report: Callable[[str], None] | None = None
) -> Iterator[tuple[Converted, ...]]:
    """The sources as usage, with canonical CSV in a folder that is deleted when the context ends. `report` gets messages about
    how the sources were read.

    Records with a wrong value become rows that every reader of usage rejects, with the problem and its place.

    Raises:
        InputRejected: a file cannot be read to its end or lacks fields that the profile needs, or the files together are
            incomplete.
    """
    problems: list[Problem] = []
    converted = []
    completeness = Completeness(profile)
    with run_folder() as folder, in_utf8(sources, str(folder), report) as readable:
        for number, source in enumerate(readable):
            try:
                converted.append(_converted(source, profile, Path(folder, f"{number}.csv"), completeness))
            except InputRejected as rejection:
                problems += rejection.report.shown
        if completeness.asks and not problems:
            for record in (record for source in readable for record in _reader(source, profile).records()):
                if not isinstance(record, Row):
                    completeness.answers(record)
        problems += completeness.problems()
        if problems:
            raise InputRejected(problems)
        yield tuple(converted)


def check_rows(source: UsageSource) -> Iterator[Problem]:
    """Everything that is wrong with the values of a converted source; prices are not checked."""
    assert source.rows is not None
    rows = source.rows()
    names = next(rows).fields
    layout = Layout(tuple(names), {name: index for index, name in enumerate(names)})
    # An empty book has no items, and none is looked up.
    reader = RecordReader(layout, scheme_for(PriceBook("", {}, {})))
    for row in rows:
        for flaw in row.flaws:
            yield Problem(Place(source.name, flaw.line, flaw.column), flaw.kind, flaw.message)
        record = () if row.flaws else reader.read(row.fields)
        for trouble in record if isinstance(record, tuple) else ():
            place = Place(source.name, *row.position(layout.index[trouble.column]))
            yield Problem(place, trouble.kind, trouble.message)


def _converted(source: UsageSource, profile: Profile, path: Path, completeness: Completeness) -> Converted:
    found = Converted(source)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        for row in _ForeignReader(source, profile, found, completeness).usage():
            # Every reader rejects a row with a single value, and none skips it.
            is_bad = row.flaws or not any(row.fields)
            writer.writerow(["?", *[""] * (len(profile.columns) - 1)] if is_bad else row.fields)
            found.rows += 1
    # The first row is the header.
    found.rows -= 1
    again = _reader(source, profile).usage
    found.source = UsageSource(source.name, path, "csv", path.stat().st_size, again)
    return found


def _reader(source: UsageSource, profile: Profile) -> _ForeignReader:
    """A reader whose counts nobody needs."""
    return _ForeignReader(source, profile, Converted(source), Completeness(profile))


@dataclass(frozen=True, slots=True)
class _ForeignReader:
    """Reads a foreign file by a profile; `counts` and `completeness` follow what it reads."""

    source: UsageSource
    profile: Profile
    counts: Converted
    completeness: Completeness

    def usage(self) -> Iterator[Row]:
        """The usage rows that the file makes, the header first, with the places of the file."""
        profile, counts, names = self.profile, self.counts, self.profile.column_names
        yield Row(1, b"", list(names))
        status = names.index("status") if "status" in names else None
        quantity = names.index("quantity")
        for record in self.records():
            if isinstance(record, Row):
                yield record
            elif condition := skipped(record, profile):
                counts.skipped[condition.because] += 1
            else:
                template = template_of(record, profile)
                fields, wrong = usage_fields(record, profile, template)
                self.completeness.row(self.source.name, record, fields)
                if template and template not in profile.templates:
                    counts.templates[template] += status is None or fields[status] != "failed"
                if status is not None and fields[status] == "success" and _ZERO.fullmatch(fields[quantity]):
                    counts.empty += 1
                flaws = tuple(Flaw(*record.position(one.field), one.kind, one.message) for one in wrong)
                flaw = flaws[0] if flaws else None
                yield ConvertedRow(
                    record.line, record.raw, fields, flaw, record=record, columns=profile.columns, all_flaws=flaws
                )

    def records(self) -> Iterator[JsonRecord | CsvRecord | Row]:
        """The records of the file, and rows with a flaw in place of records that cannot be read."""
        try:
            form = files.form_of(self.source)
            yield from self._csv_records() if form == "csv" else self._answer_records(form)
        except read_errors() as error:
            message = f"it cannot be read: {printable(str(error))}"
            raise files.rejected(self.source, usage_kinds.UNREADABLE_FILE, message) from error

    def _answer_records(self, form: str) -> Iterator[JsonRecord | Row]:
        source, profile, counts, completeness = self.source, self.profile, self.counts, self.completeness
        if profile.records is None:
            message = f"this is {form.upper()}, and profile {profile.id} reads CSV only"
            raise files.rejected(source, kinds.OTHER_KIND_OF_FILE, message)
        path = ".".join(profile.records).replace(f".{EACH}", EACH)
        for document in files.documents_of(source, form):
            counts.documents += 1
            recognised = False
            answer = None

            def answers(document: Document = document) -> Iterator[Answer]:
                nonlocal recognised, answer
                for answer in files.answers_of(document, profile):
                    counts.answers += not answer.is_record
                    recognised = completeness.answer(source.name, answer)
                    counts.on_trust += completeness.is_on_trust
                    if completeness.lacks:
                        counts.skipped[f"the answer has no {completeness.lacks}"] += 1
                    yield answer

            with files.rejecting(source, form):
                for record in records_of(answers(), profile.records):
                    if not isinstance(record, NoRecords):
                        completeness.record()
                        value = record.scopes[0].value
                        if isinstance(value, dict):
                            yield record
                            continue
                        message = f"the record is {shown(value)}, and must be an object"
                        flaw = Flaw(*record.position(), kinds.NOT_A_VALUE, message)
                        yield Row(record.line, record.raw, [], flaw)
                    elif not recognised:
                        completeness.no_records()
                        if files.is_bill(document.text[:_START]):
                            raise files.rejected(source, kinds.NO_PROFILE, files.NO_USAGE, record.line, record.column)
                        scopes = answer.whole.scopes if answer else ()
                        error = next(filter(None, (files.error_in(scope.value, 3) for scope in scopes)), "")
                        message = f"profile {profile.id} reads records at {path}, and that path ends here"
                        message = f"the provider answered with an error, {error}" if error else message
                        flaw = Flaw(record.line, record.column, kinds.NO_RECORDS, message)
                        yield Row(record.line, document.text[:200].encode("utf-8", "backslashreplace"), [], flaw)

    def _csv_records(self) -> Iterator[CsvRecord | Row]:
        with self.source.open() as stream:
            rows = read_rows(stream)
            header = next(rows)
            index = _index(self.source, header, self.profile)
            for row in rows:
                if not row.flaw and (wrong := wrong_width(row.fields, len(header.fields))):
                    row.flaw = Flaw(row.line, 1, *wrong)
                yield row if row.flaw else CsvRecord(row, index)


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """A row of a foreign CSV file, with its fields by the names in the header."""

    row: Row
    index: Mapping[str, int]

    @property
    def line(self) -> int:
        return self.row.line

    @property
    def raw(self) -> bytes:
        return self.row.raw

    def value(self, path: FieldPath) -> str | None:
        index = self.index.get(path.name)
        return None if index is None else self.row.fields[index]

    def position(self, path: FieldPath | None = None) -> tuple[int, int]:
        return self.row.position(self.index[path.name]) if path else (self.row.line, 1)


def _index(source: UsageSource, header: Row, profile: Profile) -> dict[str, int]:
    """The position of each field in the rows of a CSV file, by its name in the header."""
    if form := foreign_form(header, profile.field_names.__contains__):
        raise files.rejected(source, *form, header.line, 1)
    if header.flaw:
        raise files.rejected(source, header.flaw.kind, header.flaw.message, header.flaw.line, header.flaw.column)
    problems = []
    names = [name.strip() for name in header.fields]
    used = profile.field_names
    for number, name in enumerate(names):
        if name in used and name in names[:number]:
            place = Place(source.name, *header.position(number))
            problems.append(Problem(place, kinds.REPEATED_FIELD, f"duplicate field {quoted(name)}"))
    for column in profile.columns:
        wanted = [path.name for path in column.fields]
        if wanted and column.default is None and not any(name in names for name in wanted):
            hint = next(filter(None, (near_miss(name, names, priced=False) for name in wanted)), "")
            message = f"the header has no field for {column.name}, such as {one_of(wanted)}{hint}"
            remedy = f"; --set {column.name}=... gives all rows one value"
            problems.append(Problem(Place(source.name, header.line, 1), kinds.MISSING_FIELD, message + remedy))
    if problems:
        raise InputRejected(problems)
    return {name: number for number, name in enumerate(names)}
